from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from calib.engine.errors import DegenerateData, NotConverged, OutOfRange, SingularFit
from calib.engine.leastsquares import fit_polynomial
from calib.engine.linebatch import fit_lines_xy
from calib.engine.predictions import invert, predict
from calib.engine.totalleastsquares import METHODS, fit_polynomial_xy
from tests.engine.published import agrees, load

REFERENCE = load("pearson")
X, Y = [0.0, 1.0, 2.0, 3.0], [0.1, 0.9, 2.2, 2.9]


def pearson(**more: Any) -> Any:
    data = REFERENCE["pearson"]
    u_x, u_y = (np.array(data[k]) ** -0.5 for k in ("w_x", "w_y"))
    return fit_polynomial_xy(data["x"], data["y"], u_x=u_x, u_y=u_y, **more)


@pytest.mark.parametrize("method", METHODS)
def test_pearson_with_the_weights_of_york(method: str) -> None:
    data, fit = REFERENCE["pearson"], pearson(covariance_method=method)
    assert agrees(fit.parameters[0], data["a"])
    assert agrees(fit.parameters[1], data["b"])
    assert agrees(fit.chi2 / fit.dof, data["reduced_chi2"])
    for u, printed in zip(np.sqrt(np.diag(fit.covariance)), data["published"][method], strict=True):
        assert agrees(u, printed)


def test_iso28037_clause_7() -> None:
    data = REFERENCE["gdr"]
    for method, key in (("information", "u"), ("propagation", "u_propagated")):
        fit = fit_polynomial_xy(
            data["x"], data["y"], u_x=data["u_x"], u_y=data["u_y"], covariance_method=method
        )
        for i, name in enumerate("ab"):
            assert agrees(fit.parameters[i], data[name])
            assert math.sqrt(fit.covariance[i, i]) == pytest.approx(data[name][key], abs=1e-6)
    assert fit.chi2 == pytest.approx(data["chi2"], abs=1e-6)
    assert fit.consistent is True


def test_small_uncertainty_of_x_is_none() -> None:
    plain = fit_polynomial(X, Y, u_y=0.1)
    fit = fit_polynomial_xy(X, Y, u_x=1e-7, u_y=0.1)
    assert fit.parameters == pytest.approx(plain.parameters, rel=1e-9)
    assert fit.covariance == pytest.approx(plain.covariance, rel=1e-9)
    assert predict(fit, [1.5], 0.1).u == pytest.approx(predict(plain, [1.5], 0.1).u)
    assert invert(fit, [1.5], 0.1).x == pytest.approx(invert(plain, [1.5], 0.1).x)


def test_correlated_points() -> None:
    diagonal = fit_polynomial_xy(X, Y, u_x=0.1, u_y=0.2)
    same = fit_polynomial_xy(X, Y, cov_x=0.01 * np.eye(4), cov_y=0.04 * np.eye(4))
    assert same.parameters == pytest.approx(diagonal.parameters)
    tilted = fit_polynomial_xy(X, Y, u_x=0.1, u_y=0.2, cov_xy=0.01 * np.eye(4))
    york = fit_lines_xy(X, Y, 0.1, 0.2, 0.5)
    assert tilted.parameters == pytest.approx([york.a[0], york.b[0]], rel=1e-12)
    assert tilted.covariance == pytest.approx(york.covariance[:, :, 0], rel=1e-10)


def test_a_summit_is_no_solution() -> None:
    # errors that move along the line cost nothing across it: any other line lies nearer
    b = float(fit_polynomial(X, Y).parameters[1])
    v = 0.01 * np.eye(4)
    with pytest.raises(NotConverged):
        fit_polynomial_xy(X, Y, cov_x=v, cov_y=b * b * v + 1e-4 * np.eye(4), cov_xy=b * v)


def test_some_x_may_be_exact() -> None:
    u_x = np.array([0.0, 0.1, 0.0, 0.1])
    fit = fit_polynomial_xy(X, Y, u_x=u_x, u_y=0.2)
    york = fit_lines_xy(X, Y, u_x, 0.2)
    assert fit.parameters == pytest.approx([york.a[0], york.b[0]], rel=1e-12)
    assert fit.adjusted.x[0][[0, 2]].tolist() == [X[0], X[2]]
    assert fit.adjusted.largest == pytest.approx(
        max(np.max(np.abs(fit.adjusted.x[0] - X)[[1, 3]] / 0.1),
            np.max(np.abs(fit.adjusted.y - Y)) / 0.2)
    )  # fmt: skip


def test_leave_one_out_of_a_line_with_errors_in_x() -> None:
    fit = pearson()
    data = REFERENCE["pearson"]
    u_x, u_y = (np.array(data[k]) ** -0.5 for k in ("w_x", "w_y"))
    x, y = np.array(data["x"]), np.array(data["y"])
    for i in range(10):
        keep = np.arange(10) != i
        other = fit_lines_xy(x[keep], y[keep], u_x[keep], u_y[keep])
        expected = y[i] - other.a[0] - other.b[0] * x[i]
        assert fit.leave_one_out[i] == pytest.approx(expected, abs=0.15 * abs(expected) + 0.02)


