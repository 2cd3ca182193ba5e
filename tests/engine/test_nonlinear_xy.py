from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from calib.engine.adjustment import METHODS, _Problem, read_errors
from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.models import stated
from calib.engine.nonlinear import fit_model
from calib.engine.nonlinear_xy import fit_model_xy
from calib.engine.predictions import predict
from calib.engine.totalleastsquares import fit_polynomial_xy
from tests.engine.published import agrees, load

GAS = load("models")["gas"]
DECAY = stated("b1*exp(-b2*x)", ("b1", "b2"))
X = np.array([0.0, 1, 2, 3, 4, 5])
Y = np.array([5.1, 3.0, 1.8, 1.15, 0.66, 0.42])
U: dict[str, Any] = {"u_x": 0.05, "u_y": 0.05}


def gas(name: str, method: str = "information") -> Any:
    data = GAS[name]
    return fit_model_xy(
        stated(data["function"], ("b0", "b1", "b2")), GAS["x"], GAS["y"], data["start"],
        u_x=GAS["u_x"], u_y=GAS["u_y"], covariance_method=method,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["power", "exponential"])
def test_iso6143(name: str) -> None:
    data, fit = GAS[name], gas(name)
    for value, expected, tolerance in zip(
        fit.parameters, data["parameters"], data["tolerance"], strict=True
    ):
        assert value == pytest.approx(expected, abs=tolerance)
    assert agrees(fit.chi2, data["chi2"])
    assert agrees(fit.adjusted.largest, data["largest"])
    found = predict(fit, [GAS["predict"]["x"]], GAS["predict"]["u_x"])
    assert agrees(found.y[0], data["y"])
    if "u" in data:
        assert agrees(found.u[0], data["u"])


def test_the_two_covariances_of_a_curve_differ_by_little() -> None:
    plain, propagated = gas("power"), gas("power", "propagation")
    assert propagated.parameters == pytest.approx(plain.parameters, rel=1e-12)
    ratio = np.diag(propagated.covariance) / np.diag(plain.covariance)
    assert np.all(np.abs(ratio - 1) < 0.05)
    assert not np.allclose(ratio, 1, rtol=1e-6)


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_polynomials_agree_with_the_chebyshev_way(degree: int, method: str) -> None:
    rng = np.random.default_rng(degree)
    x = np.linspace(-1, 2, 8)
    y = 1 + x - 0.3 * x**degree + rng.normal(size=8) * 0.03
    v = 0.0004 * np.eye(8) + 0.0002
    errors: dict[str, Any] = {"cov_x": v, "u_y": 0.04, "cov_xy": 0.0001 * np.eye(8)}
    names = [f"b{i}" for i in range(degree + 1)]
    text = " + ".join(f"b{i}*x^{i}" for i in range(degree + 1))
    options = {"covariance_method": method, "u_y_common": 0.01}
    fit = fit_model_xy(stated(text, names), x, y, **errors, **options)
    other = fit_polynomial_xy(x, y, degree, **errors, **options)
    assert fit.parameters == pytest.approx(other.parameters, rel=1e-9)
    assert fit.covariance == pytest.approx(other.covariance, rel=1e-7)
    assert fit.chi2 == pytest.approx(other.chi2, rel=1e-9)
    assert fit.common == pytest.approx(other.common, rel=1e-7, abs=1e-12)
    assert fit.leave_one_out == pytest.approx(other.leave_one_out, rel=1e-6)
    assert fit.adjusted.x == pytest.approx(other.adjusted.x, rel=1e-9)


