"""The pages of governing documents in a real browser: nothing a program can find fault with."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from instruments.services import documents
from tests.browser.test_pages_registry_look import DESK, PHONE, SMALL
from tests.support.builders import context_for
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
NUMBER = "JJF 1107-2003"


@pytest.fixture(scope="module")
def paths(site: Served) -> tuple[str, ...]:
    """Return the pages, one of a document that the lab knows to be superseded."""
    with context_for(site.world) as ctx:
        act = documents.Supersession(
            number=NUMBER,
            replaced_by="JJF 1107-2026",
            source="List of the regulator",
            in_force_on=date(2026, 3, 1),
        )
        documents.supersede(ctx, act, documents.get_document(ctx, NUMBER).revision)
    return (
        "/documents",
        f"/documents/{NUMBER}",
        "/documents/JJG 1163-2019",
        "/documents/record",
        f"/documents/record?number={NUMBER}",
        "/documents/comparisons",
        "/documents/comparisons/ear-thermometers",
    )


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(DESK, "light", "en"), (PHONE, "dark", "zh")],
    ids=["desk-light-en", "phone-dark-zh"],
)
def test_no_page_of_documents_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, paths: tuple[str, ...], size, scheme, language
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="zh-CN" if language == "zh" else "en-GB",
    )
    page = sign_in(context, site, "signatory")
    faults: list[str] = []
    page.on("console", lambda m: faults.append(f"{page.url}: {m.text}") if m.type == "error" else 0)
    for place, path in enumerate(paths):
        answer = page.goto(site.address + path)
        assert answer is not None
        assert answer.status == 200, path
        if os.environ.get("CALIB_PICTURES"):
            name = f"{language}-documents-{place}.png"
            page.screenshot(path=Path(os.environ["CALIB_PICTURES"]) / name, full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px wider than the screen")
        faults += [f"{path}: too small to touch: {html}" for html in page.evaluate(SMALL)]
        found = Axe().run(page).response["violations"]
        faults += [f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found]
    context.close()
    assert faults == []
