"""The catalogue in a real browser: found fault with by no program, usable with a keyboard alone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.test_pages_registry_look import DESK, PHONE, SMALL
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
PATHS = (
    "/catalogue",
    "/catalogue?q=JJG",
    "/catalogue/thermometer.medical_electronic",
    "/catalogue/ventilator.critical_care",
    "/catalogue/balance.electronic",
)


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(DESK, "light", "en"), (PHONE, "dark", "zh")],
    ids=["desk-light-en", "phone-dark-zh"],
)
def test_no_page_of_the_catalogue_has_a_fault(
    browser: Browser, site: Served, size, scheme, language
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="zh-CN" if language == "zh" else "en-GB",
    )
    page = sign_in(context, site, "signatory")
    faults: list[str] = []
    for path in PATHS:
        answer = page.goto(site.address + path)
        assert answer is not None
        assert answer.status == 200, path
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{path}: {wide} px wider than the screen")
        faults += [f"{path}: too small to touch: {html}" for html in page.evaluate(SMALL)]
        found = Axe().run(page).response["violations"]
        faults += [f"{path}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found]
    context.close()
    assert faults == []


def test_a_limit_is_confirmed_with_the_keyboard(browser: Browser, site: Served) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
    page = sign_in(context, site, "signatory")
    page.goto(f"{site.address}/catalogue/thermometer.medical_electronic")
    before = page.locator(".badge.green", has_text="confirmed").count()
    page.locator("#limits ~ section summary", has_text="Confirm").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    for text in ("GB/T 21416-2008", "Table 1"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=confirmed**")
    assert page.locator(".badge.green", has_text="confirmed").count() == before + 1
    context.close()
