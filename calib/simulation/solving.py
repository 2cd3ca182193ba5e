"""Move readings as little as can be until the outputs are what they should be.

The unknowns are, for every input that is read, a shift of its readings and a widening of their
scatter; the smallest weighted change that meets all wishes is found by Newton's method, over all
rows at once. Knows nothing of types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calib.engine.errors import EngineError

FloatArray = NDArray[np.float64]
Outcome = Callable[[Mapping[str, FloatArray]], FloatArray]
"""Readings into everything wished for, of shape (rows, wishes)."""
_STEP = 1e-6
_MOST_STEPS = 60
_ENOUGH = 1e-9


@dataclass(frozen=True, slots=True)
class Movable:
    """How the readings of one input may be moved."""

    weight: float
    """Larger: moved rather than others."""
    scale: FloatArray
    """Size of a change of one, (rows,)."""
    by_factor: bool
    """The readings keep their sign: they are multiplied, not shifted."""
    pattern: FloatArray | None
    """What widening adds, (rows, readings); None: the scatter stays."""


def moved(
    readings: Mapping[str, FloatArray], how: Mapping[str, Movable], change: FloatArray
) -> dict[str, FloatArray]:
    """Return the readings after a change of shape (rows, unknowns)."""
    found, at = {}, 0
    for name, x in readings.items():
        one = how[name]
        shift = change[:, at][:, None]
        if one.by_factor:
            middle = x.mean(axis=1, keepdims=True)
            x = x + middle * np.expm1(shift)  # noqa: PLW2901 -- the readings as they become
        else:
            x = x + one.scale[:, None] * shift  # noqa: PLW2901 -- as above
        at += 1
        if one.pattern is not None:
            x = x + one.pattern * (one.scale * change[:, at])[:, None]  # noqa: PLW2901 -- as above
            at += 1
        found[name] = x
    return found


def solve(
    outcome: Outcome,
    wished: FloatArray,
    size: FloatArray,
    readings: Mapping[str, FloatArray],
    how: Mapping[str, Movable],
) -> dict[str, FloatArray]:
    """Return readings whose outcome is what is wished; NaN wishes nothing.

    `size` (rows, wishes) is what counts as a large difference. Where the wishes contradict each
    other the nearest is returned.
    """
    weights = np.array(
        [
            w
            for one in how.values()
            for w in (one.weight, one.weight)[: 1 + (one.pattern is not None)]
        ]
    )
    x = dict(readings)
    asked = np.isfinite(wished)
    for _ in range(_MOST_STEPS):
        now = outcome(x)
        missing = np.where(asked, (wished - now) / size, 0.0)
        if np.abs(missing).max(initial=0.0) < _ENOUGH:
            break
        slopes = _slopes(outcome, x, how, now, len(weights))
        slopes = np.where(asked[:, :, None], slopes / size[:, :, None], 0.0) * weights
        change = _smallest(slopes, missing) * weights
        # far steps of a curved function lead astray
        change /= np.maximum(1.0, np.abs(change).max(axis=1, keepdims=True))
        x = _taken(outcome, x, how, change)
    return x


def _slopes(
    outcome: Outcome,
    x: Mapping[str, FloatArray],
    how: Mapping[str, Movable],
    now: FloatArray,
    unknowns: int,
) -> FloatArray:
    """Return derivatives of shape (rows, wishes, unknowns)."""
    found = np.zeros((*now.shape, unknowns))
    for j in range(unknowns):
        change = np.zeros((len(now), unknowns))
        change[:, j] = _STEP
        found[:, :, j] = (outcome(moved(x, how, change)) - now) / _STEP
    return found


def _smallest(slopes: FloatArray, missing: FloatArray) -> FloatArray:
    """Return the smallest change that closes what is missing, row by row."""
    square = slopes @ slopes.transpose(0, 2, 1)
    trace = np.trace(square, axis1=1, axis2=2)[:, None, None]
    ridge = np.eye(square.shape[1]) * (1e-9 * trace + 1e-300)
    inner = np.linalg.solve(square + ridge, missing[:, :, None])
    return np.asarray((slopes.transpose(0, 2, 1) @ inner)[:, :, 0])


def _taken(
    outcome: Outcome,
    x: Mapping[str, FloatArray],
    how: Mapping[str, Movable],
    change: FloatArray,
) -> dict[str, FloatArray]:
    """Take the step, or a part of it where the function has no value at its end."""
    for _ in range(40):
        try:
            tried = moved(x, how, change)
            outcome(tried)
        except EngineError:
            change = change / 2
        else:
            return tried
    return dict(x)
