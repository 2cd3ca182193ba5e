"""Consensus of laboratories that differ by more than they state: random-effects means.

Each laboratory has its own effect of variance s_between^2 besides its stated (or observed)
uncertainty. This module must not know who took part nor what was sent round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.comparisons import check_weights, combine
from calib.engine.coverage import check_probability
from calib.engine.errors import DegenerateData, NotConverged, OutOfRange
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

METHODS = ("dersimonian_laird", "mandel_paule", "maximum_likelihood")
# Every laboratory adds a row to the information matrix.
MAX_LABORATORIES = 500
_MAX_ROUNDS = 1000
_SETTLED = 1e-12
_LONGEST_STEP = 3.0
# Below this share of the scatter a variance between laboratories counts as none.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """Mean of laboratories with effects of their own.

    Attributes
    ----------
    value, u : float
        Mean and standard uncertainty 1/sqrt(sum 1/(s_between^2 + u_i^2)).
    s_between : float
        Standard deviation of the laboratories' own effects.
    interval : tuple of float
        Normal coverage interval.
    within : (n,) array
        Standard uncertainty of each result without its own effect (fitted, when from readings).
    log_likelihood : float or None
        Maximum of the likelihood, without constants; ``None`` for methods of moments.
    """

    value: float
    u: float
    s_between: float
    interval: tuple[float, float]
    within: FloatArray
    log_likelihood: float | None = None

    def __post_init__(self) -> None:
        require_finite("a consensus", value=self.value, u=self.u, s_between=self.s_between)


def find_consensus(values: ArrayLike, u: ArrayLike, method: str, p: float = 0.95) -> Consensus:
    """Find the mean of laboratories that state their uncertainties.

    Parameters
    ----------
    values, u : (n,) array_like
        At least two results with positive standard uncertainties.
    method : str
        One of `METHODS`.
    p : float
        Coverage probability of the interval.

    Returns
    -------
    Consensus
        With s_between = 0 it is the weighted mean.

    Raises
    ------
    DegenerateData
        Fewer than two results, lists of different length, unknown method.
    NotConverged
        The rounds do not settle.
    OutOfRange
        A number is not finite or not in its range.

    Notes
    -----
    Source: R. DerSimonian, N. Laird, Control. Clin. Trials 7 (1986) 177; J. Mandel, R. C. Paule,
    Anal. Chem. 42 (1970) 1194; maximum likelihood of normal effects with known u.
    Checked against: tests/reference/comparisons.toml.
    Limits: the interval takes s_between as known; with few laboratories it is too short.
    """
    check_probability(p)
    x, weights = check_weights(values, u)
    within = 1 / np.sqrt(weights)
    if method == "maximum_likelihood":
        return _maximum(x, within**2, None, p)
    if method == "dersimonian_laird":
        variance = _dersimonian_laird(x, weights)
    elif method == "mandel_paule":
        variance = _mandel_paule(x, within**2)
    else:
        msg = f"Unknown method {method!r}. Known are {', '.join(METHODS)}."
        raise DegenerateData(msg, {"method": method})
    return _state(x, within**2, variance, p, None)


def find_likeliest(means: ArrayLike, s: ArrayLike, n: ArrayLike, p: float = 0.95) -> Consensus:
    """Find the likeliest mean of laboratories of which the scatter of the readings is known.

    Parameters
    ----------
    means, s : (m,) array_like
        Mean and standard deviation of the readings of each laboratory; s positive.
    n : (m,) array_like of int
        Readings of each laboratory, at least two.
    p : float
        Coverage probability of the interval.

    Returns
    -------
    Consensus
        `within` are the fitted standard uncertainties of the means.

    Raises
    ------
    DegenerateData
        Fewer than two laboratories, or lists of different length.
    NotConverged
        The rounds do not settle.
    OutOfRange
        A number is not finite or not in its range.

    Notes
    -----
    Source: M. G. Vangel, A. L. Rukhin, Biometrics 55 (1999) 129.
    Checked against: tests/reference/comparisons.toml.
    Limits: the variances within differ and are estimated; the likelihood may have several
    maxima, of which the highest found from three starts is given.
    """
    check_probability(p)
    sizes = np.asarray(n, dtype=np.float64)
    x, weights = check_weights(means, s)
    if sizes.shape != x.shape or np.any(sizes < 2):
        msg = "Every laboratory needs its number of readings, at least 2."
        raise OutOfRange(msg)
    if len(x) > MAX_LABORATORIES:
        msg = f"At most {MAX_LABORATORIES} laboratories can be fitted together, got {len(x)}."
        raise OutOfRange(msg, {"laboratories": len(x)})
    return _maximum(x, 1 / weights / sizes, sizes - 1, p)


def _dersimonian_laird(x: FloatArray, weights: FloatArray) -> float:
    """Variance between laboratories by the method of moments, one step."""
    _, _, q = combine(x, weights)
    total = float(weights.sum())
    return max(0.0, (q - (len(x) - 1)) / (total - float(weights @ weights) / total))


def _mandel_paule(x: FloatArray, within: FloatArray) -> float:
    """Variance between laboratories that makes chi-squared equal to n - 1.

    Chi-squared falls and is convex in the variance, so Newton's steps from 0 rise to the root.
    """
    variance, target = 0.0, len(x) - 1
    for _ in range(_MAX_ROUNDS):
        weights = 1 / (within + variance)
        value, _, q = combine(x, weights)
        if q <= target:
            return variance
        step = (q - target) / float(weights**2 @ (x - value) ** 2)
        if variance + step == variance or step <= _SETTLED * variance:
            return variance + step
        variance += step
    raise NotConverged("The Mandel-Paule equation did not settle.", {"rounds": _MAX_ROUNDS})


def _state(
    x: FloatArray, within: FloatArray, between: float, p: float, likelihood: float | None
) -> Consensus:
    value, u, _ = combine(x, 1 / (within + between))
    half = float(special.ndtri((1 + p) / 2)) * u
    return Consensus(
        value, u, math.sqrt(between), (value - half, value + half), np.sqrt(within), likelihood
    )


def _likelihood(
    x: FloatArray, observed: FloatArray, dof: FloatArray | None, between: float, within: FloatArray
) -> float:
    """Logarithm of the likelihood at its best mean, without constants."""
    v = within + between
    _, _, q = combine(x, 1 / v)
    out = -0.5 * (float(np.log(v).sum()) + q)
    if dof is not None:
        out -= 0.5 * float(dof @ (np.log(within) + observed / within))
    return out


def _maximum(x: FloatArray, observed: FloatArray, dof: FloatArray | None, p: float) -> Consensus:
    """Climb from several starts, and along the edge without effects; keep the highest."""
    spread = float(np.var(x, ddof=1))
    starts = {0.0, _mandel_paule(x, observed), spread}
    tops = [_climb(x, observed, dof, start) for start in sorted(starts)]
    between, within, likelihood = max(tops, key=lambda top: top[2])
    if between <= _NOTHING * spread:
        between = 0.0
    return _state(x, within, between, p, likelihood)


def _climb(
    x: FloatArray, observed: FloatArray, dof: FloatArray | None, start: float
) -> tuple[float, FloatArray, float]:
    """Fisher scoring on logarithms of the variances with halved steps; a start of 0 stays 0."""
    between, within = start, observed.copy()
    free = start > 0
    height = _likelihood(x, observed, dof, between, within)
    for _ in range(_MAX_ROUNDS):
        slope, information = _slopes(x, observed, dof, between, within)
        if not free:
            slope, information = slope[1:], information[1:, 1:]
        if not len(slope):
            return between, within, height
        step = np.asarray(np.linalg.solve(information, slope), dtype=np.float64)
        step *= min(1.0, _LONGEST_STEP / max(_SETTLED, float(np.max(np.abs(step)))))
        if np.max(np.abs(step)) <= _SETTLED or (free and between <= _NOTHING * start):
            return between, within, height
        least = height - _NOTHING * abs(height)
        trial = _moved(between, within, step, free=free)
        while (found := _likelihood(x, observed, dof, *trial)) < least:
            step = np.asarray(step / 2, dtype=np.float64)
            trial = _moved(between, within, step, free=free)
        between, within, height = *trial, found
    raise NotConverged("The likelihood has no maximum that can be found.", {"rounds": _MAX_ROUNDS})


def _moved(
    between: float, within: FloatArray, step: FloatArray, *, free: bool
) -> tuple[float, FloatArray]:
    """Take a step in log variances: between, where free, then within, where there are any."""
    if free:
        between, step = between * math.exp(step[0]), step[1:]
    return between, within * np.exp(step) if len(step) else within


def _slopes(
    x: FloatArray, observed: FloatArray, dof: FloatArray | None, between: float, within: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient and Fisher information in log variances: between, then within where free."""
    v = within + between
    value, _, _ = combine(x, 1 / v)
    common = 0.5 * ((x - value) ** 2 / v**2 - 1 / v)
    own, share = between / v, within / v
    first = np.array([between * float(common.sum())])
    edge = np.array([[0.5 * float(own @ own) + (0.0 if between else 1.0)]])
    if dof is None:
        return first, edge
    slope = np.concatenate([first, within * common + 0.5 * dof * (observed / within - 1)])
    information = np.diag(np.concatenate([edge[0], 0.5 * (share**2 + dof)]))
    information[0, 1:] = information[1:, 0] = 0.5 * own * share
    return slope, information
