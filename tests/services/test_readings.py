"""Readings: strictly read, kept as typed, never overwritten, each with its standard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from calib.records.calibrations import Reading
from calib.services import planning, readings
from calib.services.readings import ConditionEntry, PlanChange
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.services import standards
from instruments.services.audit import check_chain
from tests.support import benched, builders, issuing
from tests.support.issuing import an_entry
from tests.support.ruling import ruling


@pytest.fixture
def bench(bench_on_each):
    return bench_on_each


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return a lab and an open record for entries that are refused: nothing is written."""
    bench = issuing.a_bench(f"sqlite+pysqlite:///{tmp_path_factory.mktemp('desk') / 'calib.db'}")
    yield bench, issuing.opened(bench)
    bench.engine.dispose()


def _count(ctx) -> int:
    return ctx.session.scalar(select(func.count(Reading.id)))


def test_a_record_opens_with_the_plan_of_its_order_and_a_standard_in_force(bench):
    record = issuing.opened(bench, line={"predict": {"temperature": ("30",)}})
    assert record.plan.points == {"temperature": ("0", "50", "100")}
    assert record.plan.predict == {"temperature": ("30",)}
    assert record.plan.standards == {"temperature": (bench.standard.certificates[0].id,)}
    assert (record.state, record.definition.version) == ("draft", "1.1.0")


def test_a_record_opens_once_per_order_line_and_only_on_a_received_item(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx, pytest.raises(Conflict) as again:
        readings.open_calibration(ctx, record.order_line_id, catalogue=bench.catalogue)
    assert again.value.code == "record-open"
    with bench.as_(issuing.everybody(bench)) as ctx:
        item = builders.an_instrument(
            ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id
        )
        asked = builders.a_request(ctx, item.id, decision_rule="none")
        order = builders.orders.request(ctx, asked, catalogue=bench.catalogue)
        with pytest.raises(Conflict) as early:
            readings.open_calibration(ctx, order.lines[0].id, catalogue=bench.catalogue)
    assert early.value.code == "order-line-not-received"


def test_no_record_opens_on_an_item_that_went_back(bench):
    with bench.as_(issuing.everybody(bench)) as ctx:
        given = {"model_id": bench.model_id, "customer_id": bench.customer_id}
        kept, gone = (builders.an_instrument(ctx, bench.catalogue, **given) for _ in range(2))
        order = builders.an_order(ctx, bench.catalogue, kept.id, gone.id, decision_rule="none")
        left = order.lines[1].id
        builders.orders.give_back(ctx, order.id, order.version, [left])
        with pytest.raises(Conflict) as late:
            readings.open_calibration(ctx, left, catalogue=bench.catalogue)
    assert late.value.code == "item-given-back"


def test_trailing_zeros_are_kept(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        readings.enter(ctx, record.id, [an_entry(value="50.10"), an_entry(value="50.0", place=1)])
    with bench.as_(bench.technician) as ctx:
        found = readings.get_calibration(ctx, record.id).readings()
    assert [reading.value for reading in found] == ["50.10", "50.0"]
    assert {reading.person_name for reading in found} == {"Tang"}
    assert {reading.standard_certificate_id for reading in found} == {
        bench.standard.certificates[0].id
    }


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("NaN", "decimal-not-finite"),
        ("Infinity", "decimal-not-finite"),
        ("-inf", "decimal-not-finite"),
        ("1e400", "decimal-out-of-range"),
        (True, "decimal-not-text"),
        (36.8, "decimal-not-text"),
        ("36,8", "decimal-comma"),
        ("３６.８", "decimal-fullwidth"),
        ("36.8 °C", "decimal-malformed"),
        ("1_000", "decimal-malformed"),
        ("", "decimal-empty"),
    ],
)
def test_what_is_no_plain_decimal_is_refused_at_its_place(desk, value, code):
    bench, record = desk
    with bench.as_(bench.technician) as ctx:
        with pytest.raises(Invalid) as refusal:
            readings.enter(ctx, record.id, [an_entry(), an_entry(value=value, place=1)])
        assert (refusal.value.code, refusal.value.at) == (code, "/entries/1/value")
        assert _count(ctx) == 0  # all or none


