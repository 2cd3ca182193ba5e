"""People whose browser holds a passkey."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from tests.support.builders import PASSWORD
from tests.support.served import Served

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(browser: Browser, site: Served) -> Page:
    """Return the page on which one signs in, of a browser that can make passkeys."""
    page = browser.new_context().new_page()
    page.goto(f"{site.address}/sign-in")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


def with_a_passkey(browser: Browser, site: Served, role: str) -> Page:
    """Sign in and register a passkey, the only second factor of that person."""
    page = with_authenticator(browser, site)
    page.fill("#email", site.people[role])
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.wait_for_url(f"{site.address}/")
    register(page, site)
    return page


def register(page: Page, site: Served) -> None:
    """Register a passkey of whoever is signed in."""
    page.goto(f"{site.address}/account")
    page.fill("#proof_password", PASSWORD)
    page.click("form[action='/account/prove'] button")
    page.fill("#passkey_name", "desk")
    page.click("form[action='/account/passkeys'] button")
    page.wait_for_selector("text=These recovery codes are shown only now")
