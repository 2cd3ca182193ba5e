"""Tasks of kind propagate with method monte_carlo."""

from __future__ import annotations

import math
from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load

REFERENCE = load("jcgm101")
X: dict[str, Any] = {"value": 1, "u": 0.1}
TWO = {"a": X, "b": {"value": 2, "distribution": {"name": "rectangular", "half_width": 1}}}


def task(function: Any = "a", inputs: Any = None, **more: Any) -> dict[str, Any]:
    start = {"kind": "propagate", "function": function, "inputs": inputs or {"a": X}}
    return start | {"method": "monte_carlo", "trials": 20_000} | more


def done(function: Any = "a", inputs: Any = None, **more: Any) -> dict[str, Any]:
    given = {k: v for k, v in task(function, inputs, **more).items() if v is not None}
    return good(compute(given))


@pytest.mark.parametrize("sampling", ["random", "sobol", "control_variate"])
@pytest.mark.parametrize("case", REFERENCE["case"], ids=[c["clause"] for c in REFERENCE["case"]])
def test_additive_models(case: dict[str, Any], sampling: str) -> None:
    one = {"value": 0, "distribution": case["distribution"]}
    inputs = dict.fromkeys("abcd", one)
    y = done(case["function"], inputs, trials=200_000, sampling=sampling)["outputs"]["y"]
    assert agrees(y["u"], case["u"])
    assert agrees(-y["interval"][0], case["interval"])
    assert agrees(y["interval"][1], case["interval"])
    assert y["U"] == (y["interval"][1] - y["interval"][0]) / 2
    assert y["k"] == y["U"] / y["u"]
    assert y["dof"] is None


@pytest.mark.parametrize("row", REFERENCE["loss"]["rows"], ids=lambda r: str(r["x1"]))
def test_comparison_loss(row: dict[str, float]) -> None:
    u = REFERENCE["loss"]["u_in"]
    inputs = {"a": {"value": row["x1"], "u": u}, "b": {"value": 0, "u": u}}
    found = done("1e6*(a^2 + b^2)", inputs, trials=2**17, sampling="sobol", compare=True)
    y = found["outputs"]["y"]
    assert y["value"] == pytest.approx(row["y"], abs=2, rel=0.001)
    assert y["u"] == pytest.approx(row["u"], abs=1.5)
    assert y["shortest"] == pytest.approx([row["low"], row["high"]], abs=7)
    assert found["gum_validated"] is False


@pytest.mark.parametrize("case", REFERENCE["bent"], ids=lambda c: c["source"])
def test_models_that_bend(case: dict[str, Any]) -> None:
    more = {"correlations": case["correlations"]} if "correlations" in case else {}
    found = done(case["function"], case["inputs"], trials=2**17, sampling="sobol", **more)
    y = found["outputs"]["y"]
    assert agrees(y["value"], case["value"])
    assert agrees(y["u"], case["u"])
    for end, figure in zip(("low", "high"), y["interval"], strict=True):
        assert end not in case or agrees(figure, case[end])
    if "shortest" in case:
        expected = case["shortest"]["value"]
        assert y["shortest"] == pytest.approx(expected, abs=case["shortest"]["tolerance"])


def test_a_result_says_how_it_can_be_repeated() -> None:
    found = done(seed=7, item=3, sampling="random")
    assert {k: found[k] for k in ("trials", "seed", "item", "sampling", "generator")} == {
        "trials": 20_000, "seed": 7, "item": 3, "sampling": "random", "generator": "SFC64",
    }  # fmt: skip
    assert (found["intervals"], found["stable"]) == ("order_statistics", None)
    assert done(seed=7, item=3, sampling="random") == found
    assert done(seed=7, item=4, sampling="random")["outputs"] != found["outputs"]
    assert done(seed=8, item=3, sampling="random")["outputs"] != found["outputs"]


@pytest.mark.parametrize(
    ("sampling", "more"),
    [("random", {}), ("sobol", {"trials": 32_000}), ("random", {"trials": None, "adaptive": {}}),
     ("random", {"trials": 32_000, "coverage_probability": 0.99})],
)  # fmt: skip
def test_where_trials_come_from_unless_asked(sampling: str, more: dict[str, Any]) -> None:
    assert done(**more)["sampling"] == sampling
    assert (done()["seed"], done()["item"], done(trials=None)["trials"]) == (1, 0, 1_000_000)


def test_standard_errors_are_given() -> None:
    y = done()["outputs"]["y"]
    assert set(y["standard_error"]) == {"value", "u", "low", "high"}
    assert y["standard_error"]["value"] == pytest.approx(0.1 / math.sqrt(20_000), rel=0.05)
    assert y["value"] == pytest.approx(1, abs=5 * y["standard_error"]["value"])


def test_several_outputs() -> None:
    found = done({"s": "a + b", "d": "a - b"}, TWO)
    r = (0.01 - 1 / 3) / (0.01 + 1 / 3)
    assert found["correlation"]["s"]["d"] == pytest.approx(r, abs=0.01)
    assert found["correlation"]["d"]["d"] == 1


def test_adaptive() -> None:
    found = done(trials=None, adaptive={"digits": 1}, seed=2)
    assert found["stable"] is True
    assert found["trials"] == 100_000


