"""Infant incubator: the worked budget, uniformity point by point, fluctuation, what is optional."""

from __future__ import annotations

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of, steps

ID = "incubator.infant"
STANDARDS = (
    standard_of("temperature", "degC", "0.10"),
    standard_of("relative_humidity", "%RH", "2"),
    standard_of("ratio", "%", "0.6"),
    standard_of("level", "dB", "1"),
)
# standard deviation of these fifteen: 0.05
FIFTEEN = np.array([1, -1] * 7 + [0]) * 0.05
OFFSETS = {"A": 0.0, "B": 0.3, "C": -0.8, "D": 0.1, "E": -0.2}


def _field(middle, offsets=OFFSETS):
    return {f"t_{k}": [f"{middle + d + x:.4f}" for x in FIFTEEN] for k, d in offsets.items()}


def _air(nominal, middle, shown=None, **offsets):
    texts = _field(middle, OFFSETS | offsets) | {"t_ind": [shown or nominal] * 15}
    return read(ID, "temperature", nominal, texts, "temperature")


def _record(*more, points=None):
    points = points or [_air("32", 32.0), _air("36", 36.0)]
    resolution = {"temperature": "0.1", "control": "0.1", "humidity": "1", "oxygen": "1"}
    return recorded(ID, [*points, *more], STANDARDS, resolution)


def test_the_worked_budget_of_the_mean_temperature_at_36_degrees():
    point = found(evaluate(_record()), "control", "36")

    assert row(point) == ("0.06583", 9464, "2.00", "0.1317", "0.14")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['t_rep'].contribution:.3g}" == "0.0129"
    assert lines["t_rep"].dof == 14


def test_displayed_and_set_temperature_are_compared_with_the_centre():
    record = _record(points=[_air("32", 32.0), _air("36", 35.6, "35.9")])

    result = evaluate(record)

    assert found(result, "temperature", "36").error == pytest.approx(0.3)
    assert found(result, "control", "36").error == pytest.approx(0.4)
    assert found(result, "temperature", "36").printed.upper == "0.8"
    assert found(result, "control", "36").printed.upper == "1.5"


def test_uniformity_is_told_for_each_point():
    result = evaluate(_record())

    for k in "BCDE":
        point = found(result, f"uniformity_{k}", "36")
        assert point.error == pytest.approx(OFFSETS[k])
        own = 0.05 / np.sqrt(15)
        assert point.u == pytest.approx(np.hypot(own * np.sqrt(2), 0.05 / np.sqrt(3)), rel=1e-3)


@pytest.mark.parametrize(("offset", "verdict"), [(-0.8, "pass"), (-0.81, "fail")])
def test_uniformity_at_the_limit(offset, verdict):
    record = _record(points=[_air("32", 32.0), _air("36", 36.0, C=offset)])

    assert decided(evaluate(under(record, rule=DecisionRule("simple"))), "uniformity_C", "36") == (
        verdict
    )


def test_a_tilted_mattress_has_the_wider_limit():
    tilted = read(ID, "tilted_B", "36", _field(36.0, OFFSETS | {"E": -1.0}), "temperature")

    result = evaluate(under(_record(tilted), rule=DecisionRule("simple")))

    assert decided(result, "tilted_E", "36") == "pass"
    assert found(result, "tilted_E", "36").printed.lower == "-1.0"
    assert found(result, "tilted_C", "36").error == pytest.approx(-0.8)


def test_fluctuation_is_the_farthest_from_the_mean():
    series = [36.0, 36.1, 35.7, 36.05, *[36.0] * 11]
    texts = _field(36.0) | {"t_A": [f"{x:.2f}" for x in series], "t_ind": ["36.0"] * 15}
    record = _record(points=[_air("32", 32.0), read(ID, "temperature", "36", texts, "temperature")])

    point = found(evaluate(record), "fluctuation", "36")

    assert point.error == pytest.approx(np.abs(series - np.mean(series)).max())
    assert (point.printed.lower, point.printed.upper) == (None, "0.5")


def test_every_optional_part():
    more = [
        read(ID, "overshoot", "36", {"t_max": ["37.20"], "t_end": ["36.00"]}, "temperature"),
        read(ID, "humidity", "60", {"h_ref": steps(60, [1, 0, -1], 1), "h_ind": ["63"] * 3},
             "relative_humidity"),
        read(ID, "oxygen", "40", {"x_ref": ["40.0"] * 3, "x_ind": ["43"] * 3}, "ratio"),
        read(ID, "noise", "60", {"l_ref": ["58.1", "58.3", "58.2"]}, "level"),
        read(ID, "alarm_inside", "80", {"l_ref": ["75.0"] * 3}, "level"),
        read(ID, "alarm_outside", "65", {"l_ref": ["66.0"] * 3}, "level"),
    ]  # fmt: skip

    result = evaluate(_record(*more))

    expected = {
        "overshoot": 1.2, "humidity": 3, "oxygen": 3, "noise": 58.2, "alarm_inside": 75,
        "alarm_outside": 66,
    }  # fmt: skip
    errors = {p.measurand: p.error for p in result.points if p.measurand in expected}
    assert errors == pytest.approx(expected)
    assert found(result, "alarm_outside", "65").printed.lower == "65"
    assert all(p.U > 0 for p in result.points)
