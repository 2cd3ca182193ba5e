"""Industrial platinum thermometers, and the saturation line of water."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.temperature.resistance import (
    IEC_60751,
    CallendarVanDusen,
    resistance,
    temperature,
)
from calib.engine.temperature.saturation import saturation_pressure, saturation_temperature
from tests.engine.published import load, to_print

REFERENCE = load("thermometry")
MSL = CallendarVanDusen(**REFERENCE["msl"]["coefficients"])
T = np.linspace(-200, 850, 211)


@pytest.mark.parametrize(("name", "curve"), [("iec60751", IEC_60751), ("msl", MSL)])
def test_published_tables(name: str, curve: CallendarVanDusen) -> None:
    case = REFERENCE[name]
    found = resistance(case["t"], curve).values
    for R, printed in zip(found, case["R"], strict=True):
        assert to_print(R, printed)
    width = 0.5 * 10.0 ** -len(case["R"][0].partition(".")[2])
    back = temperature(np.array(case["R"], float), curve)
    assert (np.abs(back.values - case["t"]) <= 1.001 * width * back.sensitivity).all()


@pytest.mark.parametrize("curve", [IEC_60751, MSL, CallendarVanDusen(1000, 3.9e-3, 0, 0)])
def test_there_and_back(curve: CallendarVanDusen) -> None:
    R = resistance(T, curve)
    back = temperature(R.values, curve)
    assert back.values == pytest.approx(T, abs=1e-11)
    assert back.sensitivity * R.sensitivity == pytest.approx(np.ones(len(T)), rel=1e-12)
    assert not back.extrapolated.any()


@given(st.floats(-200, 850), st.floats(1, 1e4))
def test_resistance_scales_with_R0(t: float, R0: float) -> None:
    curve = CallendarVanDusen(R0)
    R = resistance(t, curve).values
    assert pytest.approx(R0 / 100 * resistance(t).values) == R
    assert temperature(R, curve).values == pytest.approx([t], abs=1e-9)


def test_derivative_against_the_complex_step() -> None:
    c = IEC_60751
    z = T + 1e-30j
    cold = np.where(T < 0, c.C, 0) * (z - 100) * z**3
    R = c.R0 * (1 + c.A * z + c.B * z**2 + cold)
    found = resistance(T)
    assert found.values == pytest.approx(R.real, rel=1e-14)
    assert found.sensitivity == pytest.approx(R.imag * 1e30, rel=1e-13)


def test_no_step_at_zero() -> None:
    below, at, above = resistance([-1e-9, 0, 1e-9]).values
    assert at == 100
    assert at - below == pytest.approx(above - at, rel=1e-6)


def test_a_resistance_rounded_at_the_end_is_flagged() -> None:
    found = temperature([18.52, 390.4812, 100])
    assert found.extrapolated.tolist() == [True, True, False]
    assert found.values == pytest.approx([-200, 850, 0], abs=1e-3)


@pytest.mark.parametrize("bad", [-200.01, 850.01, np.nan])
def test_no_extrapolation_of_temperatures(bad: float) -> None:
    with pytest.raises(OutOfRange) as caught:
        resistance([0, bad])
    assert caught.value.facts["index"] == 1


@pytest.mark.parametrize("bad", [18.2, 391, -5, 0, np.nan])
def test_no_extrapolation_of_resistances(bad: float) -> None:
    with pytest.raises(OutOfRange):
        temperature([bad])


@pytest.mark.parametrize("bad", [{"R0": 0}, {"A": -1e-3}, {"B": np.inf}])
def test_coefficients_of_no_platinum(bad: dict[str, float]) -> None:
    with pytest.raises(OutOfRange):
        CallendarVanDusen(**bad)


def test_a_curve_that_turns_round_is_not_inverted() -> None:
    bent = CallendarVanDusen(100, 3.9e-3, -4e-6, 0)
    with pytest.raises(OutOfRange):
        temperature([196], bent)
    with pytest.raises((OutOfRange, NotConverged)):
        temperature([60], CallendarVanDusen(100, 3.9e-3, 0, 1e-9))
    with pytest.raises((OutOfRange, NotConverged)):
        temperature([30], CallendarVanDusen(100, 3.9e-3, 2.3e-5, 0))


def test_older_constants() -> None:
    printed = REFERENCE["iec60751"]["constants"]
    for found, name in zip(IEC_60751.constants, ("alpha", "delta", "beta"), strict=True):
        assert to_print(found, printed[name])
    back = CallendarVanDusen.from_constants(*IEC_60751.constants)
    for name in "ABC":
        assert getattr(back, name) == pytest.approx(getattr(IEC_60751, name), rel=1e-14)
    with pytest.raises(OutOfRange):
        _ = CallendarVanDusen(100, 1e-3, -2e-5).constants


def test_saturation_line() -> None:
    case = REFERENCE["saturation"]
    for p, printed in zip(saturation_pressure(case["T"]).values, case["p_MPa"], strict=True):
        assert f"{p / 1e6:.9g}" == f"{float(printed):.9g}"
    for T_sat, printed in zip(
        saturation_temperature(case["p"]).values, case["T_back"], strict=True
    ):
        assert to_print(T_sat, printed)


def test_saturation_line_there_and_back() -> None:
    x = np.linspace(273.15, 647.096, 101)
    p = saturation_pressure(x)
    back = saturation_temperature(p.values)
    assert back.values == pytest.approx(x, rel=1e-10)
    inner = x[1:-1]
    ends = [saturation_pressure(inner + s).values for s in (1e-4, -1e-4)]
    assert p.sensitivity[1:-1] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-6)
    assert back.sensitivity == pytest.approx(1 / p.sensitivity, rel=1e-6)


@pytest.mark.parametrize(
    ("function", "bad"),
    [(saturation_pressure, 273), (saturation_pressure, 648), (saturation_temperature, 600),
     (saturation_temperature, 2.3e7), (saturation_temperature, -1)],
)  # fmt: skip
def test_beyond_the_saturation_line(function: Any, bad: float) -> None:
    with pytest.raises(OutOfRange):
        function([bad])
