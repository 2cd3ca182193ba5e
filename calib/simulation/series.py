"""Readings as displays show them: scatter, drift and steps around what is wished.

A row is one point of one stage of one piece of one record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calib.evaluation.decimals import number
from calib.simulation.chance import Chance
from calib.simulation.design import Design, movables, outcome_of, ramp
from calib.simulation.outputs import Given
from calib.simulation.solving import solve

FloatArray = NDArray[np.float64]
_DRIFT = 0.3
"""Standard deviation of the drift over a point, in parts of the scatter of single readings."""
_BOUNDED = {"ratio": (0.0, 100.0), "relative_humidity": (0.0, 100.0)}
"""What a display in per cent of the whole never leaves."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is drawn for the rows of one design."""

    place: NDArray[np.intp]
    """Which point of the design each row is."""
    wished: FloatArray
    """(rows, wishes)."""
    size: FloatArray
    """What counts as a large difference; what counts more is met first where wishes clash."""
    chances: Sequence[Chance]
    """One stream for each row."""
    others: Mapping[str, FloatArray]
    """Conditions and rated values of each row, by input."""


def draw_readings(design: Design, rows: Rows) -> dict[str, list[list[str]]]:
    """Return the texts of every series, by input and row."""
    scattered = _scattered(design, rows)
    given = Given(design.nominal[rows.place], rows.others)
    how = movables(design, rows.place, {n: _pattern(design, n, x) for n, x in scattered.items()})
    x = solve(outcome_of(design, given), rows.wished, rows.size, scattered, how)
    return {name: _shown(design, name, series) for name, series in x.items()}


def _scattered(design: Design, rows: Rows) -> dict[str, FloatArray]:
    """Return the readings of a faultless item with scatter, drift and its positions apart."""
    names = design.group.read
    counts = [design.counts[n] for n in names]
    width = sum(counts) + len(names) + 1
    drawn = np.stack([chance.normal(width) for chance in rows.chances])
    drift = drawn[:, -1]
    smallest = np.min([design.sigma[n] for n in names if counts], axis=0)[rows.place]
    found, at = {}, 0
    for i, name in enumerate(names):
        z = drawn[:, at : at + counts[i]]
        apart = drawn[:, sum(counts) + i] * design.apart[name][rows.place]
        at += counts[i]
        moments = _moments(design, name, counts[i])
        together = _DRIFT * smallest * drift
        found[name] = (
            (design.middle[name][rows.place] + apart)[:, None]
            + (design.sigma[name][rows.place])[:, None] * (z if counts[i] > 1 else 0 * z)
            + together[:, None] * moments
        )
        if design.by_factor[name]:
            least = 0.05 * design.middle[name][rows.place]
            found[name] = np.maximum(found[name], least[:, None])
    return found


def _moments(design: Design, name: str, count: int) -> FloatArray:
    """Return when the readings of an input are taken, from -1/2 to 1/2 of the time at a point."""
    if count == 1:
        return np.zeros(1)
    if design.group.root.points.sequence != "standard_item_item_standard":
        return np.linspace(-0.5, 0.5, count)
    # standard, item, item, standard, and again: a drift cancels in the means
    is_standard = design.group.root.inputs[name].source == "standard"
    within = (0, 3) if is_standard else (1, 2)
    moments = np.array([4 * (k // 2) + within[k % 2] for k in range(count)], dtype=np.float64)
    last = 4 * ((count + 1) // 2) - 1
    return moments / last - 0.5


def _pattern(design: Design, name: str, x: FloatArray) -> FloatArray:
    """Return what a wider scatter adds: more of the same, or a slope where a change is reported."""
    changes = any(
        q.statistic == "change" and name in q.of
        for user in design.group.users
        for q in user.inputs.values()
    )
    if changes:
        # it begins where it was set and goes from there
        return np.tile(ramp(x.shape[1]) - ramp(x.shape[1])[0], (len(x), 1))
    rest = x - x.mean(axis=1, keepdims=True)
    s = rest.std(axis=1, keepdims=True)
    return np.where(s > 0, rest / np.where(s > 0, s, 1.0), ramp(x.shape[1]))


def _shown(design: Design, name: str, series: FloatArray) -> list[list[str]]:
    root, quantity = design.group.root, design.group.root.inputs[name]
    low, high = -np.inf, np.inf
    if quantity.unit in ("%", "%RH") and quantity.source == "item":
        low, high = _BOUNDED.get(quantity.quantity or root.quantity, (low, high))
    # moved as a whole, so that its scatter stays
    series = series - np.maximum(series.max(axis=1, keepdims=True) - high, 0)
    series = series - np.minimum(series.min(axis=1, keepdims=True) - low, 0)
    return on_display(np.clip(series, low, high), design.step[name])


def on_display(series: ArrayLike, step: str) -> list[list[str]]:
    """Return values as a display of this step shows them, trailing zeros kept."""
    unit = Decimal(step).normalize()
    places = max(0, -int(unit.as_tuple().exponent))
    whole = int(unit.scaleb(places))
    counts = np.rint(np.asarray(series) / number(step)).astype(np.int64) * whole
    shown = max(places, -int(Decimal(step).as_tuple().exponent))
    return [[_text(count, places, shown) for count in row] for row in counts.tolist()]


def _text(count: int, places: int, shown: int) -> str:
    """Return count * 10^-places with `shown` decimals."""
    if shown == 0:
        return str(count)
    digits = str(abs(count) * 10 ** (shown - places)).rjust(shown + 1, "0")
    return f"{'-' if count < 0 else ''}{digits[:-shown]}.{digits[-shown:]}"