@pytest.mark.parametrize(
    ("change", "code", "at"),
    [
        ({"unit": "K"}, "unit-unexpected", "unit"),
        ({"unit": "furlong"}, "unit-unexpected", "unit"),
        ({"measurand": "flow"}, "measurand-unknown", "measurand"),
        ({"point": "37"}, "point-unknown", "point"),
        ({"input": "t_xyz"}, "input-unknown", "input"),
        ({"stage": "later"}, "stage-unknown", "stage"),
        ({"piece": 1}, "piece-unknown", "piece"),
        ({"place": -1}, "place-out-of-range", "place"),
        ({"place": True}, "place-out-of-range", "place"),
        ({"revision": 3}, "revision-unknown", "revision"),
        ({"value": None}, "reading-empty", "value"),
    ],
)
def test_a_place_that_is_not_planned_is_named(desk, change, code, at):
    bench, record = desk
    with bench.as_(bench.technician) as ctx, pytest.raises(Invalid) as refusal:
        readings.enter(ctx, record.id, [replace(an_entry(), **change)])
    assert (refusal.value.code, refusal.value.at) == (code, f"/entries/0/{at}")


def test_every_bad_entry_comes_along_as_a_finding(desk):
    bench, record = desk
    entries = [an_entry(value="x"), an_entry(place=1), an_entry(value="1,5", place=2)]
    with bench.as_(bench.technician) as ctx, pytest.raises(Invalid) as refusal:
        readings.enter(ctx, record.id, entries)
    assert [f.at for f in refusal.value.findings] == ["/entries/0/value", "/entries/2/value"]


