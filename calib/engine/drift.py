"""Drift of an instrument: straight lines of whole fleets, and polynomials of changes.

Times and deviations are plain numbers in any unit. A line is fitted about the mean time, where
level and slope are independent, so that a band needs no covariance. This module must not know
what drifts, nor who sets an interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

# So many instruments with ten points each stay in the cache.
CHUNK = 8192
MAX_DEGREE = 6
_SINGULAR = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Straight lines y = intercept + slope t of N instruments.

    Attributes
    ----------
    intercept, slope : (N,) array
        Value at t = 0, unit of y, and drift per unit of t.
    var_intercept, covariance, var_slope : (N,) array
        From the stated uncertainties, never rescaled.
    chi2 : (N,) array
        Weighted sum of squares about the line.
    dof : int
        Points less two.
    center, level : (N,) array
        Weighted mean time, and the line there.
    crossing : (N,) array
        When the band first reaches a limit, or the horizon where it does not.
    reached : (N,) array of bool
        Whether it does before the horizon.
    """

    intercept: FloatArray
    slope: FloatArray
    var_intercept: FloatArray
    covariance: FloatArray
    var_slope: FloatArray
    chi2: FloatArray
    dof: int
    center: FloatArray
    level: FloatArray
    crossing: FloatArray
    reached: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Band:
    """What bounds a line: limits, the width of its band, and the time looked at.

    Attributes
    ----------
    lower, upper : float or None
        Limits of y, at least one.
    k : float
        Coverage factor of the band.
    u0 : float
        Standard uncertainty beside that of the line, unit of y.
    start, horizon : float
        First and last time looked at.
    """

    lower: float | None
    upper: float | None
    k: float
    u0: float
    start: float
    horizon: float

    def __post_init__(self) -> None:
        require_finite("limits", lower=self.lower, upper=self.upper)
        require_finite("a band", k=self.k, u0=self.u0, start=self.start, horizon=self.horizon)
        if self.lower is None and self.upper is None:
            raise DegenerateData("At least one limit is needed.")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise DegenerateData("The lower limit must be below the upper limit.")
        if self.k < 0 or self.u0 < 0 or self.horizon < self.start:
            raise OutOfRange("k and u0 are never negative; the horizon is not before the start.")


def fit_lines(t: ArrayLike, y: ArrayLike, u: ArrayLike, band: Band) -> Lines:
    """Fit the drift of a fleet and find when each band first reaches a limit.

    Parameters
    ----------
    t, y, u : (n, N) array_like
        Times, deviations and their standard uncertainties; one column per instrument. What has
        fewer dimensions is broadcast against `y`.
    band : Band
        |deviation| plus k sqrt(u0^2 + u(line)^2) is compared with its limits.

    Returns
    -------
    Lines
        One entry per instrument.

    Raises
    ------
    DegenerateData
        Fewer than three points, or a column whose times are all equal.
    OutOfRange
        A number is not finite, or an uncertainty not positive.

    Notes
    -----
    Source: weighted least squares (ISO/TS 28037:2010 clause 6); the crossing is the root of a
    quadratic equation, of which the band's convexity tells the right one.
    Checked against: tests/reference/intervals.toml and a general solver.
    Limits: uncorrelated deviations. Nothing is said beyond the horizon.
    """
    values = np.asarray(y, dtype=np.float64)
    if values.ndim != 2 or len(values) < 3:
        msg = "y needs at least three rows (times) and one column per instrument."
        raise DegenerateData(msg, {"shape": str(values.shape)})
    times = np.broadcast_to(np.asarray(t, dtype=np.float64), values.shape)
    us = np.broadcast_to(np.asarray(u, dtype=np.float64), values.shape)
    n, count = values.shape
    out = np.empty((9, count))
    for i in range(0, count, CHUNK):
        part = slice(i, i + CHUNK)
        _fit_chunk(times[:, part], values[:, part], us[:, part], band, out[:, part])
    if not np.all(np.isfinite(out[:8])):
        raise _explain(times, us)
    reached = out[8] < band.horizon
    crossing = np.minimum(out[8], band.horizon)
    intercept, slope, v0, c01, v1, chi2, center, level = out[:8]
    return Lines(
        intercept, slope, v0, c01, v1, chi2, n - 2, center, level, crossing, reached
    )  # fmt: skip


def _explain(t: FloatArray, u: FloatArray) -> DegenerateData | OutOfRange:
    """Say what spoiled the fit."""
    if not np.all(np.isfinite(u)) or np.any(u <= 0):
        return OutOfRange("Every point needs a positive standard uncertainty.")
    flat = np.flatnonzero(np.ptp(t, axis=0) == 0)
    if len(flat):
        msg = f"All times of column {flat[0]} are equal: there is no drift to be seen."
        return DegenerateData(msg, {"column": int(flat[0])})
    return OutOfRange("A time or deviation is not a finite number, or far out of scale.")