def test_validation_of_a_linear_model() -> None:
    inputs = {n: {"value": 1, "u": 1} for n in "ab"}
    found = done("a + b", inputs, trials=None, adaptive={"digits": 1}, compare=True, order=2)
    assert found["gum_validated"] is True
    row = found["validation"]["y"]
    assert row["delta"] == 0.5
    low, high = found["outputs"]["y"]["interval"]
    half = 1.959963984540054 * math.sqrt(2)
    assert row["d_low"] == pytest.approx(abs(2 - half - low))
    assert row["d_high"] == pytest.approx(abs(2 + half - high))
    # for a comparison the run is stable to a fifth of the tolerance
    alone = done("a + b", inputs, trials=None, adaptive={"digits": 2})
    compared = done("a + b", inputs, trials=None, adaptive={"digits": 2}, compare=True)
    assert compared["trials"] > 4 * alone["trials"]


def test_validation_names_the_output_that_fails() -> None:
    found = done({"y": "a", "z": "a*a*a"}, {"a": {"value": 0, "u": 1}}, compare=True, trials=10**5)
    assert found["validation"]["z"]["validated"] is False
    assert found["gum_validated"] is False
    assert done(trials=10**6, sampling="control_variate", compare=True)["gum_validated"] is True


def test_the_linear_model_draws_nothing() -> None:
    found = done("a + b", TWO, trials=None, sampling="linearised", compare=True)
    assert (found["trials"], found["seed"], found["generator"]) == (0, None, None)
    assert found["intervals"] == "characteristic_function"
    drawn = done("a + b", TWO, trials=200_000)["outputs"]["y"]
    assert found["outputs"]["y"]["interval"] == pytest.approx(drawn["interval"], abs=0.01)
    assert found["gum_validated"] is False


def test_an_accelerator_that_does_not_pay_is_not_claimed() -> None:
    inputs = {"a": {"value": 0, "u": 1}}
    assert done("a*a", inputs, trials=50_000, sampling="control_variate")["sampling"] == "random"


def test_implicit_model() -> None:
    function = {"y": "y^3 - a", "z": "z - y*b"}
    inputs = {"a": {"value": 8, "u": 0.3}, "b": {"value": 1, "u": 0.01}}
    more = {"implicit": True, "start": {"y": 1.5}, "compare": True}
    found = done(function, inputs, **more)
    explicit = done({"y": "a^(1/3)", "z": "a^(1/3)*b"}, inputs)
    for name in ("y", "z"):
        one, other = found["outputs"][name], explicit["outputs"][name]
        assert one["interval"] == pytest.approx(other["interval"], rel=1e-12)
        assert one["u"] == pytest.approx(other["u"], rel=1e-9)
    assert found["correlation"]["y"]["z"] == pytest.approx(
        explicit["correlation"]["y"]["z"], rel=1e-9
    )
    assert found["validation"]["y"]["validated"] in (True, False)


def test_without_uncertainty() -> None:
    y = done("a*3", {"a": {"value": 2}})["outputs"]["y"]
    assert (y["value"], y["u"], y["U"], y["k"]) == (6, 0, 0, None)
    assert y["interval"] == y["shortest"] == [6, 6]


FLAT = {"value": 0, "distribution": {"name": "rectangular", "half_width": 1}}
BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("bad-task", "k", {"k": 2}),
    ("bad-task", "coverage", {"coverage": "t"}),
    ("bad-task", "order", {"order": 2}),
    ("bad-value", "order", {"order": 3, "compare": True}),
    ("bad-task", "trials", {"adaptive": {"digits": 2}}),
    ("out-of-range", "trials", {"trials": 1999}),
    ("out-of-range", "trials", {"trials": 2_000_000_000}),
    ("bad-number", "trials", {"trials": 2000.5}),
    ("out-of-range", "trials", {"trials": 31_999, "sampling": "sobol"}),
    ("out-of-range", "seed", {"seed": -1}),
    ("out-of-range", "item", {"item": -1}),
    ("bad-number", "item", {"item": "x"}),
    ("bad-value", "sampling", {"sampling": "latin"}),
    ("bad-task", "sampling", {"sampling": "sobol", "trials": None, "adaptive": {}}),
    ("bad-task", "trials", {"sampling": "linearised"}),
    ("bad-task", "seed", {"sampling": "linearised", "trials": None, "seed": 1}),
    ("out-of-range", "adaptive", {"trials": None, "adaptive": {"digits": 3}}),
    ("unknown-key", "adaptive.digit", {"trials": None, "adaptive": {"digit": 2}}),
    ("bad-task", "start", {"start": {"y": 1}}),
    ("out-of-range", "trials", {"function": "log(a)", "inputs": {"a": {"value": 0.1, "u": 1}}}),
    ("out-of-range", "correlations", {
        "function": "a*b", "inputs": {"a": FLAT, "b": X}, "correlations": [["a", "b", 0.5]],
    }),
    ("not-converged", "trials", {
        "function": "y*y - a", "inputs": {"a": {"value": 1, "u": 1}}, "implicit": True,
    }),
    ("bad-task", "order", {
        "function": "y - a", "implicit": True, "compare": True, "order": 2,
    }),
    ("out-of-range", "sampling", {
        "function": "y - a", "implicit": True, "sampling": "linearised", "trials": None,
    }),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "more"), BAD, ids=range(len(BAD)))
def test_bad_tasks(code: str, at: str, more: dict[str, Any]) -> None:
    given = {k: v for k, v in (task() | more).items() if v is not None}
    error = compute(given)["error"]
    assert (error["code"], error["at"]) == (code, at)
    assert error["message"]
