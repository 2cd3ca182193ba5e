from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from calib.engine import comparisons, consensus
from calib.engine.errors import DegenerateData, NotConverged, OutOfRange
from tests.engine.published import agrees, load

CASES = load("comparisons")
FIBRE = CASES["fibre"]
RESULTS = st.lists(st.floats(-100, 100).map(lambda v: round(v, 2)), min_size=2, max_size=12)


def test_scores_by_hand() -> None:
    case = CASES["scores"]
    x, u, X, u_X = (case[k] for k in ("x", "u", "X", "u_X"))
    U, U_X = [2 * v for v in u], 2 * u_X
    en = comparisons.en_scores(x, U, X, U_X)
    z = comparisons.z_scores(x, X, case["sigma_pt"])
    zeta = comparisons.zeta_scores(x, u, X, u_X)
    assert en == pytest.approx(case["en"])
    assert z == pytest.approx(case["z"])
    assert zeta == pytest.approx(case["zeta"])
    assert comparisons.z_scores(x, X, case["sigma_pt"], u_X) == pytest.approx(case["z_prime"])
    assert comparisons.judge_scores(en, 1) == case["en_verdicts"]
    assert comparisons.judge_scores(z, 3, 2) == case["z_verdicts"]
    assert comparisons.judge_scores(zeta, 3, 2) == case["zeta_verdicts"]


def test_a_bound_met_in_decimals_is_met() -> None:
    # In doubles 0.3/0.1 is 2.9999999999999996 and (1.1 - 1)/0.05 is 2.0000000000000018.
    assert comparisons.judge_scores([0.3 / 0.1], 3, 2) == ["unsatisfactory"]
    assert comparisons.judge_scores([(1.1 - 1) / 0.05], 3, 2) == ["satisfactory"]
    assert comparisons.judge_scores([(1.1 - 1) / 0.1], 1) == ["satisfactory"]


@given(RESULTS, st.floats(0.01, 10), st.floats(0.01, 100))
@settings(max_examples=25)
def test_scores_are_free_of_unit_and_origin(x: list[float], u: float, factor: float) -> None:
    plain = comparisons.zeta_scores(x, [u] * len(x), 1.0, 0.5)
    scaled = comparisons.zeta_scores(
        factor * (np.array(x) - 7), [factor * u] * len(x), -6 * factor, 0.5 * factor
    )
    assert scaled == pytest.approx(plain, abs=1e-9)
    swapped = comparisons.zeta_scores([1.0], [0.5], x[0], u)
    assert swapped[0] == pytest.approx(-plain[0])


def test_algorithm_a_of_the_standard() -> None:
    case = CASES["creosote"]
    found = comparisons.algorithm_a(case["values"])
    assert agrees(found.value, case["value"])
    assert found.u == pytest.approx(1.25 * found.s / 3)


@given(RESULTS)
@settings(max_examples=25)
def test_algorithm_a_is_a_fixed_point(values: list[float]) -> None:
    found = comparisons.algorithm_a(values)
    clipped = np.clip(values, found.value - 1.5 * found.s, found.value + 1.5 * found.s)
    assert found.value == pytest.approx(clipped.mean(), abs=1e-9)
    assert found.s == pytest.approx(1.134 * clipped.std(ddof=1), abs=1e-9)
    mirrored = comparisons.algorithm_a([5 - 3 * v for v in reversed(values)])
    assert mirrored.value == pytest.approx(5 - 3 * found.value, abs=1e-8)
    assert mirrored.s == pytest.approx(3 * found.s, abs=1e-8)


def test_algorithm_a_bounds_the_outlier() -> None:
    near = comparisons.algorithm_a([1, 2, 3, 4, 5, 6, 7, 30])
    far = comparisons.algorithm_a([1, 2, 3, 4, 5, 6, 7, 3e6])
    assert far.value == pytest.approx(near.value)
    assert far.s == pytest.approx(near.s)


def test_algorithm_a_of_mostly_equal_results() -> None:
    assert comparisons.algorithm_a([2, 2, 2, 2]).s == 0
    found = comparisons.algorithm_a([2, 2, 2, 3])
    assert 2 < found.value < 3
    assert found.s > 0


