from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange
from calib.engine.linebatch import METHODS, fit_lines, fit_lines_xy
from calib.engine.linexy import fit_line_xy
from calib.engine.totalleastsquares import fit_polynomial_xy
from tests.engine.published import load
from tests.support.lines import fit_line

PEARSON = load("pearson")["pearson"]
X, Y = PEARSON["x"], PEARSON["y"]
U_X, U_Y = ([w**-0.5 for w in PEARSON[k]] for k in ("w_x", "w_y"))
EXACT = PEARSON["exact"]


def york(x: Any, y: Any, u_x: Any, u_y: Any, r: Any) -> tuple[float, float, float, float]:
    """Follow the iteration of D. York et al. (2004), as printed."""
    x, y, u_x, u_y = (np.asarray(v, dtype=float) for v in (x, y, u_x, u_y))
    b = float(np.polyfit(x, y, 1)[0])
    alpha = 1 / (u_x * u_y)
    for _ in range(400):
        w = 1 / (u_y**2 + b * b * u_x**2 - 2 * b * r / alpha)
        xm, ym = float(w @ x / w.sum()), float(w @ y / w.sum())
        u, v = x - xm, y - ym
        beta = w * (u * u_y**2 + b * v * u_x**2 - (b * u + v) * r / alpha)
        b = float((w * beta) @ v / ((w * beta) @ u))
    adjusted = xm + beta
    centre = float(w @ adjusted / w.sum())
    u_b = float(1 / np.sqrt(w @ (adjusted - centre) ** 2))
    return ym - b * xm, b, math.sqrt(1 / w.sum() + centre**2 * u_b**2), u_b


def lines(seed: int, n: int, size: int, scatter: float) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = np.linspace(10, 45, n)[:, None] + rng.normal(size=(n, size))
    u_x, u_y = rng.uniform(0.5, 2, (2, n, size)) * scatter
    y = 0.05 + 1.002 * x + rng.normal(size=(n, size)) * u_y
    return {"x": x, "y": y, "u_x": u_x, "u_y": u_y, "r": rng.uniform(-0.9, 0.9, (n, size))}


@pytest.mark.parametrize("method", METHODS)
def test_pearson_to_the_last_digits(method: str) -> None:
    batch = fit_lines_xy(X, Y, U_X, U_Y, covariance_method=method)
    assert abs(batch.b[0] - EXACT["b"]) <= 4 * np.spacing(abs(EXACT["b"]))
    assert abs(batch.a[0] - EXACT["a"]) <= 4 * np.spacing(EXACT["a"])
    other = fit_polynomial_xy(X, Y, u_x=U_X, u_y=U_Y, covariance_method=method)
    assert batch.covariance[:, :, 0] == pytest.approx(other.covariance, rel=1e-9)
    assert batch.chi2[0] == pytest.approx(other.chi2, rel=1e-12)
    assert (batch.dof, batch.converged.tolist()) == (8, [True])


def test_pearson_alone() -> None:
    line, batch = fit_line_xy(X, Y, U_X, U_Y), fit_lines_xy(X, Y, U_X, U_Y)
    assert abs(line.b - EXACT["b"]) <= 4 * np.spacing(abs(EXACT["b"]))
    assert abs(line.a - EXACT["a"]) <= 4 * np.spacing(EXACT["a"])
    assert (line.u_a, line.u_b) == pytest.approx((batch.u_a[0], batch.u_b[0]), rel=1e-13)
    assert line.covariance == pytest.approx(batch.covariance[0, 1, 0], rel=1e-13)
    assert (line.chi2, line.dof) == (pytest.approx(batch.chi2[0], rel=1e-13), 8)


def test_three_ways_to_correlated_lines() -> None:
    data = lines(3, 7, 5, 0.3)
    batch = fit_lines_xy(**data)
    assert batch.converged.all()
    for j in range(5):
        one = {k: v[:, j] for k, v in data.items()}
        by_york = york(**one)
        for found, expected in zip(
            (batch.a[j], batch.b[j], batch.u_a[j], batch.u_b[j]), by_york, strict=True
        ):
            assert found == pytest.approx(expected, rel=1e-10)
        line = fit_line_xy(**{k: v.tolist() for k, v in one.items()})
        assert (line.a, line.b, line.u_a, line.u_b) == pytest.approx(by_york, rel=1e-10)
        full = fit_polynomial_xy(
            one["x"], one["y"], u_x=one["u_x"], u_y=one["u_y"],
            cov_xy=np.diag(one["r"] * one["u_x"] * one["u_y"]),
        )  # fmt: skip
        assert (batch.a[j], batch.b[j]) == pytest.approx(tuple(full.parameters), rel=1e-11)
        assert batch.covariance[:, :, j] == pytest.approx(full.covariance, rel=1e-10)


