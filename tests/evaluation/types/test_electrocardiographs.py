"""Electrocardiographs: the worked budget, limits that widen towards zero, one-sided limits."""

from __future__ import annotations

import math

import pytest

from tests.support import inputs as a
from tests.support.typed import read, recorded, row, standard_of
from tests.support.verified import results, verified, warnings

ANALOGUE, DIGITAL = "electrocardiograph.analogue", "electrocardiograph.digital"
STANDARDS = (
    standard_of("voltage", "mV", "0.005", key="mV"),
    standard_of("voltage", "V", "0.1", key="V"),
    standard_of("time", "s", "0.0005", key="s"),
    standard_of("frequency", "/min", "0.1", key="rate"),
)
VOLTAGES = (("0.5", "20"), ("1", "10"), ("2", "5"))
SHARED = (
    ("calibration_voltage", "1", {"h_cal": ["10.2"] * 3, "h_ref": ["10.0"] * 3, "u_ref": ["1"]},
     "mV"),
    ("noise", "20", {"h_n": ["0.3"]}, None),
    ("cmrr", "50", {"u_cm": ["20"], "h": ["2.0"] * 3, "gain": ["10"]}, "V"),
    ("time_constant", "25", {"L": ["85"]}, None),
)  # fmt: skip


def _shown(nominal, factor):
    return f"{float(nominal) * factor:.4f}"


def _analogue(**changed):
    """Return a whole record; what is changed takes the place of the readings of a measurand."""
    rows = [*SHARED]
    rows += [
        ("voltage", u, {"h": ["10.0"] * 3, "gain": [gain], "u_ref": [u]}, "mV")
        for u, gain in VOLTAGES
    ]
    rows += [
        ("time", t, {"L": [_shown(t, 25)] * 3, "v": ["25"], "T_ref": [t]}, "s")
        for t in ("0.2", "0.5", "1")
    ]
    rows += [
        ("frequency_response", f, {"a_f": ["9.8"], "a_10": ["10.0"]}, None)
        for f in ("1", "5", "20", "40", "60")
    ]
    rows += [("polarisation", p, {"a_p": ["10.1"], "a_0": ["10.0"]}, None) for p in ("-300", "300")]
    rows += [("gain", g, {"h": ["10.1"] * 3, "u_ref": [_shown(10, 1 / float(g))]}, "mV")
             for g in ("5", "10", "20")]  # fmt: skip
    rows += [
        ("paper_speed", v, {"L": [_shown(v, 2)] * 3, "t_ref": ["2"]}, "s") for v in ("25", "50")
    ]
    rows += [(m, "25", {"x": ["0.4"]}, None) for m in ("lag", "baseline_width", "baseline_drift")]
    rows.append(("overshoot", "1", {"h_p": ["10.5"], "h_s": ["10.0"]}, None))
    rows.append(("input_impedance", "10", {"h_R": ["9.5"], "h_0": ["10.0"]}, None))
    return _record(ANALOGUE, rows, changed)


def _digital(**changed):
    rows = [*SHARED]
    rows += [
        ("frequency_response", f, {"a_f": ["9.2"], "a_10": ["10.0"]}, None)
        for f in ("0.5", "5", "20", "40", "50", "60", "75")
    ]
    rows += [("heart_rate", r, {"r_ind": [r], "r_ref": [r]}, "rate") for r in ("30", "85", "140",
                                                                               "200")]  # fmt: skip
    rows.append(("weighting", "1", {"h": ["10.5"] * 3, "h_w": ["10.0"]}, None))
    return _record(DIGITAL, rows, changed)


def _record(type_id, rows, changed):
    points = [
        read(type_id, m, n, {**readings, **changed.get(m, {})}, standard or "mV")
        for m, n, readings, standard in rows
    ]
    named = {r.standard for p in points for series in p.readings.values() for r in series}
    return recorded(type_id, points, [s for s in STANDARDS if s.key in named], {"heart_rate": "1"})


def test_the_worked_budget_at_one_millivolt():
    point = results(_analogue())["voltage", "1"]

    assert row(point) == ("1.19", 64, "2.00", "2.38", "2.4")
    lines = {line.component: line.contribution for line in point.budget}
    assert {name: f"{size:.3f}" for name, size in lines.items()} == {
        "H_rep": "0.866", "H_read": "0.577", "V_std": "0.577"
    }  # fmt: skip
    # 0.1 mm at ten millimetres is one per cent, whatever the gain
    assert row(results(_analogue())["voltage", "0.5"]) == row(point)