def test_algorithm_a_that_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "_MAX_ROUNDS", 3)
    with pytest.raises(NotConverged, match="one by one"):
        comparisons.algorithm_a(CASES["creosote"]["values"])


def test_weighted_mean_against_the_normal_equations() -> None:
    x, u = np.array([10.1, 10.3, 9.9]), np.array([0.1, 0.2, 0.4])
    found = comparisons.weighted_mean(x, u)
    v = np.linalg.inv(np.diag(u**2))
    ones = np.ones(3)
    cov = 1 / (ones @ v @ ones)
    assert found.value == pytest.approx(cov * (ones @ v @ x))
    assert found.u == pytest.approx(math.sqrt(cov))
    rest = x - found.value
    assert found.chi2 == pytest.approx(rest @ v @ rest)
    assert (found.dof, found.consistent) == (2, True)
    assert found.chi2_critical == pytest.approx(5.991464547)
    assert found.birge == pytest.approx(math.sqrt(found.chi2 / 2))
    # Covariance of x - mean: (1 - 1 w^T) V (1 - 1 w^T)^T
    gain = np.eye(3) - np.outer(ones, cov * (v @ ones))
    spread = gain @ np.diag(u**2) @ gain.T
    assert found.u_deviations == pytest.approx(np.sqrt(np.diag(spread)))
    assert not comparisons.weighted_mean([0, 10], [1, 1]).consistent


def test_vangel_rukhin_of_the_paper() -> None:
    found = consensus.find_likeliest(FIBRE["mean"], FIBRE["s"], FIBRE["n"])
    assert agrees(found.value, FIBRE["value"])
    assert agrees(found.u, FIBRE["u"])
    assert agrees(found.s_between**2, FIBRE["between"])
    assert agrees(found.interval[0], FIBRE["low"])
    assert agrees(found.interval[1], FIBRE["high"])


def test_vangel_rukhin_against_a_general_minimiser() -> None:
    mean, s, n = (np.array(FIBRE[k], dtype=float) for k in ("mean", "s", "n"))
    found = consensus.find_likeliest(mean, s, n)

    def cost(p: np.ndarray) -> float:
        tau = np.exp(p[2:])
        v = np.exp(p[1]) + tau / n
        return 0.5 * float(
            np.sum(np.log(v) + (mean - p[0]) ** 2 / v + (n - 1) * (np.log(tau / n) + s**2 / tau))
        )

    start = np.concatenate([[12.9, 0.0], np.log(s**2)])
    other = optimize.minimize(cost, start, method="BFGS", options={"gtol": 1e-7})
    assert found.log_likelihood is not None
    assert found.log_likelihood >= -other.fun - 1e-9
    assert found.value == pytest.approx(other.x[0], abs=1e-6)


def test_mandel_paule_solves_its_equation() -> None:
    u = np.array([0.1, 0.2, 0.15, 0.3])
    x = np.array([1.0, 1.9, 1.2, 2.6])
    found = consensus.find_consensus(x, u, "mandel_paule")
    v = u**2 + found.s_between**2
    assert np.sum((x - found.value) ** 2 / v) == pytest.approx(3, rel=1e-12)
    assert found.u == pytest.approx(1 / math.sqrt(np.sum(1 / v)))


def test_dersimonian_laird_with_equal_uncertainties() -> None:
    # Equal weights: all methods of moments give the variance of the results less u^2.
    x = [1.0, 2.0, 4.0, 4.5]
    expected = np.var(x, ddof=1) - 0.25
    for method in ("dersimonian_laird", "mandel_paule"):
        found = consensus.find_consensus(x, [0.5] * 4, method)
        assert found.s_between**2 == pytest.approx(expected)
        assert found.value == pytest.approx(np.mean(x))
    likeliest = consensus.find_consensus(x, [0.5] * 4, "maximum_likelihood")
    assert likeliest.s_between**2 == pytest.approx(np.var(x) - 0.25)


