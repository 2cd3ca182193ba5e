from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.descent import _Logarithms
from calib.engine.errors import (
    BadExpression,
    DegenerateData,
    NotConverged,
    OutOfRange,
    SingularFit,
)
from calib.engine.leastsquares import fit_polynomial
from calib.engine.models import ModelFit, stated
from calib.engine.nonlinear import fit_model
from calib.engine.predictions import invert, invert_readings, predict
from tests.engine.published import load
from tests.support.lines import fit_line

STRD = load("nist_strd_nonlinear")
DECAY = stated("b1*exp(-b2*x)", ("b1", "b2"))
X = np.array([0.0, 1, 2, 3, 4, 5])
Y = np.array([5.1, 3.0, 1.8, 1.15, 0.66, 0.42])
START = (4.0, 0.4)


def u_of(fit: Any) -> Any:
    return np.sqrt(np.diag(fit.covariance))


@pytest.mark.parametrize("start", ["start1", "start2"])
@pytest.mark.parametrize("name", STRD)
def test_strd(name: str, start: str) -> None:
    data = STRD[name]
    names = [f"b{i + 1}" for i in range(len(data["start1"]))]
    fit = fit_model(stated(data["function"], names), data["x"], data["y"], data[start])
    assert fit.parameters == pytest.approx(data["parameters"], rel=1e-10)
    assert u_of(fit) == pytest.approx(data["u"], rel=1e-10)
    assert fit.chi2 == pytest.approx(data["chi2"], rel=1e-10)
    assert fit.convergence.shift < 1e-6
    assert 0 < fit.convergence.curvature < 1.5
    far = (name, start) == ("mgh10", "start1")
    assert fit.convergence.path == ("logarithmic" if far else "direct")


def test_longley() -> None:
    data = load("nist_strd")["longley"]
    names = [f"b{i}" for i in range(7)]
    text = "b0" + "".join(f" + b{i}*x{i}" for i in range(1, 7))
    model = stated(text, names, [f"x{i}" for i in range(1, 7)])
    fit = fit_model(model, data["x"], data["y"])
    assert fit.parameters == pytest.approx(data["parameters"], rel=1e-10)
    assert u_of(fit) == pytest.approx(data["u"], rel=1e-10)
    assert fit.r_squared == pytest.approx(data["r_squared"], rel=1e-13)
    assert fit.f_statistic == pytest.approx(data["F"], rel=1e-10)
    assert fit.convergence.path == "linear"


def test_closed_form_and_iteration() -> None:
    closed = fit_model(stated("a + b*x", ("a", "b")), X, Y, u_y=0.1)
    iterated = fit_model(stated("a + b^2/b*x", ("a", "b")), X, Y, (1, 1), u_y=0.1)
    plain = fit_line(X, Y, 0.1)
    assert (closed.convergence.path, iterated.convergence.path) == ("linear", "direct")
    end = closed.convergence
    assert (end.steps, end.shift, end.curvature) == (0, 0.0, 1.0)
    for fit in (closed, iterated):
        assert fit.parameters == pytest.approx(plain.parameters, rel=1e-12)
        assert fit.covariance == pytest.approx(plain.covariance, rel=1e-12)
        assert fit.chi2 == pytest.approx(plain.chi2, rel=1e-12)
        for name in ("dof", "consistent"):
            assert getattr(fit, name) == getattr(plain, name)
        for name in ("r_squared", "f_statistic", "aicc", "s_single", "chi2_critical"):
            assert getattr(fit, name) == pytest.approx(getattr(plain, name), rel=1e-10)
        assert fit.leave_one_out == pytest.approx(plain.leave_one_out, rel=1e-10)


def test_derivatives_are_those_of_differences() -> None:
    model = stated("b1*exp(-b2*x)*z + b2", ("b1", "b2"), ("x", "z"))
    x, c, h = np.array([[0.5, 1.0], [2.0, 3.0]]), np.array([2.0, 0.7]), 1e-6
    value, by_c, by_x = model.slopes(x, c)
    xx, xc, cc = model.bends(x, c)
    assert model.value(x, c) == pytest.approx(value)
    for i in range(2):
        step = np.eye(2)[i] * h
        up, down = model.slopes(x, c + step), model.slopes(x, c - step)
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(by_c[:, i], rel=1e-8)
        assert (up[1] - down[1]).T / (2 * h) == pytest.approx(cc[i], rel=1e-7)
        assert (up[2] - down[2]) / (2 * h) == pytest.approx(xc[:, :, i], rel=1e-7)
        step = np.zeros((2, 2))
        step[i] = h
        up, down = model.slopes(x + step, c), model.slopes(x - step, c)
        assert (up[0] - down[0]) / (2 * h) == pytest.approx(by_x[i], rel=1e-8)
        assert (up[2] - down[2]) / (2 * h) == pytest.approx(xx[i], rel=1e-7, abs=1e-9)


