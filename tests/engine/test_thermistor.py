"""Thermistors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange
from calib.engine.temperature.thermistor import SteinhartHart
from tests.engine.published import load

CASE = load("thermometry")["thermistor"]
CURVE = SteinhartHart.through(CASE["R"], np.array(CASE["t"]) + 273.15)
T = np.linspace(220, 420, 401)


def test_published_table() -> None:
    assert CURVE.temperature(CASE["R"]).values - 273.15 == pytest.approx(CASE["t"], abs=1e-10)
    others = CASE["others"]
    found = CURVE.temperature(others["R"]).values - 273.15
    assert found == pytest.approx(others["t"], abs=others["tolerance"])


@pytest.mark.parametrize(
    "curve", [CURVE, SteinhartHart(1e-3, 2.5e-4, 9e-8, 1e-6), SteinhartHart.from_beta(1e4, 3950)]
)
def test_there_and_back(curve: SteinhartHart) -> None:
    R = curve.resistance(T)
    back = curve.temperature(R.values)
    assert back.values == pytest.approx(T, rel=1e-13)
    assert back.sensitivity * R.sensitivity == pytest.approx(np.ones(len(T)), rel=1e-12)
    assert (R.sensitivity < 0).all()
    ends = [curve.resistance(T + s).values for s in (1e-3, -1e-3)]
    assert R.sensitivity == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=1e-6)


@given(st.floats(200, 500), st.floats(1, 1e6), st.floats(1000, 6000))
def test_beta_equation(T: float, R0: float, beta: float) -> None:
    curve = SteinhartHart.from_beta(R0, beta, 298.15)
    expected = R0 * np.exp(beta * (1 / T - 1 / 298.15))
    assert curve.resistance(T).values == pytest.approx([expected], rel=1e-9)
    assert curve.temperature(expected).values == pytest.approx([T], rel=1e-12)


def test_derivative_against_the_complex_step() -> None:
    R = np.geomspace(100, 1e5, 50)
    L = np.log(R + 1e-30j)
    expected = (1 / (CURVE.a + CURVE.b * L + CURVE.c * L**3)).imag * 1e30
    assert CURVE.temperature(R).sensitivity == pytest.approx(expected, rel=1e-12)


def test_four_points_give_the_quadratic_term() -> None:
    wanted = SteinhartHart(1e-3, 2.5e-4, 9e-8, 1e-6)
    T4 = np.array([260.0, 290.0, 320.0, 350.0])
    found = SteinhartHart.through(wanted.resistance(T4).values, T4)
    for name in ("a", "b", "c", "quadratic"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-6)


@pytest.mark.parametrize(
    ("error", "R", "x"),
    [
        (DegenerateData, [1, 2], [300, 290]),
        (DegenerateData, [1, 2, 3], [300, 290]),
        (DegenerateData, [1, 1, 2], [300, 299, 290]),
        (OutOfRange, [0, 1, 2], [300, 299, 290]),
        (OutOfRange, [3, 1, 2], [300, -1, 290]),
    ],
)
def test_points_of_no_curve(error: Any, R: Any, x: Any) -> None:
    with pytest.raises(error):
        SteinhartHart.through(R, x)


def test_points_too_close() -> None:
    near = [1e4, np.nextafter(1e4, 2e4), np.nextafter(1e4, 0)]
    with pytest.raises(DegenerateData, match="too close"):
        SteinhartHart.through(near, [298.15, 298.15, 298.15])


@pytest.mark.parametrize("bad", [{"b": 0}, {"b": np.nan}])
def test_coefficients_of_no_thermistor(bad: dict[str, float]) -> None:
    with pytest.raises(OutOfRange):
        SteinhartHart(**({"a": 1e-3} | bad))
    with pytest.raises(OutOfRange):
        SteinhartHart.from_beta(1e4, -1)


@pytest.mark.parametrize("bad", [0, -1, np.nan, 1e-9])
def test_resistances_of_no_thermistor(bad: float) -> None:
    with pytest.raises(OutOfRange):
        CURVE.temperature([1e4, bad])


@pytest.mark.parametrize("bad", [0, -1, np.nan, 2000])
def test_temperatures_of_no_thermistor(bad: float) -> None:
    with pytest.raises(OutOfRange):
        CURVE.resistance([300, bad])


def test_no_resistance_is_found() -> None:
    with pytest.raises(OutOfRange, match="double precision"):
        SteinhartHart(0, 1e-6).resistance([300])
    with pytest.raises(NotConverged):
        SteinhartHart(1, 1e-9, 0, 1).resistance([300])
