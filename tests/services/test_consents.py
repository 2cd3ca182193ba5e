"""Where signatures are demanded, two people end a certificate in two sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calib.adapters.files import DirectoryStore
from calib.services import consents, lookup
from instruments.errors import Conflict, NotAllowed, Refused
from tests.support import issuing, signing
from tests.support.builders import NOW


@pytest.fixture
def bench(bench_on_each):
    signing.demand(bench_on_each)
    return bench_on_each


@pytest.fixture
def certificate(bench, tmp_path):
    store = DirectoryStore(tmp_path / "files")
    return issuing.issued(bench, store, signing.authorised(bench)).certificate_id


def proposed(bench, certificate):
    with bench.as_(bench.signatory) as ctx:
        made = consents.end_by_two(ctx, "withdraw", certificate, "wrong bath", bench.reviewer.id)
        assert made is not None
        return made


def state(bench, certificate):
    with bench.as_(bench.signatory) as ctx:
        return lookup.certificate(ctx, certificate).state


def proved(bench, person, token, now=NOW, **more):
    return signing.proved(bench, person, token, now=now, **more)


def test_naming_a_colleague_ends_nothing_their_consent_does(bench, certificate):
    made = proposed(bench, certificate)
    assert state(bench, certificate) == "issued"
    proof = proved(bench, bench.reviewer, made.token)
    with bench.as_(bench.reviewer) as ctx:
        assert [one.id for one in consents.open_proposals(ctx, certificate)] == [made.id]
        consents.consent(ctx, made.id, proof)
    assert state(bench, certificate) == "withdrawn"
    with bench.as_(bench.signatory) as ctx:
        assert consents.open_proposals(ctx, certificate) == ()
        last = lookup.certificate(ctx, certificate).events[-1]
    assert (last.person, last.second_person, last.reason) == ("Sun", "Ren", "wrong bath")


def test_nobody_else_consents_and_nobody_without_proof(bench, certificate):
    made = proposed(bench, certificate)
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
            consents.consent(ctx, made.id, proof)
    late = NOW + consents.LIFE + timedelta(seconds=1)
    proof = proved(bench, ren, made.token, now=late)
    with bench.as_(ren, now=late) as ctx, pytest.raises(Conflict):
        consents.consent(ctx, made.id, proof)
    assert state(bench, certificate) == "issued"


def test_consent_is_given_once(bench, certificate):
    made = proposed(bench, certificate)
    proof = proved(bench, bench.reviewer, made.token)
    with bench.as_(bench.reviewer) as ctx:
        consents.consent(ctx, made.id, proof)
    with bench.as_(bench.reviewer) as ctx, pytest.raises(Conflict):
        consents.consent(ctx, made.id, proof)


def test_nobody_proposes_to_themselves(bench, certificate):
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as stop:
        consents.end_by_two(ctx, "withdraw", certificate, "x y z", bench.signatory.id)
    assert stop.value.code == "second-person-same"
