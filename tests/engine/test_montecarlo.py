from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from calib.engine import montecarlo, trials
from calib.engine.accelerated import run_sobol
from calib.engine.correlations import correlation_matrix
from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.expression import parse
from calib.engine.fleet_montecarlo import run_fleet
from calib.engine.implicit_trials import solve_trials
from calib.engine.montecarlo import (
    MonteCarlo,
    Plan,
    numerical_tolerance,
    prepare,
    run_adaptive,
    run_monte_carlo,
)
from calib.engine.sampling import Variable
from calib.engine.trials import Trials, coverage_intervals
from calib.engine.types import Estimate
from tests.engine.published import load

REFERENCE = load("jcgm101")
ONE = Variable(Estimate(0, 1))
FLAT = Variable(Estimate(0, 1), "rectangular", {"half_width": 1})


def plan_of(
    model: Mapping[str, str] | str,
    variables: Mapping[str, Variable],
    pairs: Any = (),
    start: Mapping[str, float] | None = None,
) -> Plan:
    texts = {"y": model} if isinstance(model, str) else model
    names = [*variables, *(start or ())]
    functions = {name: parse(text, names) for name, text in texts.items()}
    return prepare(functions, variables, correlation_matrix(list(variables), pairs), start)


def inside(found: MonteCarlo, name: str, *truth: float | None) -> None:
    """Value, u and ends lie within five of their own standard errors."""
    s = found.outputs[name]
    for figure, error, true in zip(s.figures, s.errors, truth, strict=True):
        assert true is None or abs(figure - true) <= 5 * error + 1e-12


def test_figures_lie_within_their_own_standard_errors() -> None:
    z = 1.959963984540054
    inside(run_monte_carlo(plan_of("a", {"a": ONE}), trials=100_000), "y", 0, 1, -z, z)
    flat = run_monte_carlo(plan_of("a", {"a": FLAT}), trials=100_000)
    inside(flat, "y", 0, 1 / math.sqrt(3), -0.95, 0.95)
    skew = Variable(Estimate(2, 2), "exponential", {"mean": 2})
    ends = -2 * math.log(0.975), -2 * math.log(0.025)
    found = run_monte_carlo(plan_of("a", {"a": skew}), trials=100_000)
    inside(found, "y", 2, 2, *ends)
    assert found.outputs["y"].shortest == pytest.approx((0, -2 * math.log(0.05)), abs=0.1)


def test_standard_errors_tell_the_scatter_between_seeds() -> None:
    plan = plan_of("a*a", {"a": FLAT})
    runs = [run_monte_carlo(plan, trials=4000, seed=s).outputs["y"] for s in range(200)]
    scatter = np.std([r.figures for r in runs], axis=0, ddof=1)
    stated = np.mean([r.errors for r in runs], axis=0)
    assert stated == pytest.approx(scatter, rel=0.25)


@pytest.mark.parametrize("size", [1000, 4096, 2**14, 10**6])
def test_trials_do_not_depend_on_the_size_of_blocks(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inexact = {"half_width": 1, "inexactness": 0.3}
    variables = {
        "a": Variable(Estimate(0, 1, 5)),
        "b": Variable(Estimate(0, 1), "curvilinear_trapezoid", inexact),
    }
    plan = plan_of("a + b", variables)
    usual = run_monte_carlo(plan, trials=50_000).outputs["y"]
    monkeypatch.setattr(montecarlo, "BLOCK", size)
    other = run_monte_carlo(plan, trials=50_000).outputs["y"]
    assert (other.interval, other.shortest) == (usual.interval, usual.shortest)
    assert other.figures == pytest.approx(usual.figures, rel=1e-12, abs=1e-12)
    points = run_sobol(plan, trials=50_000).outputs["y"]
    monkeypatch.undo()
    assert points.interval == run_sobol(plan, trials=50_000).outputs["y"].interval


def test_seed_item_and_input_each_change_the_numbers() -> None:
    plan = plan_of({"y": "a", "z": "b"}, {"a": ONE, "b": ONE})
    found = [
        run_monte_carlo(plan, trials=2000, seed=s, item=i).outputs
        for s, i in itertools.product((1, 2), (0, 1))
    ]
    values = [run[name].value for run in found for name in ("y", "z")]
    assert len(set(values)) == 8
    assert abs(run_monte_carlo(plan, trials=100_000).correlation[0, 1]) < 0.02


def test_items_of_a_fleet_are_repeatable_alone() -> None:
    model = {"y": parse("a*b", ["a", "b"])}
    fleet = [(i, {"a": Variable(Estimate(i, 1)), "b": FLAT}) for i in (3, 0, 7)]
    run = list(run_fleet(model, iter(fleet), r=np.eye(2), trials=2000, seed=5))
    turned = list(run_fleet(model, reversed(fleet), r=np.eye(2), trials=2000, seed=5))
    for (item, variables), found, again in zip(fleet, run, reversed(turned), strict=True):
        alone = run_monte_carlo(
            prepare(model, variables, np.eye(2)), trials=2000, seed=5, item=item
        )
        assert found.outputs == alone.outputs == again.outputs
        assert found.item == item


def test_counts_agree_with_order_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "a": Variable(Estimate(0, 1, 4)),
        "b": Variable(Estimate(1, 1), "exponential", {"mean": 1}),
        "c": Variable(Estimate(7)),
    }
    plan = plan_of({"y": "a + b", "z": "exp(-b/2)", "c": "c"}, variables)
    kept = run_monte_carlo(plan, trials=400_000)
    monkeypatch.setattr(trials, "KEPT", 300_000)
    counted = run_monte_carlo(plan, trials=400_000)
    assert (kept.counted, counted.counted) == (False, True)
    for name in ("y", "z"):
        one, other = kept.outputs[name], counted.outputs[name]
        assert (one.value, one.u) == (other.value, other.u)
        assert other.interval == pytest.approx(one.interval, abs=2e-4 * one.u)
        assert other.errors == pytest.approx(one.errors, rel=0.2)
        width = one.shortest[1] - one.shortest[0]
        assert other.shortest[1] - other.shortest[0] == pytest.approx(width, rel=1e-3)
    assert counted.outputs["z"].shortest[1] == pytest.approx(1, abs=1e-4)
    assert counted.outputs["c"].interval == (7, 7)
    assert counted.outputs["c"].u == 0
    assert np.array_equal(kept.correlation, counted.correlation)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "KEPT", 50_000)
    plan = plan_of("a + b", {"a": ONE, "b": FLAT})
    run_monte_carlo(plan, trials=20_000)  # tables are made and kept
    peaks = []
    for n in (200_000, 800_000):
        tracemalloc.start()
        run_monte_carlo(plan, trials=n)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 8e6
    assert peaks[1] < 1.05 * peaks[0]


