"""Keeping trials: all of them up to a limit, counts in narrow cells beyond.

Moments are summed as trials come. Up to the limit coverage intervals are order statistics of the
sorted trials. Beyond it trials are counted in 65 536 equal cells over all but the far tails, so
that memory stays bounded whatever their number; an end of an interval then lies in the right
cell, about 1e-4 u wide, and is interpolated in it. This module must not know models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.correlations import correlation_of
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Interval = tuple[float, float]

KEPT = 4_000_000
"""So many numbers are kept, of all outputs together (32 MB)."""
CELLS = 2**16
_FAR = 40
_PILOT = 2**17
_BINS = 256
_SHALLOW = 1.01
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Summary:
    """One output of a Monte Carlo run.

    Attributes
    ----------
    value, u : float
        Mean and standard deviation of the trials.
    interval, shortest : tuple of float
        Probabilistically symmetric and shortest coverage interval.
    errors : tuple of float
        Standard errors of value, u and the two ends of `interval`, due to the finite number of
        trials; 0 where the figure is exact.
    """

    value: float
    u: float
    interval: Interval
    shortest: Interval
    errors: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        require_finite("a Monte Carlo result", value=self.value, u=self.u)

    @property
    def U(self) -> float:
        """Half the length of the symmetric interval."""
        return (self.interval[1] - self.interval[0]) / 2

    @property
    def figures(self) -> tuple[float, float, float, float]:
        """Value, u and the ends of the symmetric interval."""
        return (self.value, self.u, *self.interval)


def ranks(trials: int, p: float) -> tuple[int, int]:
    """Rank of the lower end of the symmetric interval, and how many trials it covers.

    Notes
    -----
    Source: JCGM 101:2008 7.7.
    Checked against: tests/reference/jcgm101.toml.
    Limits: at least two trials.
    """
    q = min(trials - 1, math.floor(p * trials + 0.5))
    return max(1, math.ceil((trials - q) / 2)), q


def bottom(widths: FloatArray) -> int:
    """Place of the smallest of many noisy widths, as the lowest point of their smooth course.

    Parameters
    ----------
    widths : (n,) array
        Lengths of intervals that cover equally many trials, in the order of their lower ends.

    Returns
    -------
    int
        Lowest point of a cubic through the averages of 256 groups, where they are within 1 % of
        the smallest; the place of the smallest width itself when there are too few of them, or
        when it is at either end.

    Notes
    -----
    Source: JCGM 101:2008 7.7.2 takes the smallest width itself; near its flat minimum that one
    is found by chance, and the ends scatter several times more.
    Checked against: tests/reference/jcgm101.toml.
    Limits: the length found is at most some 0.1 % above the smallest.
    """
    size = len(widths) // _BINS
    if size < _FEWEST:
        return int(np.argmin(widths))
    mean = widths[: size * _BINS].reshape(_BINS, size).mean(axis=1)
    first = last = int(np.argmin(mean))
    if first in (0, _BINS - 1):  # the density is largest at an edge of what is possible
        return int(np.argmin(widths))
    near = mean <= _SHALLOW * mean[first]
    while first > 0 and near[first - 1]:
        first -= 1
    while last < _BINS - 1 and near[last + 1]:
        last += 1
    if last - first + 1 < _FEWEST:
        return int(np.argmin(widths))
    x = np.arange(first, last + 1) + 0.5
    middle, half = (first + last + 1) / 2, (last + 1 - first) / 2
    curve = np.polynomial.polynomial.polyfit((x - middle) / half, mean[first : last + 1], 3)
    places = np.arange(first * size, (last + 1) * size)
    course = np.polynomial.polynomial.polyval((places / size - middle) / half, curve)
    return int(places[int(np.argmin(course))])


def coverage_intervals(sorted_values: FloatArray, p: float) -> tuple[Interval, Interval]:
    """Probabilistically symmetric and shortest coverage interval of sorted trials.

    Parameters
    ----------
    sorted_values : (M,) array
        Trials in rising order.
    p : float
        Coverage probability.

    Returns
    -------
    tuple of two pairs
        Symmetric and shortest interval.

    Notes
    -----
    Source: JCGM 101:2008 7.7; the shortest one as in `bottom`.
    Checked against: tests/reference/jcgm101.toml.
    Limits: order statistics, no interpolation.
    """
    m = len(sorted_values)
    r, q = ranks(m, p)
    low, high = sorted_values[r - 1], sorted_values[min(m, r + q) - 1]
    best = bottom(sorted_values[q:] - sorted_values[: m - q])
    return (float(low), float(high)), (float(sorted_values[best]), float(sorted_values[best + q]))


class _Sorted:
    """All trials of one output."""

    def __init__(self, values: FloatArray) -> None:
        values.sort()
        self.values = values

    def intervals(self, p: float) -> tuple[Interval, Interval]:
        return coverage_intervals(self.values, p)

    def at(self, rank: int) -> float:
        return float(self.values[min(max(rank, 1), len(self.values)) - 1])


class _Counted:
    """Counts of the trials of one output in cells, laid out on those kept so far."""

    def __init__(self, values: FloatArray, p: float) -> None:
        tail = (1 - p) / _FAR
        ends = np.quantile(values[:_PILOT], [tail, 1 - tail])
        self.low, self.high = (float(x) for x in ends)
        width = self.high - self.low
        self.scale = CELLS / width if width > 0 else 0.0
        self.least, self.most = self.low, self.high
        self.counts = np.zeros(CELLS + 2, dtype=np.int64)
        for start in range(0, len(values), _PILOT):
            self.add(values[start : start + _PILOT])

    def add(self, values: FloatArray) -> None:
        self.least = min(self.least, float(values.min()))
        self.most = max(self.most, float(values.max()))
        place = np.clip((values - self.low) * self.scale + 1, 0, CELLS + 1).astype(np.int64)
        self.counts += np.bincount(place, minlength=CELLS + 2)

    def _edges(self) -> tuple[FloatArray, FloatArray]:
        """Borders of the cells and how many trials lie below each."""
        inner = np.linspace(self.low, self.high, CELLS + 1)
        below = np.concatenate([[0], np.cumsum(self.counts)])
        return np.concatenate([[self.least], inner, [self.most]]), below.astype(np.float64)

    def intervals(self, p: float) -> tuple[Interval, Interval]:
        edges, below = self._edges()
        r, q = ranks(int(below[-1]), p)
        left = edges[below + q <= below[-1]]
        right = np.interp(below[: len(left)] + q, below, edges)
        best = bottom(right - left)
        return (self.at(r), self.at(r + q)), (float(left[best]), float(right[best]))

    def at(self, rank: int) -> float:
        edges, below = self._edges()
        return float(np.interp(rank, below, edges))


class Trials:
    """Trials of all outputs of a run, summed up as they come."""

    def __init__(self, outputs: int, p: float) -> None:
        self.p, self.n = p, 0
        self.kept = np.empty((outputs, max(1, KEPT // outputs)))
        self.counted: list[_Counted] = []
        self.shift = np.zeros(outputs)
        self.first = np.zeros(outputs)
        self.second = np.zeros((outputs, outputs))
        self.higher = np.zeros((2, outputs))

    def add(self, y: FloatArray) -> None:
        """Add a block (outputs, trials)."""
        if self.n == 0:
            self.shift = y.mean(axis=1)
        d = y - self.shift[:, None]
        self.first += d.sum(axis=1)
        # Not a matrix product: threads of a BLAS cost more than they give for so few rows.
        self.second += np.einsum("ij,kj->ik", d, d)
        square = d * d
        self.higher += [np.einsum("ij,ij->i", square, d), np.einsum("ij,ij->i", square, square)]
        end = self.n + y.shape[1]
        if not self.counted and end <= self.kept.shape[1]:
            self.kept[:, self.n : end] = y
        else:
            if not self.counted:
                self.counted = [_Counted(row, self.p) for row in self.kept[:, : self.n]]
                self.kept = np.empty((len(y), 0))
            for cells, row in zip(self.counted, y, strict=True):
                cells.add(row)
        self.n = end

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix of the outputs so far."""
        mean = self.first / self.n
        return (self.second - self.n * np.outer(mean, mean)) / (self.n - 1)

    def correlation(self) -> FloatArray:
        """Correlation matrix of the outputs."""
        return correlation_of(self.covariance)

    def summaries(self) -> list[Summary]:
        """Figures of every output; the kept trials are sorted in place."""
        holders: Sequence[_Sorted | _Counted] = self.counted or [
            _Sorted(row) for row in self.kept[:, : self.n]
        ]
        variance = np.maximum(0.0, np.diag(self.covariance))
        d = self.first / self.n
        third, fourth = self.higher / self.n
        fourth = fourth - 4 * d * third + 6 * d**2 * np.diag(self.second) / self.n - 3 * d**4
        out = []
        for i, cells in enumerate(holders):
            u = math.sqrt(variance[i])
            spread = math.sqrt(max(0.0, fourth[i] - u**4) / self.n)
            symmetric, shortest = cells.intervals(self.p)
            errors = (
                u / math.sqrt(self.n), spread / (2 * u) if u > 0 else 0.0, *self._end_errors(cells)
            )  # fmt: skip
            value = float(self.shift[i] + d[i])
            out.append(Summary(value, u, symmetric, shortest, errors))
        return out

    def _end_errors(self, cells: _Sorted | _Counted) -> tuple[float, float]:
        """Half the distance between order statistics one binomial standard deviation away."""
        r, q = ranks(self.n, self.p)
        tail = (1 - self.p) / 2
        s = max(1, math.ceil(math.sqrt(self.n * tail * (1 - tail))))
        low, high = ((cells.at(k + s) - cells.at(k - s)) / 2 for k in (r, r + q))
        return low, high
