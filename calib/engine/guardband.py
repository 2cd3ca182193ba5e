"""Guard bands that hold a global risk, and the processes for which that risk is worst.

Closed forms in the test uncertainty ratio, the band solved for a wanted risk, and the worst case
where the process is not known. This module must not know how a band is asked for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import special

from calib.engine import bracketing
from calib.engine.coverage import check_probability
from calib.engine.decision import managed_multiplier
from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.priors import Prior, make_prior
from calib.engine.risk import assess_risks
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    FloatArray: TypeAlias = NDArray[np.float64]

_LEAST = 1e-300
_MOST_DOUBLINGS = 200
_SHARES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "rds": lambda tur: np.sqrt(np.maximum(1 - 1 / tur**2, 0)),
    "u95": lambda tur: 1 - 1 / tur,
    "rp10": lambda tur: 1.25 - 1 / tur,
    "dobbert": lambda tur: 1 - managed_multiplier(tur) / tur,
}
METHODS = tuple(_SHARES)


def guard_share(method: str, tur: ArrayLike) -> FloatArray:
    """Width of the acceptance zone over that of the tolerance, by a formula in the TUR.

    Parameters
    ----------
    method : str
        ``rds`` (root difference of squares), ``u95`` (limit less U), ``rp10`` (NCSL RP-10) or
        ``dobbert`` (managed, PFA at most 2 %).
    tur : float or (n,) array_like
        Test uncertainty ratio (upper - lower)/(4 u), positive.

    Returns
    -------
    array
        May exceed 1 (``rp10``, ``dobbert``: the zone is wider than the tolerance) or be negative
        (nothing is accepted).

    Raises
    ------
    OutOfRange
        Unknown method, a ratio that is not positive, or below 1 for ``rds``.

    Notes
    -----
    Source: NCSL RP-10; M. Dobbert, NCSLI 2008; D. Deaver, NCSL 1994.
    Checked against: tests/reference/risk.toml.
    Limits: two limits.
    """
    if method not in _SHARES:
        msg = f"Unknown guard band {method!r}. Known are {', '.join(METHODS)}."
        raise OutOfRange(msg, {"method": method})
    ratio = np.asarray(tur, dtype=np.float64)
    require_finite("a guard band", tur=ratio)
    least = 1.0 if method == "rds" else 0.0
    if np.any(ratio <= 0) or np.any(ratio < least):
        msg = f"Guard band {method!r} needs a test uncertainty ratio above {least:g}."
        raise OutOfRange(msg, {"method": method})
    return _SHARES[method](ratio)


def solve_guard_band(
    prior: Prior,
    u_test: ArrayLike,
    target: float,
    *,
    lower: ArrayLike = -math.inf,
    upper: ArrayLike = math.inf,
    bias: ArrayLike = 0.0,
) -> FloatArray:
    """Solve for the guard band, the same inside both limits, that gives a wanted PFA.

    Parameters
    ----------
    prior : Prior
        Distribution of the true values, of one or n items.
    u_test, lower, upper, bias : float or (n,) array_like
        As in `calib.engine.risk.assess_risks`.
    target : float
        Wanted probability of false acceptance.

    Returns
    -------
    (n,) array
        Width; negative where acceptance may reach beyond the limits.

    Raises
    ------
    OutOfRange
        The target is met even when everything is accepted, or is no probability.
    NotConverged
        The target is within rounding of what all items together would give.

    Notes
    -----
    Source: JCGM 106:2012 9.5.4.
    Checked against: tests/reference/risk.toml.
    Limits: as `calib.engine.risk.assess_risks`.
    """
    check_probability(target, "wanted PFA")
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)

    def excess(w: FloatArray) -> FloatArray:
        found = assess_risks(
            prior, u_test, lower=low, upper=high,
            accept_lower=low + w, accept_upper=high - w, bias=bias,
        )  # fmt: skip
        return np.log(np.maximum(found.pfa, _LEAST)) - math.log(target)

    items = assess_risks(prior, u_test, lower=low, upper=high, bias=bias).pfa.shape
    outside = np.broadcast_to(prior.below(low) + prior.above(high), items)
    if np.any(outside <= target):
        msg = (
            f"PFA would be at most {float(outside.min()):.3g} if all were accepted: no guard band"
            f" is needed for {target:g}."
        )
        raise OutOfRange(msg, {"target": target})
    step = np.broadcast_to(prior.scale + np.asarray(u_test), outside.shape)
    wide = _expand(excess, -step, 1.0)
    half = np.broadcast_to((high - low) / 2, outside.shape)
    tight = np.where(np.isfinite(half), half, _expand(excess, step, -1.0))
    return bracketing.solve_between(excess, wide, tight)


def _expand(
    excess: Callable[[FloatArray], FloatArray], start: FloatArray, sign: float
) -> FloatArray:
    """Double a width until the excess has the sign."""
    end = start.copy()
    for _ in range(_MOST_DOUBLINGS):
        short = sign * excess(end) < 0
        if not np.any(short):
            return end
        end = np.where(short, 2 * end, end)
    raise NotConverged("No width of the guard band gives the PFA asked for.")


def _centred_pfa(half: FloatArray, sd: FloatArray, u: FloatArray) -> FloatArray:
    """PFA of a centred normal process without a guard band."""
    prior = make_prior("normal", {"mean": 0.0, "u": sd})
    return assess_risks(prior, u, lower=-half, upper=half).pfa


def worst_process(u_test: ArrayLike, half_width: ArrayLike) -> FloatArray:
    """Spread of the centred normal process whose PFA, accepted within the limits, is largest.

    Parameters
    ----------
    u_test : float or (n,) array_like
        Standard uncertainty of the test, positive.
    half_width : float or (n,) array_like
        Half the distance of the tolerance limits, positive, same unit.

    Returns
    -------
    (n,) array
        Standard deviation of the process.

    Raises
    ------
    OutOfRange
        The test has no uncertainty: no process has the largest PFA.

    Notes
    -----
    Source: M. Dobbert, A guard-band strategy for managing false-accept risk, NCSLI 2008.
    Checked against: tests/reference/risk.toml.
    Limits: the maximum is flat; the spread is good to about 1e-7, its PFA to full precision.
    """
    if np.any(np.asarray(u_test) <= 0):
        raise OutOfRange("A worst process needs a test with an uncertainty.")
    u, half = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(x, float)) for x in (u_test, half_width))
    )
    # The worst spread lies between half the half-width and some widths, whatever the test.
    grid = np.log(half) + np.linspace(-1.0, 5.0, 17)[:, None]
    return np.exp(bracketing.maximise_over(lambda s: _centred_pfa(half, np.exp(s), u), grid))


def worst_split(observed: ArrayLike, half_width: ArrayLike) -> FloatArray:
    """Test uncertainty at which PFA is largest, the observed in-tolerance rate being known.

    Parameters
    ----------
    observed : float or (n,) array_like
        Share of items found within the limits, by this test.
    half_width : float or (n,) array_like
        Half the distance of the tolerance limits, positive.

    Returns
    -------
    (n,) array
        Standard uncertainty of the test, unit of the limits; the rest of the observed spread is
        that of the process.

    Raises
    ------
    OutOfRange
        A rate that is not between 0 and 1.

    Notes
    -----
    Source: M. Dobbert, Understanding measurement risk, NCSLI 2007 (the 89 % rule).
    Checked against: tests/reference/risk.toml.
    Limits: a centred normal process and an unbiased test.
    """
    total = observed_spread(observed, half_width)
    half = np.broadcast_to(np.asarray(half_width, dtype=np.float64), total.shape)

    def pfa(angle: FloatArray) -> FloatArray:
        return _centred_pfa(half, total * np.cos(angle), total * np.sin(angle))

    grid = np.repeat(np.linspace(0.01, math.pi / 2 - 0.01, 17)[:, None], len(total), axis=1)
    return total * np.sin(bracketing.maximise_over(pfa, grid))


def observed_spread(observed: ArrayLike, half_width: ArrayLike) -> FloatArray:
    """Give the spread of centred normal readings of which a share lies within the limits.

    Parameters
    ----------
    observed : float or (n,) array_like
        Share within the limits.
    half_width : float or (n,) array_like
        Half the distance of the limits.

    Returns
    -------
    (n,) array
        Standard deviation, unit of the limits.

    Raises
    ------
    OutOfRange
        A share that is not between 0 and 1.

    Notes
    -----
    Source: definition; the same gives the process from its true in-tolerance rate.
    Checked against: tests/reference/risk.toml.
    Limits: centred between the limits.
    """
    rate = np.atleast_1d(np.asarray(observed, dtype=np.float64))
    if not np.all((rate > 0) & (rate < 1)):
        raise OutOfRange("An in-tolerance rate must be between 0 and 1, both excluded.")
    return np.asarray(half_width, dtype=np.float64) / -special.ndtri((1 - rate) / 2)


def least_tur(prior_sd: ArrayLike | None, half_width: float, target: float) -> float:
    """Find the test uncertainty ratio from which on PFA stays at or below a wanted one.

    Parameters
    ----------
    prior_sd : float or None
        Spread of the centred normal process; ``None`` takes the worst at each ratio.
    half_width : float
        Half the distance of the tolerance limits.
    target : float
        Wanted probability of false acceptance, without a guard band.

    Returns
    -------
    float
        Ratio between 0.05 and 1e4.

    Raises
    ------
    NotConverged
        PFA is below the target at every ratio, or above it at all.

    Notes
    -----
    Source: M. Dobbert, NCSLI 2008 (4.6 for 2 %, whatever the process).
    Checked against: tests/reference/risk.toml.
    Limits: centred normal process, unbiased test, accepted within the limits.
    """
    check_probability(target, "wanted PFA")

    def excess(log_tur: FloatArray) -> FloatArray:
        u = half_width / (2 * np.exp(log_tur))
        half = np.full_like(u, half_width)
        sd = worst_process(u, half) if prior_sd is None else np.full_like(u, prior_sd)
        return _centred_pfa(half, sd, u) - target

    low, high = bracketing.last_crossing(excess, np.linspace(-3.0, 9.2, 25))
    return float(np.exp(bracketing.solve_between(excess, low, high))[0])


def safe_observed_rate(target: float) -> float:
    """Find the observed in-tolerance rate above which PFA stays below a target at any TUR.

    Parameters
    ----------
    target : float
        Wanted probability of false acceptance, without a guard band.

    Returns
    -------
    float
        Rate between 0 and 1.

    Raises
    ------
    NotConverged
        PFA is below the target at every rate.

    Notes
    -----
    Source: M. Dobbert, Understanding measurement risk, NCSLI 2007 (89 % for 2 %).
    Checked against: tests/reference/risk.toml.
    Limits: as `worst_split`.
    """
    check_probability(target, "wanted PFA")

    def excess(rate: FloatArray) -> FloatArray:
        half = np.ones_like(rate)
        u, total = worst_split(rate, half), observed_spread(rate, half)
        return _centred_pfa(half, np.sqrt(total**2 - u**2), u) - target

    grid = np.array([*np.linspace(0.05, 0.95, 19), 0.99, 0.999, 0.99999, 1 - 1e-9])
    low, high = bracketing.last_crossing(excess, grid)
    return float(bracketing.solve_between(excess, low, high)[0])
