"""Tasks of compute: strict reading, stable codes, faults that stay where they are."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from calib.evaluation.tasks import KINDS, compute, compute_many, load
from calib.evaluation.tasks.reader import TaskRefused
from tests.engine.published import good

X: dict[str, Any] = {"value": 1, "u": 0.1}
MANY = "+".join(f"x{i}" for i in range(61))
TWO = {"x": X, "z": X}
UNIT = {"name": "uniform", "low": 0, "high": 1}
GROUPS = [{"mean": 1, "s": 0, "n": 2}, {"mean": 2, "s": 0, "n": 3}]
EYE = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def propagate(function: Any = "x", inputs: Any = None, **more: Any) -> dict[str, Any]:
    return {"kind": "propagate", "function": function, "inputs": inputs or {"x": X}, **more}


def drawn(function: Any = "x", inputs: Any = None, **more: Any) -> dict[str, Any]:
    return propagate(function, inputs, method="monte_carlo", **more)


def fit(**more: Any) -> dict[str, Any]:
    return {"kind": "fit", "model": "line", "x": [0, 1, 2], "y": [0, 1, 2.2], **more}


def type_a(**more: Any) -> dict[str, Any]:
    return {"kind": "type_a", "readings": [1, 2, 3, 4], **more}


def conformity(**more: Any) -> dict[str, Any]:
    return {
        "kind": "conformity",
        "value": 0,
        "u": 1,
        "lower": -1,
        "upper": 1,
        "rule": "simple",
    } | more


NO_NUMBERS = [True, False, None, "", " 1", "1 ", "1,5", "1_000", "0x10", "nan", "inf", "-Infinity",
              "1e400", "1e99999", "1e-400", "\u0661", "\uff11", [], {}, math.nan, math.inf, 10**400,
              Decimal("nan"), Decimal("1e400"), "9" * 500, "+-1", "1e", "."]  # fmt: skip


@pytest.mark.parametrize("bad", NO_NUMBERS, ids=range(len(NO_NUMBERS)))
def test_what_is_no_number(bad: Any) -> None:
    found = compute(propagate(inputs={"x": {"value": bad}}))["error"]
    assert found["code"] == ("missing-key" if bad is None else "bad-number")
    assert found["at"] == "inputs.x.value"
    found = compute(fit(y=[0, bad, 2]))["error"]
    assert (found["code"], found["at"]) == ("bad-number", "y.1")


@pytest.mark.parametrize(
    "number", [2, 2.0, "2", "2.00", "+2", "20e-1", ".2E+1", Decimal("2.0")], ids=repr
)
def test_what_is_a_number(number: Any) -> None:
    assert good(compute(propagate(inputs={"x": {"value": number}})))["outputs"]["y"]["value"] == 2


BAD: list[tuple[str, str, Any]] = [
    ("bad-task", "", 3),
    ("bad-task", "", [1]),
    ("unknown-kind", "kind", {}),
    ("unknown-kind", "kind", {"kind": 3}),
    ("unknown-kind", "kind", {"kind": "guess"}),
    # propagate
    ("unknown-key", "reading", propagate(reading=1)),
    ("unknown-key", "inputs.x.U95", propagate(inputs={"x": {"value": 1, "U95": 1}})),
    ("missing-key", "inputs", {"kind": "propagate", "function": "1"}),
    ("missing-key", "function", {"kind": "propagate", "inputs": {}}),
    ("bad-value", "inputs", propagate(inputs=[1])),
    ("bad-value", "inputs", propagate(inputs={f"x{i}": X for i in range(201)})),
    ("bad-task", "inputs.x", propagate(inputs={"x": 3})),
    ("bad-expression", "inputs.2x", propagate(inputs={"2x": X})),
    ("bad-expression", "inputs.pi", propagate(inputs={"pi": X})),
    ("bad-expression", "function", propagate("x.real")),
    ("bad-expression", "function.R", propagate({"R": "y"})),
    ("bad-expression", "function.2", propagate({"2": "x"})),
    ("bad-value", "function", propagate(3)),
    ("bad-value", "function", propagate({})),
    ("bad-value", "function.y", propagate({"y": 3})),
    ("out-of-range", "function", propagate("1/(x-x)")),
    ("bad-task", "inputs.x", propagate(inputs={"x": {"value": 1, "u": 1, "U": 2, "k": 2}})),
    ("bad-task", "inputs.x", propagate(inputs={"x": {"value": 1, "U": 2}})),
    ("bad-task", "inputs.x", propagate(inputs={"x": {"value": 1, "u": 2, "k": 2}})),
    ("bad-number", "inputs.x.k", propagate(inputs={"x": {"value": 1, "U": 2, "k": 0}})),
    ("out-of-range", "inputs.x", propagate(inputs={"x": {"value": 1, "u": -1}})),
    ("out-of-range", "inputs.x", propagate(inputs={"x": {"value": 1, "u": 1, "dof": 0}})),
    ("bad-task", "inputs.x", propagate(inputs={"x": {"value": 1, "readings": [1, 2]}})),
    ("degenerate-data", "inputs.x", propagate(inputs={"x": {"readings": [1]}})),
    ("bad-value", "inputs.x.readings", propagate(inputs={"x": {"readings": 1}})),
    ("bad-value", "inputs.x.distribution.name",
     propagate(inputs={"x": {"value": 1, "distribution": 3}})),
    ("bad-value", "inputs.x.distribution.name",
     propagate(inputs={"x": {"value": 1, "distribution": {"name": "lognormal"}}})),
    ("unknown-key", "inputs.x.distribution.sd",
     propagate(inputs={"x": {"value": 1, "distribution": {"name": "normal", "sd": 1}}})),
    ("out-of-range", "inputs.x",
     propagate(inputs={"x": {"value": 1, "distribution": {"name": "normal"}}})),
    ("missing-key", "inputs.x.value",
     propagate(inputs={"x": {"distribution": {"name": "normal", "u": 1}}})),
    ("bad-value", "inputs.x.value",
     propagate(inputs={"x": {"value": 9, "distribution": UNIT}})),
    ("bad-value", "correlations", propagate(correlations=3)),
    ("bad-value", "correlations.0", propagate(correlations=[["x", "x"]])),
    ("bad-value", "correlations.0", propagate(correlations=[[1, "x", 0]])),
    ("out-of-range", "correlations", propagate(correlations=[["x", "q", 0.1]])),
    ("bad-value", "order", propagate(order=3)),
    ("bad-task", "order", propagate("x*z", TWO, order=2, correlations=[["x", "z", 0.5]])),
    ("bad-task", "order", propagate({"q": "q - x"}, order=2, implicit=True)),
    ("bad-task", "k", propagate(k=2, coverage_probability=0.95)),
    ("bad-task", "k", propagate(k=2, coverage="dominant")),
    ("bad-task", "coverage_probability", propagate(coverage="two_or_t", coverage_probability=0.9)),
    ("bad-number", "k", propagate(k=0)),
    ("bad-value", "coverage", propagate(coverage="normal")),
    ("out-of-range", "coverage_probability", propagate(coverage_probability=95)),
    ("bad-value", "method", propagate(method="guess")),
    ("bad-task", "seed", propagate(seed=1)),
    ("bad-value", "implicit", propagate(implicit=1)),
    ("bad-task", "start", propagate(start={"y": 1})),
    ("unknown-key", "start.z", propagate({"q": "q - x"}, implicit=True, start={"z": 1})),
    ("bad-value", "function.x", propagate({"x": "x"}, implicit=True)),
    ("not-converged", "function", propagate({"q": "q^2 + x"}, implicit=True, start={"q": 1.3})),
    ("bad-value", "simultaneous.0", propagate(simultaneous=["x", "z"])),
    ("bad-value", "simultaneous.0", propagate(simultaneous=["x", "x"])),
    ("bad-value", "simultaneous.0", propagate(simultaneous=["x"])),
    ("bad-value", "simultaneous.0",
     propagate(inputs={"x": {"readings": [1, 2]}, "z": {"readings": [1, 2, 3]}},
               simultaneous=["x", "z"])),
    ("bad-task", "average", propagate(average="results")),
    ("out-of-range", "function", propagate(MANY, dict.fromkeys(MANY.split("+"), X), order=2)),
    # propagate by Monte Carlo
    ("bad-task", "k", drawn(k=2)),
    ("bad-task", "order", drawn(order=2)),
    ("bad-task", "trials", drawn(trials=10_000, adaptive={})),
    ("bad-number", "trials", drawn(trials=1e4 + 0.5)),
    ("out-of-range", "trials", drawn(trials=100)),
    ("out-of-range", "trials", drawn(trials=10**10)),
    ("out-of-range", "function", drawn("log(x - 1)")),
    ("out-of-range", "seed", drawn(seed=-1)),
    ("out-of-range", "adaptive", drawn(adaptive={"digits": 3})),
    ("unknown-key", "adaptive.places", drawn(adaptive={"places": 2})),
    ("out-of-range", "inputs.x",
     drawn(inputs={"x": {"value": 1, "distribution": {"name": "t", "u": 1, "dof": 2}}})),
    ("out-of-range", "correlations",
     drawn("x*z", {"x": X, "z": {"value": 1, "u": 1, "dof": 4}}, correlations=[["x", "z", 0.5]])),
    # type_a
    ("bad-value", "method", type_a(method="median")),
    ("missing-key", "readings", {"kind": "type_a"}),
    ("bad-task", "lags", type_a(method="range", lags=2)),
    ("bad-number", "lags", type_a(lags=0)),
    ("bad-number", "lags", type_a(lags=1.5)),
    ("degenerate-data", "lags", type_a(lags=9)),
    ("bad-value", "outliers.test", type_a(outliers={"test": "dixon"})),
    ("missing-key", "outliers.test", type_a(outliers={})),
    ("out-of-range", "outliers", type_a(outliers={"test": "grubbs", "sided": 3})),
    ("degenerate-data", "readings", type_a(readings=[1])),
    ("bad-value", "readings.0", type_a(method="pooled")),
    ("bad-task", "readings", type_a(method="nested", groups=[])),
    ("out-of-range", "groups", {"kind": "type_a", "method": "nested",
                                "groups": [{"mean": 1, "s": 1, "n": 1}] * 2}),
    # fit
    ("missing-key", "function", fit(model="expression")),
    ("degenerate-data", "x", fit(u_x=0.1)),
    ("bad-task", "weighting", fit(u_x=0.1, u_y=0.1, weighting="none")),
    ("bad-value", "covariance_method", fit(u_x=0.1, u_y=0.1, covariance_method="some")),
    ("bad-task", "cov_xy", fit(u_x=0.1, u_y=0.1, cov_xy=[[0, 0]])),
    ("bad-task", "function", fit(function="x")),
    ("bad-task", "degree", fit(degree=1)),
    ("bad-task", "degree", fit(model="polynomial")),
    ("bad-task", "y", fit(y=[1, 2])),
    ("degenerate-data", "x", fit(x=[1, 1, 1])),
    ("bad-task", "cov_y", fit(cov_y=[[1], [1, 2]])),
    ("singular-fit", "x", fit(cov_y=[[1, 1, 1]] * 3)),
    ("bad-value", "weighting", fit(weighting="some")),
    ("bad-value", "scale_by_residuals", fit(scale_by_residuals="yes")),
    ("bad-task", "inverse", fit(inverse={"y": [1], "readings": [[1]]})),
    ("degenerate-data", "inverse.readings", fit(u_y=[1, 1, 2], inverse={"readings": [[1]]})),
    ("out-of-range", "predict", fit(predict={"x": [1], "u_x": [1, 2]})),
    # conformity
    ("bad-value", "rule", conformity(rule="jjg")),
    ("missing-key", "value", {"kind": "conformity", "rule": "simple"}),
    ("degenerate-data", "", conformity(lower=None, upper=None)),
    ("degenerate-data", "", conformity(U=1)),
    ("bad-number", "lower", conformity(lower=True)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "task"), BAD, ids=range(len(BAD)))
def test_refusals_have_code_and_place(code: str, at: str, task: Any) -> None:
    found = compute(task)["error"]
    assert (found["code"], found["at"]) == (code, at), found
    assert found["message"].endswith(".")


def test_a_list_keeps_order_and_hides_nothing() -> None:
    results, ok = compute_many([propagate(), {"kind": "guess"}, type_a()])
    assert not ok
    assert isinstance(results, list)
    assert [r.get("kind", "error") for r in results] == ["propagate", "error", "type_a"]
    assert compute_many([propagate()])[1]
    assert compute_many([]) == ([], True)
    assert compute_many(propagate())[1]
    assert not compute_many(None)[1]


def test_an_unexpected_fault_stays_in_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "broken", "calib.evaluation.tasks.type_a:no_such_function")
    results, ok = compute_many([{"kind": "broken"}, type_a()])
    assert not ok
    assert isinstance(results, list)
    assert results[0]["error"]["code"] == "internal-error"
    assert results[1]["n"] == 4


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_refuses_an_unknown_key_by_name(kind: str) -> None:
    named = {"function": "prt_resistance"} if kind == "thermometry" else {}
    refused = compute({"kind": kind, "no_such_key": 1} | named)["error"]
    assert refused["code"] != "internal-error"
    assert "no_such_key" in refused["message"] + refused["at"]


def test_load_keeps_every_digit() -> None:
    document = load('{"value": 0.10000000000000000001, "n": 3, "s": "2.50"}')
    assert document == {"value": Decimal("0.10000000000000000001"), "n": 3, "s": "2.50"}


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "bad-json"), ("NaN", "bad-number"), ("[Infinity]", "bad-number"),
     ('{"a": 1, "a": 2}', "bad-task"), ("[" * 100_000, "bad-json")],
    ids=range(5),
)  # fmt: skip
def test_load_refuses(text: str, code: str) -> None:
    with pytest.raises(TaskRefused) as caught:
        load(text)
    assert caught.value.code == code


ALL = [
    propagate({"y": "x + z", "w": "x*z"}, {"x": X, "z": {"value": 2, "U": "2", "k": 2, "dof": 9}}),
    propagate({"q": "q - x"}, implicit=True),
    propagate(inputs={"x": {"distribution": {"name": "exponential", "mean": 3}, "dof": 4}}, k=2),
    propagate(inputs={"x": {"value": 0.5, "distribution": UNIT}}),
    propagate("x*z", TWO, order=2, correlations=[["x", "z", 0]]),
    drawn({"y": "x*z", "w": "x"}, TWO, trials=10_000, correlations=[["x", "z", 0.5]]),
    drawn(adaptive={"digits": 1}, compare=True, order=1, seed="7"),
    drawn(inputs={"x": {"value": 3}}, trials=10_000),
    type_a(method="bessel", lags=2, outliers={"test": "grubbs", "alpha": 0.01, "sided": 1}),
    type_a(method="range"),
    type_a(method="autocorrelated"),
    type_a(method="pooled", readings=[[1, 2], [3, 5]]),
    type_a(method="nested", readings=[[1, 2], [3, 5]]),
    {"kind": "type_a", "method": "nested", "groups": GROUPS},
    fit(predict={"x": [1, 5], "u_x": 0.1}, inverse={"y": [1.1], "u_y": [0.1]}),
    fit(model="polynomial", degree=2, u_y=[0.1, 0.1, 0.2], predict={"x": [1]}),
    fit(model="proportional", y=[0, 1, 2], cov_y=EYE, weighting="none"),
    fit(u_x=0.1, u_y=0.1, predict={"x": [1], "u_x": 0.1}, inverse={"y": [1], "u_y": 0.1}),
    fit(cov_x=EYE, cov_y=EYE, cov_xy=[[0] * 3] * 3, u_y_common=1, covariance_method="propagation"),
    fit(x=[0, 1], y=[0, 1], predict={"x": [1]}, inverse={"y": [1]}),
    fit(u_y=0.1, scale_by_residuals=True, u_y_common=0.01, inverse={"readings": [[1, 1.1]]}),
    conformity(),
    conformity(rule="iso14253_1", lower=None),
    conformity(rule="tur4", u="0.5"),
]  # fmt: skip


@pytest.mark.parametrize("task", ALL, ids=range(len(ALL)))
def test_results_are_plain_json(task: dict[str, Any]) -> None:
    found = good(compute(task))
    assert found["kind"] == task["kind"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    again = compute(load(json.dumps(task)))
    assert again == found


def test_infinite_degrees_of_freedom_are_null() -> None:
    y = good(compute(propagate()))["outputs"]["y"]
    assert y["dof"] is None
    assert y["budget"][0]["dof"] is None
    assert y["k"] == pytest.approx(1.959964, abs=1e-6)
    assert y["interval"] == [y["value"] - y["U"], y["value"] + y["U"]]


TOLD = [
    ("x must be an object, got a number", propagate(inputs={"x": Decimal("1.0")})),
    ("x must be an object, got a number", propagate(inputs={"x": 1})),
    ("x must be an object, got a text", propagate(inputs={"x": "1"})),
    ("x must be an object, got a list", propagate(inputs={"x": (1,)})),
    ("'1,5'. Write a decimal point, not a comma.", propagate(inputs={"x": {"value": "1,5"}})),
    ('write {"name": "uniform", "low": ..., "high": ...}.',
     propagate(inputs={"x": {"value": 1, "distribution": "uniform"}})),
    ('write {"name": "rectangular", "half_width": ...}.',
     propagate(inputs={"x": {"value": 1, "distribution": "flat"}})),
]  # fmt: skip


@pytest.mark.parametrize(("words", "task"), TOLD, ids=range(len(TOLD)))
def test_a_fault_is_told_in_plain_words(words: str, task: dict[str, Any]) -> None:
    assert words in compute(task)["error"]["message"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), (" \n", "empty"), ('{"value": 1,5}', "decimal point, not a comma"),
     ("{kind: 1}", "in double quotes"), ("[1,]", "behind the last item")],
)  # fmt: skip
def test_a_document_that_is_no_json_is_told_how_to_mend_it(text: str, words: str) -> None:
    with pytest.raises(TaskRefused, match=words) as caught:
        load(text)
    assert caught.value.code == "bad-json"


def test_decimals_are_compared_as_written() -> None:
    text = '{"kind": "conformity", "value": 0.1, "U": 0.2, "upper": 0.3, "rule": "guard_U"}'
    assert good(compute(load(text)))["verdict"] == "pass"
    assert good(compute(json.loads(text)))["verdict"] == "pass"
