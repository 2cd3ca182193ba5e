"""Forecast of one instrument from the line through its calibrations, and when it leaves its limits.

Uncertainty of the line, scatter about it and a random walk since the last calibration add up.
This module must not know who sets an interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.coverage import check_probability
from calib.engine.drift import Band, find_first, fit_lines
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

TAILS = ("t", "t_sd", "normal")
_LOOKS = 1025
_CONSISTENT = 0.05


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected at one time.

    Attributes
    ----------
    t, y, u : float
        Time, expected deviation and its standard uncertainty.
    probability_out : float
        Probability outside the limits.
    """

    t: float
    y: float
    u: float
    probability_out: float


@dataclass(frozen=True, slots=True)
class History:
    """Line through the calibrations of one instrument.

    Attributes
    ----------
    n, dof : int
        Calibrations and degrees of freedom n - 2.
    first, last : float
        First and last time.
    center, level, slope : float
        Weighted mean time, the line there, and its drift.
    u_level, u_slope : float
        Standard uncertainties, independent of each other.
    s : float
        Standard deviation of one calibration about the line.
    walk : float
        Standard deviation of the random walk per square root of the unit of time.
    p : float or None
        Probability of a larger chi-squared; ``None`` when the scatter was estimated.
    """

    n: int
    dof: int
    first: float
    last: float
    center: float
    level: float
    slope: float
    u_level: float
    u_slope: float
    s: float
    walk: float
    p: float | None

    def __post_init__(self) -> None:
        require_finite("a history", level=self.level, slope=self.slope, s=self.s)

    @property
    def span(self) -> float:
        """Time from the first to the last calibration."""
        return self.last - self.first

    @property
    def consistent(self) -> bool:
        """Whether the stated uncertainties cover the scatter."""
        return self.p is None or self.p >= _CONSISTENT

    def at(self, t: float) -> tuple[float, float]:
        """Give the expected deviation of a calibration at `t` and its standard uncertainty."""
        x = t - self.center
        since = max(0.0, t - self.last)
        variance = self.u_level**2 + (self.u_slope * x) ** 2 + self.s**2 + self.walk**2 * since
        return self.level + self.slope * x, math.sqrt(variance)


