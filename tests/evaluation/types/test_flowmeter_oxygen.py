"""Oxygen inhaler: the worked budget, the state of the gas, the pressure gauge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from instruments.choosing import points_for
from tests.support import inputs as a
from tests.support.asked import at, decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "flowmeter.oxygen"
STANDARDS = (standard_of("volume_flow", "L/min", "0.02"), standard_of("pressure", "MPa", "0.01"))


def _flow(nominal, reference):
    return read(ID, "flow", nominal, {"q_ref": [reference] * 3}, "volume_flow")


def _gauge(nominal, up, down, untapped):
    texts = {"p_ref": [nominal], "p_up": [up], "p_down": [down], "p_untapped": [untapped]}
    return read(ID, "gauge_up", nominal, texts, "pressure")


def _record(*more, four="4.00", conditions=("20.0", "55", "101.325"), **attributes):
    points = [_flow("2", "2.00"), _flow("4", four), _flow("10", "10.00"), *more]
    return at(recorded(ID, points, STANDARDS, {}, **attributes), *conditions)


def test_the_worked_budget_at_4_litres_per_minute():
    point = found(evaluate(_record()), "flow", "4")

    # effective degrees of freedom of 1300.5, rounded to 1301 in the worked table
    assert row(point) in {("0.6733", dof, "2.00", "1.347", "1.4") for dof in (1300, 1301)}
    assert point.dof == pytest.approx(1300.5)
    lines = {line.component: line for line in point.budget}
    assert f"{lines['q_read'].contribution:.3f}" == "0.577"
    assert abs(lines["q_rep"].c) == pytest.approx(10)


def test_the_points_are_parts_of_the_full_scale_of_the_model():
    definition = a.a_type(ID)

    points = points_for(definition, definition.measurand("flow"), {"flow_full_scale": "15"})

    assert points == ("3", "6", "9", "12", "15")


def test_the_error_is_a_part_of_full_scale():
    assert found(evaluate(_record(four="3.80")), "flow", "4").error == pytest.approx(2)
    fifteen = _record(four="3.80", flow_full_scale="15")
    assert found(evaluate(fifteen), "flow", "4").error == pytest.approx(0.2 / 15 * 100)


def test_gas_thinner_than_oxygen_at_20_degrees_passes_the_float_faster():
    """In air at 25 °C and 90 kPa more flows at the same mark than in oxygen at 20 °C."""
    record = _record(conditions=("25.0", "55", "90.0"), density_ratio="1.105")

    point = found(evaluate(record), "flow", "4")

    scale = 4 * (90 / 101.325 * 293.15 / 298.15 / 1.105) ** 0.5
    assert point.reference == pytest.approx(scale)
    assert point.error == pytest.approx((4 - scale) / 10 * 100)


@pytest.mark.parametrize(
    ("reference", "verdict"), [("3.60", "pass"), ("4.40", "pass"), ("3.59", "fail")]
)
def test_flow_at_the_limit_of_class_4(reference, verdict):
    record = under(_record(four=reference), rule=DecisionRule("simple"))

    assert decided(evaluate(record), "flow", "4") == verdict


def test_the_gauge_gives_four_results_from_one_series():
    more = [_gauge(n, n, n, n) for n in ("5", "25")]
    result = evaluate(under(
        _record(*more, _gauge("15", "15.2", "15.8", "14.9")), rule=DecisionRule("simple")
    ))  # fmt: skip

    errors = {p.measurand: p.error for p in result.points if p.printed.nominal == "15"}
    assert errors == pytest.approx({
        "gauge_up": 0.2, "gauge_down": 0.8, "gauge_hysteresis": 0.6, "gauge_tapping": 0.3,
    })  # fmt: skip
    limits = {p.measurand: p.printed.upper for p in result.points if p.printed.nominal == "15"}
    assert limits == {
        "gauge_up": "0.625", "gauge_down": "0.625", "gauge_hysteresis": "0.625",
        "gauge_tapping": "0.3125",
    }  # fmt: skip
    assert decided(result, "gauge_down", "15") == "fail"


def test_a_verification_has_a_limit_at_every_point():
    record = under(_record(verification="initial"), rule=DecisionRule("regulation"))

    result = evaluate(replace(record, kind="verification"))

    assert result.verdict == "pass"
