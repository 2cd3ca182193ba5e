"""Liquid-in-glass thermometer: the worked budget, points and readings by division, the stem."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.choosing import points_for, readings_for
from instruments.errors import Refused
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of

ID = "thermometer.liquid_in_glass"
# standard deviation of these four: 0.012 degC
FOUR = ["100.014", "99.990", "99.990", "100.006"]
RATED = {"range_low": "0", "range_high": "100", "stem_coefficient": "0.00016"}


def _point(nominal, ind, ref=None, n="0", t_stem="25"):
    readings = {
        "t_ref": ref or [nominal] * len(ind), "t_ind": ind, "n_stem": [n], "t_stem": [t_stem]
    }  # fmt: skip
    return read(ID, "temperature", nominal, readings, "temperature")


def _record(last=None, **attributes):
    points = [_point("0", ["0.00"] * 4), _point("50", ["50.02"] * 4), last or _point("100", FOUR)]
    standard = standard_of("temperature", "degC", "0.03")
    return recorded(ID, points, [standard], {}, **{**RATED, **attributes})


def test_the_worked_budget_at_100_degrees():
    point = evaluate(_record()).points[2]

    assert f"{point.u:.4g}" == "0.02223"
    assert round(point.dof) == 566
    assert (point.printed.k, f"{point.U:.4g}", point.printed.U) == ("2.00", "0.04447", "0.045")
    assert point.s == pytest.approx(0.012)


@pytest.mark.parametrize(
    ("division", "points", "readings"),
    [
        ("0.1", ("-5", "0", "10", "20", "25"), 4),
        ("0.2", ("-5", "0", "20", "25"), 4),
        ("0.5", ("-5", "0", "25"), 2),
        ("5", ("-5", "0", "25"), 2),
    ],
)
def test_points_and_readings_follow_the_division(division, points, readings):
    definition = a.a_type(ID)
    measurand = definition.measurand("temperature")
    item = {"division": division, "range_low": "-5", "range_high": "25"}

    assert points_for(definition, measurand, item) == points
    assert readings_for(measurand, "t_ind", item) == readings
    assert readings_for(measurand, "t_stem", item) == 1


def test_the_correction_is_corrected_standard_minus_reading_with_its_stem():
    # 40 degrees of mercury stand at 30 degC: 0.00016 * 40 * (100 - 30) = 0.448
    last = _point("100", ["100.00"] * 4, ["100.50"] * 4, "40", "30")

    point = evaluate(_record(last)).points[2]

    assert -point.error == pytest.approx(100.5 - 100.448)
    assert point.printed.correction == "0.052"
    assert next(b for b in point.budget if b.component == "t_rep").c == pytest.approx(-1.0064)


def test_without_the_coefficient_of_the_liquid_nothing_is_computed():
    record = _record()
    attributes = {n: v for n, v in record.item.attributes.items() if n != "stem_coefficient"}

    with pytest.raises(Refused) as refused:
        evaluate(replace(record, item=replace(record.item, attributes=attributes)))

    errors = [f for f in refused.value.findings if f.severity == "error"]
    assert [(f.code, f.at) for f in errors] == [
        ("rating-missing", "/item/attributes/stem_coefficient")
    ]


def test_the_estimate_is_a_tenth_of_the_division():
    def reading(division):
        lines = evaluate(_record(division=division)).points[0].budget
        return next(b.u for b in lines if b.component == "t_read")

    assert reading("5") == pytest.approx(50 * reading("0.1"))


@pytest.mark.parametrize(
    ("ref", "division", "verdict"),
    [("100.200", "0.1", "pass"), ("100.201", "0.1", "fail"), ("101.000", "1", "pass")],
)
def test_a_verdict_at_the_limit(ref, division, verdict):
    last = _point("100", ["100.00"] * 4, [ref] * 4)
    record = replace(_record(last, division=division), decision_rule=DecisionRule("simple"))

    assert evaluate(record).points[2].verdict == verdict


def test_partial_immersion_has_no_limits_of_its_own():
    assert a.type_limits(a.a_type(ID), {"division": "0.1", "immersion": "partial"}) == {}
