"""A record signed in a real browser: by password and code, and by a passkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect
from sqlalchemy import delete, select

from calib.records.signatures import EndConsent, Signature, SignatureChallenge
from calib.services import consents, signatures
from instruments.records.factors import SecondFactor
from instruments.records.parties import Person
from instruments.records.passkeys import Passkey
from instruments.services import approval_rules, passkeys, totp
from instruments.tenancy import installation_session
from tests.support import builders
from tests.support.benched import a_draft, an_issued, fill, with_address
from tests.support.builders import NOW, PASSWORD, context_for
from tests.support.looks import faults_on
from tests.support.passkeyed import with_a_passkey
from tests.support.served import Served, served, sign_in
from tests.support.signing import SIGNED

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Served]:
    """Serve under a name: for a bare address browsers make no passkeys."""
    with served(tmp_path_factory.mktemp("signed"), host="localhost") as running:
        with_address(running.world)
        sun = builders.a_person(running.world.engine, running.world.lab_id, name="Sun")
        an_issued(running, sun)  # certificate 1
        with context_for(running.world) as ctx:
            approval_rules.set_rules(ctx, SIGNED)
        yield running


@pytest.fixture(autouse=True)
def _without_factors(site: Served) -> Iterator[None]:
    """Let nobody be asked at their next sign-in for what one test registered."""
    yield
    with installation_session(site.wired.engine) as session:
        for kind in (Passkey, SecondFactor):
            session.execute(delete(kind))


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
    page.context.close()


def test_signed_by_a_passkey_whose_answer_can_be_checked_again(
    browser: Browser, site: Served
) -> None:
    page = with_a_passkey(browser, site, "technician")
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


def test_consented_by_a_passkey_over_what_was_proposed_and_only_once(
    browser: Browser, site: Served
) -> None:
    page = with_a_passkey(browser, site, "reviewer")
    with installation_session(site.wired.engine, read_only=True) as session:
        mine = select(Person.id).where(Person.email == site.people["reviewer"])
        reviewer = session.scalars(mine).one()
    with context_for(site.world) as ctx:
        proposed = consents.end_by_two(ctx, "withdraw", 1, "wrong bath", reviewer)
    assert proposed is not None
    page.goto(f"{site.address}/certificates/1")
    assert faults_on(page, "the page on which one consents") == []
    sent: list[str] = []

    def hear(request: Request) -> None:
        if request.url.endswith("/consent"):
            sent.append(request.post_data or "")

    page.on("request", hear)
    page.click("text=I consent with the passkey")
    expect(page.locator("main .note.error")).to_contain_text("Withdrawn: wrong bath")
    with installation_session(site.wired.engine, read_only=True) as session:
        row = session.scalars(select(EndConsent)).one()
        assert (row.person_id, row.way) == (reviewer, "passkey")
        kept = dict(row.evidence)
    party = passkeys.Party(kept.pop("id"), kept.pop("origin"))
    signed = consents.bytes_to_sign(site.wired.engine, proposed.token)
    assert signed == bytes.fromhex(proposed.signed_sha256)
    assert passkeys.check_evidence(passkeys.Evidence(**kept), party, signed) > 0

    again = page.request.post(
        f"{site.address}/certificates/1/consent",
        data=sent[0],
        headers={"content-type": "application/x-www-form-urlencoded", "origin": site.address},
        max_redirects=0,
    )
    assert again.status == 422
    with installation_session(site.wired.engine, read_only=True) as session:
        assert len(session.scalars(select(EndConsent)).all()) == 1
    page.context.close()