def test_sensitivities_are_those_of_the_estimate() -> None:
    data = lines(5, 5, 1, 0.5)
    found = fit_lines_xy(**data, covariance_method="propagation").covariance[:, :, 0]
    jacobian, joint = [], np.zeros((10, 10))
    for i in range(5):
        u_x, u_y, r = (float(data[k][i, 0]) for k in ("u_x", "u_y", "r"))
        joint[i, i], joint[5 + i, 5 + i] = u_x**2, u_y**2
        joint[i, 5 + i] = joint[5 + i, i] = r * u_x * u_y
    for name in ("x", "y"):
        for i in range(5):
            ends = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in data.items()}
                moved[name][i] += sign * 1e-5
                fit = fit_lines_xy(**moved)
                ends.append((fit.a[0], fit.b[0]))
            jacobian.append((np.array(ends[0]) - ends[1]) / 2e-5)
    j = np.array(jacobian).T
    assert found == pytest.approx(j @ joint @ j.T, rel=1e-6)


def test_blocks_and_shapes_do_not_matter() -> None:
    data = lines(1, 4, 2500, 0.01)
    whole = fit_lines_xy(**data)
    part = fit_lines_xy(**{k: v[:, 1020:1030] for k, v in data.items()})
    assert np.array_equal(whole.b[1020:1030], part.b)
    shared = dict(data, u_x=0.01, u_y=np.full(4, 0.02), r=np.zeros((4, 1)))
    full = dict(data, u_x=np.full((4, 2500), 0.01), u_y=np.full((4, 2500), 0.02), r=0)
    assert np.array_equal(fit_lines_xy(**shared).covariance, fit_lines_xy(**full).covariance)


def brute_force(x: Any, y: Any, u_x: Any, u_y: Any, r: Any) -> Any:
    best = np.full(x.shape[1], math.inf)
    for angle in np.linspace(-math.pi / 2, math.pi / 2, 360, endpoint=False):
        s, c = math.sin(angle), math.cos(angle)
        w = 1 / (s * s * u_x**2 - 2 * s * c * r * u_x * u_y + c * c * u_y**2)
        d = c * y - s * x
        d = d - (w * d).sum(axis=0) / w.sum(axis=0)
        best = np.minimum(best, (w * d * d).sum(axis=0))
    return best


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.1, 3.0), (1.0, 0.1)])
def test_no_lower_minimum_is_missed(scale: tuple[float, float]) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(6, 100))
    y = x + 2 * rng.normal(size=(6, 100))
    u_x, u_y = (s * rng.uniform(0.2, 2, (6, 100)) for s in scale)
    r = rng.uniform(-0.98, 0.98, (6, 100))
    found = fit_lines_xy(x, y, u_x, u_y, r)
    assert found.converged.all()
    assert np.all(found.chi2 <= brute_force(x, y, u_x, u_y, r) * (1 + 1e-9))
    alone = [fit_line_xy(*(v[:, j].tolist() for v in (x, y, u_x, u_y, r))).chi2 for j in range(20)]
    assert alone == pytest.approx(found.chi2[:20].tolist(), rel=1e-9)


def test_a_line_that_is_none_is_named_and_leaves_the_others() -> None:
    x = np.array([[1.0, 2, 1], [1, 3, 2], [1, 4, 3]])
    y = np.array([[1.0, 1, 1], [2, 2, 2], [3, 3, 3.1]])
    found = fit_lines_xy(x, y, 0.1, 0.1)
    assert found.converged.tolist() == [False, True, True]
    assert found.b[1] == pytest.approx(1)
    assert fit_lines(x, y, 0.1).converged.tolist() == [False, True, True]
    for column in ([1.0, 1, 1], [1.0, 2, 3]):
        level = fit_lines_xy(column, [2.0, 2, 2], 0.1, 0.1)
        assert level.converged.tolist() == [column[1] == 2]
    with pytest.raises(NotConverged):
        fit_line_xy([1, 1, 1], [1, 2, 3], [0.1] * 3, [0.1] * 3)