def test_the_law_of_propagation_of_linear_models() -> None:
    variables = {"a": ONE, "b": Variable(Estimate(1, 2)), "c": Variable(Estimate(5))}
    pairs = [("a", "b", -0.6)]
    plan = plan_of({"s": "a + b + c", "d": "a - 2*b"}, variables, pairs)
    found = run_monte_carlo(plan, trials=200_000)
    u_s, u_d = math.sqrt(1 + 4 - 2.4), math.sqrt(1 + 16 + 4.8)
    z = 1.959963984540054
    inside(found, "s", 6, u_s, 6 - z * u_s, 6 + z * u_s)
    inside(found, "d", -2, u_d, -2 - z * u_d, -2 + z * u_d)
    covariance = 1 - 2 * 4 + (1 - 2) * -1.2
    assert found.correlation[0, 1] == pytest.approx(covariance / (u_s * u_d), abs=0.01)


def test_wholly_correlated_inputs() -> None:
    variables = {"a": ONE, "b": Variable(Estimate(0, 2))}
    found = run_monte_carlo(plan_of("b - 2*a", variables, [("a", "b", 1)]), trials=5000)
    assert found.outputs["y"].u == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("other", [FLAT, Variable(Estimate(0, 1, 9))], ids=["flat", "t"])
def test_correlated_inputs_must_be_normal(other: Variable) -> None:
    normal = Variable(Estimate(0, 1), "normal", {"u": 1})
    with pytest.raises(OutOfRange, match="'b' is correlated and not normal"):
        plan_of("a*b", {"a": normal, "b": other}, [("a", "b", 0.5)])
    # an exact input takes no part, whatever is said of it
    exact = {"a": normal, "b": Variable(Estimate(2))}
    assert plan_of("a*b", exact, [("a", "b", 0.5)]).tied == ("a",)


def test_number_of_trials() -> None:
    plan = plan_of("a", {"a": ONE})
    for n in (1999, 10**9 + 1):
        with pytest.raises(OutOfRange, match="number of trials must be 2000"):
            run_monte_carlo(plan, trials=n)
    assert run_monte_carlo(plan, trials=2000).trials == 2000


def test_tolerance_of_the_adaptive_procedure() -> None:
    for row in REFERENCE["tolerance"]["rows"]:
        assert numerical_tolerance(row["u"], row["digits"]) == pytest.approx(row["delta"])
    assert numerical_tolerance(0.096, 1) == pytest.approx(0.05)
    assert numerical_tolerance(0, 2) == 0


def test_adaptive_settles_within_the_tolerance() -> None:
    z = 1.959963984540054
    plan = plan_of("a", {"a": Variable(Estimate(0, 3))})
    found = run_adaptive(plan, digits=1)
    assert found.stable is True
    assert found.outputs["y"].figures == pytest.approx((0, 3, -3 * z, 3 * z), abs=0.5)
    finer = run_adaptive(plan, digits=1, share=0.2)
    assert finer.trials >= found.trials
    assert finer.outputs["y"].figures == pytest.approx((0, 3, -3 * z, 3 * z), abs=0.1)
    # its trials are the first trials of a fixed run
    fixed = run_monte_carlo(plan, trials=found.trials)
    assert fixed.outputs["y"].interval == found.outputs["y"].interval