def test_weights_in_both_forms() -> None:
    u = 0.02 + 0.01 * X
    by_u = fit_model(DECAY, X, Y, START, u_y=u)
    by_cov = fit_model(DECAY, X, Y, START, cov_y=np.diag(u**2))
    assert by_cov.parameters == pytest.approx(by_u.parameters, rel=1e-12)
    assert by_cov.covariance == pytest.approx(by_u.covariance, rel=1e-10)
    assert by_cov.leave_one_out == pytest.approx(by_u.leave_one_out, rel=1e-8)
    jacobian = DECAY.slopes(X[None], by_u.parameters)[1] / u[:, None]
    assert by_u.covariance == pytest.approx(np.linalg.inv(jacobian.T @ jacobian), rel=1e-9)
    # at a minimum the weighted residuals stand across the tangents
    assert jacobian.T @ (by_u.residuals / u) == pytest.approx([0, 0], abs=1e-9)


def test_correlated_observations() -> None:
    v = 0.0004 * np.eye(6) + 0.0003
    fit = fit_model(DECAY, X, Y, START, cov_y=v)
    w, j = np.linalg.inv(v), DECAY.slopes(X[None], fit.parameters)[1]
    assert j.T @ w @ fit.residuals == pytest.approx([0, 0], abs=1e-8)
    assert fit.covariance == pytest.approx(np.linalg.inv(j.T @ w @ j), rel=1e-9)
    assert fit.chi2 == pytest.approx(fit.residuals @ w @ fit.residuals)


def test_scaled_unweighted_and_with_a_common_error() -> None:
    plain = fit_model(DECAY, X, Y, START, u_y=0.1)
    scaled = fit_model(DECAY, X, Y, START, u_y=0.1, scale_by_residuals=True)
    assert scaled.covariance == pytest.approx(plain.covariance * plain.chi2 / plain.dof)
    assert scaled.covariance == pytest.approx(fit_model(DECAY, X, Y, START).covariance)
    assert scaled.parameter_dof.tolist() == [4, 4]
    u = np.linspace(0.1, 0.2, 6)
    loose = fit_model(DECAY, X, Y, START, u_y=u, weighted=False)
    assert loose.parameters == pytest.approx(plain.parameters)
    p = np.linalg.pinv(DECAY.slopes(X[None], loose.parameters)[1])
    assert loose.covariance == pytest.approx(p @ np.diag(u**2) @ p.T)
    full = fit_model(DECAY, X, Y, START, cov_y=np.diag(u**2), weighted=False)
    assert full.covariance == pytest.approx(loose.covariance)
    common = fit_model(DECAY, X, Y, START, u_y=0.1, u_y_common=0.05)
    shift = p @ np.full(6, 0.05)
    assert common.common == pytest.approx(shift)
    assert common.covariance == pytest.approx(plain.covariance + np.outer(shift, shift))


def test_leave_one_out_is_nearly_that_of_refits() -> None:
    fit = fit_model(DECAY, X, Y, START)
    for i in range(6):
        keep = np.arange(6) != i
        other = fit_model(DECAY, X[keep], Y[keep], START)
        expected = Y[i] - float(predict(other, [X[i]]).y[0])
        assert fit.leave_one_out[i] == pytest.approx(expected, rel=0.25, abs=0.01)


def test_no_degree_of_freedom_left() -> None:
    fit = fit_model(DECAY, [0, 1], [2, 1], (1, 1))
    assert fit.parameters == pytest.approx([2, math.log(2)], rel=1e-14)
    assert (fit.covariance, fit.s, fit.dof) == (None, None, 0)
    assert predict(fit, [2]).u is None
    assert invert(fit, [1.5]).u is None
    assert invert(fit, [1.5]).x == pytest.approx([math.log(4 / 3) / math.log(2)])
    known = fit_model(DECAY, [0, 1], [2, 1], (1, 1), u_y=0.1)
    assert known.covariance is not None
    assert known.convergence.shift < 1e-9


