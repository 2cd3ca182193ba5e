"""Freezing and evaluating: what was stored can be computed again from the stored input alone."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import event

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from calib.services import evaluation, readings, review
from calib.services.readings import PlanChange
from instruments.errors import NotFound, Refused
from instruments.services import labs, models, scope, standards
from tests.support import builders, issuing
from tests.support.issuing import an_entry

CUSTOMERS = {"temperature": [{"document": "Order", "confidence": "V", "lower": "-1", "upper": "1"}]}
MAKERS = {"temperature": [{"document": "Manual", "confidence": "V", "lower": "-2", "upper": "2"}]}


@pytest.fixture
def bench(bench_on_each):
    return bench_on_each


@pytest.fixture
def embedded(bench_on_sqlite):
    """Return a lab on SQLite alone, where the database has no say."""
    return bench_on_sqlite


def _draft(bench, id_):
    with bench.as_(bench.technician, read_only=True) as ctx:
        return evaluation.evaluate_draft(ctx, id_)


def _codes(draft, severity="error"):
    return {finding.code for finding in draft.findings if finding.severity == severity}


def _queries(bench, id_) -> int:
    heard = []

    def hear(*details) -> None:
        heard.append(details[2])

    event.listen(bench.engine, "before_cursor_execute", hear)
    with bench.as_(bench.technician, read_only=True) as ctx:
        evaluation.freeze(ctx, id_)
    event.remove(bench.engine, "before_cursor_execute", hear)
    return len(heard)


def test_what_was_stored_is_what_the_stored_input_gives(bench):
    id_ = issuing.submitted(bench)
    with bench.as_(bench.technician) as ctx:
        stored = evaluation.get_evaluation(ctx, id_)
    again = evaluate(CalibrationInput.from_dict(json.loads(stored.input_json)))
    assert again.canonical() == stored.result_json.encode()
    assert again.digest() == stored.result_digest
    assert stored.input.digest() == stored.input_digest == again.input_digest
    assert [p.printed.error for p in stored.result.points] == ["0.000", "0.020", "0.050"]


def test_the_number_of_queries_does_not_depend_on_the_number_of_readings(embedded):
    few, many = issuing.filled(embedded), issuing.filled(embedded)
    with embedded.as_(embedded.technician) as ctx:
        more = [
            an_entry(point, "50.02", input=name, place=place)
            for point in ("0", "50", "100")
            for name in ("t_ref", "t_ind")
            for place in range(4, 100)
        ]
        readings.enter(ctx, many, more)
    assert _queries(embedded, few) == _queries(embedded, many) <= 10


def test_a_draft_is_evaluated_without_being_stored(embedded):
    id_ = issuing.filled(embedded)
    draft = _draft(embedded, id_)
    assert draft.result is not None
    assert draft.result.verdict == "not_stated"
    with embedded.as_(embedded.technician) as ctx, pytest.raises(NotFound):
        evaluation.get_evaluation(ctx, id_)


def test_a_record_without_its_date_says_so(embedded):
    record = issuing.opened(embedded)
    assert _codes(_draft(embedded, record.id)) == {"performed-on-missing"}
    with embedded.as_(embedded.technician) as ctx, pytest.raises(Refused) as refusal:
        review.submit(ctx, record.id, record.version)
    assert refusal.value.code == "performed-on-missing"


def test_a_missing_point_stops_the_evaluation(embedded):
    record = issuing.opened(embedded)
    with embedded.as_(embedded.technician) as ctx:
        issuing.fill(ctx, record.id, issuing.ROWS[:2])
        with pytest.raises(Refused) as refusal:
            review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    assert refusal.value.code == "record-has-errors"
    missing = [f for f in refusal.value.findings if f.code == "readings-missing"]
    assert {f.facts["nominal"] for f in missing} == {"100"}


def test_an_expired_standard_stops_the_evaluation(embedded):
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        old = issuing.a_wide_certificate(
            calibrated_on=date(2024, 1, 5), valid_until=date(2025, 1, 4)
        )
        expired = builders.a_standard(ctx, old, code="S-OLD").certificates[0].id
    record = issuing.opened(embedded)
    with embedded.as_(embedded.technician) as ctx:
        change = PlanChange(standards={"temperature": (expired,)})
        readings.plan(ctx, record.id, record.version, change)
        issuing.fill(ctx, record.id)
    draft = _draft(embedded, record.id)
    assert _codes(draft) == {"standard-out-of-date"}
    assert "S-OLD was out of date on 2026-03-02" in draft.findings[0].text()


def test_a_reading_beyond_the_certificate_of_the_standard_stops_the_evaluation(embedded):
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        short = builders.a_standard(ctx, issuing.a_wide_certificate(low="0", high="60"))
    record = issuing.opened(embedded)
    with embedded.as_(embedded.technician) as ctx:
        change = PlanChange(standards={"temperature": (short.certificates[0].id,)})
        readings.plan(ctx, record.id, record.version, change)
        issuing.fill(ctx, record.id)
    draft = _draft(embedded, record.id)
    assert _codes(draft) == {"standard-out-of-range"}
    assert len([f for f in draft.findings if f.severity == "error"]) == 4  # one per reading


def test_a_corrected_certificate_of_a_standard_must_be_named_anew(embedded):
    id_ = issuing.filled(embedded)
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        old = embedded.standard.certificates[0]
        entry = issuing.a_wide_certificate(number=old.number)
        standards.enter_certificate(
            ctx, embedded.standard.id, entry, replaces_id=old.id, reason="U misread"
        )
    assert _codes(_draft(embedded, id_)) == {"standard-certificate-replaced"}


def test_a_standard_in_another_unit_is_refused_by_name(embedded):
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        lines = (standards.CertificateLine("293.15", "293.15", "0.010", "2"),)
        entry = issuing.a_wide_certificate(values=lines, low="233", high="600")
        kelvin = builders.a_standard(ctx, entry, unit="K").certificates[0].id
    record = issuing.opened(embedded)
    with embedded.as_(embedded.technician) as ctx:
        change = PlanChange(standards={"temperature": (kelvin,)})
        readings.plan(ctx, record.id, record.version, change)
        issuing.fill(ctx, record.id)
    assert "standard-wrong-quantity" in _codes(_draft(embedded, record.id))


def test_limits_of_the_customer_come_before_those_of_the_maker(embedded):
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        model = models.get_model(ctx, embedded.model_id)
        models.update_model(
            ctx,
            model.id,
            model.version,
            catalogue=embedded.catalogue,
            maker_limits=MAKERS,
        )
    ours = issuing.filled(embedded, decision_rule="simple")
    theirs = issuing.filled(embedded, decision_rule="simple", line={"customer_limits": CUSTOMERS})
    for id_, origin, upper in ((ours, "maker", "2"), (theirs, "customer", "1")):
        result = _draft(embedded, id_).result
        assert {p.limit_origin for p in result.points} == {origin}
        assert {p.printed.upper for p in result.points} == {upper}
        assert result.verdict == "pass"


def test_U_is_never_smaller_than_the_scope_in_force(embedded):
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        entry = scope.ScopeEntry(
            type_id=issuing.PROBE,
            measurand="temperature",
            document="JJF 1171-2007",
            low="-80",
            high="300",
            U="0.5",
            starts_on=date(2026, 1, 1),
        )
        scope.add_row(ctx, entry, catalogue=embedded.catalogue)
    id_ = issuing.filled(embedded)
    result = _draft(embedded, id_).result
    assert all(p.cmc_applied for p in result.points)
    assert {p.printed.U for p in result.points} == {"0.50"}


def test_both_stages_are_due_once_something_was_adjusted(embedded):
    id_ = issuing.filled(embedded)
    with embedded.as_(embedded.technician) as ctx:
        version = issuing.version_of(ctx, id_)
        readings.set_facts(ctx, id_, version, adjustment="offset set to zero")
    draft = _draft(embedded, id_)
    assert {f.facts["stage"] for f in draft.findings if f.code == "readings-missing"} == {"as_left"}
    with embedded.as_(embedded.technician) as ctx:
        readings.enter(ctx, id_, issuing.some_entries(stage="as_left"))
        frozen = evaluation.freeze(ctx, id_)
    assert [p.stage for p in frozen.points] == ["as_found"] * 3 + ["as_left"] * 3
    assert _draft(embedded, id_).result is not None


def test_a_warning_is_accepted_with_a_reason_or_the_record_stays(embedded):
    record = issuing.opened(embedded)
    with embedded.as_(embedded.technician) as ctx:
        issuing.fill(ctx, record.id, [*issuing.ROWS[:2], ("100", "100.000", "100.053")])
        with pytest.raises(Refused) as refusal:
            review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    assert refusal.value.code == "warnings-not-accepted"
    assert {f.code for f in refusal.value.findings} == {"reading-off-resolution"}
    with embedded.as_(embedded.technician) as ctx:
        assert readings.get_calibration(ctx, record.id).state == "draft"
        for finding in refusal.value.findings:
            version = issuing.version_of(ctx, record.id)
            warning = f"{finding.code}@{finding.at}"
            readings.accept_warning(ctx, record.id, version, warning, "read by camera")
        with pytest.raises(NotFound):
            readings.accept_warning(
                ctx, record.id, issuing.version_of(ctx, record.id), "no-such@/thing", "why"
            )
        stored = review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    assert all(f.accepted for f in stored.result.findings if f.severity == "warning")


def test_rounding_is_the_labs(embedded):
    with embedded.as_(issuing.everybody(embedded)) as ctx:
        labs.update_lab(ctx, rounding={"mode": "ceil", "digits": 1})
    id_ = issuing.filled(embedded)
    result = _draft(embedded, id_).result
    assert {len(p.printed.U.replace("0.", "").lstrip("0")) for p in result.points} == {1}


def test_an_item_without_calibration_mode_is_not_calibratable_not_failed(tmp_path):
    bench = issuing.a_bench(
        f"sqlite+pysqlite:///{tmp_path / 'c.db'}", type_id="thermometer.infrared_forehead"
    )
    record = issuing.opened(bench, points=("35.0", "37.0", "41.0"), decision_rule="simple")
    with bench.as_(bench.technician) as ctx:
        version = issuing.version_of(ctx, record.id)
        readings.set_facts(ctx, record.id, version, performed_on=date(2026, 3, 2))
    assert _draft(bench, record.id).result.verdict == "not_calibratable"
    bench.engine.dispose()


def test_a_piece_an_examination_rejected_need_not_be_measured(tmp_path):
    bench = issuing.a_bench(
        f"sqlite+pysqlite:///{tmp_path / 'c.db'}", type_id="thermometer.glass_clinical"
    )
    record = issuing.opened(
        bench,
        points=("37", "41"),
        instrument={"pieces": 2},
        line={"verification_kind": "initial"},
        kind="verification",
        decision_rule="regulation",
        interval_months=None,
    )
    passed = {"passed": True, "remark": "", "rejected_pieces": []}
    broken = {"passed": False, "remark": "cracked", "rejected_pieces": [2]}
    with bench.as_(bench.technician) as ctx:
        readings.enter(
            ctx,
            record.id,
            issuing.some_entries(
                (("37", "37.00", "37.02"), ("41", "41.00", "41.00")), times=1, piece=1
            ),
        )
        readings.enter_condition(
            ctx,
            record.id,
            readings.ConditionEntry("temperature", "start", "22.8", "degC", 0),
        )
        readings.set_facts(
            ctx,
            record.id,
            issuing.version_of(ctx, record.id),
            performed_on=date(2026, 3, 2),
            examinations={"appearance": broken, "retention": passed, "reset": passed},
        )
    draft = _draft(bench, record.id)
    assert _codes(draft) == set()
    assert [(p.piece, p.verdict) for p in draft.result.pieces] == [(1, "pass"), (2, "fail")]
    assert {p.piece for p in draft.result.points} == {1}
    bench.engine.dispose()
