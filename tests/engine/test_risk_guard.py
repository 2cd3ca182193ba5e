"""Guard bands, worst cases, and the search behind them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import optimize

from calib.engine import bracketing, guardband
from calib.engine.decision import managed_multiplier
from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.priors import make_prior
from calib.engine.risk import assess_risks
from tests.engine.published import agrees, load, to_print

REFERENCE = load("risk")
FORMULAS = REFERENCE["formulas"]
DOBBERT = REFERENCE["dobbert"]


def centred_pfa(sd: Any, u: Any, w: Any = 0.0) -> Any:
    prior = make_prior("normal", {"mean": 0, "u": sd})
    limits = {"lower": -1, "upper": 1, "accept_lower": -1 + w, "accept_upper": 1 - w}
    return assess_risks(prior, u, **limits).pfa


@pytest.mark.parametrize("method", ["rds", "u95", "rp10"])
def test_closed_forms(method: str) -> None:
    found = guardband.guard_share(method, FORMULAS["tur"])
    assert all(to_print(f, text) for f, text in zip(found, FORMULAS[method], strict=True))


def test_managed_multiplier() -> None:
    ratios = np.array(FORMULAS["tur"])
    found = managed_multiplier(ratios)
    assert all(to_print(f, text) for f, text in zip(found, FORMULAS["M"], strict=True))
    shares = guardband.guard_share("dobbert", ratios)
    np.testing.assert_allclose(shares, 1 - found / ratios, rtol=1e-14)


def test_closed_forms_at_their_ends() -> None:
    assert guardband.guard_share("rds", 1.0) == 0
    assert guardband.guard_share("u95", 0.5) == -1
    assert guardband.guard_share("rp10", 10.0) == pytest.approx(1.15)
    for method, tur in (
        ("rds", 0.99),
        ("u95", [0, 1]),
        ("rds", [0.9, 2]),
        ("u95", math.nan),
        ("u", 2),
    ):
        with pytest.raises(OutOfRange):
            guardband.guard_share(method, tur)


def test_guard_band_of_the_bearing() -> None:
    prior = make_prior("gamma", {"shape": 4, "scale": 0.25})
    w = guardband.solve_guard_band(prior, 0.25, REFERENCE["bearing"]["target"], upper=2)
    assert agrees(w[0], REFERENCE["bearing"]["w"])


@pytest.mark.parametrize("target", [1e-9, 1e-4, 0.004, 0.02, 0.04])
def test_the_guard_band_gives_the_risk_asked_for(target: float) -> None:
    n = 40
    rng = np.random.default_rng(4)
    prior = make_prior("normal", {"mean": rng.normal(0, 0.1, n), "u": rng.uniform(0.9, 1.2, n)})
    u, bias = rng.uniform(0.02, 0.4, n), rng.normal(0, 0.05, n)
    for limits in ({"lower": -1, "upper": 1}, {"upper": 1}, {"lower": -1}):
        w = guardband.solve_guard_band(prior, u, target, bias=bias, **limits)
        sides = {f"accept_{side}": limit - w * np.sign(limit) for side, limit in limits.items()}
        found = assess_risks(prior, u, bias=bias, **limits, **sides)
        np.testing.assert_allclose(found.pfa, target, rtol=1e-9)


def test_a_guard_band_may_be_negative() -> None:
    prior = make_prior("normal", {"mean": 0, "u": 0.6})
    assert guardband.solve_guard_band(prior, 0.02, 0.02, lower=-1, upper=1)[0] < 0
    perfect = guardband.solve_guard_band(prior, 0, 0.02, lower=-1, upper=1)[0]
    # Without an error of the test, accepted wrongly is what lies between the limits and 1 - w.
    lost = 2 * (prior.below(np.array([1 - perfect])) - prior.below(np.array([1.0])))
    assert lost[0] == pytest.approx(0.02, rel=1e-9)


@pytest.mark.parametrize("target", [0.0956, 0.2, 0, 1])
def test_no_guard_band_is_needed_or_possible(target: float) -> None:
    prior = make_prior("normal", {"mean": 0, "u": 0.6})
    assert 0.0955 < 1 - assess_risks(prior, 1, lower=-1, upper=1).in_tolerance[0] < 0.0956
    with pytest.raises(OutOfRange):
        guardband.solve_guard_band(prior, 0.1, target, lower=-1, upper=1)
    assert np.isfinite(guardband.solve_guard_band(prior, 0.1, 0.0955, lower=-1, upper=1)[0])


@pytest.mark.parametrize("row", DOBBERT["rows"], ids=str)
def test_worst_process(row: list[Any]) -> None:
    tur, rate, pfa, multiplier = row
    u = 1 / (2 * tur)
    sd = guardband.worst_process(u, 1.0)
    prior = make_prior("normal", {"mean": 0, "u": sd})
    found = assess_risks(prior, u, lower=-1, upper=1)
    # The maximum is flat: the printed rate is good to 0.16 %, the risk to its last digit.
    assert abs(100 * found.in_tolerance[0] - float(rate)) < 0.16
    assert to_print(100 * found.pfa[0], pfa)
    w = guardband.solve_guard_band(prior, u, 0.02, lower=-1, upper=1)
    assert abs(100 * w[0] * tur - float(multiplier)) < 0.02
    scaled = guardband.worst_process([7 * u], [7.0])
    assert scaled[0] == pytest.approx(7 * sd[0], rel=1e-6)
    for other in (0.98, 1.02):
        assert centred_pfa(sd * other, u)[0] < found.pfa[0]


def test_a_worst_process_needs_an_uncertain_test() -> None:
    for u in (0, [0.1, 0], -1):
        with pytest.raises(OutOfRange):
            guardband.worst_process(u, 1)


def test_worst_process_against_an_independent_search() -> None:
    peer = optimize.minimize_scalar(
        lambda s: -float(centred_pfa(math.exp(s), 0.25)[0]), bounds=(-2, 2), method="bounded"
    )
    assert guardband.worst_process(0.25, 1)[0] == pytest.approx(math.exp(peer.x), rel=1e-4)


def test_worst_split() -> None:
    total = guardband.observed_spread(0.9, 2.0)
    assert total[0] == pytest.approx(2 / 1.6448536269514722, rel=1e-12)
    u = guardband.worst_split(0.9, 2.0)
    worst = centred_pfa(np.sqrt(total**2 - u**2) / 2, u / 2)
    for share in np.linspace(0.05, 0.95, 10):
        other = total * share
        assert centred_pfa(np.sqrt(total**2 - other**2) / 2, other / 2) <= worst
    for rate in (0, 1, math.nan):
        with pytest.raises(OutOfRange):
            guardband.observed_spread(rate, 1)


def test_least_ratio() -> None:
    worst = guardband.least_tur(None, 3.0, 0.02)
    assert agrees(worst, DOBBERT["least_tur"])
    assert centred_pfa(guardband.worst_process(1 / (2 * worst), 1), 1 / (2 * worst))[
        0
    ] == pytest.approx(0.02, rel=1e-8)
    known = guardband.least_tur(1.5, 3.0, 0.005)
    assert centred_pfa(0.5, 1 / (2 * known))[0] == pytest.approx(0.005, rel=1e-9)
    assert centred_pfa(0.5, 1 / (2 * known * 1.01))[0] < 0.005
    with pytest.raises(NotConverged):
        guardband.least_tur(0.5, 1.0, 0.9)
    with pytest.raises(OutOfRange):
        guardband.least_tur(0.5, 1.0, 0)


def test_safe_observed_rate() -> None:
    found = guardband.safe_observed_rate(0.02)
    assert agrees(found, DOBBERT["observed"])
    u, total = guardband.worst_split(found, 1), guardband.observed_spread(found, 1)
    assert centred_pfa(np.sqrt(total**2 - u**2), u)[0] == pytest.approx(0.02, rel=1e-8)
    with pytest.raises(NotConverged):
        guardband.safe_observed_rate(0.5)
    with pytest.raises(OutOfRange):
        guardband.safe_observed_rate(1)


# ------------------------------------------------------------------------------------ the search


def test_roots_of_many_functions() -> None:
    shift = np.array([0.0, 1e-9, 0.3, 2.0, 7.5, -1.0])

    def function(x: Any) -> Any:
        return (x - shift) ** 3 + 1e-3 * (x - shift)

    found = bracketing.solve_between(function, np.full(6, -3.0), np.full(6, 9.0))
    np.testing.assert_allclose(found, shift, rtol=1e-12, atol=1e-14)
    swapped = bracketing.solve_between(function, np.full(6, 9.0), np.full(6, -3.0))
    np.testing.assert_allclose(swapped, found, rtol=1e-12, atol=1e-14)
    ends = bracketing.solve_between(lambda x: x - 1, np.array([1.0, 0.0]), np.array([2.0, 1.0]))
    assert list(ends) == [1, 1]
    for low, high in ((0.0, 3.0), (3.0, 0.0)):  # one end has the value 1, which is no root
        root = bracketing.solve_between(lambda x: x - 2, np.array([low]), np.array([high]))
        assert root[0] == pytest.approx(2, rel=1e-14)
    with pytest.raises(NotConverged):
        bracketing.solve_between(lambda x: x * x + 1, np.array([-1.0]), np.array([1.0]))


def test_a_search_that_does_not_settle_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    zero = bracketing.solve_between(lambda x: np.where(x > 0, 1.0, -1.0), -np.ones(1), np.ones(1))
    assert abs(zero[0]) < 1e-15
    monkeypatch.setattr(bracketing, "_MOST_STEPS", 3)
    with pytest.raises(NotConverged):
        bracketing.solve_between(lambda x: np.exp(x) - 3, -np.ones(1), np.full(1, 9.0))


def test_a_band_that_would_be_endless_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    prior = make_prior("t", {"mean": 0, "scale": 1, "dof": 1})
    outside = prior.above(np.array([1.0]))[0]
    w = guardband.solve_guard_band(prior, 0.1, outside * (1 - 1e-4), upper=1)
    assert w[0] < -1e3
    monkeypatch.setattr(guardband, "_MOST_DOUBLINGS", 3)
    with pytest.raises(NotConverged):
        guardband.solve_guard_band(prior, 0.1, outside * (1 - 1e-4), upper=1)


def test_few_calls_find_a_root() -> None:
    calls = []

    def function(x: Any) -> Any:
        calls.append(x)
        return np.exp(x) - 5

    found = bracketing.solve_between(function, np.array([-10.0]), np.array([10.0]))
    assert found[0] == pytest.approx(math.log(5), rel=1e-15)
    assert len(calls) < 20


def test_the_last_crossing_counts() -> None:
    grid = np.linspace(0.05, 3.95, 40)
    low, high = bracketing.last_crossing(lambda x: np.sin(np.pi * x), grid)
    assert low[0] < 3 < high[0]
    assert high[0] - low[0] == pytest.approx(0.1)
    with pytest.raises(NotConverged):
        bracketing.last_crossing(lambda x: -x, grid)
    with pytest.raises(NotConverged):
        bracketing.last_crossing(lambda x: x, grid)


def test_maxima_of_many_functions() -> None:
    place = np.array([-1.9, -0.3, 0.0, 0.77, 2.0, 5.0])
    grid = np.repeat(np.linspace(-2, 2, 21)[:, None], 6, axis=1)
    found = bracketing.maximise_over(lambda x: -((x - place) ** 2), grid)
    np.testing.assert_allclose(found, np.minimum(place, 2), atol=2e-8)
    peaks = bracketing.maximise_over(lambda x: np.cos(3 * x) - 0.1 * x * x, grid)
    np.testing.assert_allclose(peaks, 0, atol=2e-8)
