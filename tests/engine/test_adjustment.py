from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from calib.engine import adjustment
from calib.engine.adjustment import _Problem, _settle, read_errors
from calib.engine.errors import DegenerateData
from calib.engine.linebatch import fit_lines_xy
from calib.engine.models import stated
from calib.engine.nonlinear import fit_model
from calib.engine.nonlinear_xy import fit_model_xy
from calib.engine.totalleastsquares import fit_polynomial_xy

DECAY = stated("b1*exp(-b2*x)", ("b1", "b2"))
X = np.array([0.0, 1, 2, 3, 4, 5])
Y = np.array([5.1, 3.0, 1.8, 1.15, 0.66, 0.42])


def second(f: Any, at: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Second derivatives by differences."""
    moves = step * np.eye(len(at))
    return np.array([
        [(f(at + p + q) - f(at + p - q) - f(at - p + q) + f(at - p - q)) / (4 * step**2)
         for q in moves] for p in moves
    ])  # fmt: skip


def test_the_curvature_told_is_that_of_the_sum_of_squares() -> None:
    u_x, u_y = 0.3, 0.2
    fit = fit_model_xy(DECAY, X, Y, (4, 0.4), u_x=u_x, u_y=u_y)

    def rest(p: np.ndarray) -> np.ndarray:
        return np.concatenate([p[:6] / u_x, (Y - p[6] * np.exp(-p[7] * (X + p[:6]))) / u_y])

    def half(p: np.ndarray) -> float:
        return float(rest(p) @ rest(p)) / 2

    at = np.concatenate([fit.adjusted.x[0] - X, fit.parameters])
    step = 1e-6 * np.eye(8)
    jacobian = np.stack([(rest(at + d) - rest(at - d)) / 2e-6 for d in step], axis=1)
    normal = jacobian.T @ jacobian
    curvatures = np.linalg.eigvals(np.linalg.solve(normal, second(half, at)))
    assert fit.convergence.curvature == pytest.approx(float(curvatures.real.min()), rel=1e-4)
    assert fit.chi2 == pytest.approx(2 * half(at))


def test_what_is_told_of_a_fit_of_a_model() -> None:
    fit = fit_model_xy(DECAY, X, Y, (4, 0.4), u_x=0.05, u_y=0.05)
    b1, b2 = fit.parameters
    assert fit.residuals == pytest.approx(Y - b1 * np.exp(-b2 * X), rel=1e-9)
    assert (fit.x_low.tolist(), fit.x_high.tolist()) == ([0], [5])
    assert fit.chi2_critical == pytest.approx(9.487729, rel=1e-6)
    assert fit.consistent is True
    steps = fit_model(DECAY, X, Y, (4, 0.4), u_y=0.05).convergence.steps
    assert fit.convergence.steps > steps


def test_leave_one_out_of_correlated_points() -> None:
    rng = np.random.default_rng(4)
    x = np.linspace(0, 9, 10)
    u_x, u_y = np.full(10, 0.1), np.linspace(0.3, 0.1, 10)
    y = 1 + 2 * x + 0.2 * rng.normal(size=10)
    for r in (0.9, -0.9):
        fit = fit_polynomial_xy(x, y, u_x=u_x, u_y=u_y, cov_xy=np.diag(r * u_x * u_y))
        for i in range(10):
            keep = np.arange(10) != i
            other = fit_lines_xy(x[keep], y[keep], u_x[keep], u_y[keep], r)
            expected = y[i] - other.a[0] - other.b[0] * x[i]
            assert fit.leave_one_out[i] == pytest.approx(expected, rel=0.02, abs=2e-3)


def test_many_points_take_the_triangular_way() -> None:
    x = np.linspace(0, 10, 64)
    y = 1 + 2 * x + 0.1 * np.cos(5 * x)
    fit, york = fit_polynomial_xy(x, y, u_x=0.05, u_y=0.1), fit_lines_xy(x, y, 0.05, 0.1)
    assert fit.parameters == pytest.approx([york.a[0], york.b[0]], rel=1e-12)
    assert fit.covariance == pytest.approx(york.covariance[:, :, 0], rel=1e-9)


def test_a_summit_is_left_downhill() -> None:
    """Data of the opposite phase lie at the top, symmetrically on both sides."""
    x = np.array([-math.pi / 2, -math.pi / 3, math.pi / 3, math.pi / 2])
    errors = read_errors((1, 4), u_x=[0.1, 0, 0, 0.1], u_y=1)
    weight = np.linalg.inv(errors.covariance)
    problem = _Problem(x[None], -np.sin(x), errors, weight, stated("sin(x + a)", ("a",)))
    top = np.zeros(3)
    rest, jacobian, hessian = problem.at(top)
    assert jacobian.T @ weight @ rest == pytest.approx(top, abs=1e-14)
    assert np.linalg.eigvalsh(hessian)[0] < 0
    theta, _, _ = _settle(problem, top)
    assert theta[:2] == pytest.approx([0, 0], abs=1e-9)
    assert abs(theta[2]) == pytest.approx(math.pi)


def test_as_many_points_as_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjustment, "MAX_POINTS", 3)
    assert read_errors((1, 3), u_x=0.1, u_y=0.1).covariance.shape == (6, 6)
    with pytest.raises(DegenerateData, match="at most 3"):
        read_errors((1, 4), u_x=0.1, u_y=0.1)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["u_x", "u_y", "cov_x", "cov_xy"])
def test_one_bad_figure_among_good_ones_is_refused(name: str, bad: float) -> None:
    given: dict[str, Any] = {"u_x": np.full(3, 0.1), "u_y": np.full(3, 0.1)}
    if name in given:
        given[name][1] = bad
    else:
        given[name] = 0.01 * np.eye(3)
        given[name][0, 1] = bad
        if name == "cov_x":
            del given["u_x"]
            given[name][1, 0] = bad if bad > 0 else 0.1
        elif bad < 0:
            given[name] = np.eye(2)
    with pytest.raises(DegenerateData, match="must be"):
        read_errors((1, 3), **given)
