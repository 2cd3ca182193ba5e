"""The catalogue in a real browser: found fault with by no program, usable with a keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.support.looks import Look, faults_of, in_looks
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
PATHS = (
    "/catalogue",
    "/catalogue?q=JJG",
    "/catalogue/thermometer.medical_electronic",
    "/catalogue/ventilator.critical_care",
    "/catalogue/balance.electronic",
)


@in_looks()
def test_no_page_of_the_catalogue_has_a_fault(browser: Browser, site: Served, look: Look) -> None:
    assert faults_of(browser, site, look, PATHS) == []


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
