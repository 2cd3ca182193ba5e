"""From the pages two people end a key in two sessions; what makes keys stays at the machine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from calib.adapters.signing_files import FileVault
from calib.records.keys import SigningKeyEvent
from calib.services import key_consents, key_views, keys
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.records.audit import AuditEvent
from instruments.services import reauthentication
from instruments.services.reauthentication import Answer, Asker
from instruments.tenancy import installation_session
from tests.support import issuing, signing
from tests.support.builders import NOW, PASSWORD
from tests.support.keyed import HOUSE, PASSPHRASE


@pytest.fixture
def bench(bench_on_each):
    signing.demand(bench_on_each)
    return bench_on_each


@pytest.fixture
def key(bench, tmp_path, cheap_scrypt):
    vault = FileVault(tmp_path / "keys", lambda: PASSPHRASE)
    with bench.as_(bench.signatory) as ctx:
        return keys.make_key(ctx, vault, HOUSE, "mark", bench.reviewer.id)


def proposed(bench, key, since=None):
    with bench.as_(bench.signatory) as ctx:
        if since is None:
            return key_consents.propose_retirement(ctx, key.id, "new one", bench.reviewer.id)
        return key_consents.propose_compromise(ctx, key.id, since, "stolen", bench.reviewer.id)


def proved(bench, person, token, now=NOW, password=PASSWORD):
    asker = Asker(person.id, signing.session_of(person), "here", signing.PARTY)
    signed = key_consents.bytes_to_sign(bench.engine, token)
    return reauthentication.prove(
        bench.engine, asker, Answer(token, password=password), signed, lambda: now
    )


def state(bench, key):
    with installation_session(bench.engine, read_only=True) as session:
        return key_views.get_key(session, key.id).state(NOW)


def test_naming_a_colleague_ends_no_key_their_consent_does(bench, key):
    made = proposed(bench, key)
    assert state(bench, key) == "usable"
    proof = proved(bench, bench.reviewer, made.token)
    with bench.as_(bench.reviewer) as ctx:
        assert [one.id for one in key_consents.open_proposals(ctx)] == [made.id]
        assert key_consents.consent(ctx, key.id, made.id, proof).state == "retired"
        assert key_consents.open_proposals(ctx) == ()
    with installation_session(bench.engine, read_only=True) as session:
        two = session.execute(
            select(SigningKeyEvent.person_id, SigningKeyEvent.second_person_id)
            .where(SigningKeyEvent.event == "retired")
        ).one()  # fmt: skip
        acts = session.scalars(select(AuditEvent.act).where(AuditEvent.act.like("keys:%"))).all()
    assert tuple(two) == (bench.signatory.id, bench.reviewer.id)
    assert acts == ["keys:key:made", "keys:end:propose", "keys:end:consent", "keys:key:retired"]


def test_a_key_is_given_up_from_the_instant_that_was_proposed(bench, key):
    since = NOW - timedelta(days=3)
    made = proposed(bench, key, since)
    assert state(bench, key) == "usable"
    with bench.as_(bench.reviewer) as ctx:
        proof = proved(bench, bench.reviewer, made.token)
        assert key_consents.consent(ctx, key.id, made.id, proof).compromised_at == since


def test_nobody_else_consents_to_the_end_of_a_key_and_nobody_without_proof(bench, key):
    made = proposed(bench, key)
    ren, sun = bench.reviewer, bench.signatory
    tries = (
        (sun, proved(bench, sun, made.token), NotAllowed),
        (sun, proved(bench, ren, made.token), NotAllowed),
        (ren, None, NotAllowed),
        (ren, proved(bench, sun, made.token), NotAllowed),
        (ren, proved(bench, ren, made.token, password="guess"), NotAllowed),
        (ren, proved(bench, ren, "A" * 43), NotAllowed),
        (bench.technician, proved(bench, bench.technician, made.token), NotAllowed),
    )
    for person, proof, kind in tries:
        with bench.as_(person) as ctx, pytest.raises(kind):
            key_consents.consent(ctx, key.id, made.id, proof)
    late = NOW + key_consents.LIFE + timedelta(seconds=1)
    proof = proved(bench, ren, made.token, now=late)
    with bench.as_(ren, now=late) as ctx, pytest.raises(Conflict):
        key_consents.consent(ctx, key.id, made.id, proof)
    assert state(bench, key) == "usable"


def test_consent_to_the_end_of_a_key_counts_once_and_for_that_key(bench, key):
    made = proposed(bench, key)
    proof = proved(bench, bench.reviewer, made.token)
    with bench.as_(bench.reviewer) as ctx, pytest.raises(NotFound):
        key_consents.consent(ctx, key.id + 1, made.id, proof)
    with bench.as_(bench.reviewer) as ctx:
        key_consents.consent(ctx, key.id, made.id, proof)
    with bench.as_(bench.reviewer) as ctx, pytest.raises(Conflict):
        key_consents.consent(ctx, key.id, made.id, proof)
    with pytest.raises(Conflict):
        proposed(bench, key)


def test_what_cannot_be_done_is_not_proposed(bench, key):
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as stop:
        key_consents.propose_retirement(ctx, key.id, "x y z", bench.signatory.id)
    assert stop.value.code == "second-person-same"
    with pytest.raises(Invalid):
        proposed(bench, key, NOW + timedelta(seconds=1))
    with bench.as_(bench.reviewer) as ctx, pytest.raises(NotAllowed):
        key_consents.propose_retirement(ctx, key.id, "x y z", bench.signatory.id)


def test_a_key_of_another_lab_is_neither_seen_nor_ended(bench, key):
    far = issuing.a_bench(bench.engine.url.render_as_string(hide_password=False), code="FAR")
    with far.as_(far.signatory) as ctx:
        assert key.id not in [one.id for one in key_consents.keys_here(ctx)]
        with pytest.raises(NotFound):
            key_consents.propose_retirement(ctx, key.id, "x y z", far.reviewer.id)
    far.engine.dispose()