def test_adaptive_may_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(montecarlo, "MAX_ADAPTIVE", 100_000)
    found = run_adaptive(plan_of("exp(8*a)", {"a": ONE}))
    assert (found.stable, found.trials) == (False, 100_000)


def test_adaptive_has_its_limits() -> None:
    plan = plan_of("a", {"a": ONE})
    with pytest.raises(OutOfRange, match="too near to 1"):
        run_adaptive(plan, p=1 - 1e-5)
    with pytest.raises(OutOfRange, match="1 or 2 digits"):
        run_adaptive(plan, digits=3)
    exact = run_adaptive(plan_of("a", {"a": Variable(Estimate(4))}))
    assert (exact.stable, exact.trials, exact.outputs["y"].u) == (True, 100_000, 0)


def test_intervals_by_order_statistics() -> None:
    symmetric, shortest = coverage_intervals(np.arange(1.0, 101.0), 0.9)
    assert symmetric == (5, 95)
    assert shortest[1] - shortest[0] == 90
    skew = np.sort(np.random.default_rng(1).exponential(size=100_000))
    symmetric, shortest = coverage_intervals(skew, 0.95)
    assert symmetric == pytest.approx((-math.log(0.975), -math.log(0.025)), rel=0.03)
    assert shortest == pytest.approx((0, -math.log(0.05)), abs=0.06)


def test_moments_are_those_of_the_numbers() -> None:
    y = np.random.default_rng(2).gamma(2.0, size=(2, 30_000)) + 1e6
    held = Trials(2, 0.95)
    for start in range(0, 30_000, 7_000):
        held.add(y[:, start : start + 7_000])
    found = held.summaries()
    for row, s in zip(y, found, strict=True):
        assert s.value == pytest.approx(row.mean(), rel=1e-15)
        assert s.u == pytest.approx(row.std(ddof=1), rel=1e-9)
        fourth = np.mean((row - row.mean()) ** 4)
        expected = math.sqrt((fourth - row.var() ** 2) / 30_000) / (2 * row.std())
        assert s.errors[1] == pytest.approx(expected, rel=1e-3)
    assert held.covariance == pytest.approx(np.cov(y), rel=1e-6, abs=1e-9)


def test_implicit_models_against_explicit_ones() -> None:
    variables = {"a": Variable(Estimate(2, 0.3)), "b": FLAT}
    explicit = plan_of({"y": "sqrt(a*a + b + 1)", "z": "a - b"}, variables)
    system = {"y": "y*y - a*a - b - 1", "z": "z + b - a"}
    implicit = plan_of(system, variables, start={"y": math.sqrt(5), "z": 2.0})
    one, other = (run_monte_carlo(plan, trials=5000) for plan in (explicit, implicit))
    for name in ("y", "z"):
        s, t = one.outputs[name], other.outputs[name]
        assert (*s.figures, *s.shortest) == pytest.approx((*t.figures, *t.shortest), rel=1e-12)
    assert one.correlation == pytest.approx(other.correlation, rel=1e-9)


def test_implicit_trials_shorten_steps_that_lead_away() -> None:
    f = [parse("atan(y) - a", ["a", "y"])]
    a = np.linspace(-1.5, 1.5, 400)
    found = solve_trials(f, {"y": 0.5}, {"a": a}, 400)[0]
    assert found == pytest.approx(np.tan(a), rel=1e-9, abs=1e-12)
    # the full step would leave the domain of the logarithm
    f = [parse("log(y) - a", ["a", "y"])]
    found = solve_trials(f, {"y": 10.0}, {"a": np.array([-3.0, 0.0, 2.0])}, 3)[0]
    assert found == pytest.approx(np.exp([-3.0, 0.0, 2.0]), rel=1e-12)


def test_implicit_trials_without_a_solution() -> None:
    with pytest.raises(NotConverged, match="for 1 of 2 trials"):
        solve_trials([parse("y*y - a", ["a", "y"])], {"y": 1.0}, {"a": np.array([2.0, -2.0])}, 2)
    with pytest.raises(OutOfRange, match="singular"):
        solve_trials([parse("0*y - a", ["a", "y"])], {"y": 1.0}, {"a": np.array(1.0)}, 3)


def test_the_shortest_interval_is_sought_on_a_smooth_course() -> None:
    x = np.linspace(-1, 1, 20_001)
    noise = np.random.default_rng(3).normal(size=x.size)
    course = 3 + 0.02 * (x - 0.3) ** 2
    found = x[trials.bottom(course + 0.005 * noise)]
    assert found == pytest.approx(0.3, abs=0.05)
    # at an edge, in a narrow notch, and with few widths the smallest itself counts
    for steep in (
        np.exp(x),
        np.exp(-x),
        1 + 50 * np.abs(x - 0.111),
        course[::40] + 0.1 * noise[:501],
    ):
        assert trials.bottom(steep) == np.argmin(steep)
