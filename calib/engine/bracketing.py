"""Roots and maxima of many functions of one variable at once, between two ends.

Function values come for all items together, so that a fleet costs one call per step. This module
must not know what the functions mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from calib.engine.errors import NotConverged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    FloatArray: TypeAlias = NDArray[np.float64]
    Many = Callable[[FloatArray], FloatArray]

_MOST_STEPS = 200
_GOLDEN = (3 - 5**0.5) / 2
#: Enough to shrink a grid step to 1e-8, finer than a maximum can be told.
_GOLDEN_STEPS = 38


def solve_between(function: Many, low: FloatArray, high: FloatArray) -> FloatArray:
    """Find where each function is zero, to double precision.

    Parameters
    ----------
    function : callable
        Of n arguments, giving n values.
    low, high : (n,) array
        Ends at which the function has different signs (or is zero).

    Returns
    -------
    (n,) array
        The roots.

    Raises
    ------
    NotConverged
        A function has the same sign at both of its ends, or is no function of its argument.

    Notes
    -----
    Source: T. R. Chandrupatla, Advances in Engineering Software 28 (1997) 145-149.
    Checked against: tests/reference/risk.toml.
    Limits: one root of each, whichever is met.
    """
    a, b = low.astype(np.float64), high.astype(np.float64)
    fa, fb = function(a), function(b)
    if np.any(np.sign(fa) * np.sign(fb) > 0):
        raise NotConverged("There is no sign change between the ends of a search.")
    c, fc, t = a, fa, np.full_like(a, 0.5)
    finest = 1e-17 * np.abs(b - a) + 1e-300
    for _ in range(_MOST_STEPS):
        best = np.where(np.abs(fa) < np.abs(fb), a, b)
        slack = np.maximum(1e-15 * np.abs(best), finest)
        share = np.minimum(slack / np.maximum(np.abs(b - a), 1e-300), 0.5)
        if np.all((share >= 0.5) | (fa == 0) | (fb == 0)):
            return best
        x = a + np.clip(t, share, 1 - share) * (b - a)
        fx = function(x)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        t = _next_share(a, b, c, fa, fb, fc)
    raise NotConverged("A search between two ends does not settle.")


def _next_share(
    a: FloatArray, b: FloatArray, c: FloatArray, fa: FloatArray, fb: FloatArray, fc: FloatArray
) -> FloatArray:
    """Inverse quadratic interpolation where it is safe, bisection elsewhere."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return np.where(safe & np.isfinite(t), t, 0.5)


def last_crossing(function: Many, grid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the last interval of a grid in which one function comes down through zero.

    Parameters
    ----------
    function : callable
        Elementwise.
    grid : (m,) array
        Rising arguments.

    Returns
    -------
    tuple of (1,) array
        Ends of the interval.

    Raises
    ------
    NotConverged
        The function is nowhere positive on the grid, or positive at its end.

    Notes
    -----
    Source: definition.
    Checked against: tests/reference/risk.toml.
    Limits: crossings narrower than the grid are not seen.
    """
    above = np.flatnonzero(function(grid) > 0)
    if len(above) == 0 or above[-1] == len(grid) - 1:
        raise NotConverged("What is asked for is not met between the ends of the search.")
    last = above[-1]
    return grid[last : last + 1], grid[last + 1 : last + 2]


def maximise_over(function: Many, grid: FloatArray) -> FloatArray:
    """Find where each function is largest, from a grid and golden sections.

    Parameters
    ----------
    function : callable
        Of n arguments, giving n values.
    grid : (m, n) array
        Rising arguments, one column per function.

    Returns
    -------
    (n,) array
        The arguments.

    Notes
    -----
    Source: J. Kiefer (1953), golden section search.
    Checked against: tests/reference/risk.toml.
    Limits: relative precision about 1e-8, as flat as a maximum is.
    """
    values = np.array([function(x) for x in grid])
    best = np.argmax(values, axis=0)
    items = np.arange(grid.shape[1])
    low = grid[np.maximum(best - 1, 0), items]
    high = grid[np.minimum(best + 1, len(grid) - 1), items]
    left, right = low + _GOLDEN * (high - low), high - _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_GOLDEN_STEPS):
        down = at_left >= at_right
        low, high = np.where(down, low, left), np.where(down, right, high)
        kept, value = np.where(down, left, right), np.where(down, at_left, at_right)
        fresh = np.where(down, low + _GOLDEN * (high - low), high - _GOLDEN * (high - low))
        at_fresh = function(fresh)
        left, at_left = np.where(down, fresh, kept), np.where(down, at_fresh, value)
        right, at_right = np.where(down, kept, fresh), np.where(down, value, at_fresh)
    found: FloatArray = np.where(at_left >= at_right, left, right)
    return found