@pytest.mark.parametrize("method", METHODS)
def test_scaled_and_with_a_common_error(method: str) -> None:
    plain = pearson(covariance_method=method)
    scaled = pearson(covariance_method=method, scale_by_residuals=True)
    assert scaled.covariance == pytest.approx(plain.covariance * plain.chi2 / plain.dof)
    assert scaled.parameter_dof == pytest.approx([8, 8])
    common = pearson(covariance_method=method, u_y_common=0.5)
    assert common.covariance[0, 0] == pytest.approx(plain.covariance[0, 0] + 0.25)
    assert common.covariance[1, 1] == pytest.approx(plain.covariance[1, 1])


def test_proportional_and_parabola() -> None:
    x = np.linspace(1, 5, 7)
    prop = fit_polynomial_xy(x, 2 * x, u_x=0.1, u_y=0.1, proportional=True, names=("b",))
    assert prop.parameters == pytest.approx([2])
    assert prop.covariance[0, 0] == pytest.approx(0.01 * 5 / float(x @ x))
    para = fit_polynomial_xy(x, 1 - x + 0.5 * x**2, 2, u_x=0.1, u_y=0.1)
    assert para.parameters == pytest.approx([1, -1, 0.5], abs=1e-9)
    assert para.chi2 == pytest.approx(0, abs=1e-12)


def test_no_degree_of_freedom_left() -> None:
    fit = fit_polynomial_xy([0, 1], [0, 1], u_x=0.1, u_y=0.1)
    assert fit.s is None
    assert fit.consistent is None
    assert fit.covariance is not None
    constant = fit_polynomial_xy([2], [3], 0, u_x=0.1, u_y=0.1)
    assert constant.covariance == pytest.approx(np.array([[0.01]]))


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"u_x": 0.1}),
    (DegenerateData, {"u_x": 0.1, "u_y": 0.1, "cov_y": np.eye(4)}),
    (DegenerateData, {"u_x": 0, "u_y": 0.1}),
    (DegenerateData, {"u_x": [0.1, 0.1], "u_y": 0.1}),
    (DegenerateData, {"cov_x": np.eye(3), "u_y": 0.1}),
    (DegenerateData, {"cov_x": np.zeros((4, 4)), "u_y": 0.1}),
    (DegenerateData, {"u_x": 0.1, "u_y": 0.1, "cov_xy": np.eye(3)}),
    (DegenerateData, {"u_x": 0.1, "u_y": 0.1, "x": range(1001), "y": range(1001)}),
    (SingularFit, {"cov_x": np.ones((4, 4)), "u_y": 0.1}),
    (SingularFit, {"u_x": 0.1, "u_y": 0.1, "cov_xy": 0.02 * np.eye(4)}),
    (OutOfRange, {"u_x": 0.1, "u_y": 0.1, "covariance_method": "guess"}),
    (SingularFit, {"u_x": 0.1, "u_y": 0.1, "degree": 3, "x": [0, 0, 1, 1]}),
]


@pytest.mark.parametrize(("error", "arguments"), BAD, ids=range(len(BAD)))
def test_data_that_make_no_fit(error: type[Exception], arguments: dict[str, Any]) -> None:
    with pytest.raises(error):
        fit_polynomial_xy(**({"x": X, "y": Y} | arguments))


def test_data_that_do_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calib.engine.adjustment.MAX_STEPS", 1)
    with pytest.raises(NotConverged):
        pearson()


def test_scattered_parabolas_settle_at_a_minimum() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 7)
    for _ in range(12):
        y = 5 * x**2 + rng.normal(size=7) / 2
        fit = fit_polynomial_xy(x, y, 2, u_x=0.5, u_y=0.05)
        again = fit_polynomial_xy(x, y, 2, u_x=[0.5] * 7, u_y=[0.05] * 7)
        assert fit.chi2 == again.chi2
        assert fit.chi2 < fit_polynomial(x, y, 2, u_y=0.05).chi2


def test_an_error_common_to_all_y_comes_through_everywhere() -> None:
    x, y = [0.0, 1.0, 2.0, 3.0, 5.0], [0.1, 1.9, 4.2, 5.8, 10.1]
    own = fit_polynomial_xy(x, y, 1, u_x=0.05, u_y=0.1)
    both = fit_polynomial_xy(x, y, 1, u_x=0.05, u_y=0.1, u_y_common=0.2)
    at = [-1.0, 0.0, 2.5, 4.0]
    alone, together = predict(own, at), predict(both, at)
    assert together.y == pytest.approx(alone.y)
    assert np.square(together.u) - np.square(alone.u) == pytest.approx(np.full(4, 0.04), rel=1e-6)
    back, wide = invert(own, [5.0]), invert(both, [5.0])
    slope = own.estimate("b1")[0]
    assert wide.u[0] ** 2 - back.u[0] ** 2 == pytest.approx(0.04 / slope**2, rel=1e-6)


def test_a_line_through_the_origin_explains_the_sum_of_squares_about_zero() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0], [2.1, 3.9, 6.2, 7.8]
    found = fit_polynomial_xy(x, y, 1, u_x=0.05, u_y=0.1, proportional=True)
    assert len(found.names) == 1
    assert found.chi2_critical == pytest.approx(7.814727903, rel=1e-9)
    assert found.dof == 3
