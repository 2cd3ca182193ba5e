"""Global risks of a test: what is accepted wrongly and rejected wrongly, before it is measured.

The true value has a prior distribution, the test adds a bias and a normal error; limits of the
values and of the readings are given. A normal prior is done in closed form with Owen's T, except
where that would cancel; all else by quadrature. This module must not know guard bands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.panels import integrate_tests
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from calib.engine.priors import Prior

    FloatArray: TypeAlias = NDArray[np.float64]

#: Below this share of the probabilities it is the difference of, quadrature takes over.
_CANCELLED = 1e-5
_FAR = 45.0
#: Items done at once, so that arrays stay in cache and memory is bounded.
_BLOCK = 8192
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Risks:
    """Global risks of one or many items.

    Attributes
    ----------
    pfa, pfr : (n,) array
        Probability of outside and accepted, of inside and rejected.
    in_tolerance : (n,) array
        Probability of inside before the test.
    accepted : (n,) array
        Probability of acceptance.
    """

    pfa: FloatArray
    pfr: FloatArray
    in_tolerance: FloatArray
    accepted: FloatArray

    def __post_init__(self) -> None:
        require_finite("global risks", pfa=self.pfa, pfr=self.pfr, accepted=self.accepted)

    @property
    def conditional_pfa(self) -> FloatArray:
        """Probability of outside among what is accepted; NaN where nothing is accepted."""
        some = self.accepted > 0
        return np.where(some, self.pfa / np.where(some, self.accepted, 1), np.nan)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of values and of readings, of n items; infinite where there is none.

    Attributes
    ----------
    lower, upper : (n,) array
        Tolerance limits of the true value.
    accept_lower, accept_upper : (n,) array
        Acceptance limits of the reading; crossed: nothing is accepted.
    """

    lower: FloatArray
    upper: FloatArray
    accept_lower: FloatArray
    accept_upper: FloatArray

    def take(self, chosen: NDArray[np.bool_] | slice) -> Limits:
        """Give the limits of some of the items."""
        sides = (self.lower, self.upper, self.accept_lower, self.accept_upper)
        return Limits(*(side[chosen] for side in sides))


