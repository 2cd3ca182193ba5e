"""Processes of any distribution: what they are, and risks by their quantiles."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from calib.engine.errors import OutOfRange
from calib.engine.priors import make_prior
from calib.engine.risk import Risks, assess_risks


def single(found: Risks) -> dict[str, float]:
    names = ("pfa", "pfr", "in_tolerance", "accepted")
    return {name: float(getattr(found, name)[0]) for name in names}


S, WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(16))


def by_quantiles(peer: Any, u: float, case: dict[str, float], kinks: list[float]) -> list[float]:
    """PFA and PFR as integrals over the probability of the value, finer towards every cut."""
    low, high, a, b = (case[k] for k in ("lower", "upper", "accept_lower", "accept_upper"))
    near = [x + step * u for x in (a, b) for step in (-8, -4, 0, 4, 8)]
    cuts = np.unique(np.concatenate([[0.0, 1.0], peer.cdf([low, high, *near, *kinks])]))
    grades = np.concatenate([0.5 ** np.arange(50, 0, -1), 1 - 0.5 ** np.arange(2, 40), [1]])
    out = [0.0, 0.0]
    for left, right in itertools.pairwise(cuts):
        edges = left + (right - left) * np.concatenate([[0], grades])
        width = np.diff(edges)
        x = peer.ppf(edges[:-1] + width * (S[:, None] + 0.5))
        accepted = special.ndtr((b - x) / u) - special.ndtr((a - x) / u)
        inside = bool(low < peer.ppf((left + right) / 2) < high)
        share = 1 - accepted if inside else accepted
        out[inside] += float(np.sum(share * WEIGHTS[:, None] * width))
    return out


PRIORS: list[tuple[str, dict[str, float], Any, list[float]]] = [
    ("normal", {"mean": 0.2, "u": 0.7}, stats.norm(0.2, 0.7), [-8, 0.2, 8]),
    ("uniform", {"low": -1.3, "high": 2}, stats.uniform(-1.3, 3.3), [-1.3, 2]),
    ("triangular", {"low": -1, "mode": 0.5, "high": 3}, stats.triang(0.375, -1, 4), [-1, 0.5, 3]),
    ("triangular", {"low": -1, "mode": -1, "high": 3}, stats.triang(0, -1, 4), [-1, 3]),
    ("triangular", {"low": -1, "mode": 3, "high": 3}, stats.triang(1, -1, 4), [-1, 3]),
    ("arcsine", {"low": -1.5, "high": 1.2}, stats.arcsine(-1.5, 2.7), [-1.5, 0, 1.2]),
    ("t", {"mean": 0.1, "scale": 0.5, "dof": 3}, stats.t(3, 0.1, 0.5), [-300, -9, 0.1, 9, 300]),
    ("gamma", {"shape": 4, "scale": 0.25}, stats.gamma(4, scale=0.25), [0, 1, 12]),
    ("gamma", {"shape": 1.3, "scale": 0.8, "low": -1}, stats.gamma(1.3, -1, 0.8), [-1, 1, 30]),
    ("exponential", {"mean": 0.5, "low": -0.2}, stats.expon(-0.2, 0.7), [-0.2, 0, 1, 25]),
    ("weibull", {"shape": 1.7, "scale": 1.1}, stats.weibull_min(1.7, scale=1.1), [0, 1, 12]),
    ("lognormal", {"median": 0.8, "sigma": 0.5}, stats.lognorm(0.5, scale=0.8), [0, 0.8, 4, 60]),
    ("beta", {"alpha": 2.5, "beta": 1.2, "low": -2, "high": 2}, stats.beta(2.5, 1.2, -2, 4),
     [-2, 0, 2]),
]  # fmt: skip
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(PRIORS)]
CASES = [
    (0.15, {"lower": -1.0, "upper": 1.0, "accept_lower": -0.8, "accept_upper": 0.85}),
    (0.6, {"lower": 0.1, "upper": 1.1, "accept_lower": 0.0, "accept_upper": 1.3}),
]


@pytest.mark.parametrize(("u", "case"), CASES)
@pytest.mark.parametrize(("name", "parameters", "peer", "cuts"), PRIORS, ids=IDS)
def test_every_prior_by_its_quantiles(
    name: str, parameters: Any, peer: Any, cuts: list[float], u: float, case: dict[str, float]
) -> None:
    prior = make_prior(name, parameters)
    found = single(assess_risks(prior, u, **case))
    pfa, pfr = by_quantiles(peer, u, case, cuts)
    assert found["pfa"] == pytest.approx(pfa, rel=1e-9, abs=1e-12)
    assert found["pfr"] == pytest.approx(pfr, rel=1e-9, abs=1e-12)
    inside = peer.cdf(case["upper"]) - peer.cdf(case["lower"])
    assert found["in_tolerance"] == pytest.approx(inside, rel=1e-12)
    assert found["accepted"] == pytest.approx(found["pfa"] + inside - found["pfr"], rel=1e-12)


@pytest.mark.parametrize(("name", "parameters", "peer", "cuts"), PRIORS, ids=IDS)
def test_a_prior_is_what_it_is_called(
    name: str, parameters: Any, peer: Any, cuts: list[float]
) -> None:
    prior = make_prior(name, parameters)
    x = np.linspace(-2.5, 3.5, 41)
    np.testing.assert_allclose(prior.below(x), peer.cdf(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(prior.above(x), peer.sf(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose([prior.mean[0], prior.sd[0]], [peer.mean(), peer.std()], rtol=1e-9)
    low, high = prior.shape.low, prior.shape.high
    z = (x[(x > cuts[0]) & (x < cuts[-1])] - prior.place) / prior.scale
    d, e = (z - low if math.isfinite(low) else z), high - z
    density = prior.shape.density(d, e, prior.a, prior.b) / prior.scale
    np.testing.assert_allclose(density, peer.pdf(z * prior.scale + prior.place), rtol=1e-11)


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("cauchy", {}),
    ("normal", {}),
    ("normal", {"mean": 0, "u": 0}),
    ("normal", {"mean": 0, "u": 1, "dof": 3}),
    ("normal", {"mean": math.nan, "u": 1}),
    ("uniform", {"low": 1, "high": 1}),
    ("triangular", {"low": 0, "mode": 2, "high": 1}),
    ("triangular", {"low": 0, "mode": -0.1, "high": 1}),
    ("triangular", {"low": 0, "mode": 0, "high": 0}),
    ("gamma", {"shape": 0.1, "scale": 1}),
    ("gamma", {"shape": 1e6, "scale": 1}),
    ("gamma", {"shape": 2, "scale": -1}),
    ("beta", {"alpha": 2, "beta": 0}),
    ("t", {"mean": 0, "scale": 1, "dof": 0.5}),
    ("lognormal", {"median": 1, "sigma": 11}),
    ("lognormal", {"median": 1, "sigma": 0}),
    ("exponential", {"mean": -1}),
    ("gamma", {"shape": [2, 0.1], "scale": 1}),
    ("gamma", {"shape": [1e6, 2], "scale": 1}),
    ("triangular", {"low": 0, "mode": [0.5, 2], "high": 1}),
    ("triangular", {"low": 0, "mode": [-0.1, 0.5], "high": 1}),
]


@pytest.mark.parametrize(("name", "parameters"), IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_processes_that_make_no_sense(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(OutOfRange):
        make_prior(name, parameters)


def test_moments_that_do_not_exist() -> None:
    cauchy = make_prior("t", {"mean": 3, "scale": 1, "dof": 1})
    assert np.isnan(cauchy.mean[0])
    assert np.isinf(cauchy.sd[0])
    found = single(assess_risks(cauchy, 0.5, lower=2, upper=4))
    limits = {"lower": 2, "upper": 4, "accept_lower": 2, "accept_upper": 4}
    pfa, pfr = by_quantiles(stats.cauchy(3), 0.5, limits, [])
    assert found["pfa"] == pytest.approx(pfa, rel=1e-8)
    assert found["pfr"] == pytest.approx(pfr, rel=1e-8)


def test_densities_that_are_infinite_at_an_end() -> None:
    # Gamma of shape 1/2 is the square of a normal quantity: integrate over that instead.
    found = single(
        assess_risks(make_prior("gamma", {"shape": 0.5, "scale": 2}), 0.3, lower=0.1, upper=2)
    )

    def accepted(z: float) -> float:
        return float(stats.norm.cdf((2 - z * z) / 0.3) - stats.norm.cdf((0.1 - z * z) / 0.3))

    pfa = pfr = 0.0
    ends = [0, math.sqrt(0.1), math.sqrt(2), 2.5]
    for left, right, inside in zip(ends, ends[1:], (False, True, False), strict=False):
        value, _ = integrate.quad(
            lambda z, i=inside: 2 * stats.norm.pdf(z) * (1 - accepted(z) if i else accepted(z)),
            left, right, epsrel=1e-12,
        )  # fmt: skip
        pfa, pfr = (pfa, pfr + value) if inside else (pfa + value, pfr)
    assert found["pfa"] == pytest.approx(pfa, rel=1e-9)
    assert found["pfr"] == pytest.approx(pfr, rel=1e-9)


def test_against_a_double_integral() -> None:
    # Over true value and reading, nothing integrated beforehand.
    found = single(
        assess_risks(make_prior("uniform", {"low": -2, "high": 2}), 0.5, lower=-1, upper=1)
    )
    wrong, _ = integrate.dblquad(
        lambda y, x: math.exp(-2 * (y - x) ** 2) / math.sqrt(math.pi / 2) / 4, 1, 2, -1, 1
    )
    assert found["pfa"] == pytest.approx(2 * wrong, rel=1e-9)


def test_what_is_not_said_starts_at_nothing_and_ends_at_one() -> None:
    x = np.array([-0.1, 0.2, 0.7, 1.3])
    half_open = make_prior("exponential", {"mean": 0.4})
    np.testing.assert_allclose(half_open.below(x), stats.expon(0, 0.4).cdf(x), rtol=1e-13)
    share = make_prior("beta", {"alpha": 2, "beta": 3})
    np.testing.assert_allclose(share.below(x), stats.beta(2, 3).cdf(x), rtol=1e-13)


@pytest.mark.parametrize("shape", [0.2, 1e5])
def test_the_outermost_shapes_are_known(shape: float) -> None:
    prior = make_prior("gamma", {"shape": shape, "scale": 2})
    assert prior.below(prior.mean)[0] == pytest.approx(stats.gamma(shape).cdf(shape), rel=1e-9)
    for beyond in (shape * 0.99, shape * 1.01):
        if not 0.2 <= beyond <= 1e5:
            with pytest.raises(OutOfRange):
                make_prior("gamma", {"shape": beyond, "scale": 2})


def test_far_out_nothing_is_lost() -> None:
    prior = make_prior("normal", {"mean": 0, "u": 1})
    low, high = np.array([-9.0, 8.0]), np.array([-8.0, 9.0])
    wanted = stats.norm.sf(8) - stats.norm.sf(9)
    np.testing.assert_allclose(prior.between(low, high), [wanted] * 2, rtol=1e-12)


def test_items_of_both_kinds_in_one_call() -> None:
    """A test without uncertainty beside one with it: each is assessed by its own way."""
    prior = make_prior("normal", {"mean": 0, "u": 0.6})
    both = assess_risks(prior, [0.0, 0.2], lower=-1, upper=1)
    for i, u in enumerate((0.0, 0.2)):
        alone = assess_risks(prior, u, lower=-1, upper=1)
        assert (both.pfa[i], both.pfr[i]) == (alone.pfa[0], alone.pfr[0])
    assert both.pfa[1] > 0
