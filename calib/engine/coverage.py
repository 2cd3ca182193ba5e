"""Coverage factors: from degrees of freedom, or from the shape of dominant terms.

Two policies stand here. The general one takes Student's t at the truncated degrees of freedom
(GUM G.4.1). The one of the worked budgets rounds to k = 2 from 50 degrees of freedom on and takes
t at 95.45 % below. This module must not know budgets, only their numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.errors import OutOfRange
from calib.engine.types import Coverage

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

TWO_SIGMA = 0.9545
LEAST_DOF_FOR_TWO = 50
DOMINANCE = 0.3
# A whole number that suffered rounding (48.9999999999999) is not truncated to the one below.
_SLACK = 1e-9


def truncate_dof(dof: ArrayLike) -> FloatArray:
    """Truncate degrees of freedom to the next lower integer, at least 1; infinity stays.

    Raises
    ------
    OutOfRange
        NaN, zero or negative degrees of freedom.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.4.1.
    Checked against: tests/reference/coverage.toml.
    Limits: below 1 degree of freedom 1 is used.
    """
    nu = np.asarray(dof, dtype=np.float64)
    if not np.all(nu > 0):
        raise OutOfRange("Degrees of freedom must be positive.")
    return np.maximum(1.0, np.floor(nu * (1 + _SLACK)))


def check_probability(p: float, name: str = "coverage probability") -> None:
    """Refuse a probability that is not between 0 and 1.

    Raises
    ------
    OutOfRange
        `p` is not strictly between 0 and 1.

    Notes
    -----
    Source: definition.
    Checked against: tests/reference/coverage.toml.
    Limits: none.
    """
    if not 0 < p < 1:
        msg = f"The {name} must be between 0 and 1, got {p}."
        raise OutOfRange(msg, {"probability": p})


def coverage_factor(dof: ArrayLike, p: float = 0.95) -> FloatArray:
    """Coverage factor from degrees of freedom.

    Parameters
    ----------
    dof : array_like
        Effective degrees of freedom, not truncated, possibly infinite.
    p : float
        Coverage probability.

    Returns
    -------
    array
        t quantile at the truncated degrees of freedom, normal quantile when infinite.

    Raises
    ------
    OutOfRange
        `p` outside 0 to 1 or degrees of freedom not positive.

    Notes
    -----
    Source: GUM (JCGM 100:2008) G.4.1 and table G.2.
    Checked against: tests/reference/coverage.toml.
    Limits: a nearly normal result.

    Examples
    --------
    >>> round(float(coverage_factor(16.75, 0.99)), 4)
    2.9208
    """
    check_probability(p)
    nu = truncate_dof(dof)
    finite = np.where(np.isfinite(nu), nu, 1.0)
    tail = (1 - p) / 2
    t = -special.stdtrit(finite, tail)
    return np.where(np.isfinite(nu), t, -special.ndtri(tail))


def rounded_coverage_factor(dof: ArrayLike) -> FloatArray:
    """Coverage factor for about 95 %: 2 from 50 degrees of freedom on, else t at 95.45 %.

    Parameters
    ----------
    dof : array_like
        Effective degrees of freedom, not truncated, possibly infinite.

    Returns
    -------
    array
        Coverage factor.

    Raises
    ------
    OutOfRange
        Degrees of freedom not positive.

    Notes
    -----
    Source: practice of EA-4/02 annex E (k = 2 where the result is sufficiently reliable, t at
    95.45 % otherwise); JJF 1059.1-2012 5.3 with k = 2 as the usual choice.
    Checked against: tests/reference/worked_budgets.toml.
    Limits: the step at 50 (2.05 to 2.00) is a convention.
    """
    nu = truncate_dof(dof)
    return np.where(nu >= LEAST_DOF_FOR_TWO, 2.0, coverage_factor(nu, TWO_SIGMA))


def dominant_coverage(
    contributions: ArrayLike, half_widths: ArrayLike, p: float
) -> Coverage | None:
    """Coverage factor of a result dominated by one or two rectangular terms.

    Parameters
    ----------
    contributions : (n,) array_like
        |c| u of each component, unit of the output.
    half_widths : (n,) array_like
        |c| a of rectangular components, NaN for all others.
    p : float
        Coverage probability.

    Returns
    -------
    Coverage or None
        ``None`` when no rectangular term or pair dominates.

    Raises
    ------
    OutOfRange
        `p` outside 0 to 1.

    Notes
    -----
    Source: EA-4/02 S9 and S10.
    Checked against: tests/reference/coverage.toml.
    Limits: dominant means that all others together are at most 0.3 of it.
    """
    check_probability(p)
    u = np.asarray(contributions, dtype=np.float64)
    a = np.asarray(half_widths, dtype=np.float64)
    order = np.argsort(-u, kind="stable")
    u, a = u[order], a[order]
    if len(u) and u[0] > 0 and math.isfinite(a[0]) and _together(u[1:]) <= DOMINANCE * u[0]:
        return Coverage(p * math.sqrt(3), "rectangular")
    if len(u) < 2 or not math.isfinite(a[0]) or not math.isfinite(a[1]):
        return None
    if u[0] == 0 or _together(u[2:]) > DOMINANCE * _together(u[:2]):
        return None
    beta = float((a[0] - a[1]) / (a[0] + a[1]))
    spread = math.sqrt((1 + beta**2) / 6)
    if p / (2 - p) >= beta:
        k = (1 - math.sqrt((1 - p) * (1 - beta**2))) / spread
    else:
        k = p * (1 + beta) / (2 * spread)
    return Coverage(k, "trapezoidal", beta)


def _together(u: FloatArray) -> float:
    return math.sqrt(float(np.sum(u * u)))