def assess_risks(
    prior: Prior,
    u_test: ArrayLike,
    *,
    lower: ArrayLike = -math.inf,
    upper: ArrayLike = math.inf,
    accept_lower: ArrayLike | None = None,
    accept_upper: ArrayLike | None = None,
    bias: ArrayLike = 0.0,
) -> Risks:
    """Assess the global risks of accepting and rejecting wrongly, for one or many items.

    Parameters
    ----------
    prior : Prior
        Distribution of the true values, of one or n items.
    u_test : float or (n,) array_like
        Standard uncertainty of the test, 0 for a perfect one.
    lower, upper : float or (n,) array_like
        Tolerance limits; infinite where there is none, at least one finite.
    accept_lower, accept_upper : float or (n,) array_like, optional
        Acceptance limits of the reading, by default the tolerance limits.
    bias : float or (n,) array_like
        By how much the test reads too high.

    Returns
    -------
    Risks
        PFA, PFR, probability of being in tolerance and of acceptance.

    Raises
    ------
    DegenerateData
        Limits missing or crossed.
    OutOfRange
        A figure is not finite or an uncertainty negative.

    Notes
    -----
    Source: JCGM 106:2012 9.5; D. B. Owen (1956) for the bivariate normal probabilities.
    Checked against: tests/reference/risk.toml.
    Limits: a normal error of the test, independent of the value. Relative error at most about
    1e-10 for risks above 1e-30.

    Examples
    --------
    >>> from calib.engine.priors import make_prior
    >>> found = assess_risks(make_prior("normal", {"mean": 0, "u": 4}), 1, lower=-8, upper=8)
    >>> round(float(found.pfa[0]), 5), round(float(found.pfr[0]), 5)
    (0.00801, 0.01485)
    """
    given = (
        u_test, bias, lower, upper,
        lower if accept_lower is None else accept_lower,
        upper if accept_upper is None else accept_upper,
    )  # fmt: skip
    arrays = np.broadcast_arrays(prior.place, *(np.asarray(x, dtype=np.float64) for x in given))
    _, u, shift, *sides = (np.atleast_1d(x) for x in arrays)
    _check(u, shift, sides)
    limits = Limits(sides[0], sides[1], sides[2] - shift, sides[3] - shift)
    wide = prior.spread_out(len(u))
    blocks = [slice(i, i + _BLOCK) for i in range(0, max(len(u), 1), _BLOCK)]
    parts = [_assess(wide.take(block), u[block], limits.take(block)) for block in blocks]
    return Risks(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _check(u: FloatArray, shift: FloatArray, sides: list[FloatArray]) -> None:
    require_finite("a risk", u_test=u, bias=shift)
    if np.any(u < 0):
        raise OutOfRange("A standard uncertainty is never negative.")
    if any(np.any(np.isnan(side)) for side in sides):
        raise OutOfRange("A limit is not a number.")
    lower, upper = sides[0], sides[1]
    if np.any(lower >= upper) or np.any(np.isinf(lower) & np.isinf(upper)):
        raise DegenerateData("At least one limit is needed, and lower must be below upper.")


def _assess(prior: Prior, u: FloatArray, limits: Limits) -> tuple[FloatArray, ...]:
    """Choose the way for each item; figures in the order of `Risks`."""
    n = len(u)
    inside = prior.between(limits.lower, limits.upper)
    some = limits.accept_lower < limits.accept_upper
    pfa, pfr = np.zeros(n), inside * ~some
    perfect = some & (u == 0)
    if np.any(perfect):
        pfa[perfect], pfr[perfect] = _perfect(prior.take(perfect), limits.take(perfect))
    rest = some & (u > 0)
    if prior.family == "normal" and np.any(rest):
        pfa[rest], pfr[rest], good = _closed(prior.take(rest), u[rest], limits.take(rest))
        rest[rest] = np.logical_not(good)
    if np.any(rest):
        part = limits.take(rest)
        pfa[rest], pfr[rest] = integrate_tests(
            prior.take(rest),
            u[rest],
            (part.lower, part.upper),
            (part.accept_lower, part.accept_upper),
        )
    return pfa, pfr, inside, pfa + np.maximum(inside - pfr, 0.0)


def _perfect(prior: Prior, limits: Limits) -> tuple[FloatArray, FloatArray]:
    """Do without any uncertainty of the test: overlaps of intervals."""
    low, high, a_low, a_high = (
        limits.lower, limits.upper, limits.accept_lower, limits.accept_upper,
    )  # fmt: skip
    pfa = prior.between(a_low, np.minimum(a_high, low))
    pfa += prior.between(np.maximum(a_low, high), a_high)
    pfr = prior.between(low, np.minimum(high, a_low))
    return pfa, pfr + prior.between(np.maximum(low, a_high), high)


def _closed(prior: Prior, u: FloatArray, limits: Limits) -> tuple[FloatArray, ...]:
    """Do a normal prior by Owen's T; also where the result keeps its digits."""
    sd, total = prior.scale, np.hypot(prior.scale, u)
    values = [side - prior.place for side in (limits.lower, limits.upper)]
    readings = [side - prior.place for side in (limits.accept_lower, limits.accept_upper)]
    h = [np.clip(p / sd, -_FAR, _FAR) for p in values]
    k = [np.clip(q / total, -_FAR, _FAR) for q in readings]
    tails = [special.ndtr(h[0]), special.ndtr(-h[1])]
    misses = [special.ndtr(k[0]), special.ndtr(-k[1])]
    both = np.zeros(len(u))
    for i, side in enumerate((-1.0, 1.0)):
        for j, end in enumerate((-1.0, 1.0)):
            pair = _OwenPair(values[i], readings[j], h[i], k[j], sd, u)
            both += pair.beyond(side, end, tails[i], misses[j])
    outside, rejected = tails[0] + tails[1], misses[0] + misses[1]
    pfa, pfr = outside - both, rejected - both
    floor = _CANCELLED * (outside + rejected)
    good = ((pfa > floor) | (outside == 0)) & ((pfr > floor) | (rejected == 0))
    return pfa, pfr, good


@dataclass(frozen=True, slots=True)
class _OwenPair:
    """One limit of the value with one of the reading; distances from the mean, and reduced."""

    p: FloatArray
    q: FloatArray
    h: FloatArray
    k: FloatArray
    sd: FloatArray
    u: FloatArray

    def beyond(self, side: float, end: float, tail: FloatArray, miss: FloatArray) -> FloatArray:
        """Probability that value and reading lie both beyond their limits, on the given sides."""
        open_side = np.isinf(self.p) | np.isinf(self.q)
        p = np.where(open_side | (self.p == 0), _TINY * self.sd, self.p)
        q = np.where(open_side | (self.q == 0), _TINY * self.sd, self.q)
        h, k = (np.where(x == 0, _TINY, x) for x in (self.h, self.k))
        # Slopes of Owen's T without the difference k - rho h, which cancels for a good test.
        with np.errstate(over="ignore"):
            slope_h = (q - p) / self.u * (self.sd / p)
            ratio = self.u / self.sd
            slope_k = (p * ratio - (q - p) / ratio) / q
        t = special.owens_t(h, slope_h) + special.owens_t(k, slope_k)
        # Zeros count as just above the mean, as in the slopes.
        opposed = np.signbit(side * h) != np.signbit(end * k)
        found = (tail + miss) / 2 - side * end * t - np.where(opposed, 0.5, 0.0)
        return np.where(open_side, 0.0, found)
