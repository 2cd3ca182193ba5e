"""Tasks of kind fit beyond lines: models, expressions, several variables, choice of degree."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from calib.evaluation.tasks import compute, load
from tests.engine.published import good
from tests.engine.published import load as published

DATA = published("models")
X, Y = [0, 1, 2, 3, 4, 5], [5.1, 3.0, 1.8, 1.15, 0.66, 0.42]
TWO = {"x": [1, 2, 3, 4, 5], "z": [1, 0, 1, 0, 2]}
PLANE = {"x": TWO, "y": [3.1, 2, 5, 4.1, 9], "function": "a*x + b*z", "parameters": ["a", "b"]}
EYE = [[1e-4 if i == j else 0 for j in range(6)] for i in range(6)]


def line(**more: Any) -> dict[str, Any]:
    return {"kind": "fit", "model": "line", "x": X, "y": Y} | more


def decay(**more: Any) -> dict[str, Any]:
    start = {"b1": 4, "b2": "0.4"}
    return line(model="expression", function="b1*exp(-b2*x)", parameters=start) | more


def plane(**more: Any) -> dict[str, Any]:
    return {"kind": "fit", "model": "expression"} | PLANE | more


def polynomial(degree: Any, **more: Any) -> dict[str, Any]:
    return line(model="polynomial", degree=degree, **more)


def platinum(**more: Any) -> dict[str, Any]:
    data = DATA["iec60751"]
    return line(model="callendar_van_dusen", x=data["t"], y=data["R"], u_y=5e-5) | more


def thermistor(**more: Any) -> dict[str, Any]:
    data = DATA["thermistor"]
    return line(model="steinhart_hart", x=data["R"], y=data["t"]) | more


def radiation(**more: Any) -> dict[str, Any]:
    A, B, c2 = (DATA["radiation"][k] for k in ("A", "B", "c2"))
    T = [283.15, 293.15, 303.15, 310.15, 323.15]
    S = [1 / math.expm1(c2 / (A * t + B)) for t in T]
    return line(model="sakuma_hattori", x=T, y=S, u_y=[1e-4 * s for s in S]) | more


def test_an_expression_says_how_it_got_there() -> None:
    found = good(compute(decay(predict={"x": [1, 9]}, inverse={"y": [2], "u_y": 0.1})))
    assert list(found["parameters"]) == ["b1", "b2"]
    assert found["parameters"]["b1"]["u"] == pytest.approx(found["covariance"][0][0] ** 0.5)
    assert found["convergence"]["path"] == "direct"
    assert found["convergence"]["steps"] > 0
    assert [p["extrapolated"] for p in found["predictions"]] == [False, True]
    assert found["inverse"][0]["extrapolated"] is False
    assert found["consistent"] is None
    assert found["reduced_chi2"] == pytest.approx(found["s"] ** 2)
    b1, b2 = (found["parameters"][n]["value"] for n in ("b1", "b2"))
    assert found["inverse"][0]["x"] == pytest.approx(math.log(b1 / 2) / b2)


def test_the_order_of_parameters_is_that_of_the_task() -> None:
    plain = good(compute(decay()))
    other = good(compute(decay(parameters={"b2": 0.4, "b1": 4})))
    assert list(other["parameters"]) == ["b2", "b1"]
    assert other["covariance"][0][0] == pytest.approx(plain["covariance"][1][1])


def test_several_variables_come_and_go_by_name() -> None:
    found = good(compute(plane(predict={"x": {"x": [2, 9], "z": [1, 1]}, "u_x": {"x": 0.1}})))
    first, second = found["predictions"]
    a, b = (found["parameters"][n]["value"] for n in "ab")
    assert first["x"] == {"x": 2, "z": 1}
    assert first["y"] == pytest.approx(2 * a + b)
    assert (first["extrapolated"], second["extrapolated"]) == (False, True)
    both = good(compute(plane(u_x={"x": 0.1, "z": [0, 0, 0, 0, 0.1]}, u_y=0.1)))
    assert list(both["adjusted"]["x"]) == ["x", "z"]
    assert both["adjusted"]["x"]["z"][:4] == TWO["z"][:4]
    exact = good(compute(plane(u_x={"x": 0.1}, u_y=0.1)))
    assert exact["adjusted"]["x"]["z"] == TWO["z"]


def test_named_models_and_their_parameters() -> None:
    found = good(compute(platinum(inverse={"y": [138.5055]})))
    assert list(found["parameters"]) == ["R0", "A", "B", "C"]
    assert found["inverse"][0]["x"] == pytest.approx(100, abs=1e-3)
    warm = good(compute(platinum(x=[-0.001, 30, 60, 100], y=[100, 111.7, 123.2, 138.5])))
    assert list(warm["parameters"]) == ["R0", "A", "B"]
    found = good(compute(thermistor(predict={"x": [12262]})))
    assert found["parameters"]["a"]["u"] is None
    assert found["predictions"][0]["y"] == pytest.approx(20, abs=0.011)
    for more in ({}, {"parameters": {"A": 9, "B": 200, "C": 1}}, {"u_x": 0.01}):
        found = good(compute(radiation(**more)))
        assert found["parameters"]["A"]["value"] == pytest.approx(DATA["radiation"]["A"], rel=1e-6)


def test_a_probability_gives_intervals() -> None:
    found = good(compute(line(coverage_probability=0.95)))
    b = found["parameters"]["b"]
    assert b["dof"] == 4
    assert b["k"] == pytest.approx(2.7764, abs=1e-4)
    assert b["interval"] == pytest.approx([b["value"] - b["U"], b["value"] + b["U"]])
    assert b["t"] == pytest.approx(b["value"] / b["u"])
    known = good(compute(line(u_y=0.1, coverage_probability="0.95")))["parameters"]["b"]
    assert known["dof"] is None
    assert known["k"] == pytest.approx(1.959964, abs=1e-6)
    none = good(compute(line(x=[0, 1], y=[0, 1], coverage_probability=0.9)))["parameters"]["a"]
    assert (none["u"], none["U"], none["interval"]) == (None, None, None)
    flat = good(compute(line(y=[1] * 6, coverage_probability=0.9)))["parameters"]["b"]
    assert flat["value"] == pytest.approx(0, abs=1e-15)


def test_a_common_error_is_told_apart() -> None:
    rows = good(compute(line(u_y_common=0.3)))["parameters"]
    assert rows["a"]["u_common"] == pytest.approx(0.3)
    assert rows["b"]["u_common"] == pytest.approx(0, abs=1e-14)
    assert rows["a"]["dof"] > 4


def test_the_degree_is_chosen_with_its_reason() -> None:
    x = [0.5 * i for i in range(12)]
    y = [1 + 2 * v - 0.3 * v * v + 0.01 * (-1) ** i for i, v in enumerate(x)]
    found = good(compute(polynomial({"at_most": 4}, x=x, y=y)))
    assert found["degree"] == 2
    assert list(found["parameters"]) == ["b0", "b1", "b2"]
    assert found["choice"]["rule"] == "lowest-aicc"
    assert "Degree 2" in found["choice"]["reason"]
    assert [c["degree"] for c in found["choice"]["candidates"]] == [1, 2, 3, 4]
    assert found["aicc"] == min(c["aicc"] for c in found["choice"]["candidates"])
    given = {"at_least": 2, "at_most": 3}
    found = good(compute(polynomial(given, x=x, y=y, u_y=0.01, u_x=0.001)))
    assert (found["degree"], found["choice"]["rule"]) == (2, "lowest-aicc-of-consistent")


def test_a_line_is_one_whichever_way_it_is_asked() -> None:
    plain = good(compute(line(u_x=0.1, u_y=0.2)))
    stated = {"function": "a + b*x", "parameters": ["a", "b"], "model": "expression"}
    other = good(compute(line(u_x=0.1, u_y=0.2, **stated)))
    for key in ("chi2", "residuals", "leave_one_out", "aicc", "chi2_critical"):
        assert other[key] == pytest.approx(plain[key], rel=1e-9)
    assert other["covariance"][1] == pytest.approx(plain["covariance"][1], rel=1e-8)
    assert other["adjusted"]["y"] == pytest.approx(plain["adjusted"]["y"], rel=1e-9)


BAD: list[tuple[str, str, Any]] = [
    ("missing-key", "function", decay(function=None)),
    ("bad-value", "function", decay(function=3)),
    ("bad-expression", "function", decay(function="b1*exp(-b2*")),
    ("bad-expression", "function", decay(parameters={"x1": 1, "2b": 1})),
    ("degenerate-data", "function", decay(parameters={"b1": 1, "b2": 1, "b3": 1})),
    ("degenerate-data", "function", decay(parameters={"b1": 1, "b2": 1, "x": 1})),
    ("missing-key", "parameters", decay(parameters=None)),
    ("bad-value", "parameters", decay(parameters="b1")),
    ("bad-value", "parameters", decay(parameters=[1, 2])),
    ("bad-value", "parameters", decay(parameters={})),
    ("bad-value", "parameters", decay(parameters=[f"b{i}" for i in range(60)])),
    ("bad-number", "parameters.b2", decay(parameters={"b1": 1, "b2": "x"})),
    ("missing-key", "parameters.b2", decay(parameters={"b1": 1, "b2": None})),
    ("missing-key", "parameters.b1", decay(parameters=["b1", "b2"])),
    ("out-of-range", "x", decay(parameters={"b1": 1, "b2": -1000})),
    ("degenerate-data", "x", decay(x=[1], y=[1])),
    ("bad-task", "degree", decay(degree=1)),
    ("bad-task", "function", platinum(function="x")),
    ("bad-task", "parameters", line(parameters={"a": 1})),
    ("bad-task", "parameters", platinum(parameters={"R0": 1})),
    ("missing-key", "parameters.B", radiation(parameters={"A": 9, "B": None, "C": 1})),
    ("out-of-range", "x", thermistor(x=[-1, 2, 3])),
    ("bad-task", "x", line(x=TWO)),
    ("bad-task", "x", platinum(x={"x": [1, 2]})),
    ("bad-value", "x", plane(x={})),
    ("bad-task", "x.z", plane(x={"x": [1, 2, 3, 4, 5], "z": [1]})),
    ("bad-number", "x.z.1", plane(x={"x": [1, 2, 3, 4, 5], "z": [1, "a", 1, 1, 1]})),
    ("bad-expression", "function", plane(x={"x": [1, 2, 3, 4, 5], "q": [1, 1, 1, 1, 1]})),
    ("bad-value", "u_x", line(u_x={"x": 0.1}, u_y=1)),
    ("unknown-key", "u_x.q", plane(u_x={"q": 0.1}, u_y=1)),
    ("bad-task", "u_x.x", plane(u_x={"x": [0.1]}, u_y=1)),
    ("degenerate-data", "x", plane(u_x={}, u_y=1)),
    ("out-of-range", "u_y.1", line(u_y=[1, -1, 1, 1, 1])),
    ("out-of-range", "u_y", line(u_y=0)),
    ("out-of-range", "u_x.2", line(u_x=[1, 0, -1, 1, 1], u_y=1)),
    ("out-of-range", "u_x.z", plane(u_x={"x": 0, "z": -1}, u_y=1)),
    ("bad-task", "cov_x", plane(cov_x=[[1]], u_y=1)),
    ("bad-task", "cov_y", line(cov_y=[[1]])),
    ("bad-task", "predict.x", plane(predict={"x": [1, 2]})),
    ("bad-task", "predict.x", plane(predict={"x": {"z": [1], "x": [1]}})),
    ("bad-task", "predict.x", plane(predict={"x": {"x": [1], "z": [1, 2]}})),
    ("bad-task", "predict.x", line(predict={"x": {"x": [1]}})),
    ("out-of-range", "inverse", plane(inverse={"y": [1]})),
    ("out-of-range", "inverse", decay(inverse={"y": [100]})),
    ("out-of-range", "coverage_probability", line(coverage_probability=95)),
    ("missing-key", "degree.at_most", polynomial({})),
    ("unknown-key", "degree.up_to", polynomial({"up_to": 3})),
    ("out-of-range", "degree", polynomial({"at_least": 3, "at_most": 2})),
    ("out-of-range", "x", polynomial({"at_most": 40})),
    ("degenerate-data", "x", polynomial({"at_most": 2}, x=[1, 2], y=[1, 2])),
    ("bad-task", "degree", polynomial(None)),
    ("bad-task", "weighting", decay(u_x=0.1, u_y=0.1, weighting="none")),
    ("bad-task", "inverse", decay(inverse={"y": [1], "readings": [[1]]})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "task"), BAD, ids=range(len(BAD)))
def test_refusals_have_code_and_place(code: str, at: str, task: Any) -> None:
    found = compute({k: v for k, v in task.items() if v is not None})["error"]
    assert (found["code"], found["at"]) == (code, at), found
    assert found["message"].endswith(".")


ALL = [
    decay(u_y=0.1, predict={"x": [1], "u_x": 0.1}, inverse={"readings": [[1, 1.1]]}),
    decay(cov_x=EYE, cov_y=EYE, cov_xy=[[0] * 6] * 6, covariance_method="propagation"),
    decay(u_x=0.01, u_y="0.02", scale_by_residuals=True, u_y_common=0.1),
    decay(weighting="none", u_y=[0.1, 0.2, 0.1, 0.2, 0.1, 0.2], coverage_probability=0.9),
    plane(predict={"x": {"x": [], "z": []}}),
    platinum(predict={"x": [-300, 20]}),
    thermistor(predict={"x": [10000], "u_x": 1}, inverse={"y": [25]}),
    radiation(predict={"x": [300]}),
    polynomial({"at_most": 3}),
]  # fmt: skip


@pytest.mark.parametrize("task", ALL, ids=range(len(ALL)))
def test_results_are_plain_json(task: dict[str, Any]) -> None:
    found = good(compute(task))
    assert (found["kind"], found["model"]) == ("fit", task["model"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert compute(load(json.dumps(task))) == found
