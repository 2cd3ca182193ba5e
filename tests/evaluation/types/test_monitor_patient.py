"""Patient monitor: every row of its regulation, and what a monitor lacks."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from calib.evaluation.evaluate import evaluate
from instruments.choosing import points_for
from instruments.errors import Refused
from tests.support import inputs as a
from tests.support.typed import read, recorded, standard_of
from tests.support.verified import results, verified, warnings

ID = "monitor.patient"
STANDARDS = (
    standard_of("voltage", "mV", "0.005"),
    standard_of("time", "s", "0.0005"),
    standard_of("frequency", "/min", "0.1"),
    standard_of("pressure", "mmHg", "0.2"),
    standard_of("pressure", "kPa", "0.02", key="kPa"),
    standard_of("ratio", "%", "0.05"),
)
STEPS = {
    "heart_rate_low": "1", "heart_rate_high": "1", "nibp_static": "1", "nibp_repeatability": "1",
    "nibp_static_kpa": "0.1", "nibp_repeatability_kpa": "0.1", "spo2_repeatability": "1",
    "pulse_rate": "1", "co2_mmhg": "1", "co2_kpa": "0.1", "co2_percent": "0.1",
    "respiration_rate": "1",
}  # fmt: skip
RATES = ("30", "80", "140", "200")


def _ecg(h="10.0", length="50.0", a_f="9.5", shown=0):
    yield from (
        ("ecg_voltage", u, {"h": [h] * 3, "gain": [g], "u_ref": [u]}, "voltage")
        for u, g in (("0.5", "20"), ("1.0", "10"), ("2.0", "5"))
    )
    yield "sweep_speed", "25", {"L": [length] * 3, "t_ref": ["2"]}, "time"
    yield "sweep_speed", "50", {"L": [length] * 3, "t_ref": ["1"]}, "time"
    yield from (
        ("frequency_response", f, {"a_f": [a_f], "a_10": ["10.0"]}, "voltage")
        for f in ("1", "5", "15", "20", "25")
    )
    yield from (
        (m, r, {"r_ind": [str(int(r) + shown)], "r_ref": [r]}, "frequency")
        for m in ("heart_rate_low", "heart_rate_high")
        for r in RATES
    )


def _nibp(shift=0, readings=("150", "151", "150", "149", "150"), end="225.0"):
    yield from (
        ("nibp_static", p, {
            "p_ref": [f"{p}.0"] * 2, "p_ind": [str(int(p) + shift)] * 2
        }, "pressure")
        for p in ("50", "100", "150", "200", "250")
    )  # fmt: skip
    yield "nibp_repeatability", "150", {"p_ind": list(readings)}, "pressure"
    yield "nibp_repeatability", "100", {"p_ind": ["100"] * 5}, "pressure"
    yield "nibp_leak", "250", {"p": ["250.0", end]}, "pressure"


def _spo2(shown=0):
    yield from (
        ("spo2_repeatability", s, {"s_ind": [s] * 3 + [str(int(s) - 1)] * 3}, "ratio")
        for s in ("70", "90", "100")
    )
    yield from (
        ("pulse_rate", r, {"r_ind": [str(int(r) + shown)] * 3, "r_ref": [r]}, "frequency")
        for r in ("30", "75", "200")
    )


def _co2(shown="39", rate=0):
    yield "co2_mmhg", "38", {"p_ind": [shown] * 3, "x_gas": ["5.02"]}, "ratio"
    yield from (
        ("respiration_rate", r, {"r_ind": [str(int(r) + rate)] * 3, "r_ref": [r]}, "frequency")
        for r in ("10", "20", "60")
    )


def _record(*rows, **attributes):
    points = [read(ID, *row) for part in rows for row in part]
    named = {r.standard for p in points for series in p.readings.values() for r in series}
    standards = [s for s in STANDARDS if s.key in named]
    lacking = dict.fromkeys(("ecg", "nibp", "spo2", "co2"), "none")
    wanted = {m.id: m.when for m in a.a_type(ID).measurands}
    for measurand in {row.measurand for row in points}:
        lacking |= wanted[measurand]
    return recorded(ID, points, standards, STEPS, **{**lacking, **attributes})


def test_a_monitor_with_everything_passes_without_a_word():
    record = _record(_ecg(), _nibp(), _spo2(), _co2())

    assert warnings(record) == set()
    found = results(verified(record, "subsequent"))
    assert {(key, p.verdict) for key, p in found.items() if p.verdict != "pass"} == set()
    assert {p.limit_confidence for p in found.values()} == {"V2"}
    assert len({m for m, _ in found}) == 12


def test_a_part_that_the_monitor_has_may_not_be_left_out():
    assert evaluate(_record(_spo2())).verdict == "not_stated"
    with pytest.raises(Refused) as refused:
        evaluate(_record(_spo2(), nibp="mmhg"))
    places = {f.at for f in refused.value.findings if f.code == "points-missing"}
    assert places == {f"/points/{m}/0" for m in ("nibp_static", "nibp_repeatability", "nibp_leak")}


LIMITS = [
    ("ecg_voltage", "1.0", "-10", "10"),
    ("sweep_speed", "25", "-10", "10"),
    ("frequency_response", "1", "-30", "5"),
    ("frequency_response", "25", "-30", "5"),
    ("heart_rate_low", "30", "-2.5", "2.5"),
    ("heart_rate_high", "200", "-11", "11"),
    ("nibp_static", "50", "-3", "3"),
    ("nibp_static", "150", "-3", "3"),
    ("nibp_static", "250", "-5", "5"),
    ("nibp_repeatability", "150", None, "3"),
    ("nibp_leak", "250", None, "6"),
    ("spo2_repeatability", "70", None, "3"),
    ("spo2_repeatability", "90", None, "2"),
    ("pulse_rate", "75", "-4.75", "4.75"),
    ("co2_mmhg", "38", "-6.24", "6.24"),
    ("respiration_rate", "60", "-2", "2"),
]


def test_the_limits_are_those_of_the_table():
    found = results(_record(_ecg(), _nibp(), _spo2(), _co2()))

    def number(text):
        return None if text is None else Decimal(text)

    for measurand, nominal, lower, upper in LIMITS:
        printed = found[measurand, nominal].printed
        assert (number(printed.lower), number(printed.upper)) == (number(lower), number(upper)), (
            measurand
        )


@pytest.mark.parametrize(
    ("rows", "measurand", "nominal", "verdict"),
    [
        (_ecg(h="11.0"), "ecg_voltage", "1.0", "pass"),
        (_ecg(h="11.2"), "ecg_voltage", "1.0", "fail"),
        (_ecg(length="44.5"), "sweep_speed", "50", "fail"),
        (_ecg(a_f="7.0"), "frequency_response", "25", "pass"),
        (_ecg(a_f="6.8"), "frequency_response", "25", "fail"),
        (_ecg(a_f="10.6"), "frequency_response", "1", "fail"),
        (_ecg(shown=2), "heart_rate_low", "30", "pass"),
        (_ecg(shown=3), "heart_rate_high", "30", "fail"),
        (_nibp(shift=4), "nibp_static", "200", "pass"),
        (_nibp(shift=4), "nibp_static", "150", "fail"),
        (_nibp(readings=("150", "156", "150", "144", "150")), "nibp_repeatability", "150", "fail"),
        (_nibp(end="220.0"), "nibp_leak", "250", "pass"),
        (_nibp(end="219.0"), "nibp_leak", "250", "fail"),
        (_spo2(shown=-4), "pulse_rate", "75", "pass"),
        (_spo2(shown=-5), "pulse_rate", "75", "fail"),
        (_co2(shown="44"), "co2_mmhg", "38", "pass"),
        (_co2(shown="45"), "co2_mmhg", "38", "fail"),
        (_co2(rate=3), "respiration_rate", "10", "fail"),
    ],
)
def test_verdicts_beside_the_limit(rows, measurand, nominal, verdict):
    record = verified(_record(list(rows)), "subsequent")
    assert results(record)[measurand, nominal].verdict == verdict


def test_values_by_hand():
    found = results(_record(_ecg(), _nibp(), _spo2(), _co2()))

    assert found["spo2_repeatability", "90"].error == pytest.approx(
        np.std([90, 90, 90, 89, 89, 89], ddof=1)
    )
    assert found["nibp_repeatability", "150"].error == pytest.approx(0.5**0.5)
    assert found["nibp_leak", "250"].error == pytest.approx(5.0)
    assert found["frequency_response", "5"].error == pytest.approx(-5)


def test_the_pressure_of_carbon_dioxide_follows_the_ambient_pressure():
    point = results(_record(_co2()))["co2_mmhg", "38"]

    ambient = 101.3e3 / 133.322387415
    assert point.reference == pytest.approx(0.0502 * ambient)
    assert point.error == pytest.approx(39 - 0.0502 * ambient)
    lines = {line.component: line.contribution for line in point.budget}
    assert lines["x_std"] == pytest.approx(0.01 * 0.0502 * ambient)
    assert lines["p_bar"] == pytest.approx(0.0502 * 0.75 / 3**0.5)


def test_initially_the_heart_rate_is_taken_in_steps_of_ten():
    type_ = a.a_type(ID)
    item = {"ecg": "present"}

    def points(kind):
        return points_for(type_, type_.measurand("heart_rate_high"), {**item, "verification": kind})

    assert points("initial") == tuple(str(rate) for rate in range(30, 201, 10))
    assert len(points("subsequent")) == 4
    assert points_for(type_, type_.measurand("heart_rate_low"), {"ecg": "none"}) == ()


def test_displays_in_kilopascal_and_in_volume_fraction():
    nibp = [
        ("nibp_static_kpa", p, {"p_ref": [f"{p}.00"] * 2, "p_ind": [f"{p}.4"] * 2}, "kPa")
        for p in ("7", "13", "20", "27", "33")
    ]
    nibp += [("nibp_repeatability_kpa", p, {"p_ind": [p] * 5}, "kPa") for p in ("13.3", "20.0")]
    nibp.append(("nibp_leak_kpa", "33", {"p": ["33.00", "30.00"]}, "kPa"))
    rate = [row for row in _co2() if row[0] == "respiration_rate"]
    kpa = [("co2_kpa", "5.1", {"p_ind": ["5.4"] * 3, "x_gas": ["5.00"]}, "ratio")]
    fraction = [("co2_percent", "5.0", {"x_ind": ["5.8"] * 3, "x_gas": ["5.00"]}, "ratio")]

    found = results(_record(nibp, kpa, rate)) | results(_record(fraction, rate))

    assert found["nibp_static_kpa", "7"].printed.upper == "0.4"
    assert Decimal(found["nibp_static_kpa", "33"].printed.upper) == Decimal("0.66")
    assert found["nibp_leak_kpa", "33"].error == pytest.approx(0.6)
    assert found["nibp_repeatability_kpa", "20.0"].error == 0
    assert found["co2_kpa", "5.1"].error == pytest.approx(5.4 - 0.05 * 101.3)
    assert Decimal(found["co2_kpa", "5.1"].printed.upper) == Decimal("0.838")
    assert found["co2_percent", "5.0"].error == pytest.approx(0.8)
    assert Decimal(found["co2_percent", "5.0"].printed.upper) == Decimal("0.83")
