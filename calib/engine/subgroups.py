"""Control charts of subgroups, and the factors of their tables, computed rather than typed.

This module must not know what is charted nor who reacts.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.charts import LIMITS, Chart, Violation, chart_shewhart
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.statistics import moments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MAX_GROUP = 1000
# Half of the widest range that matters; ranges beyond 20 sigma do not occur.
_HALF_WIDEST = 10.0


@dataclass(frozen=True, slots=True)
class ChartConstants:
    """Factors for subgroups of n values.

    Attributes
    ----------
    n : int
        Size of a subgroup.
    d2, d3, c4 : float
        Mean and standard deviation of the range, mean of s, for sigma 1.
    A, A2, A3 : float
        Limits of means from sigma, mean range, mean s.
    B3, B4, B5, B6 : float
        Limits of s from mean s and from sigma.
    D1, D2, D3, D4 : float
        Limits of ranges from sigma and from the mean range.
    """

    n: int
    d2: float
    d3: float
    c4: float
    A: float
    A2: float
    A3: float
    B3: float
    B4: float
    B5: float
    B6: float
    D1: float
    D2: float
    D3: float
    D4: float


@functools.cache
def chart_constants(n: int) -> ChartConstants:
    """Compute the factors of control charts.

    Parameters
    ----------
    n : int
        Size of a subgroup, 2 to 1000.

    Returns
    -------
    ChartConstants
        For limits at three standard deviations.

    Raises
    ------
    OutOfRange
        `n` outside 2 to 1000.

    Notes
    -----
    Source: ISO 7870-2:2023, table of factors; d2 = E(R) and d3 from the distribution of the range
    of n normal values, c4 = sqrt(2/(n - 1)) Gamma(n/2)/Gamma((n - 1)/2).
    Checked against: tests/reference/charts.toml.
    Limits: independent normal values.
    """
    if not 2 <= n <= MAX_GROUP:
        msg = f"Chart constants exist for subgroups of 2 to {MAX_GROUP}, got {n}."
        raise OutOfRange(msg, {"n": n})
    d2, d3 = _range_moments(n)
    half = math.lgamma(n / 2) - math.lgamma((n - 1) / 2)
    c4 = math.sqrt(2 / (n - 1)) * math.exp(half)
    root, spread = math.sqrt(n), 3 * math.sqrt(1 - c4 * c4)
    return ChartConstants(
        n=n, d2=d2, d3=d3, c4=c4, A=3 / root, A2=3 / (d2 * root), A3=3 / (c4 * root),
        B3=max(0.0, 1 - spread / c4), B4=1 + spread / c4,
        B5=max(0.0, c4 - spread), B6=c4 + spread,
        D1=max(0.0, d2 - 3 * d3), D2=d2 + 3 * d3,
        D3=max(0.0, 1 - 3 * d3 / d2), D4=1 + 3 * d3 / d2,
    )  # fmt: skip


def _range_moments(n: int) -> tuple[float, float]:
    """Mean and standard deviation of the range: moments of P(R > w) by quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    w, weights = _HALF_WIDEST * (nodes + 1), _HALF_WIDEST * weights
    # The trapezoidal rule is exact to rounding for a smooth integrand that dies at both ends.
    x = np.arange(-10.0, 10.0, 1 / 16)
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) / 16
    between = special.ndtr(x[:, None] + w) - special.ndtr(x[:, None])
    beyond = 1 - n * (density @ between ** (n - 1))
    mean, square = float(weights @ beyond), float(weights @ (2 * w * beyond))
    return mean, math.sqrt(square - mean * mean)


def chart_subgroups(
    groups: ArrayLike, dispersion: str = "s", rules: Sequence[str] = ()
) -> tuple[Chart, Chart]:
    """Chart means and scatter of equal subgroups, limits estimated from them.

    Parameters
    ----------
    groups : (m, n) array_like
        m subgroups of n values, in order.
    dispersion : str
        ``s`` (mean standard deviation over c4) or ``range`` (mean range over d2).
    rules : sequence of str
        Run rules for the means.

    Returns
    -------
    tuple of Chart
        Means and scatter; `s` of both is the standard deviation of one value.

    Raises
    ------
    DegenerateData
        Fewer than two subgroups, subgroups of one, or no scatter.
    OutOfRange
        A value is not finite, or a subgroup has more than 1000.

    Notes
    -----
    Source: ISO 7870-2:2023, charts of averages with ranges or standard deviations.
    Checked against: tests/reference/charts.toml.
    Limits: equal sizes; limits at three standard deviations.
    """
    means, deviations, _ = moments(groups)
    x = np.asarray(groups, dtype=np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise DegenerateData("At least two subgroups of equal size are needed.")
    factors = chart_constants(x.shape[1])
    if dispersion == "s":
        scatter, unit, low, high = deviations, factors.c4, factors.B3, factors.B4
    else:
        scatter, unit, low, high = np.ptp(x, axis=1), factors.d2, factors.D3, factors.D4
    mean = float(scatter.mean())
    if mean == 0:
        raise DegenerateData("No subgroup scatters: limits cannot be estimated.")
    sigma = mean / unit
    location = chart_shewhart(means, float(means.mean()), sigma / math.sqrt(factors.n), 3.0, rules)
    limits = low * mean, high * mean
    beyond = tuple(
        Violation(int(i), LIMITS)
        for i in np.flatnonzero((scatter < limits[0]) | (scatter > limits[1]))
    )
    return replace(location, s=sigma), Chart(scatter, mean, *limits, sigma, beyond)