def _fit_chunk(t: FloatArray, y: FloatArray, u: FloatArray, band: Band, out: FloatArray) -> None:
    """Fit some columns; what fails is left as it falls and explained by the caller."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        r = 1 / u
        w = r * r
        total = w.sum(axis=0)
        center = np.einsum("ij,ij->j", w, t) / total
        level = np.einsum("ij,ij->j", w, y) / total
        d = t - center
        d *= r
        rest = y - level
        rest *= r
        moment = np.einsum("ij,ij->j", d, d)
        slope = np.einsum("ij,ij->j", d, rest) / moment
        d *= slope
        rest -= d
        v, v1 = 1 / total, 1 / moment
        out[0], out[1] = level - slope * center, slope
        out[2], out[3], out[4] = v + center * center * v1, -center * v1, v1
        out[5] = np.einsum("ij,ij->j", rest, rest)
        out[6], out[7] = center, level
        out[8] = _first(level, slope, v, v1, center, band)


def _first(
    level: FloatArray, slope: FloatArray, v: FloatArray, v1: FloatArray, center: FloatArray,
    band: Band,
) -> FloatArray:  # fmt: skip
    """When the line with its band first reaches a limit; infinite where it never does.

    With x = t - center, slope x + k sqrt(u0^2 + v + v1 x^2) is convex: once below the gap it
    crosses at most once, at (slope gap - root)/(slope^2 - k^2 v1), written so that nothing
    cancels: root^2 = slope^2 f + k^2 v1 (gap^2 - f) with f = k^2 (u0^2 + v).
    """
    x0 = band.start - center
    fixed, curved = band.k**2 * (band.u0**2 + v), band.k**2 * v1
    width = np.sqrt(fixed + curved * x0 * x0)
    steep, ahead = slope * slope, slope * x0
    lead, share = steep - curved, steep * fixed
    first = np.full(len(center), np.inf)
    for limit, sign in ((band.upper, 1.0), (band.lower, -1.0)):
        if limit is None:
            continue
        gap = sign * (limit - level)
        half = slope * gap if sign > 0 else -slope * gap
        rest = gap * gap - fixed
        root = np.sqrt(np.maximum(0.0, share + curved * rest))
        far = rest / (half + np.copysign(root, half))
        x = np.where((half > 0) | (lead == 0), far, (half - root) / lead)
        x[(lead >= 0) & (sign * slope <= 0)] = np.inf
        x[gap - sign * ahead <= width] = -np.inf  # violated from the start
        np.minimum(first, x, out=first)
    return np.maximum(first + center, band.start)


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Polynomial through the origin fitted to changes since adjustment.

    Attributes
    ----------
    parameters : (m,) array
        b1 ... bm of delta(t) = b1 t + ... + bm t^m.
    covariance : (m, m) array
        s^2 (T^T T)^-1.
    s : float
        Standard deviation of one change about the curve.
    dof : int
        Changes less m.
    longest : float
        Longest time seen.
    """

    parameters: FloatArray
    covariance: FloatArray
    s: float
    dof: int
    longest: float

    def __post_init__(self) -> None:
        require_finite("a drift", parameters=self.parameters, covariance=self.covariance, s=self.s)

    def predict(self, t: float) -> tuple[float, float]:
        """Give the change after a time, and its standard uncertainty u_pred."""
        row = t ** np.arange(1, len(self.parameters) + 1)
        variance = self.s**2 + max(0.0, float(row @ self.covariance @ row))
        return float(row @ self.parameters), math.sqrt(variance)


