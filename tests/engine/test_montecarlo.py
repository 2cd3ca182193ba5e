from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from calib.engine import montecarlo
from calib.engine.correlations import correlation_matrix
from calib.engine.distributions import describe
from calib.engine.errors import OutOfRange
from calib.engine.expression import parse
from calib.engine.montecarlo import coverage_intervals, numerical_tolerance, run_adaptive
from calib.engine.sampling import Variable, draw
from calib.engine.types import Estimate
from calib.evaluation.tasks import compute
from tests.engine.published import agrees, good, load

REFERENCE = load("jcgm101")
DISTRIBUTIONS = load("distributions")["case"]


def task(function: Any, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    more = {"method": "monte_carlo", "trials": 200_000, "seed": 3} | more
    more = {k: v for k, v in more.items() if v is not None}
    return good(compute({"kind": "propagate", "function": function, "inputs": inputs, **more}))


@pytest.mark.parametrize("case", REFERENCE["case"], ids=[c["clause"] for c in REFERENCE["case"]])
def test_additive_models(case: dict[str, Any]) -> None:
    one = {"value": 0, "distribution": case["distribution"]}
    y = task(case["function"], dict.fromkeys("abcd", one), trials=500_000)["outputs"]["y"]
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
    found = task("1e6*(a^2 + b^2)", inputs, trials=500_000, compare=True)
    y = found["outputs"]["y"]
    assert y["value"] == pytest.approx(row["y"], abs=2, rel=0.001)
    assert y["u"] == pytest.approx(row["u"], abs=1.5)
    assert y["shortest"] == pytest.approx([row["low"], row["high"]], abs=12)
    assert found["gum_validated"] is False


def test_a_linear_model_is_validated() -> None:
    inputs = {n: {"value": 1, "u": 1} for n in "ab"}
    found = task("a + b", inputs, trials=None, adaptive={"digits": 1}, compare=True, order=2)
    assert found["gum_validated"] is True
    assert found["stable"] is True
    assert found["trials"] >= 20_000


def test_same_seed_same_numbers() -> None:
    inputs = {"a": {"value": 1, "u": 1, "dof": 5}}
    assert task("a", inputs) == task("a", inputs)
    assert task("a", inputs, seed=4) != task("a", inputs)


def test_correlated_inputs() -> None:
    inputs = {n: {"value": 0, "u": u} for n, u in (("a", 1), ("b", 2), ("c", 1))}
    model = {"s": "a + b", "d": "a - b", "c": "c"}
    found = task(model, inputs, correlations=[["a", "b", 0.8]])
    assert found["outputs"]["s"]["u"] == pytest.approx(math.sqrt(1 + 4 + 3.2), rel=0.01)
    assert found["outputs"]["d"]["u"] == pytest.approx(math.sqrt(1 + 4 - 3.2), rel=0.01)
    assert found["correlation"]["s"]["d"] == pytest.approx(-3 / math.sqrt(8.2 * 1.8), abs=0.01)
    assert found["correlation"]["s"]["c"] == pytest.approx(0, abs=0.01)
    full = {n: inputs[n] for n in "ab"}
    same = task("b - 2*a", full, correlations=[["a", "b", 1]])
    assert same["outputs"]["y"]["u"] == pytest.approx(0, abs=1e-7)


def test_propagation_agrees_with_monte_carlo() -> None:
    inputs = {"V": {"value": 5, "u": 0.01}, "I": {"value": 0.02, "u": 1e-5}}
    drawn = task({"R": "V/I", "P": "V*I"}, inputs)
    linear = task({"R": "V/I", "P": "V*I"}, inputs, method="gum", trials=None, seed=None)
    for name in ("R", "P"):
        assert drawn["outputs"][name]["u"] == pytest.approx(linear["outputs"][name]["u"], rel=0.01)
    assert drawn["correlation"]["R"]["P"] == pytest.approx(
        linear["correlation"]["R"]["P"], abs=0.01
    )


@pytest.mark.parametrize("case", DISTRIBUTIONS, ids=str)
def test_draws_have_mean_and_standard_deviation(case: dict[str, Any]) -> None:
    given = describe(case["name"], case["parameters"])
    value = 0.0 if given.mean is None else given.mean
    variable = Variable(Estimate(value, given.u), case["name"], case["parameters"])
    x = draw(variable, np.random.default_rng(5).random((variable.dimensions, 200_000)))
    u = given.u * (math.sqrt(5 / 3) if "scale" in case["parameters"] and case["name"] == "t" else 1)
    assert x.mean() == pytest.approx(value, abs=0.015 * u)
    assert x.std() == pytest.approx(u, rel=0.02)


def test_draws_without_a_distribution() -> None:
    w = np.random.default_rng(5).random((2, 200_000))
    assert draw(Variable(Estimate(3)), w[:0]).tolist() == [3] * 200_000
    assert draw(Variable(Estimate(3, 1)), w[:1]).std() == pytest.approx(1, rel=0.02)
    heavy = draw(Variable(Estimate(3, 1, 5)), w)
    assert heavy.std() == pytest.approx(math.sqrt(5 / 3), rel=0.03)
    assert np.quantile(heavy, 0.975) - 3 == pytest.approx(2.571, abs=0.04)


def test_tolerance_of_the_adaptive_procedure() -> None:
    for row in REFERENCE["tolerance"]["rows"]:
        assert numerical_tolerance(row["u"], row["digits"]) == pytest.approx(row["delta"])
    assert numerical_tolerance(0.096, 1) == pytest.approx(0.05)
    assert numerical_tolerance(0, 2) == 0


def test_intervals_by_order_statistics() -> None:
    symmetric, shortest = coverage_intervals(np.arange(1.0, 101.0), 0.9)
    assert symmetric == (5, 95)
    assert shortest[1] - shortest[0] == 90
    skew = np.sort(np.random.default_rng(1).exponential(size=100_000))
    symmetric, shortest = coverage_intervals(skew, 0.95)
    assert symmetric == pytest.approx((-math.log(0.975), -math.log(0.025)), rel=0.03)
    assert shortest == pytest.approx((0, -math.log(0.05)), abs=0.06)


def test_adaptive_may_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(montecarlo, "MAX_TRIALS", 40_000)
    f = {"y": parse("exp(8*a)", ["a"])}
    found = run_adaptive(f, {"a": Variable(Estimate(0, 1))}, r=np.eye(1))
    assert found.stable is False
    assert found.trials == 32_768


def test_adaptive_has_its_limits() -> None:
    f = {"y": parse("a", ["a"])}
    one = {"a": Variable(Estimate(0, 1))}
    with pytest.raises(OutOfRange, match="too near to 1"):
        run_adaptive(f, one, r=np.eye(1), p=1 - 1e-6)
    assert run_adaptive(f, one, r=np.eye(1), p=0.999).trials >= 10 * 2**17


def test_correlated_inputs_must_be_normal() -> None:
    r = correlation_matrix(["a", "b"], [("a", "b", 0.5)])
    flat = Variable(Estimate(0, 1), "rectangular", {"half_width": 1})
    normal = Variable(Estimate(0, 1), "normal", {"u": 1})
    f = {"y": parse("a*b", ["a", "b"])}
    with pytest.raises(OutOfRange, match="must be normal"):
        run_adaptive(f, {"a": normal, "b": flat}, r=r)
