"""What is signed is what was shown, by whom it was shown, once; any change makes it void."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from calib.certificates.document import CertificateDocument
from calib.records.certificates import Certificate
from calib.records.signatures import Signature, SignatureChallenge
from calib.services import issue, readings, review, signatures
from instruments.errors import Conflict, DomainError, NotAllowed, Refused
from instruments.records.parties import SignInFailure
from instruments.services import approval_rules, audit
from instruments.services.approval_rules import ApprovalRules
from instruments.tenancy import installation_session
from tests.support import builders, issuing, signing
from tests.support.builders import NOW, context_for

PEOPLE = {"performed": "technician", "reviewed": "reviewer", "authorised": "signatory"}


@pytest.fixture
def bench(bench_on_each):
    signing.demand(bench_on_each)
    return bench_on_each


@pytest.fixture
def lite(bench_on_sqlite):
    signing.demand(bench_on_sqlite)
    return bench_on_sqlite


def count(bench):
    with context_for(bench.installation) as ctx:
        return ctx.session.scalar(select(func.count()).select_from(Signature))


def shown(bench, id_):
    with bench.as_(bench.technician) as ctx:
        return [(one.meaning, one.stands) for one in review.list_signatures(ctx, id_)]


def test_three_signatures_lead_to_a_certificate_that_names_them(bench):
    id_ = signing.authorised(bench)
    assert shown(bench, id_) == [("performed", True), ("reviewed", True), ("authorised", True)]
    with bench.as_(bench.signatory) as ctx:
        taken = issue.reserve(
            ctx, id_, issuing.version_of(ctx, id_), idempotency_key="k", public_base=issuing.BASE
        )
        row = ctx.session.get(Certificate, taken.certificate_id)
        document = CertificateDocument.from_dict(json.loads(row.payload))
        assert audit.check_chain(ctx.session, bench.lab_id) == ()
    signed = {(p.role, p.name, p.signed_at, p.signed_by) for p in document.persons}
    assert signed == {
        ("performed", "Tang", "2026-03-02T16:30:00+08:00", "password"),
        ("reviewed", "Ren", "2026-03-02T16:30:00+08:00", "password"),
        ("authorised", "Sun", "2026-03-02T16:30:00+08:00", "password"),
    }


@pytest.mark.parametrize("meaning", PEOPLE)
def test_no_step_is_taken_unsigned_where_signatures_are_demanded(lite, meaning):
    id_ = issuing.filled(lite)
    for done in itertools.takewhile(lambda one: one != meaning, PEOPLE):
        signing.sign(lite, getattr(lite, PEOPLE[done]), id_, done)
    before = count(lite)
    with lite.as_(getattr(lite, PEOPLE[meaning])) as ctx, pytest.raises(Refused) as stop:
        signing.act(ctx, id_, meaning, None)
    assert stop.value.code == "signature-needed"
    assert count(lite) == before


def other_record(bench):
    return issuing.filled(bench)


def test_two_hundred_tries_to_use_a_signature_otherwise_are_all_refused(lite):
    """Another record, meaning, person, session, lab, version, content; too late, twice, forged."""
    mine, theirs = issuing.filled(lite), other_record(lite)
    tang, cao = lite.technician, lite.colleague
    codes, accepted, tried = set(), 0, 0
    for number in range(20):
        view = signing.asked(lite, tang, mine, "performed")
        good = signing.proved(lite, tang, view.challenge)
        elsewhere = signing.asked(lite, tang, theirs, "performed")
        late = NOW + signatures.LIFE + timedelta(seconds=number)
        of_cao = signing.proved(lite, cao, view.challenge)
        wrong = signing.proved(lite, tang, view.challenge, password=f"guess {number}")
        tries = [
            (tang, theirs, good, NOW),
            (tang, mine, signing.proved(lite, tang, elsewhere.challenge), NOW),
            (cao, mine, good, NOW),
            (cao, mine, of_cao, NOW),
            (tang, mine, good, late),
            (tang, mine, dataclasses.replace(good, session_sha256="0" * 64), NOW),
            (tang, mine, dataclasses.replace(good, challenge="A" * 43), NOW),
            (tang, mine, dataclasses.replace(good, person_id=cao.id), NOW),
            (tang, mine, wrong, NOW),
            (tang, mine, dataclasses.replace(good, challenge=view.signed_sha256), NOW),
        ]
        for person, id_, proof, now in tries:
            tried += 1
            try:
                with lite.as_(person, now=now) as ctx:
                    signing.act(ctx, id_, "performed", proof)
                accepted += 1
            except DomainError as stop:
                codes.add(stop.code)
        with installation_session(lite.engine) as session:
            for row in session.scalars(select(SignInFailure)):
                session.delete(row)  # or the pause after ten wrong passwords would answer
    assert (tried, accepted) == (200, 0)
    assert codes == {
        "signature-challenge-unknown", "signature-challenge-expired", "signature-password-wrong",
    }  # fmt: skip
    assert count(lite) == 0


def test_changed_content_is_not_signed_though_everything_else_fits(bench):
    id_ = issuing.filled(bench)
    tang = bench.technician
    view = signing.asked(bench, tang, id_, "performed")
    proof = signing.proved(bench, tang, view.challenge)
    with bench.as_(tang) as ctx:
        entry = issuing.an_entry("50", "50.021", revision=1, reason="misread")
        readings.enter(ctx, id_, [entry])
    with bench.as_(tang) as ctx, pytest.raises(Conflict) as stop:
        signing.act(ctx, id_, "performed", proof)
    assert stop.value.code == "signature-content-changed"
    assert count(bench) == 0


def test_a_signature_of_one_step_signs_no_other_and_none_twice(bench):
    id_ = issuing.filled(bench)
    tang, ren = bench.technician, bench.reviewer
    signing.sign(bench, tang, id_, "performed")
    view = signing.asked(bench, ren, id_, "reviewed")
    proof = signing.proved(bench, ren, view.challenge)
    with bench.as_(ren) as ctx:
        signing.act(ctx, id_, "reviewed", proof)
    both = issuing.Person(ren.id, ren.name, ("reviewer", "signatory"))
    with bench.as_(both) as ctx, pytest.raises(Conflict) as stop:
        signing.act(ctx, id_, "authorised", proof)
    assert stop.value.code == "signature-challenge-used"
    assert count(bench) == 2


def test_what_is_given_back_makes_void_and_keeps(bench):
    id_ = issuing.filled(bench)
    signing.sign(bench, bench.technician, id_, "performed")
    with bench.as_(bench.reviewer) as ctx:
        review.give_back(ctx, id_, issuing.version_of(ctx, id_), "wrong bath")
    assert shown(bench, id_) == [("performed", False)]
    signing.sign(bench, bench.technician, id_, "performed")
    assert shown(bench, id_) == [("performed", False), ("performed", True)]


def test_signatures_are_never_changed_or_removed(bench):
    id_ = issuing.filled(bench)
    signing.sign(bench, bench.technician, id_, "performed")
    for table, column in ((Signature, "printed_name"), (SignatureChallenge, "meaning")):
        with (
            pytest.raises(DBAPIError, match="insert-only"),
            installation_session(bench.engine) as session,
        ):
            session.execute(update(table).values(**{column: "reviewed"}))
    assert shown(bench, id_) == [("performed", True)]


def test_once_one_step_is_signed_all_must_be_even_where_it_is_no_longer_demanded(bench):
    id_ = issuing.filled(bench)
    signing.sign(bench, bench.technician, id_, "performed")
    with context_for(bench.installation) as ctx:
        approval_rules.set_rules(
            ctx,
            ApprovalRules(
                keeps_competence=False, demands_signatures=False, separates_signatory=False
            ),
        )
    issuing.approve(bench, id_)
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as stop:
        issue.reserve(
            ctx, id_, issuing.version_of(ctx, id_), idempotency_key="k", public_base=issuing.BASE
        )
    assert stop.value.code == "signature-missing"


def test_guessing_the_password_is_paused_and_stays_written_down(lite):
    id_ = issuing.filled(lite)
    view = signing.asked(lite, lite.technician, id_, "performed")
    codes = [
        signing.proved(lite, lite.technician, view.challenge, password=f"guess {n}").fault.code
        for n in range(12)
    ]
    assert codes == ["signature-password-wrong"] * 10 + ["sign-in-paused"] * 2
    paused = signing.proved(lite, lite.technician, view.challenge)
    with lite.as_(lite.technician) as ctx, pytest.raises(NotAllowed):
        signing.act(ctx, id_, "performed", paused)


def test_a_password_alone_signs_nothing_where_a_second_factor_is_demanded(lite):
    id_ = issuing.filled(lite)
    view = signing.asked(lite, lite.technician, id_, "performed")
    proof = signing.proved(lite, lite.technician, view.challenge)
    with context_for(lite.installation) as ctx:
        approval_rules.set_rules(
            ctx, dataclasses.replace(signing.SIGNED, demands_second_factor=True)
        )
    with lite.as_(lite.technician) as ctx, pytest.raises(Refused) as stop:
        signing.act(ctx, id_, "performed", proof)
    assert stop.value.code == "signature-needs-factor"
    assert count(lite) == 0


def test_nobody_of_another_lab_signs_here(lite):
    id_ = issuing.filled(lite)
    other = builders.a_lab(lite.engine, "NB")
    with (
        context_for(lite.installation, lab_id=other) as ctx,
        pytest.raises(DomainError) as stop,
    ):
        review.ask_to_sign(ctx, id_, "performed", "0" * 64)
    assert stop.value.code == "not-found"