def fit_changes(dt: ArrayLike, delta: ArrayLike, degree: int = 1) -> Changes:
    """Fit changes since adjustment against the time passed.

    Parameters
    ----------
    dt, delta : (n,) array_like
        Times passed (positive) and changes (as found less the as left before).
    degree : int
        m, 1 to 6; more changes than that.

    Returns
    -------
    Changes
        Ordinary least squares through the origin.

    Raises
    ------
    DegenerateData
        Too few changes, or times that cannot tell the terms apart.
    OutOfRange
        A number is not finite, a time not positive, or `degree` not 1 to 6.

    Notes
    -----
    Source: NASA-HDBK-8739.19-5 (2010) chapter 7; NCSLI RP-1 (variables data).
    Checked against: tests/reference/intervals.toml.
    Limits: equal scatter of all changes, whatever the time passed.
    """
    t, d = np.asarray(dt, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    require_finite("a drift", dt=t, delta=d)
    if not 1 <= degree <= MAX_DEGREE:
        msg = f"degree must be 1 to {MAX_DEGREE}, got {degree}."
        raise OutOfRange(msg, {"degree": degree})
    if t.ndim != 1 or t.shape != d.shape or len(t) <= degree:
        msg = f"More than {degree} changes with their times are needed, got {d.size} and {t.size}."
        raise DegenerateData(msg, {"changes": d.size, "times": t.size, "degree": degree})
    if np.any(t <= 0):
        raise OutOfRange("Every time passed must be positive.")
    longest = float(t.max())
    powers = np.arange(1, degree + 1)
    q, r = np.linalg.qr((t / longest)[:, None] ** powers)
    if np.min(np.abs(np.diag(r))) <= _SINGULAR * np.max(np.abs(np.diag(r))):
        msg = f"The times do not tell {degree} terms apart. Lower the degree."
        raise DegenerateData(msg, {"degree": degree})
    back = np.linalg.inv(r) / longest ** powers[:, None]
    b = back @ (q.T @ d)
    rest = d - q @ (q.T @ d)
    dof = len(t) - degree
    s2 = float(rest @ rest) / dof
    return Changes(b, s2 * back @ back.T, math.sqrt(s2), dof, longest)


def first_reach(changes: Changes, *, u0: float, k: float, gap: float, sign: int) -> float | None:
    """Find when sign delta(t) + k sqrt(u0^2 + u_pred(t)^2) first reaches a gap, t from 0.

    Parameters
    ----------
    changes : Changes
        Fitted drift.
    u0, k : float
        Uncertainty at t = 0 and coverage factor.
    gap : float
        Distance from the value at t = 0 to the limit.
    sign : int
        1 upper limit, -1 lower limit, 0 the uncertainty alone.

    Returns
    -------
    float or None
        0 when violated from the start, ``None`` when never reached.

    Raises
    ------
    OutOfRange
        `u0` or `k` is negative or not finite.

    Notes
    -----
    Source: NASA-HDBK-8739.19-5 (2010) chapter 7.
    Checked against: tests/reference/intervals.toml.
    Limits: the time may lie far beyond the longest seen.
    """
    require_finite("a band", u0=u0, k=k, gap=gap)
    if u0 < 0 or k < 0:
        raise OutOfRange("u0 and k are never negative.")

    def over(t: float) -> float:
        delta, u = changes.predict(t)
        return sign * delta + k * math.hypot(u0, u) - gap

    return find_first(over, np.concatenate([[0.0], _edges(changes, u0, k, gap, sign)]))


def _edges(changes: Changes, u0: float, k: float, gap: float, sign: int) -> FloatArray:
    """List times between which the band crosses at most once.

    Squared, the condition is a polynomial in t. Every crossing is one of its roots; between
    neighbouring roots (and, for a mere touch, stationary points) one time is looked at.
    """
    m, T = len(changes.parameters), changes.longest
    scale = T ** np.arange(m + 1)
    line = np.concatenate([[gap], -sign * changes.parameters]) * scale
    band = np.zeros(2 * m + 1)
    band[0] = u0**2 + changes.s**2
    scaled = changes.covariance * scale[1:, None] * scale[1:]
    for i in range(m):
        band[i + 2 : i + 2 + m] += scaled[i]
    squared = np.polynomial.Polynomial(np.convolve(line, line) - k * k * band)
    marks = np.concatenate([squared.roots(), squared.deriv().roots()])
    near = np.abs(marks.imag) <= 1e-3 * np.abs(marks)
    real = np.sort(np.abs(marks.real[near & (marks.real > 0)]))
    if not len(real):
        return np.array([1.0, 1e3]) * T
    between = np.concatenate([[real[0] / 2], (real[1:] + real[:-1]) / 2, [2 * real[-1]]])
    return np.asarray(np.sort(np.concatenate([real, between])) * T, dtype=np.float64)


def find_first(over: Callable[[float], float], looks: FloatArray) -> float | None:
    """Find the first time at which `over` is not negative, looked for between rising times."""
    last = None
    for look in looks.tolist():
        if over(look) >= 0:
            return float(look) if last is None else _bisect(over, last, look)
        last = look
    return None


def _bisect(over: Callable[[float], float], low: float, high: float) -> float:
    """Narrow down where `over` turns from negative at `low` to not negative at `high`."""
    while low < (middle := (low + high) / 2) < high:
        if over(middle) >= 0:
            high = middle
        else:
            low = middle
    return high
