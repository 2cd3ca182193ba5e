"""Haemodialysis machine: the worked budget, every quantity once, the larger of two limits."""

from __future__ import annotations

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "dialysis.machine"
STANDARDS = {
    "conductivity": standard_of("conductivity", "mS/cm", "0.05"),
    "temperature": standard_of("temperature", "degC", "0.05"),
    "pressure": standard_of("pressure", "mmHg", "1"),
    "mL/min": standard_of("volume_flow", "mL/min", "2", key="mL/min"),
    "mL/h": standard_of("volume_flow", "mL/h", "2", key="mL/h"),
    "acidity": standard_of("acidity", "pH", "0.02"),
    "mass": standard_of("mass", "g", "0.02"),
}
STEPS = {
    "conductivity": "0.1", "temperature": "0.1", "temperature_alarm": "0.1",
    "arterial_pressure": "1", "venous_pressure": "1", "dialysate_pressure": "1",
    "arterial_alarm": "1", "venous_alarm": "1", "dialysate_flow": "1", "anticoagulant_pump": "0.1",
    "ph": "0.01", "scale": "1", "ultrafiltration": "10",
}  # fmt: skip


def _pair(measurand, symbol, standard, nominal, shown=None):
    texts = {f"{symbol}_ref": [nominal] * 3, f"{symbol}_ind": [shown or nominal] * 3}
    return read(ID, measurand, nominal, texts, standard)


def _flow(measurand, standard, nominal, reference):
    return read(ID, measurand, nominal, {"q_ref": [reference] * 3}, standard)


def _points():
    return [
        *(_pair("conductivity", "k", "conductivity", n) for n in ("12", "14", "16")),
        *(_pair("temperature", "t", "temperature", n) for n in ("36", "37", "38")),
        *(_pair("arterial_pressure", "p", "pressure", n) for n in ("-200", "0", "200")),
        *(_pair("venous_pressure", "p", "pressure", n) for n in ("0", "200", "400")),
        *(_pair("dialysate_pressure", "p", "pressure", n) for n in ("-200", "0", "200")),
        *(_flow("dialysate_flow", "mL/min", n, n) for n in ("300", "500", "800")),
        *(_flow("ultrafiltration", "mL/h", n, n) for n in ("500", "3000")),
    ]


def _record(*changed, rule="none"):
    points = {point.key: point for point in (*_points(), *changed)}
    return under(
        recorded(ID, list(points.values()), list(STANDARDS.values()), STEPS),
        rule=DecisionRule(rule),
    )


def test_the_worked_budget_of_conductivity_at_14():
    point = found(evaluate(_record()), "conductivity", "14")

    assert row(point) == ("0.06754", 21066, "2.00", "0.1351", "0.14")
    lines = {line.component: line for line in point.budget}
    assert lines["k_std"].c == -1
    assert f"{lines['d_T'].contribution:.3g}" == "0.0162"


@pytest.mark.parametrize(
    ("measurand", "symbol", "standard", "nominal", "shown", "error"),
    [
        ("conductivity", "k", "conductivity", "14", "14.2", 0.2),
        ("temperature", "t", "temperature", "37", "36.6", -0.4),
        ("temperature_alarm", "t", "temperature", "40", "40.3", 0.3),
        ("arterial_pressure", "p", "pressure", "-200", "-205", -5),
        ("venous_pressure", "p", "pressure", "200", "203", 3),
        ("dialysate_pressure", "p", "pressure", "200", "199", -1),
        ("arterial_alarm", "p", "pressure", "200", "204", 4),
        ("venous_alarm", "p", "pressure", "300", "304", 4),
        ("ph", "h", "acidity", "7.2", "7.25", 0.05),
    ],
)
def test_a_displayed_value_and_the_analyser(measurand, symbol, standard, nominal, shown, error):
    others = {"arterial_alarm": ("-200",), "venous_alarm": ("50",)}.get(measurand, ())
    more = [_pair(measurand, symbol, standard, n) for n in others]

    result = evaluate(_record(*more, _pair(measurand, symbol, standard, nominal, shown)))

    point = found(result, measurand, nominal)
    assert point.error == pytest.approx(error)
    assert 0 < point.U < 10


def test_flows_the_scale_and_ultrafiltration():
    scale = [
        read(ID, "scale", n, {"m_ref": [n], "m_ind": [n, n, str(int(n) + 3)]}, "mass")
        for n in ("500", "2000", "5000")
    ]
    pump = _flow("anticoagulant_pump", "mL/h", "5", "5.2")
    changed = _flow("dialysate_flow", "mL/min", "500", "480")

    removed = _flow("ultrafiltration", "mL/h", "3000", "2900")

    result = evaluate(_record(*scale, pump, changed, removed))

    assert found(result, "scale", "2000").error == pytest.approx(1)
    assert found(result, "anticoagulant_pump", "5").error == pytest.approx(-0.2 / 5.2 * 100)
    assert found(result, "dialysate_flow", "500").error == pytest.approx(20 / 480 * 100)
    assert found(result, "ultrafiltration", "3000").error == pytest.approx(100)


@pytest.mark.parametrize(
    ("changed", "measurand", "nominal", "verdict"),
    [
        (_pair("venous_pressure", "p", "pressure", "200", "220"), "venous_pressure", "200", "pass"),
        (_pair("venous_pressure", "p", "pressure", "200", "221"), "venous_pressure", "200", "fail"),
        (_pair("arterial_pressure", "p", "pressure", "0", "-10"), "arterial_pressure", "0", "pass"),
        (_flow("ultrafiltration", "mL/h", "500", "400"), "ultrafiltration", "500", "pass"),
        (_flow("ultrafiltration", "mL/h", "500", "398"), "ultrafiltration", "500", "fail"),
        (_flow("ultrafiltration", "mL/h", "3000", "2850"), "ultrafiltration", "3000", "pass"),
        (_flow("ultrafiltration", "mL/h", "3000", "2840"), "ultrafiltration", "3000", "fail"),
    ],
)
def test_the_larger_of_two_limits(changed, measurand, nominal, verdict):
    assert decided(evaluate(_record(changed, rule="simple")), measurand, nominal) == verdict
