"""Ventilator: the worked budget, bases of volume, both sets of limits, set and displayed values."""

from __future__ import annotations

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import DecisionRule
from tests.support.asked import decided, found, under
from tests.support.typed import read, recorded, row, standard_of

ID = "ventilator.critical_care"
STANDARDS = (
    standard_of("volume", "mL", "8"),
    standard_of("frequency", "/min", "0.1"),
    standard_of("pressure", "cmH2O", "0.2"),
    standard_of("ratio", "%", "0.6"),
    standard_of("volume_flow", "L/min", "0.1"),
)
BTPS = {"t_gas": ["37.0"], "h_gas": ["100"]}


def _volume(nominal, reference, shown=None, gas=BTPS):
    texts = {"V_ref": reference, "V_ind": shown or [nominal] * 3, **gas}
    return read(ID, "tidal_volume", nominal, texts, "volume")


def _three(measurand, symbol, standard, rows):
    return [
        read(ID, measurand, n, {f"{symbol}_ref": ref, f"{symbol}_ind": ind}, standard)
        for n, ref, ind in rows
    ]


def _rest():
    return [
        *_three("rate", "f", "frequency", [(n, [n] * 3, [n] * 3) for n in ("10", "20", "40")]),
        *_three("peak_pressure", "p", "pressure", [
            ("10", ["10.1", "10.2", "10.0"], ["10.0", "10.1", "10.0"]),
            ("20", ["20.1"] * 3, ["20.0"] * 3),
            ("30", ["32.0"] * 3, ["31.0"] * 3),
        ]),
        *_three("peep", "p", "pressure", [(n, [n] * 3, [n] * 3) for n in ("2", "10", "20")]),
        *_three("oxygen", "x", "ratio", [(n, [n] * 3, [n] * 3) for n in ("21", "60", "100")]),
    ]  # fmt: skip


def _record(volumes=None, **attributes):
    points = volumes or [_volume(n, [n] * 3) for n in ("400", "500", "800")]
    steps = {
        "tidal_volume": "1", "rate": "1", "peak_pressure": "0.1", "peep": "0.1", "oxygen": "1",
        "minute_volume": "0.1",
    }  # fmt: skip
    resolution = steps | {f"{name}_display": step for name, step in steps.items()}
    return recorded(ID, [*points, *_rest()], STANDARDS, resolution, **attributes)


def test_the_worked_budget_at_500_ml():
    point = found(evaluate(_record()), "tidal_volume", "500")

    assert row(point) == ("1.185", 780, "2.00", "2.37", "2.4")
    lines = {line.component: line for line in point.budget}
    assert f"{lines['V_std'].contribution:.3g}" == "1.01"
    assert f"{lines['V_rep'].contribution:.3f}" == "0.462"


def test_a_volume_at_ambient_conditions_is_converted_to_btps():
    gas = {"t_gas": ["22.0"], "h_gas": ["0"]}
    volumes = [_volume(n, ["450"] * 3, gas=gas) for n in ("400", "500", "800")]

    point = found(evaluate(_record(volumes)), "tidal_volume", "500")

    btps = 450 * 101.3 / (101.3 - 6.28) * 310.15 / 295.15  # 6.28 kPa at 37 °C
    assert point.reference == pytest.approx(btps, rel=2e-4)
    assert point.error == pytest.approx((500 - btps) / btps * 100, abs=0.02)


def test_displayed_values_are_compared_with_the_same_readings():
    volumes = [_volume(n, [n] * 3, [f"{float(n) * 1.1:.0f}"] * 3) for n in ("400", "500", "800")]

    result = evaluate(_record(volumes))

    assert found(result, "tidal_volume_display", "500").error == pytest.approx(10)
    assert found(result, "tidal_volume", "500").error == 0
    assert found(result, "peak_pressure_display", "30").error == pytest.approx(-1)
    assert found(result, "peak_pressure", "30").error == pytest.approx(-2)


@pytest.mark.parametrize(
    ("limits", "measurand", "nominal", "upper"),
    [
        ("jjf", "tidal_volume", "500", "15"),
        ("maker", "tidal_volume", "500", "9"),
        ("maker", "tidal_volume", "400", "9.25"),
        ("jjf", "peak_pressure", "30", "3.2"),
        ("maker", "peak_pressure", "30", "3.2"),
        ("jjf", "peep", "2", "2.08"),
        ("jjf", "oxygen", "60", "5"),
        ("maker", "oxygen", "60", "3"),
        ("maker", "rate", "20", "10"),
    ],
)
def test_limits_are_those_of_the_regulation_or_of_the_maker(limits, measurand, nominal, upper):
    point = found(evaluate(_record(limits=limits)), measurand, nominal)

    assert float(point.printed.upper) == float(upper)
    assert float(point.printed.lower) == -float(upper)


def test_limits_of_the_maker_for_children_change_at_100_ml():
    volumes = [_volume(n, [n] * 3) for n in ("50", "100", "300")]

    result = evaluate(_record(volumes, patient="paediatric", limits="maker"))

    uppers = [float(found(result, "tidal_volume", n).printed.upper) for n in ("50", "100")]
    assert uppers == [23, 13]


@pytest.mark.parametrize(("reference", "verdict"), [("32.0", "pass"), ("32.1", "fail")])
def test_pressure_at_the_limit(reference, verdict):
    """Full scale 40 cmH2O: 2 % of it and 4 % of 30 are 2.0."""
    points = [p for p in _record().points if p.key != "peak_pressure/as_found/0/30"]
    points += _three("peak_pressure", "p", "pressure", [("30", [reference] * 3, ["32.0"] * 3)])
    record = under(_record(pressure_full_scale="40"), points, DecisionRule("simple"))

    assert decided(evaluate(record), "peak_pressure", "30") == verdict


def test_minute_volume_may_be_left_out_and_has_the_limit_of_the_maker():
    more = _three("minute_volume", "q", "volume_flow", [("5", ["5.0"] * 3, ["5.2"] * 3)])
    record = _record(limits="maker")

    point = found(evaluate(under(record, [*record.points, *more])), "minute_volume", "5")

    assert point.error == pytest.approx(0.2)
    assert float(point.printed.upper) == 0.4
