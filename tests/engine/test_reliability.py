from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from calib.engine import reliability
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.lifetimes import MODELS
from calib.engine.reliability import Counts, choose_model, fit_reliability, read_counts
from tests.engine.published import agrees, load

T = [3, 9, 15, 21, 27, 33, 39, 45, 51, 57]
FALLING = read_counts(T, [40] * 10, [39, 38, 36, 34, 31, 27, 32, 28, 27, 29])
RISING = read_counts(T, [40] * 10, [36, 24, 32, 33, 29, 33, 35, 34, 39, 36])
CURVES: dict[str, Any] = {
    "exponential": lambda t, a: np.exp(-a * t),
    "weibull": lambda t, a, b: np.exp(-((a * t) ** b)),
    "lognormal": lambda t, a, b: 1 - stats.norm.cdf(np.log(a * t) / b),
    "random_walk": lambda t, a, b: special.erf(1 / np.sqrt(a + b * t)),
    "restricted_walk": lambda t, a, b, c: special.erf(1 / np.sqrt(a + b * (1 - np.exp(-c * t)))),
    "mixed_exponential": lambda t, a, b: (1 + a * t) ** -b,
    "modified_gamma": lambda t, a: stats.poisson.cdf(3, a * t),
    "mortality_drift": lambda t, a, b: np.exp(-(a * t + b * t**2)),
    "warranty": lambda t, a, b: 1 / (1 + np.exp(a * (t - b))),
    "drift": lambda t, a, b, c: stats.norm.cdf(a + c * t) + stats.norm.cdf(b - c * t) - 1,
}


def log_likelihood(counts: Counts, name: str, parameters: dict[str, float]) -> float:
    r = CURVES[name](counts.t, *parameters.values())
    return float(stats.binom.logpmf(counts.x, counts.n, np.clip(r, 0, 1)).sum())


@pytest.mark.parametrize("name", MODELS)
def test_each_model_against_its_formula(name: str) -> None:
    found = fit_reliability(FALLING, 0.9, name)
    assert found.log_likelihood == pytest.approx(
        log_likelihood(FALLING, name, found.parameters), rel=1e-9
    )
    assert found.aic == pytest.approx(2 * len(found.parameters) - 2 * found.log_likelihood)
    assert found.settled
    assert found.interval is not None
    there = CURVES[name](found.interval, *found.parameters.values())
    assert there == pytest.approx(0.9, rel=1e-9)
    assert found.reliability_lower is not None
    assert found.reliability_lower < 0.9


@pytest.mark.parametrize("name", reliability.DEFAULT_MODELS)
def test_the_maximum_against_a_general_minimiser(name: str) -> None:
    found = fit_reliability(FALLING, 0.9, name)
    names = list(found.parameters)

    def cost(log_p: np.ndarray) -> float:
        value = -log_likelihood(FALLING, name, dict(zip(names, np.exp(log_p), strict=True)))
        return value if math.isfinite(value) else 1e9

    start = np.log(list(found.parameters.values())) + 0.1
    options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    other = optimize.minimize(cost, start, method="Nelder-Mead", options=options)
    assert -found.log_likelihood <= other.fun + 1e-10
    assert list(found.parameters.values()) == pytest.approx(np.exp(other.x), rel=1e-5)


@pytest.mark.parametrize("name", ["exponential", "weibull", "lognormal", "random_walk"])
def test_parameters_of_a_large_sample_come_back(name: str) -> None:
    true = {"exponential": (0.01,), "weibull": (0.01, 1.5), "lognormal": (0.01, 0.8),
            "random_walk": (0.2, 0.03)}[name]  # fmt: skip
    t, n = np.array(T, dtype=float), np.full(10, 10**9)
    counts = read_counts(t, n, np.round(n * CURVES[name](t, *true)))
    found = fit_reliability(counts, 0.95, name)
    assert tuple(found.parameters.values()) == pytest.approx(true, rel=1e-4)
    assert found.p is not None
    assert found.p > 0.999


def test_one_bin_is_the_closed_form() -> None:
    case = load("intervals")["exponential"]
    counts = read_counts([case["months"]], [case["n"]], [case["in_tolerance"]])
    found = fit_reliability(counts, case["target"], "exponential")
    assert found.interval is not None
    assert agrees(found.interval, case["interval"])
    observed = case["in_tolerance"] / case["n"]
    expected = case["months"] * math.log(case["target"]) / math.log(observed)
    assert found.interval == pytest.approx(expected, rel=1e-9)
    # The delta method on the logit scale, by hand: logit R falls by R ln R/(R (1 - R)) per ln a.
    R, a, n = case["target"], -math.log(observed), case["n"]
    u_log_a = math.sqrt((1 - observed) / (n * observed)) / a
    u = u_log_a * -math.log(R) / (1 - R)
    lower = special.expit(special.logit(R) - 1.6448536269514722 * u)
    assert found.reliability_lower == pytest.approx(lower, rel=1e-9)
    assert found.p is None
    assert not found.doubtful


