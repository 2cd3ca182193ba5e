"""Review: another person, the evaluation that was seen, and nothing changed since."""

from __future__ import annotations

import pytest

from calib.services import evaluation, issue, readings, review
from instruments.errors import Conflict, Invalid, NotAllowed, Refused
from instruments.services import models, standards
from instruments.services.audit import check_chain
from tests.support import issuing
from tests.support.issuing import an_entry


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


def _acts(bench, id_):
    with bench.as_(bench.reviewer) as ctx:
        return [(mark.act, mark.person_name, mark.stands) for mark in review.marks(ctx, id_)]


def test_the_way_to_authorised_leaves_three_marks(bench):
    id_ = issuing.authorised(bench)
    assert _acts(bench, id_) == [
        ("submitted", "Tang", True),
        ("reviewed", "Ren", True),
        ("authorised", "Sun", True),
    ]
    with bench.as_(bench.reviewer) as ctx:
        assert readings.get_calibration(ctx, id_).state == "authorised"
        assert check_chain(ctx.session, bench.lab_id) == ()


def test_whoever_submitted_may_not_review(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.colleague) as ctx:
        issuing.fill(ctx, record.id)
        review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    with bench.as_(bench.colleague) as ctx, pytest.raises(Refused) as refusal:
        review.review(ctx, record.id, issuing.version_of(ctx, record.id))
    assert refusal.value.code == "same-person"
    assert "Cao" in str(refusal.value)


def test_whoever_entered_one_reading_may_not_review_even_if_it_was_corrected(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.colleague) as ctx:
        readings.enter(ctx, record.id, [an_entry(value="50.2")])
    with bench.as_(bench.technician) as ctx:
        fixed = an_entry(value="50.020", revision=1, reason="typing")
        readings.enter(ctx, record.id, [fixed])
        others = [e for e in issuing.some_entries() if e.slot != fixed.slot]
        readings.enter(ctx, record.id, others)
        condition = readings.ConditionEntry("temperature", "start", "21", "degC", 0)
        readings.enter_condition(ctx, record.id, condition)
        version = issuing.version_of(ctx, record.id)
        readings.set_facts(ctx, record.id, version, performed_on=ctx.today)
        review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    with bench.as_(bench.colleague) as ctx, pytest.raises(Refused) as refusal:
        review.review(ctx, record.id, issuing.version_of(ctx, record.id))
    assert refusal.value.facts["measured"] == "Tang, Cao"


def test_whoever_measured_may_not_authorise_but_the_reviewer_may(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.signatory) as ctx:
        issuing.fill(ctx, record.id)
    with bench.as_(bench.technician) as ctx:
        review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    with bench.as_(bench.reviewer) as ctx:
        review.review(ctx, record.id, issuing.version_of(ctx, record.id))
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as refusal:
        review.authorise(ctx, record.id, issuing.version_of(ctx, record.id))
    assert refusal.value.code == "same-person"
    other = issuing.submitted(bench)
    for step in (review.review, review.authorise):
        with bench.as_(bench.signatory) as ctx:
            step(ctx, other, issuing.version_of(ctx, other))
    assert _acts(bench, other)[1:] == [("reviewed", "Sun", True), ("authorised", "Sun", True)]


def test_each_step_needs_its_role(bench):
    id_ = issuing.submitted(bench)
    for step in (review.review, review.authorise):
        with bench.as_(bench.technician) as ctx, pytest.raises(NotAllowed):
            step(ctx, id_, issuing.version_of(ctx, id_))
    with bench.as_(bench.reviewer) as ctx, pytest.raises(NotAllowed):
        review.submit(ctx, id_, issuing.version_of(ctx, id_))


def test_steps_cannot_be_skipped_or_repeated(bench):
    id_ = issuing.submitted(bench)
    with bench.as_(bench.signatory) as ctx, pytest.raises(Conflict) as skipped:
        review.authorise(ctx, id_, issuing.version_of(ctx, id_))
    assert skipped.value.code == "wrong-state"
    with bench.as_(bench.technician) as ctx, pytest.raises(Conflict):
        review.submit(ctx, id_, issuing.version_of(ctx, id_))
    with bench.as_(bench.reviewer) as ctx, pytest.raises(Conflict) as stale:
        review.review(ctx, id_, 1)
    assert stale.value.code == "changed-meanwhile"


def test_a_record_given_back_loses_its_marks_and_goes_the_whole_way_again(bench):
    id_ = issuing.authorised(bench)
    with bench.as_(bench.reviewer) as ctx:
        with pytest.raises(Invalid):
            review.give_back(ctx, id_, issuing.version_of(ctx, id_), " ")
        review.give_back(ctx, id_, issuing.version_of(ctx, id_), "point 50 looks wrong")
    assert not any(stands for _, _, stands in _acts(bench, id_)[:3])
    with bench.as_(bench.technician) as ctx:
        fixed = an_entry(value="50.021", revision=1, reason="misread")
        readings.enter(ctx, id_, [fixed])
        review.submit(ctx, id_, issuing.version_of(ctx, id_))
    issuing.approve(bench, id_)
    assert [stands for _, _, stands in _acts(bench, id_)] == [False] * 3 + [False] + [True] * 3


def test_a_model_changed_after_the_evaluation_voids_what_was_seen(bench):
    id_ = issuing.submitted(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        model = models.get_model(ctx, bench.model_id)
        models.update_model(
            ctx,
            model.id,
            model.version,
            catalogue=bench.catalogue,
            resolution={"temperature": "0.001"},
        )
    with bench.as_(bench.reviewer) as ctx, pytest.raises(Refused) as refusal:
        review.review(ctx, id_, issuing.version_of(ctx, id_))
    assert refusal.value.code == "changed-since-evaluation"


def test_a_mark_of_another_evaluation_does_not_let_a_certificate_out(bench):
    id_ = issuing.authorised(bench)
    with bench.as_(bench.signatory) as ctx:
        evaluation.evaluate_and_store(ctx, id_)  # as if something had been evaluated in between
        ctx.session.flush()
        from calib.records.calibrations import ReviewMark

        newest = evaluation.get_evaluation(ctx, id_)
        ctx.session.add(
            ReviewMark(
                calibration_id=id_,
                evaluation_id=newest.id,
                act="authorised",
                content_digest="0" * 64,
                person_id=bench.signatory.id,
                marked_at=ctx.now,
            )
        )
        ctx.session.flush()
        with pytest.raises(Refused) as refusal:
            issue.reserve(
                ctx,
                id_,
                issuing.version_of(ctx, id_),
                idempotency_key="k",
                public_base=issuing.BASE,
            )
    assert refusal.value.code == "approval-missing"


def test_a_standard_corrected_after_the_evaluation_lets_no_certificate_out(bench):
    id_ = issuing.authorised(bench)
    old = bench.standard.certificates[0]
    with bench.as_(issuing.everybody(bench)) as ctx:
        newer = issuing.a_wide_certificate(number=old.number)
        standards.enter_certificate(ctx, bench.standard.id, newer, old.id, "the value was wrong")
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as refusal:
        issue.reserve(
            ctx,
            id_,
            issuing.version_of(ctx, id_),
            idempotency_key="k",
            public_base=issuing.BASE,
        )
    assert refusal.value.code == "standard-certificate-replaced"
    assert refusal.value.findings[0].facts["certificate"] == old.number
