from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.leastsquares import fit_polynomial
from calib.engine.predictions import invert, invert_readings, predict, slope
from calib.engine.rounding import RoundingPolicy, round_result
from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load, to_print
from tests.support.lines import fit_line

H3 = load("gum_h3")
LINES = load("iso28037")["line"]


def printed(value: float, u: float) -> str:
    return round_result(value, u, RoundingPolicy("half_even", 2)).concise


def test_gum_h3_as_a_task() -> None:
    x = [t - H3["data"]["t0"] for t in H3["data"]["t"]]
    task = {"kind": "fit", "model": "line", "x": x, "y": H3["data"]["b"], "predict": {"x": [10]}}
    found = good(compute(task))
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    assert printed(a["value"], a["u"]) == H3["printed"]["y1"]
    assert printed(b["value"], b["u"]) == H3["printed"]["y2"]
    assert agrees(found["correlation"]["a"]["b"], H3["printed"]["r"])
    assert agrees(found["s"], H3["printed"]["s"])
    assert found["dof"] == H3["printed"]["dof"]
    at30 = found["predictions"][0]
    assert printed(at30["y"], at30["u"]) == H3["printed"]["b30"]
    assert found["consistent"] is None


def test_gum_h3_with_an_origin() -> None:
    full = H3["recomputed"]
    fit = fit_line(H3["data"]["t"], H3["data"]["b"], origin=H3["data"]["t0"])
    for name, key in (("a", "y1"), ("b", "y2")):
        value, u = fit.estimate(name)
        assert value == pytest.approx(full[key]["value"], rel=1e-11)
        assert u == pytest.approx(full[key]["u"], rel=1e-10)
    at30 = predict(fit, [30])
    assert at30.y[0] == pytest.approx(full["b30"]["value"], rel=1e-11)
    assert at30.u is not None
    assert at30.u[0] == pytest.approx(full["b30"]["u"], rel=1e-10)


def test_gum_h3_with_a_common_error() -> None:
    common = H3["common"]
    task = {
        "kind": "fit", "model": "line",
        "x": [t - H3["data"]["t0"] for t in H3["data"]["t"]], "y": H3["data"]["b"],
        "u_y_common": common["u_y_common"], "predict": {"x": [0]},
    }  # fmt: skip
    found = good(compute(task))
    a, b = found["parameters"]["a"], found["parameters"]["b"]
    assert agrees(a["u"], common["u_y1"])
    assert agrees(a["dof"], common["dof_y1"])
    assert agrees(b["u"], common["u_y2"])
    assert b["dof"] == 9
    assert found["predictions"][0]["u"] == pytest.approx(a["u"])


@pytest.mark.parametrize("line", LINES, ids=[c["clause"] for c in LINES])
def test_iso28037(line: dict[str, Any]) -> None:
    task = {"kind": "fit", "model": "line", "x": line["x"], "y": line["y"]}
    task |= {"u_y": line["u_y"]} if "u_y" in line else {}
    inverse = dict(line["inverse"])
    x0, u_x0 = inverse.pop("x"), inverse.pop("u")
    asked: dict[str, Any] = (
        {"y": [inverse["y"]], "u_y": inverse["u_y"]}
        if "y" in inverse
        else {"readings": [inverse["readings"]]}
    )
    task["inverse"] = asked
    forward = line.get("forward", {"x": 1, "y": None})
    task["predict"] = {"x": [forward["x"]], "u_x": forward.get("u_x", 0)}
    found = good(compute(task))
    for name in ("a", "b"):
        assert to_print(found["parameters"][name]["value"], str(line[name]["value"]))
        assert found["parameters"][name]["u"] == pytest.approx(line[name]["u"], abs=6e-7)
    assert found["covariance"][0][1] == pytest.approx(line["cov"], abs=6e-7)
    assert to_print(found["chi2"], str(line["chi2"]))
    assert to_print(found["inverse"][0]["x"], str(x0))
    assert to_print(found["inverse"][0]["u"], str(u_x0))
    if forward["y"] is not None:
        assert to_print(found["predictions"][0]["y"], str(forward["y"]))
        assert to_print(found["predictions"][0]["u"], str(forward["u"]))
    if "u_single" in forward:
        assert to_print(found["predictions"][0]["u_single"], str(forward["u_single"]))
    if "u_y" in line:
        assert agrees(found["chi2_critical"], load("iso28037")["critical"]["chi2"])
        assert found["consistent"] is True


