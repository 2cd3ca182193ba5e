"""A record signed in a real browser: by password and code, and by a passkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from calib.records.signatures import Signature, SignatureChallenge
from calib.services import signatures
from instruments.records.factors import SecondFactor
from instruments.records.parties import Person
from instruments.services import approval_rules, passkeys, totp
from instruments.tenancy import installation_session
from tests.support.benched import a_draft, fill, with_address
from tests.support.builders import NOW, PASSWORD, context_for
from tests.support.looks import faults_on
from tests.support.served import Served, served, sign_in
from tests.support.signing import SIGNED

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Served]:
    """Serve under a name: for a bare address browsers make no passkeys."""
    with served(tmp_path_factory.mktemp("signed"), host="localhost") as running:
        with_address(running.world)
        with context_for(running.world) as ctx:
            approval_rules.set_rules(ctx, SIGNED)
        yield running


def a_filled(site: Served) -> int:
    record = a_draft(site.world)
    with context_for(site.world) as ctx:
        fill(ctx, record.id)
    return record.id


def begun(page: Page, site: Served, id_: int) -> None:
    page.goto(f"{site.address}/calibrations/{id_}")
    page.click("form[action$='/sign'] button")
    page.wait_for_selector("text=I performed this work")


def newest(site: Served) -> tuple[Signature, SignatureChallenge]:
    with installation_session(site.wired.engine, read_only=True) as session:
        row = session.scalars(select(Signature).order_by(Signature.id.desc())).first()
        assert row is not None
        challenge = session.get_one(SignatureChallenge, row.challenge_id)
        session.expunge_all()
        return row, challenge


def test_signed_by_password_and_code(browser: Browser, site: Served) -> None:
    page = sign_in(browser.new_context(), site, "technician")
    secret = totp.new_secret()
    with installation_session(site.wired.engine) as session:
        mine = Person.email == site.people["technician"]
        person = session.scalars(select(Person).where(mine)).one()
        session.add(
            SecondFactor(
                person_id=person.id, secret=secret, created_at=NOW, confirmed_at=NOW, last_step=0
            )
        )
    begun(page, site, a_filled(site))
    assert faults_on(page, "the page on which one signs") == []
    page.fill("#sign_password", PASSWORD)
    page.click("main form button:has-text('Sign')")
    page.wait_for_selector("text=This account has a second factor")
    page.fill("#sign_password", PASSWORD)
    page.fill("#sign_code", totp.code_at(secret, totp.step_of(NOW)))
    page.click("main form button:has-text('Sign')")
    page.wait_for_selector("text=by password and code")
    assert "2026-03-02 16:30:00+08:00" in page.inner_text("main")
    assert newest(site)[0].way == "password+code"
    with installation_session(site.wired.engine) as session:
        session.delete(session.scalars(select(SecondFactor)).one())
    page.context.close()


def test_signed_by_a_passkey_whose_answer_can_be_checked_again(
    browser: Browser, site: Served
) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{site.address}/sign-in")
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.fill("#email", site.people["technician"])
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.wait_for_url(f"{site.address}/")
    page.goto(f"{site.address}/account")
    page.fill("#proof_password", PASSWORD)
    page.click("form[action='/account/prove'] button")
    page.fill("#passkey_name", "desk")
    page.click("form[action='/account/passkeys'] button")
    page.wait_for_selector("text=These recovery codes are shown only now")

    begun(page, site, a_filled(site))
    page.click("text=Sign with the passkey")
    page.wait_for_selector("text=by passkey")
    row, challenge = newest(site)
    assert row.way == "passkey"
    kept = dict(row.evidence)
    party = passkeys.Party(kept.pop("id"), kept.pop("origin"))
    signed = signatures.bytes_to_sign(site.wired.engine, challenge.token)
    assert signed is not None
    assert passkeys.check_evidence(passkeys.Evidence(**kept), party, signed) > 0
    with pytest.raises(Exception, match=r"[Cc]hallenge"):
        passkeys.check_evidence(passkeys.Evidence(**kept), party, bytes(32))
    page.context.close()
