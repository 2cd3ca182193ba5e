"""Thermocouple: the worked budget, emf and reference junction, tolerances by type and class."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from calib.engine.temperature.thermocouples import emf
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.choosing import limits_for, points_for
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of

ID = "thermometer.thermocouple"
SLOPE_42_2 = 16.112238868259446
"""mV, where type K has 42.2 uV/degC, the rounded figure of the worked budget: 393.25 degC."""


def _mv(letter, t, t_cj=0.0):
    return float(emf(letter, [t], t_cj).values[0])


def _point(nominal, millivolts, t_cj="0.00", ref=None):
    readings = {"t_ref": [ref or nominal] * 4, "E_ind": millivolts, "t_cj": [t_cj]}
    return read(ID, "temperature", nominal, readings, "temperature")


def _record(points, **attributes):
    standard = standard_of("temperature", "degC", "0.3")
    return recorded(ID, points, [standard], {}, temperature="20", **attributes)


def _at(letter, nominal, t, t_cj="0.00"):
    return _point(nominal, [f"{_mv(letter, t, float(t_cj)):.9f}"] * 4, t_cj)


def _three(letter, nominals):
    return [_at(letter, n, float(n)) for n in nominals]


def test_the_worked_budget_at_400_degrees():
    # standard deviation of these four: 6 uV
    four = [f"{SLOPE_42_2 + d:.9f}" for d in (0.007, -0.005, -0.005, 0.003)]
    points = [_point("400", four, ref="393.25"), *_three("K", ("600", "800"))]

    point = evaluate(_record(points)).points[0]

    assert f"{point.u:.4g}" == "0.4261"
    assert round(point.dof) == 3872
    assert (point.printed.k, f"{point.U:.4g}", point.printed.U) == ("2.00", "0.8522", "0.86")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['E_rep'].c:.5g}" == "23.697"
    assert (lines["d_ref"].counted, lines["t_cj"].counted) == (True, False)


@pytest.mark.parametrize("letter", "KNEJTSRB")
@pytest.mark.parametrize("t_cj", ["0.00", "23.50"])
def test_emfs_are_added_never_temperatures(letter, t_cj):
    nominals = points_for(
        a.a_type(ID), a.a_type(ID).measurand("temperature"), {"letter": letter, "class": "2"}
    )
    points = [_at(letter, n, float(n) + 0.4, t_cj) for n in nominals]

    result = evaluate(_record(points, letter=letter, **{"class": "2"}))

    assert [p.error for p in result.points] == pytest.approx([0.4] * len(nominals), abs=1e-5)
    assert not [f for f in result.findings if f.severity == "warning"]


def test_below_zero_the_reference_junction_counts_through_the_emf():
    points = _three("T", ("-190", "-79", "0"))

    result = evaluate(_record(points, letter="T", **{"class": "3"}))

    lines = {line.component: line for line in result.points[0].budget}
    slopes = [float(emf("T", [t]).sensitivity[0]) for t in (0.0, -190.0)]
    assert lines["t_cj"].c == pytest.approx(slopes[0] / slopes[1])
    assert (lines["d_ref"].counted, lines["t_cj"].counted) == (False, True)


@pytest.mark.parametrize(
    ("letter", "cls", "nominal", "limit"),
    [
        ("K", "1", "375", "1.5"), ("K", "1", "1000", "4.0"), ("N", "2", "1200", "9.0"),
        ("K", "2", "-40", "2.5"), ("K", "3", "-200", "3.0"), ("N", "3", "40", "2.5"),
        ("T", "1", "350", "1.4"), ("T", "2", "350", "2.625"), ("T", "3", "-200", "3.0"),
        ("E", "1", "800", "3.2"), ("E", "2", "900", "6.75"), ("E", "3", "-167", "2.505"),
        ("J", "1", "750", "3.0"), ("J", "2", "750", "5.625"),
        ("R", "1", "1100", "1.0"), ("S", "1", "1100.5", "1.0015"), ("S", "1", "1600", "2.5"),
        ("R", "2", "1600", "4.0"), ("S", "2", "600", "1.5"),
        ("B", "2", "1700", "4.25"), ("B", "3", "800", "4.0"), ("B", "3", "1700", "8.5"),
        ("K", "1", "1000.1", None), ("J", "3", "0", None), ("B", "1", "800", None),
        ("K", "none", "400", None), ("B", "2", "599", None),
    ],
)  # fmt: skip
def test_tolerances_of_types_and_classes(letter, cls, nominal, limit):
    definition = a.a_type(ID)
    measurand = definition.measurand("temperature")
    rows = limits_for(definition, measurand, {"letter": letter, "class": cls})
    at = [row.at(Decimal(nominal)) for row in rows if row.covers(Decimal(nominal))]

    assert at == ([] if limit is None else [(-Decimal(limit), Decimal(limit))])


@pytest.mark.parametrize(("t", "verdict"), [(402.99, "pass"), (403.01, "fail")])
def test_a_verdict_at_the_limit_of_class_2(t, verdict):
    points = [_at("K", "400", t), *_three("K", ("600", "800"))]
    record = replace(_record(points, **{"class": "2"}), decision_rule=DecisionRule("simple"))

    assert evaluate(record).points[0].verdict == verdict
