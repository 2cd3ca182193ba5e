"""Readings that another measurand uses: watched as closely as those of the one they stand with."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from calib.evaluation.checks import check_record
from calib.evaluation.lines import Line, answer_lines
from calib.evaluation.quiet import quiet_series
from calib.simulation.simulate import Wanted, simulate
from tests.support import builders
from tests.support.up_and_down import up_and_down
from tests.support.whole import ready_of

SHARING = [
    (type_.id, user.id)
    for type_ in builders.the_catalogue().list()
    for user in type_.measurands
    if user.same_readings_as and user.output != "value"
]


def a_record(definition, seed=3, **model):
    wanted = Wanted(grade="fine", all_passed=True)
    (one,) = simulate(ready_of(definition, **model), seed, [0], wanted)
    return one.record


def spoilt(record, at, name, change):
    """Return the record with one reading of a point as `change` makes it, and its place."""
    point = record.points[at]
    first, *rest = point.readings[name]
    readings = {**point.readings, name: (replace(first, value=change(first.value)), *rest)}
    points = list(record.points)
    points[at] = replace(point, readings=readings)
    place = f"/points/{point.key}/readings/{name}/{first.id}"
    return replace(record, points=tuple(points)), place


def codes_at(record, place):
    exact = {f.code for f in check_record(record) if f.at == place}
    (quiet,) = quiet_series([record])
    assert exact == {f.code for f in check_record(record, quiet) if f.at == place}
    return exact


def compared(user):
    """Return what is read for the two sides of an error, where it is in the unit of the point."""
    found = []
    for side, source in ((user.reference, "standard"), (user.indication, "item")):
        of = [n for n, q in user.inputs.items() if q.source == source]
        is_statistic = bool(side) and bool(user.inputs[side].statistic)
        names = of if not side else user.inputs[side].of if is_statistic else (side,)
        found += [n for n in names if n in of and user.inputs[n].unit == user.unit]
    return found


@pytest.mark.parametrize(("type_id", "user_id"), SHARING, ids="-".join)
def test_a_reading_used_by_another_measurand_is_held_against_its_point(type_id, user_id):
    definition = builders.the_catalogue().get(type_id)
    user = definition.measurand(user_id)
    record = a_record(definition, attributes=dict(user.when))
    at = max(
        (i for i, p in enumerate(record.points) if p.measurand == user.same_readings_as),
        key=lambda i: abs(Decimal(record.points[i].nominal)),
    )
    for name in compared(user):
        wrong, place = spoilt(record, at, name, lambda text: f"{Decimal(text) * 2:f}")
        assert "reading-implausible" in codes_at(wrong, place), name


@pytest.mark.parametrize("side", ["ind", "ref"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: "30.00", "reading-implausible"),
        (lambda text: f"{Decimal(text) + Decimal('0.5'):f}", "reading-outlier"),
        (lambda text: f"{Decimal(text)}7", "reading-off-resolution"),
        (lambda _: "900.00", "standard-out-of-range"),
    ],
)
def test_falling_readings_get_the_warnings_of_rising_ones(side, change, code):
    record = a_record(up_and_down(readings=6))
    at = next(i for i, p in enumerate(record.points) if p.nominal == "10")

    rising, up = spoilt(record, at, f"p_{side}_up", change)
    falling, down = spoilt(record, at, f"p_{side}_down", change)

    assert codes_at(falling, down) == codes_at(rising, up)
    owner = {"reading-off-resolution": "ind", "standard-out-of-range": "ref"}.get(code, side)
    assert (code in codes_at(falling, down)) == (owner == side)


def test_a_fleet_says_so_too():
    record = a_record(up_and_down())
    wrong, place = spoilt(record, 1, "p_ind_down", lambda _: "30.00")

    told = answer_lines([Line("f", 1, wrong.canonical())]).content.decode()

    assert place in told
    assert "reading-implausible" in told


@pytest.mark.parametrize("seed", range(4))
def test_simulated_readings_lie_at_their_points_falling_too(seed):
    record = a_record(up_and_down(), seed)

    for point in record.points:
        for name, series in point.readings.items():
            for reading in series:
                apart = abs(Decimal(reading.value) - Decimal(point.nominal))
                assert apart < 1, (point.nominal, name, reading.value)
