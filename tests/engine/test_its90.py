"""ITS-90 and standard platinum thermometers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange
from calib.engine.temperature import its90, platinum
from calib.engine.temperature.answers import solve
from calib.engine.temperature.its90_constants import FIXED_POINTS, SUB_RANGES, A, C
from calib.engine.temperature.platinum import StandardThermometer, calibrate
from tests.engine.published import agrees, load, to_print

REFERENCE = load("thermometry")
T = np.linspace(13.8033, 1234.93, 503)
FULL: dict[int, dict[str, float]] = {
    1: {"a1": -2e-4, "b1": 1e-4, "c1": 1e-6, "c2": 1e-7, "c3": 1e-8, "c4": 1e-9, "c5": 1e-10},
    2: {"a2": -2e-4, "b2": 1e-4, "c1": 1e-6, "c2": 1e-7, "c3": 1e-8},
    3: {"a3": -2e-4, "b3": 1e-5, "c1": 3e-6},
    4: {"a4": -0.0195, "b4": -2e-4},
    5: {"a5": -2.8e-4, "b5": -3e-5},
    6: {"a6": -3e-4, "b6": -2e-5, "c6": 5e-6, "d6": -4e-5},
    7: {"a7": -3e-4, "b7": -2e-5, "c7": 5e-6},
    8: {"a8": -0.0195, "b8": -2e-4},
    9: {"a9": -3e-4, "b9": -2e-5},
    10: {"a10": -3e-4},
    11: {"a11": -3e-4},
}


def test_reference_function_at_the_fixed_points() -> None:
    found = its90.reference_ratio(REFERENCE["its90"]["T"]).values
    for W, printed in zip(found, REFERENCE["its90"]["W"], strict=True):
        assert to_print(W, printed)


def test_a_mistyped_coefficient_shows_at_mercury(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [FIXED_POINTS["Hg"], FIXED_POINTS["Ar"]]
    right = its90.reference_ratio(points).values
    monkeypatch.setattr(its90, "A", (*A[:5], REFERENCE["its90_wrong"]["A5"], *A[6:]))
    mercury, argon = its90.reference_ratio(points).values - right
    assert agrees(mercury, REFERENCE["its90_wrong"]["mercury"])
    assert abs(argon) < 2e-7


def test_published_inverse_is_within_what_it_promises() -> None:
    W = its90.reference_ratio(T).values
    off = np.abs(its90.approximate_temperature(W).values - T)
    assert off[T < 273.16].max() < 0.1e-3
    assert 0.05e-3 < off.max() < 0.135e-3


def test_inverse_to_double_precision() -> None:
    near = 273.16 + np.linspace(-1e-5, 1e-5, 41)
    for x in (T, near):
        W = its90.reference_ratio(x)
        back = its90.reference_temperature(W.values)
        assert back.values == pytest.approx(x, rel=1e-14)
        assert back.sensitivity * W.sensitivity == pytest.approx(np.ones(len(x)), rel=1e-12)
        assert not back.extrapolated.any()


def test_step_where_the_reference_functions_meet() -> None:
    below, above = its90.reference_ratio([np.nextafter(273.16, 0), 273.16]).values
    assert above - below == pytest.approx(5.346e-9, abs=1e-12)


def test_derivative_against_the_complex_step() -> None:
    z = T + 1e-30j
    cold = np.exp(polyval((np.log(z / 273.16) + 1.5) / 1.5, A))
    warm = polyval((z - 754.15) / 481, C)
    found = its90.reference_ratio(T)
    expected = np.where(T < 273.16, cold, warm)
    assert found.values == pytest.approx(expected.real, rel=1e-14)
    assert found.sensitivity == pytest.approx(expected.imag * 1e30, rel=1e-12)


def test_derivative_of_the_published_inverse() -> None:
    W = its90.reference_ratio([15, 50, 200, 300, 900, 1200]).values
    step = 1e-6 * W
    ends = [its90.approximate_temperature(W + s).values for s in (step, -step)]
    slope = its90.approximate_temperature(W).sensitivity
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-7)


@pytest.mark.parametrize("bad", [13.8, 1235, 0, -1, np.nan, np.inf])
def test_no_temperature_of_platinum(bad: float) -> None:
    with pytest.raises(OutOfRange) as caught:
        its90.reference_ratio([300, bad])
    assert caught.value.facts["index"] == 1


@pytest.mark.parametrize("bad", [0.001, 4.3, 0, -1])
def test_no_ratio_of_platinum(bad: float) -> None:
    with pytest.raises(OutOfRange):
        its90.reference_temperature([bad])
    with pytest.raises(OutOfRange):
        its90.approximate_temperature([bad])


def test_table_of_a_certificate_with_sub_ranges_4_and_8() -> None:
    case = REFERENCE["prt_4_8"]
    thermometer = StandardThermometer.from_coefficients(case["coefficients"])
    t = np.array(case["t"]) + 273.15
    for W, printed in zip(thermometer.ratio(t).values, case["R"], strict=True):
        assert to_print(W * case["R_tpw"], printed)
    back = thermometer.temperature(np.array(case["R"], float) / case["R_tpw"])
    assert back.values == pytest.approx(t, abs=3e-4)


@pytest.mark.parametrize("number", [5, 7])
def test_coefficients_of_a_certificate(number: int) -> None:
    case = REFERENCE["sprt_5_7"]
    W = np.array(case[f"R{number}"]) / case["R_tpw"]
    found = calibrate(number, case[f"T{number}"], W)
    assert found.coefficients == pytest.approx(case[f"coefficients{number}"], rel=1e-9)
    assert not found.extrapolated.any()
    back = StandardThermometer.from_coefficients(case[f"coefficients{number}"]).temperature(W)
    assert back.values == pytest.approx(case[f"T{number}"], abs=1e-9)


@pytest.mark.parametrize("number", FULL)
def test_every_sub_range_there_and_back(number: int) -> None:
    thermometer = StandardThermometer.from_coefficients(FULL[number])
    r = SUB_RANGES[number]
    x = np.linspace(r.low, r.high, 61)
    if number < 5:
        x = x[:-1]
    W = thermometer.ratio(x)
    back = thermometer.temperature(W.values)
    assert back.values == pytest.approx(x, rel=1e-12)
    assert not (back.extrapolated | W.extrapolated).any()
    assert back.sensitivity * W.sensitivity == pytest.approx(np.ones(len(x)), rel=1e-9)
    inner = x[1:-1]
    step = np.minimum(1e-4, 1e-5 * inner)
    ends = [thermometer.ratio(inner + s).values for s in (step, -step)]
    assert W.sensitivity[1:-1] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-5)


@pytest.mark.parametrize("number", FULL)
def test_every_sub_range_is_found_again_from_its_points(number: int) -> None:
    r = SUB_RANGES[number]
    inside = [x for x in FIXED_POINTS.values() if r.low <= x <= r.high and x != 273.16]
    x = sorted({*inside, *np.linspace(r.low + 3, min(r.high, 273.0) if number < 5 else r.high, 9)})
    W = StandardThermometer.from_coefficients(FULL[number]).ratio(x).values
    found = calibrate(number, x, W)
    assert found.coefficients == pytest.approx(FULL[number], rel=1e-6, abs=1e-12)
    assert np.abs(found.residuals).max() < 1e-14


def test_least_squares_leaves_residuals_without_trend() -> None:
    x = [FIXED_POINTS[name] for name in ("Ga", "In", "Sn", "Zn")]
    W = StandardThermometer.from_coefficients(FULL[8]).ratio(x).values
    found = calibrate(8, x, W + np.array([1e-6, -1e-6, 2e-6, 0]))
    assert np.abs(found.residuals).max() > 1e-7
    assert found.residuals @ (W - 1) == pytest.approx(0, abs=1e-11)


def test_silver_term_acts_above_aluminium_alone() -> None:
    without = FULL[6] | {"d6": 0.0}
    x = [900, FIXED_POINTS["Al"], 1000, 1234.93]
    a, b = (StandardThermometer.from_coefficients(c).ratio(x).values for c in (FULL[6], without))
    assert a[:2].tolist() == b[:2].tolist()
    assert (a[2:] < b[2:]).all()


def test_leaving_a_sub_range_is_flagged() -> None:
    thermometer = StandardThermometer.from_coefficients(FULL[4] | FULL[8])
    found = thermometer.ratio([70, 83.8058, 692.677, 700])
    assert found.extrapolated.tolist() == [True, False, False, True]
    assert thermometer.temperature(found.values).extrapolated.tolist() == [True, False, False, True]
    assert calibrate(4, [77, 234.3156], [0.19, 0.8442]).extrapolated.tolist() == [True, False]


def test_one_side_alone() -> None:
    above = StandardThermometer.from_coefficients(FULL[8])
    W = above.ratio([273.15, 273.155, 273.16, 300]).values
    assert above.temperature(W).values == pytest.approx([273.15, 273.155, 273.16, 300], rel=1e-13)
    below = StandardThermometer.from_coefficients(FULL[4])
    assert below.temperature(below.ratio([100, 273.1]).values).values == pytest.approx([100, 273.1])
    assert below.ratio([273.16]).values == pytest.approx([1])
    for thermometer, x, W in ((above, 273.0, 0.99), (below, 274.0, 1.01)):
        with pytest.raises(OutOfRange, match="where no coefficients are given"):
            thermometer.ratio([x])
        with pytest.raises(OutOfRange, match="where no coefficients are given"):
            thermometer.temperature([W])


def test_sub_range_5_fills_the_side_that_is_free() -> None:
    thermometer = StandardThermometer.from_coefficients(FULL[5] | FULL[4])
    assert thermometer.below is not None
    assert thermometer.above is not None
    assert (thermometer.below.sub_range.number, thermometer.above.sub_range.number) == (4, 5)


@pytest.mark.parametrize(
    ("coefficients", "words"),
    [
        ({}, "no coefficients"),
        ({"a8": 1e-4}, "b8 is missing"),
        ({"a12": 1e-4}, r"'a12' is no coefficient.*Known are a1, b1, c1, .*, a9, b9, a10, a11\."),
        (FULL[8] | {"c1": 1e-6}, "'c1' is no coefficient"),
        (FULL[8] | FULL[9], "meet"),
        (FULL[3] | FULL[4], "meet"),
        (FULL[4] | FULL[5] | FULL[8], "meet"),
        ({"a8": np.nan, "b8": 0}, "not a finite"),
    ],
)
def test_coefficients_that_make_no_thermometer(coefficients: Any, words: str) -> None:
    with pytest.raises(OutOfRange, match=words):
        StandardThermometer.from_coefficients(coefficients)


@pytest.mark.parametrize(
    ("error", "number", "x", "W"),
    [
        (OutOfRange, 12, [505], [1.89]),
        (OutOfRange, 8, [505, 692], [1.89, -2]),
        (OutOfRange, 8, [234.3156, 692], [0.84, 2.5]),
        (OutOfRange, 4, [83.8, 302.9146], [0.2, 1.1]),
        (DegenerateData, 8, [505.078], [1.89]),
        (DegenerateData, 8, [505.078, 505.078], [1.89, 1.89]),
        (DegenerateData, 6, [400, 505.078, 692.677, 800], [1.5, 1.89, 2.56, 2.9]),
        (DegenerateData, 6, [400, 505.078, 692.677, 933.473], [1.5, 1.89, 2.56, 3.37]),
    ],
)
def test_points_that_give_no_coefficients(error: Any, number: int, x: Any, W: Any) -> None:
    with pytest.raises(error):
        calibrate(number, x, W)


@pytest.mark.parametrize("bad", [0, -1, np.nan])
def test_a_ratio_is_positive(bad: float) -> None:
    with pytest.raises(OutOfRange):
        StandardThermometer.from_coefficients(FULL[8]).temperature([bad])


def test_an_inverse_that_is_not_found() -> None:
    with pytest.raises(NotConverged):
        solve(lambda x: (x**2 + 1, 2 * x), np.array([0.0]), np.array([0.3]))
    with pytest.raises(NotConverged):
        platinum.Deviation(SUB_RANGES[8], (0.0, 10.0), np.inf).ratio(np.array([400.0]))
