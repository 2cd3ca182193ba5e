"""Quasi-random points, the exact linear model and the control variate against exact results."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from calib.engine import linearised
from calib.engine.accelerated import run_controlled, run_linearised, run_sobol
from calib.engine.characteristic import characteristic, t_factor
from calib.engine.correlations import correlation_matrix
from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.expression import parse
from calib.engine.fleet_montecarlo import linearise_fleet
from calib.engine.linearised import propagate_linearised, standard_deviation
from calib.engine.montecarlo import run_monte_carlo
from calib.engine.quantiles import quantile
from calib.engine.sampling import Variable, draw
from calib.engine.streams import RandomPoints
from calib.engine.types import Estimate
from tests.engine.published import load
from tests.engine.test_montecarlo import FLAT, ONE, inside, plan_of

REFERENCE = load("linearised")
UNIT = Variable(Estimate(0, 1), "rectangular", {"half_width": math.sqrt(3)})
SHAPES: dict[str, Variable] = {
    "normal": ONE,
    "t": Variable(Estimate(0, 1, 6)),
    "t by u": Variable(Estimate(0, 1), "t", {"u": 1.0, "dof": 6.0}),
    "rectangular": FLAT,
    "uniform": Variable(Estimate(0.5, 1), "uniform", {"low": 0.0, "high": 1.0}),
    "triangular": Variable(Estimate(0, 1), "triangular", {"half_width": 1.0}),
    "trapezoidal": Variable(Estimate(0, 1), "trapezoidal", {"half_width": 1.0, "beta": 0.4}),
    "arcsine": Variable(Estimate(0, 1), "arcsine", {"half_width": 1.0}),
    "curvilinear": Variable(
        Estimate(0, 1), "curvilinear_trapezoid", {"half_width": 1.0, "inexactness": 0.3}
    ),
    "plain curvilinear": Variable(
        Estimate(0, 1), "curvilinear_trapezoid", {"half_width": 1.0, "inexactness": 0.0}
    ),
    "exponential": Variable(Estimate(2, 2), "exponential", {"mean": 2.0}),
    "gamma": Variable(Estimate(1.5, 1), "gamma", {"shape": 3.0, "scale": 0.5}),
    "beta": Variable(Estimate(0.4, 1), "beta", {"alpha": 2.0, "beta": 3.0}),
}


def thermometer() -> tuple[list[Variable], Any, Any]:
    """Give inputs, signs and correlations of the additive budget of ten inputs."""
    case = REFERENCE["thermometer"]
    inputs = []
    for k, (u, dof) in enumerate(zip(case["u"], case["dof"], strict=True)):
        if k in case["rectangular"]:
            shape = {"half_width": u * math.sqrt(3)}
            inputs.append(Variable(Estimate(0, u), "rectangular", shape))
        else:
            inputs.append(Variable(Estimate(0, u, dof or math.inf)))
    tie = case["correlated"]
    names = [str(k) for k in range(10)]
    r = correlation_matrix(names, [(names[tie["a"]], names[tie["b"]], tie["r"])])
    return inputs, np.array(case["signs"], dtype=float)[:, None], r


def test_thermometer_budget_to_the_last_digits() -> None:
    inputs, signs, r = thermometer()
    found = propagate_linearised(inputs, signs, r=r)
    case = REFERENCE["thermometer"]
    assert found.u[0] == pytest.approx(case["standard_deviation"], rel=1e-14)
    assert found.high[0] == pytest.approx(case["half_width"], rel=1e-8)
    assert found.low[0] == -found.high[0]


@pytest.mark.parametrize("case", REFERENCE["sums"], ids=lambda c: c["note"])
def test_sums_of_rectangles(case: dict[str, Any]) -> None:
    n = len(case["factors"])
    factors = np.array(case["factors"], dtype=float)[:, None]
    found = propagate_linearised([UNIT] * n, factors, r=np.eye(n))
    assert found.high[0] == pytest.approx(case["high"], rel=2e-9)


@pytest.mark.parametrize("row", REFERENCE["t"]["rows"], ids=lambda r: str(r["dof"]))
def test_characteristic_function_of_t_in_closed_form(row: dict[str, Any]) -> None:
    s = 2.0 ** np.arange(-10, 5, 0.3)
    x = math.sqrt(row["dof"]) * s
    expected = np.exp(-x) * np.polynomial.polynomial.polyval(x, row["polynomial"])
    assert t_factor(s, row["dof"]) == pytest.approx(expected, rel=1e-10)


def test_characteristic_functions_of_t_join() -> None:
    s = np.linspace(0.01, 4, 50)
    steps = [t_factor(s, dof) for dof in (59.9, 60, 60.1, 60.2)]
    jumps = [np.max(np.abs(b - a)) for a, b in pairwise(steps)]
    assert max(jumps) < 1.05 * min(jumps)
    assert t_factor(s, 1e8) == pytest.approx(np.exp(-s * s / 2), rel=1e-6)


@pytest.mark.parametrize("variable", SHAPES.values(), ids=SHAPES)
def test_characteristic_functions_against_draws(variable: Variable) -> None:
    points = RandomPoints(3, 0)
    n = 400_000
    x = draw(variable, *(points.take(j, n) for j in range(variable.dimensions)))
    s = np.array([0.0, 0.3, 1.0, 3.0])
    name, p = variable.drawn_as
    found = characteristic(name, p, s)
    mean = 0.4 if name == "beta" else variable.estimate.value
    expected = [np.mean(np.exp(1j * one * (x - mean))) for one in s]
    assert np.max(np.abs(found - expected)) < 5 / math.sqrt(n)
    assert found[0] == pytest.approx(1, abs=1e-9)
    assert standard_deviation(variable) == pytest.approx(x.std(), rel=0.01)


@pytest.mark.parametrize("variable", SHAPES.values(), ids=SHAPES)
def test_a_lone_input_keeps_its_own_quantiles(variable: Variable) -> None:
    name, p = variable.drawn_as
    mean = {"beta": 0.4, "normal": 0.0, "t": 0.0}.get(name, variable.estimate.value)
    low, high = (quantile(name, q, p, mean) - mean for q in (0.05, 0.95))
    found = propagate_linearised([variable], [[2.0, -1.0]], r=np.eye(1), p=0.9)
    assert found.low == pytest.approx([2 * low, -high])
    assert found.high == pytest.approx([2 * high, -low])
    width = found.short_high - found.short_low
    assert np.all(width <= (found.high - found.low) * (1 + 1e-12))
    assert (found.short_low + found.short_high)[0] * (found.short_low + found.short_high)[
        1
    ] <= 1e-12


def test_skew_sums_against_the_gamma_distribution() -> None:
    part = Variable(Estimate(1, 1), "exponential", {"mean": 1.0})
    found = propagate_linearised([part] * 4, np.array([[1.0, -2.0]] * 4), r=np.eye(4))
    shape = {"shape": 4.0, "scale": 1.0}
    low, high = (quantile("gamma", q, shape) - 4 for q in (0.025, 0.975))
    assert found.low == pytest.approx([low, -2 * high], abs=1e-8)
    assert found.high == pytest.approx([high, -2 * low], abs=1e-8)
    # the ends of the shortest interval are equally dense: x^3 exp(-x)
    left, right = found.short_low[0] + 4, found.short_high[0] + 4
    assert 3 * math.log(left) - left == pytest.approx(3 * math.log(right) - right, abs=1e-4)


def test_sharp_edges_and_heavy_tails_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    heavy = Variable(Estimate(0, 1, 2.01))
    with pytest.raises(NotConverged, match="Use random trials"):
        propagate_linearised([heavy, heavy], np.ones((2, 1)), r=np.eye(2))
    with pytest.raises(OutOfRange, match="more than 2 dof"):
        propagate_linearised([Variable(Estimate(0, 1, 2)), ONE], np.ones((2, 1)), r=np.eye(2))
    monkeypatch.setattr(linearised, "MOST_TERMS", 100)
    # the probe of the first item is good enough, the second item is not
    with pytest.raises(NotConverged):
        propagate_linearised([ONE, FLAT], np.array([[1.0, 1e-3], [0.1, 1.0]]), r=np.eye(2))


def test_correlated_inputs_of_the_linear_model_must_be_normal() -> None:
    r = correlation_matrix(["a", "b"], [("a", "b", 0.5)])
    with pytest.raises(OutOfRange, match="must be normal"):
        propagate_linearised([ONE, FLAT], np.ones((2, 1)), r=r)


def test_items_without_uncertainty() -> None:
    exact = Variable(Estimate(5))
    found = propagate_linearised([ONE, FLAT, exact], [[0.0, 1.0], [0, 1], [9, 9]], r=np.eye(3))
    assert (found.u[0], found.low[0], found.high[0]) == (0, 0, 0)
    assert found.high[1] > 1


@settings(max_examples=20, deadline=None)
@given(some.lists(some.floats(0.2, 5), min_size=3, max_size=5), some.floats(0.01, 100))
def test_linear_model_scales_and_does_not_mind_order(c: list[float], scale: float) -> None:
    variables = [ONE, FLAT, SHAPES["t"], SHAPES["triangular"], SHAPES["arcsine"]][: len(c)]
    eye, factors = np.eye(len(c)), np.array(c)[:, None]
    found = propagate_linearised(variables, factors, r=eye)
    larger = propagate_linearised(variables, factors * scale, r=eye)
    turned = propagate_linearised(variables[::-1], factors[::-1], r=eye)
    wider = propagate_linearised(variables, factors, r=eye, p=0.99)
    assert larger.high[0] == pytest.approx(found.high[0] * scale, rel=1e-8)
    assert turned.high[0] == pytest.approx(found.high[0], rel=1e-10)
    assert wider.high[0] > found.high[0] > found.u[0]


def test_a_fleet_is_its_items() -> None:
    inputs, _, r = thermometer()
    names = [f"x{k}" for k in range(10)]
    model = {"y": parse("x0+x1+x2-x3-x4-x5-x6-x7-x8-x9*exp(x1/50)", names)}
    variables = dict(zip(names, inputs, strict=True))
    values = np.linspace(0, 1, 10)[:, None] + np.linspace(0, 1, 70)
    widths = np.ones((10, 1)) * (1 + 0.01 * np.arange(70))
    y, found = linearise_fleet(model, variables, values, widths, r=r)["y"]
    assert found.high.shape == y.shape == (70,)
    for i in (0, 33, 69):
        one_y, one = linearise_fleet(
            model, variables, values[:, i : i + 1], widths[:, i : i + 1], r=r
        )["y"]
        assert one_y[0] == y[i]
        assert one.high[0] == pytest.approx(found.high[i], rel=1e-9)
        assert one.u[0] == pytest.approx(found.u[i], rel=1e-14)


def test_a_skew_fleet_is_its_items() -> None:
    variables = [SHAPES["gamma"], ONE]
    factors = np.array([np.linspace(-1, 1, 5), np.full(5, 0.3)])
    found = propagate_linearised(variables, factors, r=np.eye(2))
    for i in range(5):
        one = propagate_linearised(variables, factors[:, i : i + 1], r=np.eye(2))
        assert one.low[0] == pytest.approx(found.low[i], abs=1e-8)
        assert one.short_high[0] == pytest.approx(found.short_high[i], abs=1e-4)
    assert found.low == pytest.approx(-found.high[::-1], abs=1e-8)


@pytest.mark.parametrize("first", ["gamma", "rectangular"])
def test_many_items_are_summed_as_a_few_are(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, factors = [SHAPES[first], ONE], np.array([[1.0, -0.5], [0.3, 0.2]])
    few = propagate_linearised(variables, factors, r=np.eye(2))
    monkeypatch.setattr(linearised, "_DIRECT", 1)
    monkeypatch.setattr(linearised, "_SECTIONS", 2)
    many = propagate_linearised(variables, factors, r=np.eye(2))
    assert many.low == pytest.approx(few.low, rel=1e-10)
    assert many.high == pytest.approx(few.high, rel=1e-10)


BENT = {"y": "a + b + 0.001*a*b", "z": "a - b"}
INPUTS = {"a": ONE, "b": FLAT, "c": Variable(Estimate(3))}


def test_linearised_run() -> None:
    plan = plan_of({"y": "a + b + c", "z": "a - 2*b"}, INPUTS)
    found = run_linearised(plan)
    assert (found.trials, found.sampling) == (0, "linearised")
    assert found.outputs["y"].value == 3
    assert found.outputs["y"].errors == (0, 0, 0, 0)
    drawn = run_monte_carlo(plan, trials=100_000)
    for name in ("y", "z"):
        inside(drawn, name, *found.outputs[name].figures)
    expected = (1 - 2 / 3) / math.sqrt((1 + 1 / 3) * (1 + 4 / 3))
    assert found.correlation[0, 1] == pytest.approx(expected)


def test_linearised_run_is_taken_at_the_mean_of_a_distribution() -> None:
    skew = Variable(Estimate(99, 1), "gamma", {"shape": 3.0, "scale": 0.5})
    assert run_linearised(plan_of("a*a", {"a": skew})).outputs["y"].value == pytest.approx(2.25)


def test_linearised_run_with_correlation() -> None:
    variables = {"a": ONE, "b": Variable(Estimate(0, 2))}
    found = run_linearised(plan_of({"s": "a + b", "a": "a"}, variables, [("a", "b", 0.5)]))
    assert found.outputs["s"].u == pytest.approx(math.sqrt(7))
    assert found.outputs["s"].interval[1] == pytest.approx(1.959963984540054 * math.sqrt(7))
    assert found.correlation[0, 1] == pytest.approx(2 / math.sqrt(7))


def test_implicit_models_have_no_linear_model_here() -> None:
    plan = plan_of({"y": "y - a"}, {"a": ONE}, start={"y": 0.0})
    with pytest.raises(OutOfRange, match="Use random trials"):
        run_linearised(plan)


@pytest.mark.parametrize("run", [run_sobol, run_controlled])
def test_accelerators_agree_with_plain_trials(run: Any) -> None:
    plan = plan_of(BENT, INPUTS)
    plain, quick = run_monte_carlo(plan, trials=400_000), run(plan, trials=64_000)
    assert quick.trials == 64_000
    for name in BENT:
        s, q = plain.outputs[name], quick.outputs[name]
        for a, b, e, f in zip(s.figures, q.figures, s.errors, q.errors, strict=True):
            assert abs(a - b) <= 5 * math.hypot(e, f) + 1e-12
        assert q.shortest == pytest.approx(s.shortest, abs=0.1)
        assert q.errors[0] < s.errors[0] / 5
    assert plain.correlation == pytest.approx(quick.correlation, abs=0.01)
    assert quick.sampling == {run_sobol: "sobol", run_controlled: "control_variate"}[run]


@pytest.mark.parametrize("run", [run_sobol, run_controlled])
def test_standard_errors_of_accelerators_tell_the_scatter(run: Any) -> None:
    plan = plan_of("a + b + 0.01*a*a", INPUTS)
    runs = [run(plan, trials=32_000, seed=s).outputs["y"] for s in range(16)]
    scatter = np.std([r.figures for r in runs], axis=0, ddof=1)
    stated = np.mean([r.errors for r in runs], axis=0)
    assert np.all(stated < 2 * scatter)
    assert np.all(scatter < 2 * stated)


def test_control_variate_is_exact_for_linear_models() -> None:
    found = run_controlled(plan_of("2*a - b", INPUTS), trials=32_000).outputs["y"]
    exact = run_linearised(plan_of("2*a - b", INPUTS)).outputs["y"]
    assert found.figures == pytest.approx(exact.figures, abs=1e-12)
    assert max(found.errors) < 1e-12


def test_control_variate_gives_way_to_plain_trials() -> None:
    plan = plan_of({"y": "a*a", "c": "c"}, INPUTS)
    found = run_controlled(plan, trials=32_000)
    assert found.sampling == "random"
    assert found.outputs == run_monte_carlo(plan, trials=32_000).outputs
    with pytest.raises(OutOfRange, match="number of trials"):
        run_controlled(plan, trials=31_000)


def test_a_run_without_uncertainty() -> None:
    plan = plan_of("c", {"c": Variable(Estimate(3))})
    for run in (run_sobol, run_controlled):
        found = run(plan, trials=32_000).outputs["y"]
        assert (found.figures, found.errors) == ((3, 0, 3, 3), (0, 0, 0, 0))


def test_quantiles_stay_where_they_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = propagate_linearised([ONE, FLAT], np.ones((2, 1)), r=np.eye(2))
    monkeypatch.setattr(linearised, "_SETTLED", -1.0)
    longer = propagate_linearised([ONE, FLAT], np.ones((2, 1)), r=np.eye(2))
    assert longer.high[0] == pytest.approx(usual.high[0], rel=1e-11)