def test_strd_norris() -> None:
    data = load("nist_strd")["norris"]
    fit = fit_line(data["x"], data["y"])
    assert fit.parameters == pytest.approx(data["parameters"], rel=1e-12)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(data["u"], rel=1e-12)
    assert fit.s == pytest.approx(data["s"], rel=1e-13)
    assert fit.r_squared == pytest.approx(data["r_squared"], rel=1e-14)


@pytest.mark.parametrize("name", ["wampler1", "wampler2"])
def test_strd_wampler(name: str) -> None:
    data = load("nist_strd")[name]
    x = range(21)
    y = [math.fsum(c * v**i for i, c in enumerate(data["parameters"])) for v in x]
    fit = fit_polynomial(x, y, data["degree"])
    assert fit.parameters == pytest.approx(data["parameters"], rel=1e-9)


def test_generalised_agrees_with_the_normal_equations() -> None:
    x, y = np.arange(5.0), np.array([1.0, 2.9, 5.2, 6.8, 9.1])
    v = 0.04 * np.eye(5) + 0.01
    fit = fit_line(x, y, cov_y=v)
    a, w = np.vander(x, 2, increasing=True), np.linalg.inv(v)
    cov = np.linalg.inv(a.T @ w @ a)
    beta = cov @ a.T @ w @ y
    assert fit.parameters == pytest.approx(beta)
    assert fit.covariance == pytest.approx(cov)
    rest = y - a @ beta
    assert fit.chi2 == pytest.approx(rest @ w @ rest)
    for i in range(5):
        keep = np.arange(5) != i
        w_i = np.linalg.inv(v[np.ix_(keep, keep)])
        b_i = np.linalg.solve(a[keep].T @ w_i @ a[keep], a[keep].T @ w_i @ y[keep])
        expected = y[i] - a[i] @ b_i
        expected -= v[i, keep] @ w_i @ (y[keep] - a[keep] @ b_i)
        assert fit.leave_one_out[i] == pytest.approx(expected)


def test_leave_one_out_of_an_ordinary_fit() -> None:
    x, y = np.array([0.0, 1, 2, 4]), np.array([0.1, 0.9, 2.3, 3.9])
    fit = fit_line(x, y)
    for i in range(4):
        keep = np.arange(4) != i
        other = fit_line(x[keep], y[keep])
        assert fit.leave_one_out[i] == pytest.approx(float(y[i] - predict(other, [x[i]]).y[0]))
    assert fit_line([0, 1, 1], [0, 1, 2]).leave_one_out[0] is None


@pytest.mark.parametrize("r", [0.1, 0.9])
def test_unweighted_estimate_with_propagated_covariance(r: float) -> None:
    u = np.array([0.1, 0.2, 0.3, 0.4])
    v = np.outer(u, u) * (r + (1 - r) * np.eye(4))
    fit = fit_line([1, 2, 3, 4], [1.1, 1.9, 3.2, 3.7], cov_y=v, weighted=False)
    a = np.vander([1.0, 2, 3, 4], 2, increasing=True)
    p = np.linalg.pinv(a)
    assert fit.parameters == pytest.approx([0.2, 0.91])
    assert fit.covariance == pytest.approx(p @ v @ p.T)
    plain = fit_line([1, 2, 3, 4], [1.1, 1.9, 3.2, 3.7], u, weighted=False)
    assert plain.covariance == pytest.approx(p @ np.diag(u**2) @ p.T)
    assert plain.parameters == pytest.approx(fit.parameters)