def fit_history(
    t: ArrayLike, y: ArrayLike, u: ArrayLike | None = None, walk: float = 0.0
) -> History:
    """Fit the line through the calibrations of one instrument.

    Parameters
    ----------
    t, y : (n,) array_like
        Times and deviations (adjustments taken out), n at least 3.
    u : float or (n,) array_like, optional
        Standard uncertainties; without them the scatter tells.
    walk : float
        Standard deviation of a random walk per square root of the unit of time.

    Returns
    -------
    History
        `s` is the scatter about the line, whether or not `u` is given.

    Raises
    ------
    DegenerateData
        Fewer than three calibrations, or all at one time.
    OutOfRange
        A number is not finite, `u` not positive or `walk` negative.

    Notes
    -----
    Source: weighted least squares; ILAC-G24:2022/OIML D 10:2022 method 2; E(t) = E(0) + r t + w(t).
    Checked against: tests/reference/intervals.toml.
    Limits: a drift that is not straight is told only by its scatter.
    """
    times, values = np.asarray(t, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if times.ndim != 1 or times.shape != values.shape or len(times) < 3:
        msg = f"At least three calibrations with their times are needed, got {values.size}."
        raise DegenerateData(msg, {"calibrations": values.size, "times": times.size})
    require_finite("a history", t=times, y=values)
    if not (walk >= 0 and math.isfinite(walk)):
        raise OutOfRange("The random walk must not be negative.", {"walk": str(walk)})
    n = len(times)
    us = np.asarray(1.0 if u is None else u, dtype=np.float64)
    if us.shape not in ((), times.shape):
        msg = f"{n} calibrations need one uncertainty or as many, got {us.size}."
        raise DegenerateData(msg, {"calibrations": n, "uncertainties": us.size})
    us = np.broadcast_to(us, times.shape)
    any_band = Band(None, float(np.max(values)), 0.0, 0.0, 0.0, 0.0)
    line = fit_lines(times[:, None], values[:, None], us[:, None], any_band)
    chi2, dof = float(line.chi2[0]), n - 2
    # With equal uncertainties this is the plain residual standard deviation.
    s = math.sqrt(chi2 / dof / float(np.mean(1 / us**2)))
    scale = s if u is None else 1.0
    u_slope = math.sqrt(float(line.var_slope[0]))
    u_level = 1 / math.sqrt(float(np.sum(1 / us**2)))
    return History(
        n=n, dof=dof, first=float(times.min()), last=float(times.max()),
        center=float(line.center[0]), level=float(line.level[0]), slope=float(line.slope[0]),
        u_level=scale * u_level, u_slope=scale * u_slope, s=s, walk=walk,
        p=None if u is None else float(special.chdtrc(dof, chi2)),
    )  # fmt: skip


def forecast(
    history: History, t: float, lower: float | None, upper: float | None, tail: str = "t"
) -> Forecast:
    """Say what is expected at one time, and how probably it lies outside the limits.

    Parameters
    ----------
    history : History
        Fitted line.
    t : float
        Time.
    lower, upper : float or None
        Limits of the deviation.
    tail : str
        ``t``: u is the scale of Student's t with n - 2 degrees of freedom; ``t_sd``: u is its
        standard deviation (needs 3 degrees of freedom); ``normal``.

    Returns
    -------
    Forecast
        Expected deviation, its u and the probability.

    Raises
    ------
    OutOfRange
        `t` is not finite, `tail` is not known or not possible.

    Notes
    -----
    Source: JCGM 101:2008 6.4.9 for the t distribution; Sandia PSL example for ``t_sd``.
    Checked against: tests/reference/intervals.toml.
    Limits: `t` beyond the last calibration trusts that the line goes on.
    """
    require_finite("a forecast", t=t)
    if tail not in TAILS or (tail == "t_sd" and history.dof < 3):
        msg = f"The tail must be one of {', '.join(TAILS)}; t_sd needs five calibrations."
        raise OutOfRange(msg, {"tail": tail, "dof": history.dof})
    y, u = history.at(t)
    if u == 0:
        inside = (lower is None or y >= lower) and (upper is None or y <= upper)
        return Forecast(t, y, u, 0.0 if inside else 1.0)
    scale = u * math.sqrt(1 - 2 / history.dof) if tail == "t_sd" else u
    out = 0.0
    for gap in (None if lower is None else y - lower, None if upper is None else upper - y):
        if gap is not None:
            z = -gap / scale
            out += float(special.ndtr(z) if tail == "normal" else special.stdtr(history.dof, z))
    return Forecast(t, y, u, min(1.0, out))


def find_departure(
    history: History, lower: float | None, upper: float | None, *, confidence: float,
    longest: float, criterion: str = "band", tail: str = "t",
) -> tuple[float, float]:  # fmt: skip
    """Find how long after the last calibration the limits are first in doubt.

    Parameters
    ----------
    history : History
        Fitted line.
    lower, upper : float or None
        Limits, at least one.
    confidence : float
        Coverage of the band, or the reliability wanted.
    longest : float
        How far to look, positive.
    criterion : str
        ``band``: |expected| + k u reaches a limit; ``probability``: the probability outside
        exceeds 1 - confidence.
    tail : str
        As in `forecast`, for the probability.

    Returns
    -------
    tuple of float
        Time after the last calibration (infinite: not within `longest`) and k (0 for the
        probability).

    Raises
    ------
    DegenerateData
        No limit, or limits crossed.
    OutOfRange
        `confidence` not between 0 and 1, or `longest` not positive.

    Notes
    -----
    Source: ILAC-G24:2022/OIML D 10:2022 method 2 (control chart).
    Checked against: tests/reference/intervals.toml and `fit_lines`.
    Limits: looked at on a thousand times, then refined; nothing is said beyond `longest`.
    """
    check_probability(confidence, "confidence")
    Band(lower, upper, 0.0, 0.0, 0.0, 0.0)
    if not (longest > 0 and math.isfinite(longest)):
        raise OutOfRange(f"The longest interval must be positive, got {longest}.")
    sides = (lower is not None) + (upper is not None)
    k = float(special.stdtrit(history.dof, (1 + confidence) / 2 if sides == 2 else confidence))

    def over(since: float) -> float:
        if criterion == "probability":
            found = forecast(history, history.last + since, lower, upper, tail)
            return found.probability_out - (1 - confidence)
        y, u = history.at(history.last + since)
        above = -math.inf if upper is None else y + k * u - upper
        below = -math.inf if lower is None else lower - y + k * u
        return max(above, below)

    since = find_first(over, np.linspace(0.0, longest, _LOOKS))
    return (math.inf if since is None else since), (0.0 if criterion == "probability" else k)