def test_forward_and_back() -> None:
    fit = fit_model(DECAY, X, Y, START)
    there = predict(fit, [1.5, 7.0], 0.1)
    assert there.extrapolated == (False, True)
    a, b = fit.parameters
    j = np.array([math.exp(-b * 1.5), -1.5 * a * math.exp(-b * 1.5)])
    own = a * b * math.exp(-b * 1.5) * 0.1
    assert there.u[0] == pytest.approx(math.hypot(math.sqrt(j @ fit.covariance @ j), own))
    assert there.u_single[0] == pytest.approx(math.hypot(there.u[0], fit.s))
    assert there.covariance[0, 0] == pytest.approx(there.u[0] ** 2)
    back = invert(fit, [there.y[0]], 0.05)
    assert back.x == pytest.approx([1.5])
    slope = a * b * math.exp(-b * 1.5)
    assert back.u[0] == pytest.approx(math.sqrt(j @ fit.covariance @ j + 0.05**2) / slope)
    read = invert_readings(fit, [[there.y[0]] * 4])
    assert read.u[0] == pytest.approx(
        math.sqrt(j @ fit.covariance @ j + fit.s**2 / 4) / slope, rel=1e-9
    )


def test_an_inverse_close_outside_is_flagged_and_farther_refused() -> None:
    fit = fit_model(DECAY, X, Y, START)
    ends = DECAY.value(np.array([[0.0, -0.3, -1.0]]), fit.parameters)
    found = invert(fit, ends[:2])
    assert found.x == pytest.approx([0, -0.3], abs=1e-9)
    assert found.extrapolated == (False, True)
    with pytest.raises(OutOfRange, match="0 arguments"):
        invert(fit, [ends[2]])
    bent = fit_model(stated("a*(x - 2)^2 + b", ("a", "b")), X, (X - 2) ** 2)
    with pytest.raises(OutOfRange, match="2 arguments"):
        invert(bent, [1.0])
    cube = fit_model(stated("a*(x - 2)^3 + b", ("a", "b")), X, (X - 2) ** 3)
    with pytest.raises(OutOfRange, match="level"):
        invert(cube, [0.0])


def test_several_variables() -> None:
    model = stated("a*x + b*z + c*x*z", ("a", "b", "c"), ("x", "z"))
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 1, (2, 8))
    fit = fit_model(model, x, x[0] - 2 * x[1] + 3 * x[0] * x[1], u_y=0.1)
    assert fit.parameters == pytest.approx([1, -2, 3])
    assert fit.f_statistic is None
    found = predict(fit, [[0.5, 2.0], [0.5, 0.5]], [[0.1, 0.1], [0.0, 0.0]])
    assert found.y[0] == pytest.approx(0.25)
    assert found.extrapolated == (False, True)
    j = np.array([0.5, 0.5, 0.25])
    own = (1 + 3 * 0.5) * 0.1
    assert found.u[0] == pytest.approx(math.sqrt(j @ fit.covariance @ j + own**2))
    for bad in ([0.5], [[0.5]] * 3):
        with pytest.raises(OutOfRange):
            predict(fit, bad)
    with pytest.raises(OutOfRange, match="several"):
        invert(fit, [1.0])


def test_a_curve_without_x() -> None:
    fit = fit_model(stated("m", ("m",)), [1, 2, 3], [1.0, 2.0, 6.0])
    assert fit.parameters == pytest.approx([3])
    assert fit.f_statistic is None
    again = fit_model(stated("exp(m)", ("m",)), [1, 2, 3], [1.0, 2.0, 6.0], [0.0])
    assert again.parameters == pytest.approx([math.log(3)])


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"x": [1, 2], "y": [1]}),
    (DegenerateData, {"x": [[1, 2], [3, 4]]}),
    (DegenerateData, {"x": [1], "y": [1]}),
    (DegenerateData, {"x": [], "y": []}),
    (OutOfRange, {"x": [1, 2, math.inf], "y": [1, 2, 3]}),
    (OutOfRange, {"y": [1.0, 2, 3, 4, 5, math.nan]}),
    (OutOfRange, {"u_y_common": -1}),
    (OutOfRange, {"u_y_common": math.inf}),
    (DegenerateData, {"start": None}),
    (DegenerateData, {"start": [1]}),
    (OutOfRange, {"start": [1, math.nan]}),
    (OutOfRange, {"start": [1, -1e6]}),
    (DegenerateData, {"u_y": 0}),
    (SingularFit, {"model": stated("a*b*x", ("a", "b")), "start": (1, 1)}),
    (SingularFit, {"model": stated("a*x + b*x", ("a", "b"))}),
    (SingularFit, {"model": stated("a + b*(x - x)", ("a", "b"))}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "more"), BAD, ids=range(len(BAD)))
def test_data_that_make_no_fit(error: type[Exception], more: dict[str, Any]) -> None:
    with pytest.raises(error):
        fit_model(**({"model": DECAY, "x": X, "y": Y, "start": START} | more))


