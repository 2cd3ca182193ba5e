"""The pages of methods in a real browser: nothing a program can find fault with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from calib.services import dry_run
from instruments.services import methods
from tests.browser.test_pages_registry_look import DESK, PHONE, SMALL
from tests.support.builders import context_for
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
CHANGED = {
    "/measurands/0/points/default": ["35.0", "37.0", "41.0"],
    "/measurands/0/points/readings": 6,
    "/measurands/0/limits/0/upper": "0.2",
    "/measurands/0/limits/0/lower": "-0.2",
    "/environment/0/low": "18",
}


@pytest.fixture(scope="module")
def paths(site: Served) -> tuple[str, ...]:
    """Return the pages of a submitted revision, of a draft with an error and of a large type."""
    world = site.world
    types = ("thermometer.infrared_forehead", "thermometer.infrared_ear", "monitor.patient")
    with context_for(world) as ctx:
        sent, broken, large = (methods.copy_type(ctx, t, world.catalogue) for t in types)
        sent = methods.change_figures(ctx, sent.id, sent.version, CHANGED)
        dry_run.submit(ctx, sent.id, sent.version, "As our blackbody asks.", world.catalogue)
        wrong = {"/measurands/0/components/1/half_width": "wide", "/acclimatisation_minutes": 20}
        methods.change_figures(ctx, broken.id, broken.version, wrong)
    return (
        "/methods",
        f"/methods/{sent.id}",
        f"/methods/{sent.id}/dry-run",
        f"/methods/{broken.id}",
        f"/methods/{broken.id}/edit",
        f"/methods/{large.id}",
        f"/methods/{large.id}/edit",
    )


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(DESK, "light", "en"), (PHONE, "dark", "zh")],
    ids=["desk-light-en", "phone-dark-zh"],
)
def test_no_page_of_methods_has_a_fault_a_program_can_find(
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
    for path in paths:
        answer = page.goto(site.address + path)
        assert answer is not None
        assert answer.status == 200, path
        if os.environ.get("CALIB_PICTURES"):
            name = path.strip("/").replace("/", "-")
            page.screenshot(path=Path(os.environ["CALIB_PICTURES"]) / f"{language}-{name}.png")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px wider than the screen")
        faults += [f"{path}: too small to touch: {html}" for html in page.evaluate(SMALL)]
        found = Axe().run(page).response["violations"]
        faults += [f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found]
    context.close()
    assert faults == []