def test_a_correction_is_a_new_revision_with_a_reason(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        readings.enter(ctx, record.id, [an_entry(value="50.02")])
        with pytest.raises(Invalid) as silent:
            readings.enter(ctx, record.id, [an_entry(value="50.20", revision=1, reason="  ")])
        assert silent.value.code == "reason-missing"
        readings.enter(ctx, record.id, [an_entry(value="50.20", revision=1, reason="misread")])
        readings.enter(ctx, record.id, [an_entry(value=None, revision=2, reason="bath moved")])
    with bench.as_(bench.technician) as ctx:
        found = readings.get_calibration(ctx, record.id)
        told = [(r.value, r.reason, r.revision) for r in found.slots[0].history]
    assert told == [("50.02", "", 1), ("50.20", "misread", 2), (None, "bath moved", 3)]
    assert found.readings() == ()


def test_two_technicians_on_one_record_the_second_is_told_who_when_and_what(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        readings.enter(ctx, record.id, [an_entry(value="50.02")])
    with bench.as_(bench.colleague) as ctx, pytest.raises(Conflict) as refusal:
        readings.enter(ctx, record.id, [an_entry(value="50.03")])
    assert refusal.value.code == "reading-changed-meanwhile"
    assert refusal.value.facts["name"] == "Tang"
    assert refusal.value.facts["value"] == "50.02"
    assert "2026-03-02T08:30:00" in str(refusal.value)
    with bench.as_(bench.technician) as ctx:
        assert _count(ctx) == 1


def test_saving_the_same_value_twice_writes_once(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        first = readings.enter(ctx, record.id, [an_entry()])
        again = readings.enter(ctx, record.id, [an_entry()])
        assert first[0].id == again[0].id
        assert _count(ctx) == 1
        with pytest.raises(Invalid, match="given twice"):
            readings.enter(ctx, record.id, [an_entry(place=1), an_entry(place=1, value="50.04")])


def test_the_database_itself_refuses_to_change_a_reading(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        readings.enter(ctx, record.id, [an_entry()])
    for words in ("UPDATE readings SET value = '1'", "DELETE FROM readings"):
        with pytest.raises(DatabaseError, match="insert-only"), ruling(bench.engine) as connection:
            connection.exec_driver_sql(words)


def test_only_a_technician_enters_and_only_into_a_draft(bench):
    id_ = issuing.submitted(bench)
    with bench.as_(bench.reviewer) as ctx, pytest.raises(NotAllowed):
        readings.enter(ctx, id_, [an_entry()])
    with bench.as_(bench.technician) as ctx, pytest.raises(Conflict) as refusal:
        readings.enter(ctx, id_, [an_entry(value="1", revision=1, reason="late")])
    assert refusal.value.code == "record-not-draft"


def test_a_reading_of_the_standard_says_which_when_the_plan_does_not(bench):
    record = issuing.opened(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        other = builders.a_standard(ctx, issuing.a_wide_certificate()).certificates[0].id
        ours = bench.standard.certificates[0].id
        change = PlanChange(standards={"temperature": (ours, other)})
        readings.plan(ctx, record.id, record.version, change)
        with pytest.raises(Invalid) as refusal:
            readings.enter(ctx, record.id, [an_entry()])
        assert refusal.value.code == "standard-not-named"
        with pytest.raises(NotFound):
            readings.enter(ctx, record.id, [an_entry(standard_certificate_id=999)])
        kept = readings.enter(ctx, record.id, [an_entry(standard_certificate_id=other)])
    assert kept[0].standard_certificate_id == other


def test_supporting_standards_come_with_the_reason_why_not(bench):
    record = issuing.opened(bench)
    with bench.as_(issuing.everybody(bench)) as ctx:
        builders.a_standard(
            ctx,
            issuing.a_wide_certificate(
                calibrated_on=date(2024, 1, 1), valid_until=date(2025, 1, 1)
            ),
        )
        builders.a_standard(ctx, issuing.a_wide_certificate(low="0", high="60"))
        away = builders.a_standard(ctx, issuing.a_wide_certificate())
        standards.update_standard(ctx, away.id, away.version, status="out_of_service")
        found = readings.supporting(ctx, record.id)
    assert [c.reason.code if c.reason else "" for c in found] == [
        "",
        "standard-out-of-date",
        "standard-out-of-range",
        "standard-out-of-service",
    ]
    assert found[0].standard.key == "S-014"


def test_points_are_planned_visits_numbered_and_kept_while_they_hold_readings(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        record = readings.plan(
            ctx, record.id, record.version, PlanChange(points={"temperature": ("0", "50", "0.0")})
        )
        assert record.plan.points["temperature"] == ("0", "50", "0.0#2")
        readings.enter(ctx, record.id, [an_entry()])
        with pytest.raises(Conflict) as refusal:
            readings.plan(
                ctx, record.id, record.version, PlanChange(points={"temperature": ("0",)})
            )
        assert refusal.value.code == "point-has-readings"
        with pytest.raises(Invalid):
            readings.plan(
                ctx, record.id, record.version, PlanChange(points={"temperature": ("x",)})
            )
        with pytest.raises(Conflict) as stale:
            readings.plan(ctx, record.id, record.version - 1, PlanChange())
        assert stale.value.code == "changed-meanwhile"


def test_conditions_are_revised_like_readings(bench):
    record = issuing.opened(bench)
    first = ConditionEntry("temperature", "start", "21.30", "degC", 0)
    with bench.as_(bench.technician) as ctx:
        readings.enter_condition(ctx, record.id, first)
        with pytest.raises(Invalid):
            readings.enter_condition(ctx, record.id, replace(first, unit="K"))
        with pytest.raises(Invalid):
            readings.enter_condition(ctx, record.id, replace(first, value="21,3"))
    with bench.as_(bench.colleague) as ctx:
        with pytest.raises(Conflict) as refusal:
            readings.enter_condition(ctx, record.id, replace(first, value="21.4"))
        assert refusal.value.facts["name"] == "Tang"
        fixed = replace(first, value="21.4", revision=1, reason="misread")
        readings.enter_condition(ctx, record.id, fixed)
        found = readings.get_calibration(ctx, record.id)
    assert [c.value for c in found.conditions] == ["21.4"]
    assert [c.value for c in found.past_conditions] == ["21.30"]


def test_facts_are_checked_and_kept(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        for wrong in (
            {"performed_on": date(2026, 3, 3)},
            {"performed_on": date(2026, 3, 1)},
            {"place": "moon"},
            {"acclimatisation_minutes": -1},
            {"examinations": {"appearance": {"passed": True}}},
        ):
            with pytest.raises(Invalid):
                readings.set_facts(ctx, record.id, record.version, **wrong)
        found = readings.set_facts(
            ctx, record.id, record.version, adjustment="offset", place="site"
        )
        assert (found.adjustment, found.place) == ("offset", "site")
        with pytest.raises(Conflict):
            readings.set_facts(ctx, record.id, record.version, remark="late")


def test_a_type_that_cannot_be_adjusted_says_so(database_url):
    bench = issuing.a_bench(database_url, type_id="thermometer.infrared_forehead")
    record = issuing.opened(bench, points=("35.0", "37.0", "41.0"))
    with bench.as_(bench.technician) as ctx, pytest.raises(Refused) as refusal:
        readings.set_facts(ctx, record.id, record.version, adjustment="new offset")
    assert refusal.value.code == "type-not-adjustable"
    bench.engine.dispose()


def test_a_record_closes_with_a_reason_and_frees_its_order_line(bench):
    record = issuing.opened(bench)
    with bench.as_(bench.technician) as ctx:
        with pytest.raises(Invalid):
            readings.close(ctx, record.id, record.version, " ")
        closed = readings.close(ctx, record.id, record.version, "customer withdrew it")
        assert closed.state == "closed"
        again = readings.open_calibration(ctx, record.order_line_id, catalogue=bench.catalogue)
        lines = readings.list_calibrations(ctx, "draft")
    assert [line.id for line in lines] == [again.id]


def test_every_act_stands_in_the_audit_trail(bench):
    issuing.submitted(bench)
    with bench.as_(bench.technician) as ctx:
        assert check_chain(ctx.session, bench.lab_id) == ()


def test_another_lab_sees_nothing_of_a_record(bench):
    record = issuing.opened(bench)
    other = builders.a_lab(bench.engine, "BJ")
    with builders.context_for(bench.installation, lab_id=other) as ctx:
        assert readings.list_calibrations(ctx) == ()
        with pytest.raises(NotFound):
            readings.enter(ctx, record.id, [an_entry()])


def test_pieces_and_examinations_of_a_lot_are_read_as_strictly_as_marks(bench):
    record = benched.a_lot(bench.installation, 3)
    with bench.as_(bench.technician) as ctx:
        for found in (
            {"passed": True, "rejected_pieces": 1},
            {"passed": True, "rejected_pieces": "12"},
            {"passed": True, "remark": "looks\u200bfine"},
            {"passed": True, "remark": "x" * 401},
        ):
            with pytest.raises(Invalid):
                readings.set_facts(
                    ctx, record.id, record.version, examinations={"appearance": found}
                )
        for pieces in (("1", "2\u200b"), ("1", "２")):
            with pytest.raises(Invalid) as caught:
                readings.plan(ctx, record.id, record.version, PlanChange(pieces=pieces))
            assert caught.value.at == "/pieces/1"


def test_a_plan_has_a_measure(bench, monkeypatch):
    record = issuing.opened(bench)
    monkeypatch.setattr(planning, "MAX_POINTS", 3)
    monkeypatch.setattr(readings, "MOST_ENTRIES", 1)
    many = {"temperature": ("0", "20", "50", "100")}
    with bench.as_(bench.technician) as ctx:
        for change in (PlanChange(points=many), PlanChange(predict=many)):
            with pytest.raises(Invalid) as caught:
                readings.plan(ctx, record.id, record.version, change)
            assert caught.value.code == "list-too-long"
        with pytest.raises(Invalid) as caught:
            readings.enter(ctx, record.id, [an_entry(), an_entry(place=1)])
        assert caught.value.code == "list-too-long"


def test_records_in_a_state_that_does_not_exist_are_refused(bench):
    with bench.as_(bench.technician) as ctx, pytest.raises(Invalid, match="draft"):
        readings.list_calibrations(ctx, "drafts")


def test_records_in_work_come_first_whatever_their_channel(bench):
    old, new = (issuing.opened(bench, green_channel=green) for green in (False, True))
    done = issuing.opened(bench, green_channel=True)
    with bench.as_(bench.technician) as ctx:
        readings.close(ctx, done.id, done.version, "withdrawn by the customer")
        lines = readings.list_calibrations(ctx)
    assert [line.id for line in lines] == [new.id, old.id, done.id]
    assert {line.type_name.en for line in lines} == {old.definition.name.en}