@pytest.mark.parametrize("method", consensus.METHODS)
def test_consensus_of_results_that_agree_is_the_weighted_mean(method: str) -> None:
    x, u = [10.1, 10.15, 9.95], [0.1, 0.2, 0.4]
    found = consensus.find_consensus(x, u, method, 0.9)
    plain = comparisons.weighted_mean(x, u)
    assert found.s_between == 0
    assert (found.value, found.u) == pytest.approx((plain.value, plain.u))
    half = 1.6448536269514722 * found.u
    assert found.interval == pytest.approx((found.value - half, found.value + half))


def test_likeliest_of_results_that_agree() -> None:
    found = consensus.find_likeliest([1.0, 1.01, 0.99], [0.3, 0.2, 0.4], [4, 5, 6])
    assert found.s_between == 0
    assert found.value == pytest.approx(1.0, abs=0.01)


@given(st.permutations(range(5)), st.floats(0.1, 10))
@settings(max_examples=25)
def test_consensus_is_free_of_order_and_unit(order: list[int], factor: float) -> None:
    x, u = np.array([1.0, 1.5, 3.0, 2.2, 0.4]), np.array([0.2, 0.1, 0.5, 0.3, 0.2])
    for method in consensus.METHODS:
        one = consensus.find_consensus(x, u, method)
        other = consensus.find_consensus(factor * x[order], factor * u[order], method)
        assert other.value == pytest.approx(factor * one.value, rel=1e-8)
        assert other.s_between == pytest.approx(factor * one.s_between, rel=1e-6)


def test_consensus_that_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.array([1.0, 5.0, 9.0])
    monkeypatch.setattr(consensus, "_MAX_ROUNDS", 1)
    with pytest.raises(NotConverged):
        consensus._climb(x, np.ones(3), None, 1.0)
    with pytest.raises(NotConverged):
        consensus._mandel_paule(x, np.ones(3))


def test_steps_that_overshoot_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    x, n = np.array([0.03, 0.03, -0.05, 0.02, 0.05]), np.array([3, 3, 3, 2, 3])
    s = np.array([4.154, 0.126, 0.037, 0.027, 5.785])
    taken, move = [], consensus._moved
    monkeypatch.setattr(
        consensus,
        "_moved",
        lambda b, w, step, *, free: taken.append(step) or move(b, w, step, free=free),
    )
    height = consensus._climb(x, s**2 / n, n - 1.0, 1e-9)[2]
    assert any(np.array_equal(a / 2, b) for a, b in pairwise(taken))
    top = consensus.find_likeliest(x, s, n).log_likelihood
    assert top is not None
    assert height == pytest.approx(top)


REFUSED = [
    (lambda: comparisons.en_scores([1], [0], 1, 0), OutOfRange),
    (lambda: comparisons.en_scores([1], [-1], 1, 0), OutOfRange),
    (lambda: comparisons.zeta_scores([math.nan], [1], 1, 0), OutOfRange),
    (lambda: comparisons.z_scores([1], 1, 0), OutOfRange),
    (lambda: comparisons.judge_scores([math.inf], 1), OutOfRange),
    (lambda: comparisons.algorithm_a([1]), DegenerateData),
    (lambda: comparisons.algorithm_a([1, math.inf]), OutOfRange),
    (lambda: comparisons.weighted_mean([1, 2], [1]), DegenerateData),
    (lambda: comparisons.weighted_mean([1, 2], [1, 0]), OutOfRange),
    (lambda: consensus.find_consensus([1, 2], [1, 1], "guess"), DegenerateData),
    (lambda: consensus.find_consensus([1, 2], [1, 1], "mandel_paule", 1), OutOfRange),
    (lambda: consensus.find_likeliest([1, 2], [1, 1], [1, 2]), OutOfRange),
    (lambda: consensus.find_likeliest([1, 2], [1, 1], [2]), OutOfRange),
    (lambda: consensus.find_likeliest(range(501), [1] * 501, [2] * 501), OutOfRange),
    (lambda: consensus.find_likeliest([1, 2], [0, 1], [2, 2]), OutOfRange),
]


@pytest.mark.parametrize(("call", "error"), REFUSED, ids=range(len(REFUSED)))
def test_comparisons_refuse(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()
