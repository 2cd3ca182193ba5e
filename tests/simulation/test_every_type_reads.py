"""Readings of every shipped type: evaluable, marked, good where they should be, and bad."""

from __future__ import annotations

import pytest

from calib.evaluation.checks import check_record
from calib.evaluation.evaluate import evaluate
from calib.simulation.simulate import Wanted, simulate
from tests.support import builders
from tests.support.whole import ready_of

TYPES = builders.the_catalogue().list()
CHANCE = {"reading-outlier", "scatter-above-record", "reading-implausible"}
"""What scatter and bad items raise by themselves."""


@pytest.fixture(scope="module", params=TYPES, ids=lambda type_: type_.id)
def ready(request):
    return ready_of(request.param)


def simulated(ready, grade, count=4):
    wanted = Wanted(grade=grade, all_passed=True)
    return [one.record for one in simulate(ready, 11, range(count), wanted)]


def test_nothing_but_chance_is_remarked(ready):
    for record in simulated(ready, "good"):
        assert record.simulated
        assert {found.code for found in check_record(record)} <= CHANCE
        assert evaluate(record).points


def test_fine_items_conform_and_bad_ones_do_not(ready):
    limited = {w.measurand for d in ready.designs for w in d.wishes if w.is_limited}
    for record in simulated(ready, "fine"):
        assert all(p.verdict != "fail" for p in evaluate(record).points)
    for record in simulated(ready, "bad") if limited else ():
        result = evaluate(record)
        assert any(p.verdict == "fail" for p in result.points)


def test_every_planned_input_is_read_as_often_as_asked(ready):
    (record,) = simulated(ready, "good", 1)
    designs = {d.group.root.id: d for d in ready.designs}
    assert {p.measurand for p in record.points} == set(designs)
    for point in record.points:
        wanted = designs[point.measurand].counts
        assert {n: len(series) for n, series in point.readings.items()} == wanted
