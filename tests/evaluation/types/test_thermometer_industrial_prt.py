"""Industrial platinum thermometer: the worked budget, ohm into degC, the tolerance classes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from calib.engine.temperature.resistance import CallendarVanDusen, resistance
from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.choosing import limits_for
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of

ID = "thermometer.industrial_prt"
SLOPE_03793 = (0.39083 - 0.3793) / (2 * 5.775e-5)
"""Where dR/dt of Pt100 is 0.3793 ohm/degC, the rounded figure of the worked budget: 99.83 degC."""


def _ohms(t, R0=100.0):
    return float(resistance([t], CallendarVanDusen(R0)).values[0])


def _point(nominal, ohms, ref=None):
    readings = {"t_ref": [ref or nominal] * len(ohms), "R_ind": ohms}
    return read(ID, "temperature", nominal, readings, "temperature")


def _four(R):
    # standard deviation of these four: 0.0012 ohm
    return [f"{R + d:.7f}" for d in (0.0014, -0.001, -0.001, 0.0006)]


def _record(*last, **attributes):
    ice = _point("0", [attributes.get("R0", "100")] * 4)
    points = [ice, *(last or [_point("100", _four(_ohms(SLOPE_03793)))])]
    standard = standard_of("temperature", "degC", "0.006")
    return recorded(ID, points, [standard], {}, temperature="20", **attributes)


def test_the_worked_budget_at_100_degrees():
    point = evaluate(_record()).points[1]

    assert f"{point.u:.4g}" == "0.01026"
    assert round(point.dof) == 5306
    assert (point.printed.k, f"{point.U:.4g}", point.printed.U) == ("2.00", "0.02052", "0.021")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['R_rep'].contribution:.3g}" == "0.00158"
    assert f"{lines['R_meter'].contribution:.3g}" == "0.00609"
    assert f"{lines['R_meter'].c:.3g}" == "2.64"


@pytest.mark.parametrize(("R0", "t"), [("100", 100.02), ("1000", 99.95), ("100", -50.1)])
def test_the_deviation_is_that_of_the_reference_curve(R0, t):
    nominal = "-50" if t < 0 else "100"
    point = _point(nominal, [f"{_ohms(t, float(R0)):.9f}"] * 4)

    result = evaluate(_record(point, R0=R0)).points[1]

    assert result.indication == pytest.approx(t, abs=1e-8)
    assert result.error == pytest.approx(t - float(nominal), abs=1e-8)
    assert result.printed.indication == f"{t:.3f}"


@pytest.mark.parametrize(
    ("cls", "element", "nominal", "limit"),
    [
        ("AA", "wound", "250", "0.525"), ("AA", "wound", "-50", "0.185"),
        ("AA", "film", "150", "0.355"), ("A", "wound", "450", "1.05"),
        ("A", "wound", "-100", "0.35"), ("A", "film", "300", "0.75"),
        ("B", "wound", "600", "3.3"), ("B", "wound", "-196", "1.28"),
        ("B", "film", "500", "2.8"), ("C", "wound", "600", "6.6"),
        ("C", "film", "-50", "1.1"), ("AA", "wound", "251", None),
        ("AA", "film", "-1", None), ("A", "film", "301", None), ("B", "film", "501", None),
    ],
)  # fmt: skip
def test_tolerances_at_the_ends_of_their_ranges(cls, element, nominal, limit):
    definition = a.a_type(ID)
    measurand = definition.measurand("temperature")
    rows = limits_for(definition, measurand, {"class": cls, "element": element})
    at = [row.at(Decimal(nominal)) for row in rows if row.covers(Decimal(nominal))]

    wanted = [] if limit is None else [(-Decimal(limit), Decimal(limit))]
    assert at == wanted


@pytest.mark.parametrize(("t", "verdict"), [(100.349, "pass"), (100.351, "fail")])
def test_a_verdict_at_the_limit_of_class_A(t, verdict):
    record = _record(_point("100", [f"{_ohms(t):.9f}"] * 4), **{"class": "A"})

    result = evaluate(replace(record, decision_rule=DecisionRule("simple")))

    assert result.points[1].verdict == verdict


def test_a_resistance_is_not_measured_against_the_point_or_a_display():
    record = _record()
    item = replace(record.item, resolution={"temperature": "0.1"})

    assert not [f for f in evaluate(replace(record, item=item)).findings if f.severity == "warning"]
