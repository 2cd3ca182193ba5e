"""Type A evaluation: what repeated readings say about a mean and its uncertainty.

Readings stand along the last axis; every function takes plain numbers. This module must
not know where readings come from, nor drop any of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.types import Nested, TypeA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

# Range divided by these gives s, for n = 2 ... 9 readings.
RANGE_DIVISORS = (1.13, 1.69, 2.06, 2.33, 2.53, 2.70, 2.85, 2.97)
# Degrees of freedom of s from the range, for n = 2 ... 9 (JJF 1059.1-2012, table 1).
RANGE_DOF = (0.9, 1.8, 2.7, 3.6, 4.5, 5.3, 6.0, 6.8)


def need_readings(x: ArrayLike, least: int) -> FloatArray:
    """Check readings: finite numbers, at least `least` along the last axis.

    Raises
    ------
    DegenerateData
        There are fewer.
    OutOfRange
        One is not a finite number.

    Notes
    -----
    Source: definition.
    Checked against: tests/engine/test_statistics.py.
    Limits: none.
    """
    a = np.asarray(x, dtype=np.float64)
    n = a.shape[-1] if a.ndim else 0
    if n < least:
        msg = f"{n} readings given, at least {least} are needed. Take more readings."
        raise DegenerateData(msg, {"n": n, "needed": least})
    if not np.all(np.isfinite(a)):
        raise OutOfRange("A reading is not a finite number. Correct or leave out the reading.")
    return a


def moments(x: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, experimental standard deviation and its s/sqrt(n) along the last axis.

    Parameters
    ----------
    x : (..., n) array_like
        Readings, n at least 2.

    Returns
    -------
    tuple of (...) array
        Mean, s (Bessel) and s/sqrt(n), unit of `x`.

    Raises
    ------
    DegenerateData
        Fewer than two readings.
    OutOfRange
        A reading is not finite.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 4.2.1 to 4.2.3.
    Checked against: tests/reference/type_a.toml.
    Limits: independent readings; see `evaluate_autocorrelated` for others.
    """
    a = need_readings(x, 2)
    n = a.shape[-1]
    # The deviations from the first reading are exact for close readings (StRD NumAcc).
    shifted = a - a[..., :1]
    rough = shifted.mean(axis=-1)
    rest = shifted - rough[..., None]
    slip = rest.mean(axis=-1)
    mean = a[..., 0] + (rough + slip)
    squares = np.sum((rest - slip[..., None]) ** 2, axis=-1)
    s = np.sqrt(squares / (n - 1))
    return mean, s, s / math.sqrt(n)


def evaluate_bessel(x: ArrayLike) -> TypeA:
    """Evaluate one series by Bessel's formula.

    Parameters
    ----------
    x : (n,) array_like
        Readings, n at least 2.

    Returns
    -------
    TypeA
        With n - 1 degrees of freedom.

    Raises
    ------
    DegenerateData
        Fewer than two readings.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 4.2.
    Checked against: tests/reference/type_a.toml.
    Limits: independent readings.
    """
    a = need_readings(x, 2)
    mean, s, u = moments(a)
    return TypeA(float(mean), float(s), float(u), len(a) - 1, len(a))


def evaluate_range(x: ArrayLike) -> TypeA:
    """Evaluate a short series by its range.

    Parameters
    ----------
    x : (n,) array_like
        Two to nine readings.

    Returns
    -------
    TypeA
        s = range / C(n), degrees of freedom of that estimate.

    Raises
    ------
    DegenerateData
        Fewer than two or more than nine readings.

    Notes
    -----
    Source: JJF 1059.1-2012 4.3.2.2 and table 1 (classical table, to be confirmed).
    Checked against: tests/reference/type_a.toml.
    Limits: nearly normal readings.
    """
    a = need_readings(x, 2)
    n = len(a)
    if n > len(RANGE_DIVISORS) + 1:
        msg = f"The range method takes 2 to 9 readings, got {n}. Use Bessel's formula."
        raise DegenerateData(msg, {"n": n})
    s = float(np.ptp(a)) / RANGE_DIVISORS[n - 2]
    return TypeA(float(moments(a)[0]), s, s / math.sqrt(n), RANGE_DOF[n - 2], n)


def evaluate_pooled(groups: Sequence[ArrayLike]) -> TypeA:
    """Pool the scatter of several series about their own means.

    Parameters
    ----------
    groups : sequence of (n_j,) array_like
        Each with at least two readings.

    Returns
    -------
    TypeA
        Mean of all readings, pooled s, s/sqrt(all readings), sum of n_j - 1.

    Raises
    ------
    DegenerateData
        No group, or one with fewer than two readings.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 4.2.4, note; JJF 1059.1-2012 4.3.2.3.
    Checked against: tests/reference/type_a.toml.
    Limits: equal scatter in all groups; u is that of the mean of all readings.
    """
    if not len(groups):
        raise DegenerateData("No group of readings given. At least one is needed.")
    series = [need_readings(g, 2) for g in groups]
    n = sum(len(g) for g in series)
    dof = n - len(series)
    s = math.sqrt(math.fsum((len(g) - 1) * float(moments(g)[1]) ** 2 for g in series) / dof)
    mean = float(moments(np.concatenate(series))[0])
    return TypeA(mean, s, s / math.sqrt(n), dof, n)


