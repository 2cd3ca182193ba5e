"""Items side by side: one reading of a standard in every record, each record for itself."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from calib.services import readings
from calib.services.readings import PlanChange
from calib.services.together import (
    Circumstances,
    enter_together,
    note_together,
    submit_together,
    together,
)
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound
from instruments.records.audit import AuditEvent
from tests.support import benched, builders
from tests.support.builders import context_for
from tests.support.side import an_entry, current, drafts


@pytest.fixture
def lab(database_url):
    made = builders.an_installation(database_url)
    with context_for(made) as ctx:
        builders.a_standard(ctx, code="S-014")
    yield made
    made.engine.dispose()


def test_one_reading_of_the_standard_stands_in_every_record_with_its_own_trail(lab):
    ids = drafts(lab, 3)
    with context_for(lab) as ctx:
        done = enter_together(ctx, {id_: [an_entry("35.00")] for id_ in ids})
    assert {id_: one[0].revision for id_, one in done.items()} == dict.fromkeys(ids, 1)
    for id_ in ids:
        assert current(lab, id_) == {"35.0/t_ref/0": "35.00"}
    with context_for(lab, read_only=True) as ctx:
        told = ctx.session.scalars(
            select(AuditEvent.object_id).where(AuditEvent.act == "calibration:readings:enter")
        )
        assert sorted(map(int, told)) == sorted(ids)


def test_what_one_record_refuses_keeps_no_other_back_and_leaves_nothing_half(lab):
    ids = drafts(lab, 3)
    with context_for(lab) as ctx:
        readings.enter(ctx, ids[1], [an_entry("35.01")])  # a colleague was there first
    with context_for(lab) as ctx:
        batch = [an_entry("35.00"), an_entry("35.02", place=1)]
        done = enter_together(ctx, dict.fromkeys(ids, batch))
    assert isinstance(done[ids[1]], Conflict)
    assert done[ids[1]].code == "reading-changed-meanwhile"
    assert current(lab, ids[1]) == {"35.0/t_ref/0": "35.01"}
    both = {"35.0/t_ref/0": "35.00", "35.0/t_ref/1": "35.02"}
    assert (current(lab, ids[0]), current(lab, ids[2])) == (both, both)


def test_a_value_nobody_can_read_is_refused_by_every_record_and_by_name(lab):
    ids = drafts(lab, 2)
    with context_for(lab) as ctx:
        done = enter_together(ctx, {id_: [an_entry("35,00")] for id_ in ids})
    assert {one.code for one in done.values()} == {"decimal-comma"}
    assert [current(lab, id_) for id_ in ids] == [{}, {}]


def test_a_correction_for_all_is_a_revision_with_its_reason_in_each(lab):
    ids = drafts(lab, 2)
    with context_for(lab) as ctx:
        enter_together(ctx, {id_: [an_entry("35.00")] for id_ in ids})
    changed = an_entry("35.01", revision=1)
    with context_for(lab) as ctx:
        silent = enter_together(ctx, {id_: [changed] for id_ in ids})
        done = enter_together(ctx, {id_: [replace(changed, reason="read again")] for id_ in ids})
    assert {one.code for one in silent.values()} == {"reason-missing"}
    assert {(one[0].revision, one[0].reason) for one in done.values()} == {(2, "read again")}


def test_two_people_at_once_lose_nothing(lab):
    """Two write different and the same places of the same items at the same time."""
    ids = drafts(lab, 4)
    start = threading.Barrier(2)
    outcomes: list[dict] = []

    def work(values: tuple[str, str], own: int) -> None:
        start.wait()
        batch = [an_entry(values[0]), an_entry(values[1], place=own)]
        for id_ in ids:
            with context_for(lab) as ctx:
                outcomes.append(enter_together(ctx, {id_: batch}))

    people = [
        threading.Thread(target=work, args=(("35.00", "1.0"), 1)),
        threading.Thread(target=work, args=(("35.09", "2.0"), 2)),
    ]
    for one in people:
        one.start()
    for one in people:
        one.join(60)
    for id_ in ids:
        mine = [done[id_] for done in outcomes if id_ in done]
        refused = [one for one in mine if isinstance(one, Conflict)]
        assert len(refused) == 1  # one came first, the other is told and has written nothing
        stands = current(lab, id_)
        first = "1" if stands["35.0/t_ref/0"] == "35.00" else "2"
        assert set(stands) == {"35.0/t_ref/0", f"35.0/t_ref/{first}"}


def test_circumstances_are_noted_for_all_and_a_changed_record_is_told(lab):
    ids = drafts(lab, 3)
    with context_for(lab) as ctx:
        versions = {id_: readings.get_calibration(ctx, id_).version for id_ in ids}
        readings.set_facts(ctx, ids[2], versions[ids[2]], remark="cracked window")
    facts = {"performed_on": date(2026, 3, 2), "acclimatisation_minutes": 30}
    condition = readings.ConditionEntry("temperature", "start", "22.8", "degC", 0)
    noted = {id_: Circumstances(versions[id_], facts, (condition,)) for id_ in ids}
    with context_for(lab) as ctx:
        done = note_together(ctx, noted)
    assert done[ids[2]].code == "changed-meanwhile"
    with context_for(lab, read_only=True) as ctx:
        records = [readings.get_calibration(ctx, id_) for id_ in ids]
    assert [r.performed_on for r in records] == [date(2026, 3, 2), date(2026, 3, 2), None]
    assert [len(r.conditions) for r in records] == [1, 1, 0]


def test_those_that_are_ready_are_submitted_and_the_others_stay(lab):
    ids = drafts(lab, 3)
    with context_for(lab) as ctx:
        for id_ in ids[:2]:
            benched.fill(ctx, id_)
    with context_for(lab) as ctx:
        versions = {id_: readings.get_calibration(ctx, id_).version for id_ in ids}
        done = submit_together(ctx, versions)
    assert isinstance(done[ids[2]], Exception)
    with context_for(lab, read_only=True) as ctx:
        states = [readings.get_calibration(ctx, id_).state for id_ in ids]
    assert states == ["submitted", "submitted", "draft"]


def test_records_that_do_not_go_together_are_named_with_the_reason(lab):
    ids = drafts(lab, 4)
    lot = benched.a_lot(lab, 3).id
    submitted = benched.a_submitted(lab)
    with context_for(lab) as ctx:
        version = readings.get_calibration(ctx, ids[3]).version
        readings.plan(ctx, ids[3], version, PlanChange(points={"temperature": ["36.0"]}))
    with context_for(lab, read_only=True) as ctx:
        found = together(ctx, [*ids, lot, submitted])
    assert tuple(record.id for record in found.records) == ids[:3]
    assert {record.id: reason.code for record, reason in found.left_out} == {
        ids[3]: "side-other-points",
        lot: "side-is-lot",
        submitted: "side-not-draft",
    }


@pytest.mark.parametrize("chosen", [[], list(range(1, 40))])
def test_none_and_too_many_are_refused(lab, chosen):
    with context_for(lab, read_only=True) as ctx, pytest.raises(Invalid) as refused:
        together(ctx, chosen)
    assert refused.value.code == "items-side-by-side"


def test_who_may_not_measure_and_what_is_not_there(lab):
    (id_,) = drafts(lab, 1)
    with context_for(lab, "reviewer") as ctx, pytest.raises(NotAllowed):
        enter_together(ctx, {id_: [an_entry("35.00")]})
    with context_for(lab) as ctx:
        done = enter_together(ctx, {id_: [an_entry("35.00")], 999: [an_entry("35.00")]})
    assert isinstance(done[999], NotFound)
    assert current(lab, id_) == {"35.0/t_ref/0": "35.00"}
