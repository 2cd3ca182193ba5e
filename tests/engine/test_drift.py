from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from calib.engine import drift
from calib.engine.drift import Band, fit_changes, fit_lines
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.leastsquares import fit_polynomial
from tests.engine.published import agrees, load

NASA = load("intervals")["nasa"]
BAND = Band(-0.2, 0.2, 1.96, 0.01, 0.0, 1000.0)


def fleet(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    t = np.arange(10)[:, None] + rng.uniform(-0.1, 0.1, (10, count))
    u = 0.01 * (1 + 0.3 * rng.random((10, count)))
    y = rng.normal(0, 0.04, count) + rng.normal(0, 0.01, count) * t + u * rng.normal(size=u.shape)
    return t, y, u


def test_a_fleet_is_as_many_single_fits() -> None:
    t, y, u = fleet(7)
    found = fit_lines(t, y, u, BAND)
    for i in range(7):
        single = fit_polynomial(t[:, i], y[:, i], 1, u_y=u[:, i])
        assert (found.intercept[i], found.slope[i]) == pytest.approx(single.parameters)
        cov = [[found.var_intercept[i], found.covariance[i]],
               [found.covariance[i], found.var_slope[i]]]  # fmt: skip
        assert np.array(cov) == pytest.approx(single.covariance)
        assert found.chi2[i] == pytest.approx(single.chi2)
        assert found.level[i] == pytest.approx(
            found.intercept[i] + found.slope[i] * found.center[i]
        )
    assert found.dof == 8


def first_by_scan(found: drift.Lines, i: int, band: Band) -> float:
    """Look for the crossing step by step, then with a general solver."""

    def over(t: float) -> float:
        y = found.intercept[i] + found.slope[i] * t
        v = found.var_intercept[i] + 2 * t * found.covariance[i] + t * t * found.var_slope[i]
        U = band.k * math.sqrt(band.u0**2 + v)
        above = -math.inf if band.upper is None else y + U - band.upper
        below = -math.inf if band.lower is None else band.lower - y + U
        return max(above, below)

    looks = np.linspace(band.start, band.horizon, 4001)
    if over(band.start) >= 0:
        return band.start
    for a, b in pairwise(looks):
        if over(b) >= 0:
            return float(optimize.brentq(over, a, b, xtol=1e-13))
    return band.horizon


@pytest.mark.parametrize(
    "band",
    [
        Band(-0.2, 0.2, 1.96, 0.01, 0.0, 100.0),
        Band(None, 0.2, 2.0, 0.0, 9.0, 40.0),
        Band(-0.05, None, 2.0, 0.0, -3.0, 40.0),
        Band(-0.1, 0.3, 0.0, 0.0, 0.0, 40.0),
    ],
    ids=["both", "upper", "lower", "no band"],
)
def test_the_first_crossing(band: Band) -> None:
    t, y, u = fleet(40, seed=3)
    found = fit_lines(t, y, u, band)
    for i in range(40):
        assert found.crossing[i] == pytest.approx(first_by_scan(found, i, band), abs=1e-9)
    assert np.array_equal(found.reached, found.crossing < band.horizon)


def test_a_fleet_larger_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    t, y, u = fleet(25)
    whole = fit_lines(t, y, u, BAND)
    monkeypatch.setattr(drift, "CHUNK", 8)
    parts = fit_lines(t, y, u, BAND)
    for name in ("slope", "intercept", "chi2", "crossing"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-13), name


def test_times_and_uncertainties_are_broadcast() -> None:
    _, y, _ = fleet(5)
    t = np.arange(10.0)
    found = fit_lines(t[:, None], y, 0.01, BAND)
    other = fit_lines(np.repeat(t[:, None], 5, axis=1), y, np.full((10, 5), 0.01), BAND)
    assert np.array_equal(found.crossing, other.crossing)


def one_line(slope: float, band: Band) -> float:
    """First crossing of a line through 0 at t = 0, var 0.5 at the mean time 1, var of slope 1."""
    t, u = np.array([[0.0], [1.0], [2.0]]), np.full((3, 1), math.sqrt(2))
    return float(fit_lines(t, slope * t, u, band).crossing[0])


def test_where_the_quadratic_degenerates() -> None:
    # The band grows exactly as fast as the line: slope^2 = k^2 var(slope).
    lines = fit_lines(np.array([[0.0], [1.0], [2.0]]), np.zeros((3, 1)), math.sqrt(2), BAND)
    assert lines.var_slope[0] == pytest.approx(1)
    for slope, upper in ((2.0, 9.0), (2.0, 1.5), (-2.0, 1.0)):
        band = Band(None, upper, 2.0, 0.0, -50.0, 50.0)
        found = one_line(slope, band)
        t = np.linspace(-50, 50, 200_001)
        over = slope * t + 2 * np.sqrt(2 / 3 + (t - 1) ** 2) >= upper
        first = t[np.argmax(over)] if over.any() else 50.0
        assert found == pytest.approx(first, abs=1e-3), (slope, upper)
    assert one_line(0.0, Band(None, 1.0, 0.0, 0.0, 0.0, 9.0)) == 9.0
    assert one_line(0.0, Band(None, 0.0, 0.0, 0.0, 0.0, 9.0)) == 0.0


@given(st.floats(-0.05, 0.05), st.floats(0.05, 1), st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=50)
def test_crossings_are_free_of_units(slope: float, limit: float, k: float, origin: float) -> None:
    t, u = np.arange(5.0)[:, None], np.full((5, 1), 0.02)
    y = slope * t + 0.01 * np.array([[1, -1, 2, 0, -1]]).T
    plain = fit_lines(t, y, u, Band(-limit, limit, 2.0, 0.0, 4.0, 1e4))
    other = Band(-k * limit, k * limit, 2.0, 0.0, 12 * 4.0 + origin, 12e4 + origin)
    scaled = fit_lines(12 * t + origin, k * y, k * u, other)
    assert scaled.crossing[0] == pytest.approx(12 * plain.crossing[0] + origin, rel=1e-6)
    tighter = fit_lines(t, y, u, Band(-limit / 2, limit / 2, 2.0, 0.0, 4.0, 1e4))
    assert tighter.crossing[0] <= plain.crossing[0]


REFUSED: list[tuple[Any, type[Exception]]] = [
    (lambda: fit_lines([0, 1, 2], [0, 1, 2], 1, BAND), DegenerateData),
    (lambda: fit_lines([[0], [1]], [[0], [1]], 1, BAND), DegenerateData),
    (lambda: fit_lines([[1], [1], [1]], [[0], [1], [1]], 1, BAND), DegenerateData),
    (lambda: fit_lines([[0], [1], [2]], [[0], [1], [1]], 0, BAND), OutOfRange),
    (lambda: fit_lines([[0], [1], [2]], [[0], [1], [1]], math.nan, BAND), OutOfRange),
    (lambda: fit_lines([[0], [1], [2]], [[0], [math.inf], [1]], 1, BAND), OutOfRange),
    (lambda: Band(None, None, 1, 0, 0, 1), DegenerateData),
    (lambda: Band(1, 1, 1, 0, 0, 1), DegenerateData),
    (lambda: Band(0, 1, -1, 0, 0, 1), OutOfRange),
    (lambda: Band(0, 1, 1, 0, 2, 1), OutOfRange),
    (lambda: Band(0, math.nan, 1, 0, 0, 1), OutOfRange),
    (lambda: fit_changes([1, 2], [1, 2], 0), OutOfRange),
    (lambda: fit_changes([1, 2], [1, 2], 7), OutOfRange),
    (lambda: fit_changes([1, 2], [1, 2], 2), DegenerateData),
    (lambda: fit_changes([1, 2, 3], [1, 2], 1), DegenerateData),
    (lambda: fit_changes([1, 0, 3], [1, 2, 3], 1), OutOfRange),
    (lambda: fit_changes([1, 1, 1], [1, 2, 3], 2), DegenerateData),
    (lambda: fit_changes([1, 2, 3], [1, math.nan, 3], 2), OutOfRange),
    (lambda: reach(u0=-1), OutOfRange),
    (lambda: reach(k=-1), OutOfRange),
    (lambda: reach(gap=math.inf), OutOfRange),
]


def reach(**more: Any) -> float | None:
    """When the drift of the handbook's example reaches something."""
    given = {"u0": 0.28, "k": 1.0, "gap": 0.5, "sign": 0} | more
    return drift.first_reach(fit_changes(NASA["dt"], NASA["delta"], 2), **given)


@pytest.mark.parametrize(("call", "error"), REFUSED, ids=range(len(REFUSED)))
def test_drift_refuses(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_changes_of_the_handbook() -> None:
    found = fit_changes(NASA["dt"], NASA["delta"], 2)
    assert agrees(found.parameters[0], NASA["b1"])
    assert agrees(found.parameters[1], NASA["b2"])
    assert agrees(found.covariance[0, 0], NASA["var_b1"])
    assert agrees(found.covariance[1, 1], NASA["var_b2"])
    assert agrees(found.covariance[0, 1], NASA["cov"])
    assert agrees(found.s, NASA["s"])
    assert (found.dof, found.longest) == (4, 173)


def test_changes_against_the_normal_equations() -> None:
    t, d = np.array(NASA["dt"], dtype=float), np.array(NASA["delta"])
    found = fit_changes(t, d, 3)
    A = t[:, None] ** [1, 2, 3]
    b = np.linalg.lstsq(A, d, rcond=None)[0]
    rest = d - A @ b
    assert found.parameters == pytest.approx(b, rel=1e-6)
    assert found.s**2 == pytest.approx(rest @ rest / 3)
    delta, u = found.predict(100.0)
    row = np.array([1e2, 1e4, 1e6])
    assert delta == pytest.approx(row @ b)
    assert u**2 == pytest.approx(found.s**2 * (1 + row @ np.linalg.inv(A.T @ A) @ row), rel=1e-6)


def test_when_the_uncertainty_is_reached() -> None:
    found = reach()
    assert found is not None
    assert agrees(found, NASA["by_uncertainty"])
    delta, u = fit_changes(NASA["dt"], NASA["delta"], 2).predict(found)
    assert math.hypot(0.28, u) == pytest.approx(0.5, rel=1e-12)
    assert agrees(NASA["y0"] + delta, NASA["value_there"])
    assert reach(gap=0.28) == 0


def test_what_is_never_reached() -> None:
    exact = fit_changes([1, 2, 3], [0.0, 0.0, 0.0])
    assert drift.first_reach(exact, u0=0.1, k=2, gap=1, sign=1) is None
    falling = fit_changes([1, 2, 3], [-1.0, -2.0, -3.0])
    assert drift.first_reach(falling, u0=0.0, k=0, gap=1, sign=1) is None
    assert drift.first_reach(falling, u0=0.0, k=0, gap=1, sign=-1) == pytest.approx(1)


@pytest.mark.parametrize("sign", [-1, 0, 1])
@pytest.mark.parametrize("degree", [1, 2, 3])
def test_the_first_reach_against_a_scan(sign: int, degree: int) -> None:
    changes = fit_changes([1, 2, 3, 4, 5, 6, 7], [0.1, 0.3, 0.2, -0.1, -0.6, -0.4, 0.1], degree)
    for gap in (0.5, 0.8, 1.5, 4.0):
        found = drift.first_reach(changes, u0=0.1, k=2.0, gap=gap, sign=sign)
        t = np.linspace(0, 60, 60_001)
        rows = t[:, None] ** np.arange(1, degree + 1)
        variance = changes.s**2 + np.einsum("ni,ij,nj->n", rows, changes.covariance, rows)
        over = sign * rows @ changes.parameters + 2 * np.sqrt(0.01 + variance) >= gap
        first = t[np.argmax(over)] if over.any() else None
        if first is None:
            assert found is None or found > 60
        else:
            assert found == pytest.approx(first, abs=0.0011)