def test_exact_x_is_ordinary_weighting() -> None:
    data = lines(9, 6, 3, 0.1)
    plain = fit_lines(data["x"], data["y"], data["u_y"])
    for xy in (
        fit_lines_xy(data["x"], data["y"], 0.0, data["u_y"]),
        fit_lines_xy(data["x"], data["y"], 0.0, data["u_y"], covariance_method="propagation"),
    ):
        assert xy.a == pytest.approx(plain.a, rel=1e-10)
        assert xy.covariance == pytest.approx(plain.covariance, rel=1e-9)
        assert xy.chi2 == pytest.approx(plain.chi2, rel=1e-9)
    for j in range(3):
        one = fit_line(data["x"][:, j], data["y"][:, j], data["u_y"][:, j])
        assert (plain.a[j], plain.b[j]) == pytest.approx(tuple(one.parameters), rel=1e-11)
        assert plain.covariance[:, :, j] == pytest.approx(one.covariance, rel=1e-11)
        assert plain.chi2[j] == pytest.approx(one.chi2, rel=1e-9)
    assert fit_lines([1, 2], [1, 2], 0.1).dof == 0


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"x": [1], "y": [1]}),
    (DegenerateData, {"x": np.zeros((3, 2)), "y": np.zeros((3, 4))}),
    (DegenerateData, {"x": np.zeros((3, 0)), "y": np.zeros((3, 0))}),
    (OutOfRange, {"x": [1, 2, math.nan]}),
    (OutOfRange, {"y": [1, 2, math.inf]}),
    (OutOfRange, {"u_y": 0}),
    (OutOfRange, {"u_x": -0.1}),
    (OutOfRange, {"u_x": math.inf}),
    (OutOfRange, {"r": 1}),
    (OutOfRange, {"covariance_method": "guess"}),
]


@pytest.mark.parametrize(("error", "more"), BAD, ids=range(len(BAD)))
def test_data_that_make_no_line(error: type[Exception], more: dict[str, Any]) -> None:
    with pytest.raises(error):
        fit_lines_xy(**({"x": [1, 2, 3], "y": [1, 2, 4], "u_x": 0.1, "u_y": 0.1} | more))


def test_the_place_of_a_bad_number_is_told() -> None:
    u = np.full((3, 4), 0.1)
    u[2, 1] = -1
    with pytest.raises(OutOfRange, match=r"^u_y is -1.0 in line 1, point 2\. "):
        fit_lines(np.arange(3.0), np.arange(3.0), u)


ALONE: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"x": [1, 2]}),
    (DegenerateData, {"x": [1], "y": [1], "u_x": [1], "u_y": [1]}),
    (OutOfRange, {"u_y": [0.1, 0.1, 0]}),
    (OutOfRange, {"u_x": [0.1, 0.1, math.nan]}),
    (OutOfRange, {"x": [1, 2, math.inf]}),
    (OutOfRange, {"y": [1, 2, math.nan]}),
    (OutOfRange, {"r": [0, 0, -1]}),
]


@pytest.mark.parametrize(("error", "more"), ALONE, ids=range(len(ALONE)))
def test_data_that_make_no_line_alone(error: type[Exception], more: dict[str, Any]) -> None:
    plain = {"x": [1, 2, 3], "y": [1, 2, 4], "u_x": [0.1] * 3, "u_y": [0.1] * 3}
    with pytest.raises(error):
        fit_line_xy(**(plain | more))


@settings(max_examples=30)
@given(
    st.integers(0, 10**6), st.sampled_from([1e-3, 1.0, 1e4]), st.sampled_from([1e-2, 1.0, 1e5]),
    st.permutations(range(5)),
)  # fmt: skip
def test_units_and_order_do_not_matter(seed: int, p: float, q: float, order: list[int]) -> None:
    data = lines(seed, 5, 2, 0.1)
    plain = fit_lines_xy(**data)
    other = fit_lines_xy(
        data["x"][order] * p, data["y"][order] * q, data["u_x"][order] * p, data["u_y"][order] * q,
        data["r"][order],
    )  # fmt: skip
    assert other.b == pytest.approx(plain.b * q / p, rel=1e-9)
    assert other.u_a == pytest.approx(plain.u_a * q, rel=1e-7)
    assert other.chi2 == pytest.approx(plain.chi2, rel=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_axes_may_be_exchanged(seed: int) -> None:
    d = lines(seed, 6, 2, 0.3)
    there, back = fit_lines_xy(**d), fit_lines_xy(d["y"], d["x"], d["u_y"], d["u_x"], d["r"])
    assert back.b == pytest.approx(1 / there.b, rel=1e-9)
    assert back.chi2 == pytest.approx(there.chi2, rel=1e-9)


def test_a_line_that_does_not_settle_alone_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fit_line_xy(X, Y, U_X, U_Y)
    monkeypatch.setattr("calib.engine.linexy._STEPS", 1)
    assert fit_line_xy(X, Y, U_X, U_Y).b == pytest.approx(plain.b, rel=1e-14)
