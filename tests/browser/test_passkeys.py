"""A passkey in a real browser: made, signed in with, used as second factor; a replay is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.builders import PASSWORD
from tests.support.looks import faults_on
from tests.support.passkeyed import register, with_authenticator
from tests.support.served import Served, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Served]:
    """Serve under a name: for a bare address browsers make no passkeys."""
    with served(tmp_path_factory.mktemp("named"), host="localhost") as running:
        yield running


def type_password(page: Page, site: Served) -> None:
    page.goto(f"{site.address}/sign-in")
    page.fill("#email", site.people["technician"])
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")


def test_made_and_signed_in_with_and_never_twice(browser: Browser, site: Served) -> None:
    page = with_authenticator(browser, site)
    type_password(page, site)
    page.wait_for_url(f"{site.address}/")
    register(page, site)
    assert page.locator("strong", has_text="desk").count() == 1
    assert faults_on(page, "/account") == []

    page.click("text=Sign out")
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.post_data or "") if "passkey" in r.url else None)
    page.click("text=Sign in with a passkey")
    page.wait_for_url(f"{site.address}/")
    assert site.people["technician"].startswith("technician")
    assert page.locator(".rooms a.name").inner_text() == "Technician"

    page.click("text=Sign out")
    begun = page.request.post(f"{site.address}/sign-in/passkey/begin")
    assert begun.ok
    again = page.request.post(
        f"{site.address}/sign-in/passkey",
        data=sent[-1],
        headers={"content-type": "application/x-www-form-urlencoded"},
        max_redirects=0,
    )
    assert again.status == 401

    type_password(page, site)
    assert faults_on(page, "/sign-in") == []
    page.click("text=Use my passkey as the second factor")
    page.wait_for_url(f"{site.address}/")
    page.context.close()


PUBLIC = ("/password/forgotten", "/password?token=calib_l_none", "/sign-in/provider/back")


def test_the_pages_of_a_password_have_no_faults(browser: Browser, site: Served):
    for width, scheme in ((1280, "light"), (390, "dark")):
        opened = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = opened.new_page()
        for path in PUBLIC:
            page.goto(f"{site.address}{path}")
            assert faults_on(page, f"{path} {scheme}") == []
        page.goto(f"{site.address}/password/forgotten")
        page.keyboard.type("nobody@example.org")  # the field has the focus
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
        assert faults_on(page, f"asked {scheme}") == []
        opened.close()