def test_the_trace_is_printed_as_a_voltage():
    point = results(_analogue(voltage={"h": ["10.3", "10.4", "10.2"]}))["voltage", "0.5"]
    assert point.indication == pytest.approx(10.3 / 20)
    assert point.s == pytest.approx(0.1 / 20)
    assert point.error == pytest.approx(3.0)


@pytest.mark.parametrize(("nominal", "limit"), [("0.5", 12), ("1", 11), ("2", 10.5)])
def test_limits_of_voltages_widen_towards_small_ones(nominal, limit):
    printed = results(_analogue())["voltage", nominal].printed
    assert (float(printed.lower), float(printed.upper)) == (-limit, limit)


@pytest.mark.parametrize(("nominal", "limit"), [("0.2", 13), ("0.5", 11.2), ("1", 10.6)])
def test_limits_of_times_widen_towards_short_ones(nominal, limit):
    printed = results(_analogue())["time", nominal].printed
    assert (float(printed.lower), float(printed.upper)) == (-limit, limit)


def test_a_whole_verification_of_each_passes_without_a_word():
    for record in (_analogue(), _digital()):
        assert warnings(record) == set()
        for kind in ("initial", "subsequent", "in_service"):
            found = results(verified(record, kind))
            assert {m.id for m in record.definition.measurands} == {m for m, _ in found}
            assert {(key, p.verdict) for key, p in found.items() if p.verdict != "pass"} == set()


VALUES = [
    ("calibration_voltage", "1", 2.0),
    ("noise", "20", 15.0),
    ("cmrr", "50", 20 * math.log10(20_000 / 0.2)),
    ("time_constant", "25", 3.4),
    ("frequency_response", "60", -2.0),
    ("polarisation", "-300", 1.0),
    ("gain", "5", 1.0),
    ("paper_speed", "25", 0.0),
    ("overshoot", "1", 5.0),
    ("input_impedance", "10", 95.0),
    ("baseline_width", "25", 0.4),
]


@pytest.mark.parametrize(("measurand", "nominal", "value"), VALUES)
def test_values_by_hand(measurand, nominal, value):
    assert results(_analogue())[measurand, nominal].error == pytest.approx(value)


@pytest.mark.parametrize(
    ("measurand", "nominal", "readings"),
    [
        ("voltage", "1", {"h": ["11.2"] * 3}),
        ("time", "0.2", {"L": ["4.3"] * 3}),
        ("frequency_response", "60", {"a_f": ["8.9"]}),
        ("frequency_response", "60", {"a_f": ["10.6"]}),
        ("polarisation", "300", {"a_p": ["9.4"]}),
        ("noise", "20", {"h_n": ["0.8"]}),
        ("cmrr", "50", {"h": ["9.0"] * 3}),
        ("gain", "10", {"h": ["10.6"] * 3}),
        ("paper_speed", "25", {"L": ["47.0"] * 3}),
        ("lag", "25", {"x": ["0.6"]}),
        ("baseline_width", "25", {"x": ["1.1"]}),
        ("baseline_drift", "25", {"x": ["5.5"]}),
        ("overshoot", "1", {"h_p": ["11.1"]}),
        ("time_constant", "25", {"L": ["79"]}),
        ("input_impedance", "10", {"h_R": ["7.9"]}),
        ("calibration_voltage", "1", {"h_cal": ["10.6"] * 3}),
    ],
)
def test_beyond_its_limit_each_part_of_an_analogue_one_fails(measurand, nominal, readings):
    record = verified(_analogue(**{measurand: readings}))
    assert results(record)[measurand, nominal].verdict == "fail"


@pytest.mark.parametrize(
    ("nominal", "shown", "verdict"),
    [
        ("50", "8.9", "fail"),
        ("60", "8.9", "pass"),
        ("75", "6.9", "fail"),
        ("75", "7.1", "pass"),
        ("0.5", "10.6", "fail"),
    ],
)
def test_a_digital_one_may_fall_more_above_50_hertz(nominal, shown, verdict):
    found = results(verified(_digital(frequency_response={"a_f": [shown]})))
    assert found["frequency_response", nominal].verdict == verdict


def test_other_limits_of_a_digital_one():
    found = results(_digital())
    assert found["noise", "20"].printed.upper == "20"
    assert found["heart_rate", "200"].printed.upper == "11.00"
    assert found["weighting", "1"].error == pytest.approx(5.0)
    assert found["weighting", "1"].printed.lower == "-10"
    assert [e.id for e in a.a_type(DIGITAL).examinations] == ["appearance", "input_range"]
