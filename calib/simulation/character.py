"""The character of one simulated item: how far its errors go, and where it is faulty if it is.

Most items conform, some lie near a limit, some beyond it; the error runs smoothly over the points.
Adjusting takes most of it away. Knows readings of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calib.simulation.chance import Chance
from calib.simulation.design import Wish, inside

FloatArray = NDArray[np.float64]
Grade = Literal["fine", "good", "near", "bad"]
"""``fine``: far inside every limit, as no guard band would doubt."""
_GOOD, _NEAR = 0.84, 0.92
"""Shares of items that are good, and good or near a limit."""
_AFTER_ADJUSTMENT = 0.25


@dataclass(frozen=True, slots=True)
class Character:
    """An item, or one piece of a batch."""

    grade: Grade
    faulty: str
    """The measurand that is near or beyond its limits; empty: none."""


def draw_character(
    chance: Chance, measurands: Sequence[str], grade: Grade | None = None
) -> Character:
    """Return a character; `measurands` are those with limits, one of which may be faulty."""
    drawn, place = chance.between(0, 1), chance.below(max(1, len(measurands)))
    found: Grade = "good" if drawn < _GOOD else "near" if drawn < _NEAR else "bad"
    chosen = grade or found
    is_faulty = chosen in ("near", "bad")
    return Character(chosen, measurands[place] if measurands and is_faulty else "")


def draw_wishes(
    chance: Chance, character: Character, wishes: Sequence[Wish], *, adjusted: bool
) -> FloatArray:
    """Return what is wished of each point, (points, wishes); NaN: as it comes."""
    columns = []
    for wish in wishes:
        if wish.is_reference:
            # nobody sets a source or bath exactly
            near = 2e-4 * np.maximum(wish.width, 1e-3)
            columns.append(wish.middle + near * chance.normal(len(wish.middle)))
            continue
        is_faulty = wish.measurand == character.faulty
        size = _size(chance, character.grade if is_faulty or character.grade == "fine" else "good")
        shape = _shape(chance, wish.middle) * size * (_AFTER_ADJUSTMENT if adjusted else 1.0)
        both = np.isfinite(wish.lower) & np.isfinite(wish.upper)
        limited = np.isfinite(wish.lower) | np.isfinite(wish.upper)
        columns.append(
            np.where(
                both | ~limited,
                wish.middle + shape * wish.width,
                inside(wish.lower, wish.upper, np.abs(shape), in_bels=wish.in_bels),
            )
        )
    return np.stack(columns, axis=1)


_SIZES: Mapping[Grade, tuple[float, float]] = {
    "fine": (0.02, 0.15), "good": (0.1, 0.6), "near": (0.9, 1.1), "bad": (1.2, 1.7),
}  # fmt: skip
"""Largest error in parts of the limits, from and to."""


def _size(chance: Chance, grade: Grade) -> float:
    """Return the largest error in parts of the limits."""
    return chance.between(*_SIZES[grade])


def _shape(chance: Chance, points: FloatArray) -> FloatArray:
    """Return a smooth curve over the points whose largest size is 1, with a little of its own."""
    at = np.linspace(-1, 1, len(points)) if len(points) > 1 else np.zeros(1)
    a, b, c = chance.normal(3)
    curve = a + 0.6 * b * at + 0.4 * c * (at * at - 0.5) + 0.05 * chance.normal(len(points))
    return np.asarray(curve / np.abs(curve).max())
