"""Control charts of a check standard: Shewhart, EWMA, CUSUM, and their run rules.

A violation names the place of the point that completes it. This module must not know what is
charted nor who reacts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.statistics import moments
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]
    Mask = NDArray[np.bool_]

LIMITS = "beyond_limits"


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule broken.

    Attributes
    ----------
    index : int
        Place of the point that completes the pattern, from 0.
    rule : str
        Name of the rule.
    """

    index: int
    rule: str


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A chart with its limits.

    Attributes
    ----------
    statistic : (n,) array
        What is plotted.
    center, lower, upper, s : float
        Center line, control limits, standard deviation of one value.
    violations : tuple of Violation
        In the order of the points.
    """

    statistic: FloatArray
    center: float
    lower: float
    upper: float
    s: float
    violations: tuple[Violation, ...]

    def __post_init__(self) -> None:
        require_finite("a chart", statistic=self.statistic, center=self.center, s=self.s)
        require_finite("a chart", lower=self.lower, upper=self.upper)


@dataclass(frozen=True, slots=True, eq=False)
class Cusum:
    """Two one-sided cumulative sums.

    Attributes
    ----------
    high, low : (n,) array
        Sums against a rise and against a fall, never negative.
    center, k, h, s : float
        Target, allowance and decision interval (unit of the values), standard deviation.
    violations : tuple of Violation
        Points at which a sum exceeds `h`.
    """

    high: FloatArray
    low: FloatArray
    center: float
    k: float
    h: float
    s: float
    violations: tuple[Violation, ...]

    def __post_init__(self) -> None:
        require_finite("a cumulative sum", high=self.high, low=self.low, k=self.k, h=self.h)


def _run(side: Mask, length: int) -> Mask:
    """Where the last `length` entries are all true."""
    return np.asarray(_count(side, length) == length, dtype=np.bool_)


def _count(side: Mask, length: int) -> NDArray[np.int64]:
    """How many of the last `length` entries are true, fewer at the start."""
    total = np.concatenate([[0], np.cumsum(side)])
    start = np.maximum(0, np.arange(len(side)) - length + 1)
    return np.asarray(total[1:] - total[start], dtype=np.int64)


def _some_beyond(z: FloatArray, count: int, length: int, sigma: float) -> Mask:
    """Where a point beyond `sigma` completes `count` of `length` on its side."""
    up, down = z > sigma, z < -sigma
    return (up & (_count(up, length) >= count)) | (down & (_count(down, length) >= count))


def _same_side(z: FloatArray, length: int) -> Mask:
    return _run(z > 0, length) | _run(z < 0, length)


def _trend(z: FloatArray, length: int) -> Mask:
    steps = np.diff(z, prepend=z[:1])
    return _run(steps > 0, length - 1) | _run(steps < 0, length - 1)


def _alternating(z: FloatArray, length: int) -> Mask:
    steps = np.diff(z, prepend=z[:1])
    turns = np.concatenate([[False], steps[1:] * steps[:-1] < 0])
    return _run(turns, length - 2)


RULES: dict[str, Callable[[FloatArray], Mask]] = {
    "two_of_three_beyond_2s": lambda z: _some_beyond(z, 2, 3, 2.0),
    "four_of_five_beyond_1s": lambda z: _some_beyond(z, 4, 5, 1.0),
    "seven_on_one_side": lambda z: _same_side(z, 7),
    "eight_on_one_side": lambda z: _same_side(z, 8),
    "nine_on_one_side": lambda z: _same_side(z, 9),
    "six_trending": lambda z: _trend(z, 6),
    "seven_trending": lambda z: _trend(z, 7),
    "fourteen_alternating": lambda z: _alternating(z, 14),
    "fifteen_within_1s": lambda z: _run(np.abs(z) < 1, 15),
    "eight_beyond_1s": lambda z: _run(np.abs(z) > 1, 8),
}
"""Run rules on deviations from the center in units of sigma; `beyond_limits` always applies."""

RULE_SETS: dict[str, tuple[str, ...]] = {
    "limits": (),
    "western_electric": (
        "two_of_three_beyond_2s", "four_of_five_beyond_1s", "eight_on_one_side", "six_trending",
        "fifteen_within_1s",
    ),
    "nelson": (
        "nine_on_one_side", "six_trending", "fourteen_alternating", "two_of_three_beyond_2s",
        "four_of_five_beyond_1s", "fifteen_within_1s", "eight_beyond_1s",
    ),
    "iso7870_2": ("seven_on_one_side", "seven_trending"),
}  # fmt: skip
"""Which run rules belong together."""


def estimate_spread(values: ArrayLike, method: str = "moving_range") -> float:
    """Estimate the standard deviation of single values in the order they were taken.

    Parameters
    ----------
    values : (n,) array_like
        At least two.
    method : str
        ``moving_range`` (mean of |differences| over d2 = 1.128) or ``standard_deviation``.

    Returns
    -------
    float
        Unit of `values`.

    Raises
    ------
    DegenerateData
        Fewer than two values, or no scatter.
    OutOfRange
        A value is not finite.

    Notes
    -----
    Source: ISO 7870-2:2023, control chart for individuals; E(|x1 - x2|) = 2 sigma/sqrt(pi).
    Checked against: tests/reference/charts.toml.
    Limits: the moving range ignores slow changes, the standard deviation counts them.
    """
    mean_and_s = moments(values)
    x = np.asarray(values, dtype=np.float64)
    if method == "standard_deviation":
        s = float(mean_and_s[1])
    else:
        s = float(np.mean(np.abs(np.diff(x)))) * math.sqrt(math.pi) / 2
    if s == 0:
        raise DegenerateData("All values are equal: limits cannot be estimated. Give s.")
    return s


def _violations(broken: dict[str, Mask]) -> tuple[Violation, ...]:
    found = [(int(i), rule) for rule, mask in broken.items() for i in np.flatnonzero(mask)]
    return tuple(Violation(i, rule) for i, rule in sorted(found, key=lambda f: f[0]))


def _checked(values: ArrayLike, s: float, width: float) -> FloatArray:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise DegenerateData("A chart needs at least one value.")
    require_finite("a chart", values=x)
    if not (s > 0 and width > 0 and math.isfinite(s) and math.isfinite(width)):
        msg = f"s and width must be positive, got {s} and {width}."
        raise OutOfRange(msg, {"s": s, "width": width})
    return x


def chart_shewhart(
    values: ArrayLike, center: float, s: float, width: float = 3.0, rules: Sequence[str] = ()
) -> Chart:
    """Chart values against a center line, with run rules.

    Parameters
    ----------
    values : (n,) array_like
        In the order they were taken.
    center, s : float
        Target and standard deviation of one value.
    width : float
        Control limits at -/+ width s.
    rules : sequence of str
        Run rules of `RULES`, added to `beyond_limits`.

    Returns
    -------
    Chart
        The values, limits and violations.

    Raises
    ------
    DegenerateData
        No value, or an unknown rule.
    OutOfRange
        A number is not finite, `s` or `width` not positive.

    Notes
    -----
    Source: ISO 7870-2:2023; Western Electric, Statistical Quality Control Handbook (1956);
    L. S. Nelson, J. Quality Technology 16 (1984) 237.
    Checked against: tests/reference/charts.toml.
    Limits: every added rule adds false alarms; zones are 1 s and 2 s whatever the width.
    """
    x = _checked(values, s, width)
    unknown = [r for r in rules if r not in RULES]
    if unknown:
        msg = f"Unknown rule {unknown[0]!r}. Known are {', '.join(RULES)}."
        raise DegenerateData(msg, {"rule": unknown[0]})
    z = (x - center) / s
    broken = {LIMITS: np.abs(z) > width} | {rule: RULES[rule](z) for rule in rules}
    return Chart(x, center, center - width * s, center + width * s, s, _violations(broken))


def chart_ewma(
    values: ArrayLike, center: float, s: float, lam: float = 0.2, width: float = 3.0
) -> Chart:
    """Chart the exponentially weighted moving average.

    Parameters
    ----------
    values : (n,) array_like
        In the order they were taken.
    center, s : float
        Target, where the average starts, and standard deviation of one value.
    lam : float
        Weight of the newest value, above 0 and at most 1.
    width : float
        Asymptotic limits at -/+ width s sqrt(lam/(2 - lam)).

    Returns
    -------
    Chart
        Averages, limits and points beyond them.

    Raises
    ------
    DegenerateData
        No value.
    OutOfRange
        A number is not finite or not in its range.

    Notes
    -----
    Source: NIST/SEMATECH e-Handbook 6.3.2.4; ISO 7870-6.
    Checked against: tests/reference/charts.toml.
    Limits: the asymptotic limits are wide for the first points.
    """
    x = _checked(values, s, width)
    if not 0 < lam <= 1:
        raise OutOfRange(f"lambda must be above 0 and at most 1, got {lam}.", {"lambda": lam})
    averages, last = np.empty_like(x), center
    for i, value in enumerate(x):
        last = lam * value + (1 - lam) * last
        averages[i] = last
    half = width * s * math.sqrt(lam / (2 - lam))
    broken = {LIMITS: np.abs(averages - center) > half}
    return Chart(averages, center, center - half, center + half, s, _violations(broken))


def chart_cusum(values: ArrayLike, center: float, s: float, k: float, h: float) -> Cusum:
    """Sum up deviations beyond an allowance, upwards and downwards.

    Parameters
    ----------
    values : (n,) array_like
        In the order they were taken.
    center, s : float
        Target and standard deviation of one value (the latter only told).
    k, h : float
        Allowance and decision interval, unit of the values; k at least 0, h positive.

    Returns
    -------
    Cusum
        Both sums and the points at which they exceed h.

    Raises
    ------
    DegenerateData
        No value.
    OutOfRange
        A number is not finite or not in its range.

    Notes
    -----
    Source: NIST/SEMATECH e-Handbook 6.3.2.3; ISO 7870-4.
    Checked against: tests/reference/charts.toml.
    Limits: the sums go on after a signal; start a new series after a correction.
    """
    x = _checked(values, s, 1.0)
    if not (k >= 0 and h > 0 and math.isfinite(k) and math.isfinite(h)):
        raise OutOfRange(f"k must not be negative and h positive, got {k} and {h}.")
    high, low, up, down = np.empty_like(x), np.empty_like(x), 0.0, 0.0
    for i, value in enumerate(x):
        up = max(0.0, up + (value - center) - k)
        down = max(0.0, down + (center - value) - k)
        high[i], low[i] = up, down
    broken = {"rise": high > h, "fall": low > h}
    return Cusum(high, low, center, k, h, s, _violations(broken))