def test_another_minimiser_finds_no_lower_sum() -> None:
    u_x, u_y = np.linspace(0.02, 0.1, 6), np.linspace(0.1, 0.02, 6)
    fit = fit_model_xy(DECAY, X, Y, (4, 0.4), u_x=u_x, u_y=u_y)

    def shifts(p: Any) -> Any:
        return np.concatenate([p[2:] / u_x, (Y - p[0] * np.exp(-p[1] * (X + p[2:]))) / u_y])

    other = least_squares(shifts, [4, 0.4, *np.zeros(6)], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert fit.chi2 == pytest.approx(2 * other.cost, rel=1e-12)
    assert fit.parameters == pytest.approx(other.x[:2], rel=1e-7)
    assert fit.adjusted.x[0] == pytest.approx(X + other.x[2:], abs=1e-7)


def test_sensitivities_are_those_of_the_estimate() -> None:
    found = fit_model_xy(DECAY, X, Y, (4, 0.4), **U, covariance_method="propagation")
    columns = []
    for data in (X, Y):
        for i in range(6):
            ends = []
            for sign in (1, -1):
                data[i] += sign * 1e-5
                ends.append(fit_model_xy(DECAY, X, Y, (4, 0.4), **U).parameters)
                data[i] -= sign * 1e-5
            columns.append((ends[0] - ends[1]) / 2e-5)
    j = np.array(columns).T
    assert found.covariance == pytest.approx(0.05**2 * j @ j.T, rel=1e-5)


def test_small_uncertainty_of_x_is_none() -> None:
    plain = fit_model(DECAY, X, Y, (4, 0.4), u_y=0.05)
    fit = fit_model_xy(DECAY, X, Y, (4, 0.4), u_x=1e-8, u_y=0.05)
    assert fit.parameters == pytest.approx(plain.parameters, rel=1e-9)
    assert fit.covariance == pytest.approx(plain.covariance, rel=1e-8)
    assert fit.leave_one_out == pytest.approx(plain.leave_one_out, rel=1e-6)
    assert (fit.r_squared, fit.s_single, fit.f_statistic) == (None, None, None)
    assert fit.aicc == pytest.approx(plain.aicc)


def test_several_variables_one_of_them_exact() -> None:
    model = stated("a*x + b*z^2", ("a", "b"), ("x", "z"))
    rng = np.random.default_rng(3)
    x = rng.uniform(1, 2, (2, 9))
    y = 2 * x[0] + 0.5 * x[1] ** 2 + 0.01 * rng.normal(size=9)
    fit = fit_model_xy(model, x, y, u_x=[[0.05] * 9, [0.0] * 9], u_y=0.02)
    assert fit.adjusted.x[1].tolist() == x[1].tolist()
    # the slope in x is constant, so the effective uncertainty is known
    a = float(fit.parameters[0])
    plain = fit_model(model, x, y, u_y=math.hypot(0.02, a * 0.05))
    assert fit.chi2 == pytest.approx(plain.chi2, rel=1e-2)
    both = fit_model_xy(model, x, y, u_x=[[0.05] * 9, [0.03] * 9], u_y=0.02)
    joint = np.diag([0.05**2] * 9 + [0.03**2] * 9)
    same = fit_model_xy(model, x, y, cov_x=joint, u_y=0.02)
    assert same.parameters == pytest.approx(both.parameters, rel=1e-12)
    assert same.covariance == pytest.approx(both.covariance, rel=1e-9)


def test_scaled_and_without_degrees_of_freedom() -> None:
    plain = fit_model_xy(DECAY, X, Y, (4, 0.4), **U)
    scaled = fit_model_xy(DECAY, X, Y, (4, 0.4), **U, scale_by_residuals=True)
    assert scaled.covariance == pytest.approx(plain.covariance * plain.chi2 / plain.dof)
    assert scaled.parameter_dof.tolist() == [4, 4]
    none = fit_model_xy(DECAY, [0, 1], [2, 1], (1, 1), **U)
    assert none.parameters == pytest.approx([2, math.log(2)])
    assert (none.dof, none.s, none.consistent) == (0, None, None)


def test_where_the_curve_has_no_value_the_sum_is_infinite() -> None:
    x = np.array([[1.0, 2.0]])
    errors = read_errors((1, 2), u_x=0.1, u_y=0.1)
    root = stated("sqrt(x - b)", ("b",))
    problem = _Problem(x, np.ones(2), errors, np.eye(4), root)
    assert problem.chi2(np.array([0.0, 0.0, 1.5])) == math.inf
    assert math.isfinite(problem.chi2(np.array([0.0, 0.0, 0.5])))


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"u_y": None}),
    (DegenerateData, {"u_x": 0}),
    (DegenerateData, {"u_x": -0.1}),
    (DegenerateData, {"u_x": [0, 0.1, 0, 0, 0, 0], "cov_xy": 1e-4 * np.eye(6)}),
    (DegenerateData, {"u_y": [0, 0.1, 0.1, 0.1, 0.1, 0.1]}),
    (DegenerateData, {"x": [1], "y": [1]}),
    (OutOfRange, {"covariance_method": "guess"}),
    (OutOfRange, {"u_y_common": -1}),
    (OutOfRange, {"y": [math.nan] * 6}),
    (SingularFit, {"model": stated("a*b*x", ("a", "b"))}),
]


@pytest.mark.parametrize(("error", "more"), BAD, ids=range(len(BAD)))
def test_data_that_make_no_fit(error: type[Exception], more: dict[str, Any]) -> None:
    with pytest.raises(error):
        fit_model_xy(**({"model": DECAY, "x": X, "y": Y, "start": (4, 0.4)} | U | more))


@settings(max_examples=10)
@given(st.sampled_from([1e-3, 1e4]), st.sampled_from([1e-5, 1e3]), st.permutations(range(6)))
def test_units_and_order_do_not_matter(p: float, q: float, order: list[int]) -> None:
    plain = fit_model_xy(DECAY, X, Y, (4, 0.4), **U)
    other = fit_model_xy(
        DECAY, X[order] * p, Y[order] * q, (4 * q, 0.4 / p), u_x=0.05 * p, u_y=0.05 * q
    )
    scale = np.array([q, 1 / p])
    assert other.parameters == pytest.approx(plain.parameters * scale, rel=1e-9)
    assert other.covariance == pytest.approx(plain.covariance * np.outer(scale, scale), rel=1e-6)