def test_functions_that_make_no_model() -> None:
    with pytest.raises(DegenerateData, match="does not occur"):
        stated("a*x", ("a", "b"))
    with pytest.raises(DegenerateData, match="both"):
        stated("a*x", ("a", "x"))
    with pytest.raises(BadExpression):
        stated("a*q", ("a",))


@pytest.mark.parametrize(
    ("text", "linear"),
    [("a + b*x", True), ("a*b", False), ("(a + b)/x", True), ("x/(a + b)", False),
     ("-a*exp(x) + b", True), ("a^2 + b", False), ("a + sin(b)", False), ("a*x^2 + b*pi", True),
     ("a*(b - b) + b", False), ("2^x*a - b", True)],
)  # fmt: skip
def test_linear_models_are_known(text: str, linear: bool) -> None:
    assert stated(text, ("a", "b")).is_linear is linear


@pytest.mark.parametrize(("walk", "newton"), [(3, 40), (600, 1)])
def test_what_does_not_settle_is_refused(
    monkeypatch: pytest.MonkeyPatch, walk: int, newton: int
) -> None:
    monkeypatch.setattr("calib.engine.descent.MAX_STEPS", walk)
    monkeypatch.setattr("calib.engine.descent.MAX_NEWTON", newton)
    monkeypatch.setattr("calib.engine.descent._STILL", 1e-3)
    data = STRD["boxbod"]
    with pytest.raises((NotConverged, SingularFit)):
        fit_model(stated(data["function"], ("b1", "b2")), data["x"], data["y"], [1e4, 20])


def test_few_steps_are_enough_for_an_easy_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fit_model(DECAY, X, Y, START)
    monkeypatch.setattr("calib.engine.descent.MAX_NEWTON", 2)
    assert fit_model(DECAY, X, Y, START).parameters == pytest.approx(plain.parameters, rel=1e-9)


def test_a_parameter_beyond_all_numbers_is_a_refusal() -> None:
    with pytest.raises(OutOfRange, match="beyond"):
        _Logarithms(None, np.ones(1)).outward(np.array([1000.0]))  # type: ignore[arg-type]


def test_a_start_at_zero_has_no_logarithm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calib.engine.descent.MAX_STEPS", 60)
    data = STRD["mgh10"]
    model = stated(data["function"], ("b1", "b2", "b3"))
    with pytest.raises((NotConverged, SingularFit)):
        fit_model(model, data["x"], data["y"], [0, 4e5, 25000])


def test_a_curve_without_second_derivatives() -> None:
    x = np.array([0.0, 1, 2, 3, 4])
    fit = fit_model(stated("(a*x)^1.5 + b", ("a", "b")), x, [0.1, 1.1, 2.7, 5.3, 7.9], [1, 0])
    assert fit.convergence.curvature is None
    jacobian = fit.model.slopes(x[None], fit.parameters)[1]
    assert jacobian.T @ fit.residuals == pytest.approx([0, 0], abs=1e-9)


def test_a_start_on_a_summit_is_left_or_refused() -> None:
    # chi2 of cos(c x) is even in c: 0 is a summit of it
    model = stated("cos(c*x)", ("c",))
    with pytest.raises((NotConverged, SingularFit)):
        fit_model(model, X, np.cos(0.5 * X), [0.0])
    assert fit_model(model, X, np.cos(0.5 * X), [0.4]).parameters == pytest.approx([0.5])


@settings(max_examples=20)
@given(st.sampled_from([1e-4, 1.0, 1e5]), st.sampled_from([1e-6, 1.0, 1e4]),
       st.permutations(range(6)))  # fmt: skip
def test_units_and_order_do_not_matter(p: float, q: float, order: list[int]) -> None:
    plain = fit_model(DECAY, X, Y, START)
    start = (START[0] * q, START[1] / p)
    other = fit_model(DECAY, X[order] * p, Y[order] * q, start)
    scale = np.array([q, 1 / p])
    assert other.parameters == pytest.approx(plain.parameters * scale, rel=1e-9)
    assert u_of(other) == pytest.approx(u_of(plain) * scale, rel=1e-7)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_polynomials_agree_with_the_chebyshev_way(seed: int, degree: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-2, 2, 9), rng.normal(size=9)
    names = [f"b{i}" for i in range(degree + 1)]
    text = " + ".join(f"b{i}*x^{i}" for i in range(degree + 1))
    fit: ModelFit = fit_model(stated(text, names), x, y, u_y=0.3)
    other = fit_polynomial(x, y, degree, u_y=0.3)
    assert fit.parameters == pytest.approx(other.parameters, rel=1e-7, abs=1e-9)
    assert fit.chi2 == pytest.approx(other.chi2, rel=1e-8)
