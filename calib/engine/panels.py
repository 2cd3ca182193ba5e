"""Integrals of a prior density times the probability that a test accepts or rejects.

The line is cut where density or acceptance change their nature, and each panel is integrated by
one Gauss-Legendre rule; a panel at an end where the density is infinite (or has an infinite
derivative) is stretched by a power first. Nothing is subtracted from anything, so small results
keep their digits. This module must not know what the integrals are called.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calib.engine.priors import Prior

    FloatArray: TypeAlias = NDArray[np.float64]

_ORDER = 24
#: Distances from an acceptance limit, in units of the test uncertainty, where panels end.
_STEPS = np.array([-38.0, -20.0, -10.0, -4.0, 0.0, 4.0, 10.0, 20.0, 38.0])[:, None]
#: Distances from a limit, in units of the finest scale, where panels end.
_BESIDE = np.array([-2.0, 2.0])[:, None]
#: First panel at an end of the support, in units of the finest scale, and those that follow.
_FIRST = 0.05
_GRADES = (1.0, 10.0, 100.0)
_BLOCK = 512
#: Panels in which no test is accepted (or rejected) more often than this add nothing.
_NOTHING = 1e-60


@functools.cache
def _rule() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on 0 to 1."""
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    return (x + 1) / 2, w / 2


def _accepted_share(x: FloatArray, u: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Probability that a test of the true value x reads between two limits."""
    below, above = (low - x) / u, (high - x) / u
    flip = below > 0
    return special.ndtr(np.where(flip, -below, above)) - special.ndtr(np.where(flip, -above, below))


def _rejected_share(x: FloatArray, u: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Probability that a test of the true value x reads outside two limits."""
    return special.ndtr((low - x) / u) + special.ndtr((x - high) / u)


def integrate_tests(
    prior: Prior,
    u: FloatArray,
    limits: tuple[FloatArray, FloatArray],
    accept: tuple[FloatArray, ...],
) -> tuple[FloatArray, FloatArray]:
    """Integrate over what is outside and accepted, and over what is inside and rejected.

    Parameters
    ----------
    prior : Prior
        Of n items.
    u : (n,) array
        Standard uncertainty of the test, positive.
    limits, accept : pair of (n,) array
        Limits of the values, and of the readings; infinite where there is none.

    Returns
    -------
    tuple of (n,) array
        Probability of outside and accepted, of inside and rejected.

    Notes
    -----
    Source: JCGM 106:2012 9.5.2 (integrals of consumer's and producer's risk).
    Checked against: tests/reference/risk.toml.
    Limits: relative error about 1e-10 down to risks of 1e-30.
    """
    n = len(u)
    pfa, pfr = np.empty(n), np.empty(n)
    for start in range(0, n, _BLOCK):
        part = np.arange(start, min(start + _BLOCK, n))
        scale, place = prior.scale[part], prior.place[part]
        z = [(side[part] - place) / scale for side in (*limits, *accept)]
        pfa[part], pfr[part] = _block(prior.take(part), u[part] / scale, z)
    return pfa, pfr


def _block(prior: Prior, u: FloatArray, z: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Do some items in canonical units; z: limits, acceptance limits."""
    edges = _edges(prior, u, z)
    panel, item = np.nonzero(np.diff(edges, axis=0) > 0)
    a, b = edges[panel, item], edges[panel + 1, item]
    middle = (a + b) / 2
    inside = (middle > z[0][item]) & (middle < z[1][item])
    out: list[FloatArray] = []
    for chosen, share in ((~inside, _accepted_share), (inside, _rejected_share)):
        i, left, right = item[chosen], a[chosen], b[chosen]
        al, au = z[2][i], z[3][i]
        if share is _accepted_share:
            most = share(np.clip(_likeliest(al, au), left, right), u[i], al, au)
        else:
            most = np.maximum(share(left, u[i], al, au), share(right, u[i], al, au))
        kept = most > _NOTHING
        i = i[kept]
        x, mass = _nodes(prior, left[kept], right[kept], i)
        part = (share(x, u[i], al[kept], au[kept]) * mass).sum(axis=0)
        out.append(np.bincount(i, part, len(u)).astype(np.float64))
    for end, tail in ((edges[0], prior.shape.below), (edges[-1], prior.shape.above)):
        rest = tail(end, prior.a, prior.b)
        within = (end > z[0]) & (end < z[1])
        out[0] += np.where(within, 0, rest * _accepted_share(end, u, z[2], z[3]))
        out[1] += np.where(within, rest * _rejected_share(end, u, z[2], z[3]), 0)
    return out[0], out[1]


def _likeliest(low: FloatArray, high: FloatArray) -> FloatArray:
    """Give the value that a test accepts most often: the middle, far off beyond an open side."""
    return (np.maximum(low, -1e300) + np.minimum(high, 1e300)) / 2


def _edges(prior: Prior, u: FloatArray, z: list[FloatArray]) -> FloatArray:
    """Give the sorted ends of all panels, one column per item."""
    family, n = prior.shape, len(u)
    marks = [np.broadcast_to(mark, (n,)) for mark in family.marks(prior.a, prior.b)]
    hard = [np.where(np.isfinite(side), side, marks[0]) for side in z[:2]]
    hard += family.kinks(prior.a, prior.b)
    finest = np.minimum(u, np.where(np.isfinite(prior.sd), prior.sd / prior.scale, 1.0))
    soft = [np.where(np.isfinite(side), side, marks[0]) + _STEPS * u for side in z[2:]]
    # A small risk comes from close to a limit: there it falls off at once.
    soft += [side + _BESIDE * finest for side in hard[:2]]
    inner = np.concatenate([*soft, np.array(marks)])
    low, high = np.full(n, family.low), np.full(n, family.high)
    rows = [np.array(hard)]
    for end, sign, q in zip((low, high), (1.0, -1.0), family.ends(prior.a, prior.b), strict=True):
        if not np.isfinite(end[0]):
            continue
        rows.append(end[None])
        # Beside a stretched end no panel may be narrower than the stretched one.
        gaps = [np.where(sign * (h - end) > 0, sign * (h - end), np.inf) for h in hard]
        first = np.minimum(_FIRST * finest, np.min(gaps, axis=0))
        inner = np.where((q > 1) & (sign * (inner - end) < first), end, inner)
        rows.append(np.array([end + sign * first * grade for grade in _GRADES]))
    return np.sort(np.clip(np.concatenate([*rows, inner]), low, high), axis=0)


def _nodes(
    prior: Prior, a: FloatArray, b: FloatArray, item: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Give values and their shares of probability, nodes by panels."""
    family = prior.shape
    s, weight = _rule()
    q_low, q_high = (q[item] for q in family.ends(prior.a, prior.b))
    t = np.repeat(s[:, None], len(a), axis=1)
    stretch = (b - a) * weight[:, None]
    at_low, at_high = (a == family.low) & (q_low > 1), (b == family.high) & (q_high > 1)
    for at, q in ((at_low, q_low[at_low]), (at_high, q_high[at_high])):
        t[:, at] = s[:, None] ** q
        stretch[:, at] *= q * s[:, None] ** (q - 1)
    step = (b - a) * t
    x = np.where(at_high, b - step, a + step)
    d, e = x, x
    if np.isfinite(family.low):
        d = np.where(at_low, step, x - family.low)
    if np.isfinite(family.high):
        e = np.where(at_high, step, family.high - x)
    return x, family.density(d, e, prior.a[item], prior.b[item]) * stretch
