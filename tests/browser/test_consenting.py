"""The end of a key consented to in a real browser by a passkey, while another proposal waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect
from sqlalchemy import select

from calib.adapters.signing_files import FileVault
from calib.records.signatures import KeyConsent
from calib.services import key_consents, keys
from calib.services.key_consents import KeyProposalView
from instruments.records.parties import Person
from instruments.services import passkeys
from instruments.services.passkeys import Evidence, Party
from instruments.tenancy import installation_session
from tests.support.builders import NOW, context_for
from tests.support.keyed import HOUSE, PASSPHRASE
from tests.support.looks import faults_on
from tests.support.passkeyed import with_a_passkey
from tests.support.served import Served, served

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Proposed:
    """A key, and the two ways to end it that wait for the reviewer."""

    key_id: int
    retirement: KeyProposalView
    compromise: KeyProposalView


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Served]:
    """Serve under a name: for a bare address browsers make no passkeys."""
    with served(tmp_path_factory.mktemp("consented"), host="localhost") as running:
        yield running


@pytest.fixture
def proposed(site: Served, tmp_path: Path) -> Proposed:
    with installation_session(site.wired.engine, read_only=True) as session:
        mine = select(Person.id).where(Person.email == site.people["reviewer"])
        second = session.scalars(mine).one()
    with context_for(site.world, "manager") as ctx:
        key = keys.make_key(ctx, FileVault(tmp_path, lambda: PASSPHRASE), HOUSE, "mark", second)
        return Proposed(
            key.id,
            key_consents.propose_retirement(ctx, key.id, "new one", second),
            key_consents.propose_compromise(ctx, key.id, NOW, "stolen", second),
        )


def consented(site: Served) -> list[KeyConsent]:
    with installation_session(site.wired.engine, read_only=True) as session:
        rows = session.scalars(select(KeyConsent).order_by(KeyConsent.id)).all()
        session.expunge_all()
        return list(rows)


def test_a_colleague_consents_by_a_passkey_to_the_one_proposal_they_mean(
    browser: Browser, site: Served, proposed: Proposed
) -> None:
    page = with_a_passkey(browser, site, "reviewer")
    page.goto(f"{site.address}/lab/keys")
    card = page.locator("section", has_text="give the key").filter(has_text="stolen")
    card.locator("label", has_text="Password").click()
    expect(card.locator("[name=sign_password]")).to_be_focused()
    assert faults_on(page, "the keys, two proposals open") == []
    sent: list[str] = []

    def hear(request: Request) -> None:
        if request.url.endswith("/consent"):
            sent.append(request.post_data or "")

    page.on("request", hear)
    card.get_by_role("button", name="I consent with the passkey").click()
    expect(page.locator("main table")).to_contain_text("given up")
    expect(page.get_by_text("Proposed: give the key")).to_have_count(0)
    expect(page.get_by_text("Proposed: retire the key")).to_have_count(1)

    (row,) = consented(site)
    assert (row.proposal_id, row.way) == (proposed.compromise.id, "passkey")
    assert row.person_id == proposed.compromise.second_person_id
    kept = dict(row.evidence)
    party = Party(kept.pop("id"), kept.pop("origin"))
    signed, other = (
        key_consents.bytes_to_sign(site.wired.engine, one.token)
        for one in (proposed.compromise, proposed.retirement)
    )
    assert signed is not None
    assert other is not None
    assert passkeys.check_evidence(Evidence(**kept), party, signed) > 0
    with pytest.raises(Exception, match=r"[Cc]hallenge"):
        passkeys.check_evidence(Evidence(**kept), party, other)

    again = page.request.post(
        f"{site.address}/lab/keys/{proposed.key_id}/consent",
        data=sent[0],
        headers={"content-type": "application/x-www-form-urlencoded", "origin": site.address},
        max_redirects=0,
    )
    assert again.status == 422
    assert len(consented(site)) == 1
    page.context.close()