def test_no_covariance_is_rescaled_by_default() -> None:
    x, y = [0, 1, 2, 3], [0.0, 1.5, 1.5, 3.0]
    small, large = fit_line(x, y, 0.01), fit_line(x, y, 10.0)
    assert small.covariance is not None
    assert large.covariance == pytest.approx(small.covariance * 1e6)
    assert small.consistent is False
    assert large.consistent is True
    scaled = fit_line(x, y, 0.01, scale_by_residuals=True)
    assert scaled.covariance == pytest.approx(fit_line(x, y).covariance)
    assert small.s_single == pytest.approx(fit_line(x, y).s_single)


def test_unequal_weights_have_no_single_observation() -> None:
    fit = fit_line([0, 1, 2], [0, 1, 2.1], [0.1, 0.1, 0.2])
    assert fit.s_single is None
    assert predict(fit, [1]).u_single is None
    with pytest.raises(DegenerateData):
        invert_readings(fit, [[1]])


def test_proportional() -> None:
    x, y = np.array([1.0, 2, 3]), np.array([2.1, 3.9, 6.2])
    fit = fit_polynomial(x, y, proportional=True, u_y=0.1, names=("b",))
    b = x @ y / (x @ x)
    assert fit.estimate("b") == pytest.approx((b, 0.1 / math.sqrt(x @ x)))
    assert fit.r_squared == pytest.approx(1 - fit.chi2 / (y @ y / 0.01))
    assert predict(fit, [2]).y[0] == pytest.approx(2 * b)
    back = invert(fit, [2 * b], 0.1)
    assert back.x[0] == pytest.approx(2)
    assert slope(fit, [0, 5]) == pytest.approx([fit.parameters[0]] * 2)
    shifted = fit_polynomial(x, y, proportional=True, u_y=0.1, u_y_common=0.05)
    both = math.hypot(0.1 / math.sqrt(14), 0.05 * 6 / 14)
    assert math.sqrt(shifted.covariance[0, 0]) == pytest.approx(both)


def test_no_degree_of_freedom_left() -> None:
    fit = fit_line([1, 2], [1, 3])
    assert fit.covariance is None
    assert fit.s is None
    assert fit.estimate("b") == (2, None)
    assert predict(fit, [3]).u is None
    assert invert(fit, [3]).u is None
    known = fit_line([1, 2], [1, 3], 0.1)
    assert known.covariance is not None
    assert known.chi2_critical is None
    constant = fit_polynomial([5], [2], 0, u_y=0.1)
    assert predict(constant, [7]).y[0] == 2


def test_constant_data_have_no_r_squared() -> None:
    assert fit_line([1, 2, 3], [2, 2, 2]).r_squared is None


def test_parabola_forward_and_back() -> None:
    x = np.linspace(0, 10, 9)
    fit = fit_polynomial(x, 1 + 2 * x + 0.1 * x**2, 2, u_y=0.01)
    back = invert(fit, [1 + 2 * 4 + 0.1 * 16], 0.02)
    assert back.x[0] == pytest.approx(4)
    at = predict(fit, back.x)
    assert at.u is not None
    assert back.u is not None
    assert back.u[0] == pytest.approx(math.hypot(at.u[0], 0.02) / 2.8)


@pytest.mark.parametrize("y", [100.0, -30.0, 4.0])
def test_no_single_argument(y: float) -> None:
    x = np.linspace(-2, 3, 9)
    fit = fit_polynomial(x, x**2, 2, u_y=0.01)
    with pytest.raises(OutOfRange):
        invert(fit, [y])


def test_level_curves_have_no_inverse() -> None:
    with pytest.raises(OutOfRange, match="level"):
        invert(fit_line([0, 1, 2], [0.0, 0.0, 0.0]), [1])
    x = np.linspace(-1, 0, 9)
    with pytest.raises(OutOfRange, match="level"):
        invert(fit_polynomial(x, x**2, 2, u_y=1), [0.0])


BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (DegenerateData, {"x": [1], "y": [1]}),
    (DegenerateData, {"x": [], "y": []}),
    (DegenerateData, {"x": [1, 2], "y": [1]}),
    (DegenerateData, {"x": [1, 1, 1], "y": [1, 2, 3]}),
    (OutOfRange, {"x": [1, math.nan], "y": [1, 2]}),
    (DegenerateData, {"x": [1, 2, 3], "y": [1, 2, 3], "u_y": [1, 1]}),
    (DegenerateData, {"x": [1, 2, 3], "y": [1, 2, 3], "u_y": 0}),
    (DegenerateData, {"x": [1, 2, 3], "y": [1, 2, 3], "u_y": 1, "cov_y": np.eye(3)}),
    (DegenerateData, {"x": [1, 2, 3], "y": [1, 2, 3], "cov_y": np.eye(2)}),
    (DegenerateData, {"x": [1, 2, 3], "y": [1, 2, 3], "cov_y": [[1, 0, 0], [1, 1, 0], [0, 0, 1]]}),
    (SingularFit, {"x": [1, 2, 3], "y": [1, 2, 3], "cov_y": np.ones((3, 3))}),
    (SingularFit, {"x": [1, 2, 2, 1], "y": [1, 2, 3, 4], "degree": 2}),
    (OutOfRange, {"x": [1, 2], "y": [1, 2], "degree": 13}),
    (OutOfRange, {"x": [1, 2], "y": [1, 2], "degree": 2, "proportional": True}),
    (OutOfRange, {"x": [1, 2], "y": [1, 2], "origin": math.inf}),
    (OutOfRange, {"x": [1, 2], "y": [1, 2], "u_y_common": -1}),
    (DegenerateData, {"x": [0, 0], "y": [1, 2], "proportional": True}),
]


@pytest.mark.parametrize(("error", "arguments"), BAD, ids=range(len(BAD)))
def test_data_that_make_no_fit(error: type[Exception], arguments: dict[str, Any]) -> None:
    with pytest.raises(error):
        fit_polynomial(**arguments)


def test_long_lists_of_predictions_have_no_covariance_between_them() -> None:
    fit = fit_line([0, 1, 2], [0, 1, 2.1])
    many = predict(fit, np.linspace(0, 2, 1001))
    assert many.covariance is None
    assert many.u == pytest.approx(predict(fit, many.x[:1]).u[0], abs=1)


def test_bad_arguments_of_reading() -> None:
    fit = fit_line([0, 1, 2], [0, 1, 2.1])
    for bad in (-1, math.nan, [1, 1]):
        with pytest.raises(OutOfRange):
            predict(fit, [1], bad)
    with pytest.raises(OutOfRange):
        predict(fit, [math.inf])
    for empty in ([], [[]]):
        with pytest.raises(DegenerateData):
            invert_readings(fit, empty)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-50, 50), min_size=6, max_size=12, unique_by=lambda v: round(v, 1)),
    st.integers(0, 3),
    st.floats(-100, 100),
)
def test_agrees_with_numpy(x: list[float], degree: int, origin: float) -> None:
    y = np.sin(x)
    fit = fit_polynomial(x, y, degree, origin=origin)
    beta = np.polynomial.polynomial.polyfit(x, y, degree)
    at = np.linspace(min(x), max(x), 5)
    assert predict(fit, at).y == pytest.approx(np.polynomial.polynomial.polyval(at, beta), abs=1e-8)
    assert np.polynomial.polynomial.polyval(at - origin, fit.parameters) == pytest.approx(
        predict(fit, at).y, abs=1e-6
    )


def test_many_correlated_points_take_the_triangular_way() -> None:
    x = np.linspace(0, 1, 80)
    y, u = 1 + 2 * x + 0.01 * np.cos(9 * x), 0.01 + 0.01 * x
    full, plain = fit_line(x, y, cov_y=np.diag(u**2)), fit_line(x, y, u)
    assert full.parameters == pytest.approx(plain.parameters, rel=1e-12)
    assert full.covariance == pytest.approx(plain.covariance, rel=1e-11)
    assert full.leave_one_out == pytest.approx(plain.leave_one_out, rel=1e-9)