def test_counts_so_large_that_products_vanish() -> None:
    # 5000 items in ten bins: the product of the probabilities is 0 in doubles.
    n = np.full(10, 5000)
    t = np.array(T, dtype=float)
    counts = read_counts(t, n, np.round(n * np.exp(-0.008 * t)))
    for name in reliability.DEFAULT_MODELS:
        found = fit_reliability(counts, 0.9, name)
        assert found.settled, name
        assert math.isfinite(found.log_likelihood), name
    assert fit_reliability(counts, 0.9, "exponential").parameters["a"] == pytest.approx(
        0.008, rel=1e-3
    )


def test_a_reliability_that_rises_has_no_weibull() -> None:
    for name in ("weibull", "lognormal"):
        found = fit_reliability(RISING, 0.9, name)
        assert not found.settled
        assert found.interval is None
        assert found.reliability_lower is None
    walk = fit_reliability(RISING, 0.9, "random_walk")
    assert walk.edge == ("b",)
    assert walk.parameters["b"] == 0
    assert walk.interval == 0
    assert fit_reliability(RISING, 0.7, "random_walk").interval is None
    flat = fit_reliability(RISING, 0.9, "exponential")
    assert flat.doubtful


def test_a_drift_to_one_side_leaves_the_other_untold() -> None:
    found = fit_reliability(FALLING, 0.9, "drift")
    assert found.edge == ("a",)
    assert found.parameters["a"] > 5


def test_the_best_model() -> None:
    fits = [fit_reliability(RISING, 0.9, m) for m in reliability.DEFAULT_MODELS]
    best = choose_model(fits)
    assert best is not None
    assert best.model == "random_walk"  # weibull and lognormal never settle here
    assert choose_model([f for f in fits if not f.settled]) is None


@given(st.floats(0.01, 100), st.permutations(range(10)))
@settings(max_examples=10)
def test_intervals_are_free_of_unit_and_order(unit: float, order: list[int]) -> None:
    t = np.array(T)[order] * unit
    other = read_counts(t, FALLING.n[order], FALLING.x[order])
    for name in ("exponential", "weibull", "random_walk"):
        one, two = fit_reliability(FALLING, 0.9, name), fit_reliability(other, 0.9, name)
        assert two.interval == pytest.approx(one.interval * unit, rel=1e-6)
        assert two.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)


@given(st.floats(0.5, 0.98))
@settings(max_examples=20)
def test_a_higher_target_is_reached_sooner(target: float) -> None:
    higher = fit_reliability(FALLING, target + 0.01, "lognormal").interval
    lower = fit_reliability(FALLING, target, "lognormal").interval
    assert higher is not None
    assert lower is not None
    assert higher < lower


REFUSED: list[tuple[Any, type[Exception]]] = [
    (lambda: read_counts([1], [5], [5, 6]), DegenerateData),
    (lambda: read_counts([], [], []), DegenerateData),
    (lambda: read_counts(range(1, 1002), [2] * 1001, [1] * 1001), OutOfRange),
    (lambda: read_counts([1], [5], [5]), DegenerateData),
    (lambda: read_counts([1], [5], [0]), DegenerateData),
    (lambda: read_counts([0], [5], [4]), OutOfRange),
    (lambda: read_counts([1], [5], [6]), OutOfRange),
    (lambda: read_counts([1], [0], [0]), OutOfRange),
    (lambda: read_counts([1], [5], [-1]), OutOfRange),
    (lambda: read_counts([1], [5], [2.5]), OutOfRange),
    (lambda: read_counts([1], [5.5], [2]), OutOfRange),
    (lambda: read_counts([math.nan], [5], [2]), OutOfRange),
    (lambda: fit_reliability(FALLING, 0.9, "bathtub"), DegenerateData),
    (lambda: fit_reliability(FALLING, 1.0, "weibull"), OutOfRange),
    (lambda: fit_reliability(read_counts([1], [5], [4]), 0.9, "weibull"), DegenerateData),
]


@pytest.mark.parametrize(("call", "error"), REFUSED, ids=range(len(REFUSED)))
def test_reliability_refuses(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_what_does_not_settle_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "_MAX_ROUNDS", 2)
    assert not fit_reliability(FALLING, 0.9, "weibull").settled