def autocorrelate(x: ArrayLike, lags: int) -> FloatArray:
    """Autocorrelation 1, r_1, ..., r_lags of a series.

    Raises
    ------
    DegenerateData
        Fewer than lags + 1 readings, or all equal.

    Notes
    -----
    Source: NIST StRD univariate; N. F. Zhang, Metrologia 43 (2006) S276.
    Checked against: tests/reference/type_a.toml.
    Limits: equally spaced readings.
    """
    a = need_readings(x, max(2, lags + 1))
    d = a - moments(a)[0]
    total = float(d @ d)
    if total == 0:
        raise DegenerateData("All readings are equal: an autocorrelation does not exist.")
    return np.array([1.0, *(float(d[:-k] @ d[k:]) / total for k in range(1, lags + 1))])


def evaluate_autocorrelated(x: ArrayLike) -> TypeA:
    """Evaluate an autocorrelated series.

    Parameters
    ----------
    x : (n,) array_like
        Equally spaced readings.

    Returns
    -------
    TypeA
        `cutoff_lag` is the last lag up to n/4 with |r_k| > 1.96 sigma(r_k).

    Raises
    ------
    DegenerateData
        Fewer than four readings, all equal, or u^2 not positive.

    Notes
    -----
    Source: N. F. Zhang, Metrologia 43 (2006) S276.
    Checked against: tests/reference/type_a.toml.
    Limits: stationary series; degrees of freedom stay n - 1.
    """
    a = need_readings(x, 4)
    n = len(a)
    mean, s, u = moments(a)
    r = autocorrelate(a, n // 4)
    cutoff = 0
    for k in range(1, len(r)):
        sigma = math.sqrt((1 + 2 * float(np.sum(r[1:k] ** 2))) / n)
        if abs(r[k]) > 1.96 * sigma:
            cutoff = k
    lags = np.arange(1, cutoff + 1)
    ratio2 = 1 + 2 / n * float(np.sum((n - lags) * r[1 : cutoff + 1]))
    if ratio2 <= 0:
        msg = "The autocorrelations give no positive variance of the mean. Look for an oscillation."
        raise DegenerateData(msg, {"ratio_squared": ratio2, "cutoff_lag": cutoff})
    return TypeA(float(mean), float(s), float(u) * math.sqrt(ratio2), n - 1, n, cutoff)


def evaluate_nested(
    means: ArrayLike, deviations: ArrayLike, sizes: ArrayLike, alpha: float = 0.05
) -> Nested:
    """Evaluate readings nested in groups (days, positions).

    Parameters
    ----------
    means, deviations : (J,) array_like
        Mean and experimental standard deviation of each group.
    sizes : (J,) array_like of int
        Readings per group, at least two each.
    alpha : float
        Level of the F test.

    Returns
    -------
    Nested
        u from the group means, components of variance and the F test.

    Raises
    ------
    DegenerateData
        Fewer than two groups, or a group of fewer than two.
    OutOfRange
        A figure is not finite, a deviation negative, or `alpha` outside 0 to 1.

    Notes
    -----
    Source: GUM (JCGM 100:2008) H.5.
    Checked against: tests/reference/gum_h5.toml.
    Limits: the mean of all readings weights groups by size; `u` is meant for equal sizes.
    """
    m, s = need_readings(means, 2), need_readings(deviations, 2)
    n = np.asarray(sizes, dtype=np.float64)
    if not np.all(n >= 2) or np.any(s < 0) or not 0 < alpha < 1:
        msg = "Each group needs at least 2 readings, s not negative, alpha between 0 and 1."
        raise OutOfRange(msg, {"sizes": n.tolist(), "alpha": alpha})
    groups, total = len(m), float(n.sum())
    mean = float(np.sum(n * m) / total)
    ss_between = float(np.sum(n * (m - mean) ** 2))
    ss_within = float(np.sum((n - 1) * s**2))
    dof_between, dof_within = groups - 1, total - groups
    ms_between, ms_within = ss_between / dof_between, ss_within / dof_within
    # With unequal groups the effective size takes the place of K (one-way random effects).
    size = (total - float(np.sum(n**2)) / total) / dof_between
    F = ms_between / ms_within if ms_within > 0 else None
    of_means = float(moments(m)[1])
    return Nested(
        mean=mean,
        s=of_means,
        u=of_means / math.sqrt(groups),
        dof=dof_between,
        n=int(total),
        s_within=math.sqrt(ms_within),
        s_between=math.sqrt(max(0.0, (ms_between - ms_within) / size)),
        u_pooled=math.sqrt((ss_between + ss_within) / (total - 1) / total),
        ss_between=ss_between,
        ss_within=ss_within,
        dof_between=dof_between,
        dof_within=dof_within,
        F=F,
        F_critical=float(special.fdtri(dof_between, dof_within, 1 - alpha)),
        p=None if F is None else float(special.fdtrc(dof_between, dof_within, F)),
    )
