"""How an instrument of a type reads at each point: middle, scatter, steps, how far errors may go.

Made once for a model and used for as many records as are wanted. All figures come from the type:
its limits, components and recorded repeatabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calib.engine.errors import EngineError
from calib.evaluation.decimals import number
from calib.evaluation.inputs import (
    AgreedLimits,
)
from calib.simulation.outputs import Given, Group
from calib.simulation.solving import Movable, solve
from calib.simulation.start import first_guess, is_aside, spread_apart
from calib.simulation.usual import limit_at
from instruments.choosing import readings_for
from instruments.procedure import Measurand
from instruments.quantities import UNITS

FloatArray = NDArray[np.float64]
_BELS = 5.0
"""What counts as a large difference of levels, in decibels."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An outcome that can be wished for: the output of a measurand or its reference value."""

    measurand: str
    is_reference: bool
    middle: FloatArray
    """That of a faultless item; NaN: as it comes."""
    width: FloatArray
    """What counts as a large difference."""
    lower: FloatArray
    upper: FloatArray
    """Limits, NaN where there is none."""
    in_bels: bool = False
    """The outcome is a level."""

    @property
    def is_limited(self) -> bool:
        """Answer whether there are limits at any point."""
        return bool((np.isfinite(self.lower) | np.isfinite(self.upper)).any())


@dataclass(frozen=True, slots=True)
class Design:
    """One group of measurands at its points."""

    group: Group
    points: tuple[str, ...]
    nominal: FloatArray
    counts: Mapping[str, int]
    wishes: tuple[Wish, ...]
    middle: Mapping[str, FloatArray]
    """Readings of a faultless item, (points,)."""
    weight: Mapping[str, float]
    by_factor: Mapping[str, bool]
    scale: Mapping[str, FloatArray]
    widened: frozenset[str]
    """Inputs whose scatter is reported itself."""
    slopes: Mapping[str, FloatArray]
    """Derivatives of the wishes by each input, (points, wishes)."""
    sigma: Mapping[str, FloatArray]
    """Standard deviation of single readings, (points,)."""
    apart: Mapping[str, FloatArray]
    """Standard deviation between positions, (points,)."""
    step: Mapping[str, str]


def outcome_of(design: Design, given: Given) -> Any:
    """Return the function from readings to wishes, (rows, wishes)."""
    users = {user.id: user for user in design.group.users}

    def outcome(x: Mapping[str, FloatArray]) -> FloatArray:
        sides = {id_: design.group.sides(user, given, x) for id_, user in users.items()}
        columns = [
            sides[w.measurand].reference if w.is_reference else sides[w.measurand].output
            for w in design.wishes
        ]
        return np.stack([np.asarray(column) for column in columns], axis=1)

    return outcome


def movables(
    design: Design, rows: NDArray[np.intp], patterns: Mapping[str, FloatArray]
) -> dict[str, Movable]:
    """Return how the readings of each input may be moved, for rows that repeat the points."""
    return {
        name: Movable(
            design.weight[name],
            design.scale[name][rows],
            design.by_factor[name],
            patterns[name] if name in design.widened else None,
        )
        for name in design.group.read
    }


def ramp(count: int) -> FloatArray:
    """Return numbers rising evenly, of mean 0 and standard deviation 1."""
    x = np.arange(count, dtype=np.float64)
    x -= x.mean()
    s = x.std(ddof=1) if count > 1 else 0.0
    return x / s if s else x


def base_design(
    group: Group,
    points: tuple[str, ...],
    limits: Mapping[str, AgreedLimits],
    surroundings: Mapping[str, float],
    points_by_unit: Mapping[str, tuple[float, ...]],
    others: Mapping[str, float],
) -> Design:
    """Return the design without scatter, steps or standards."""
    nominal = np.array([number(point.partition("#")[0]) for point in points])
    guess = first_guess(group, nominal, surroundings, points_by_unit)
    given = Given(nominal, {n: np.full(len(nominal), v) for n, v in others.items()})
    try:
        for user in group.users:
            group.sides(user, given, {n: x[:, None] + ramp(2) * 1e-9 for n, x in guess.items()})
    except EngineError:
        guess = spread_apart(group, guess)
    largest = float(np.abs(nominal).max()) or 1.0
    by_factor = {
        n: bool(UNITS[group.root.inputs[n].unit].offset == 0 and np.all(x > 0))
        for n, x in guess.items()
    }
    scale = {
        n: np.abs(x) if by_factor[n] else np.maximum(np.abs(x), 0.1 * largest)
        for n, x in guess.items()
    }
    wishes = tuple(_wishes(group, points, nominal, limits))
    counts = {n: readings_for(group.root, n, group.attributes) for n in group.read}
    none: Any = {}
    design = Design(
        group, points, nominal, counts, wishes, guess, {n: _weight(group, n) for n in group.read},
        by_factor, scale, _widened(group), none, none, none, none,
    )  # fmt: skip
    return _in_the_middle(design, given)


def _wishes(
    group: Group, points: tuple[str, ...], nominal: FloatArray, limits: Mapping[str, AgreedLimits]
) -> list[Wish]:
    found = []
    for user in group.users:
        rows = limits[user.id].rows if user.id in limits else ()
        sides = [limit_at(rows, point.partition("#")[0]) or (None, None) for point in points]
        lower = np.array([np.nan if low is None else low for low, _ in sides])
        upper = np.array([np.nan if high is None else high for _, high in sides])
        both = np.isfinite(lower) & np.isfinite(upper)
        one = np.where(np.isfinite(upper), upper, lower)
        half = np.full(len(one), 0.3)
        in_bels = user.output_unit == "dB"
        middle = np.where(both, (lower + upper) / 2, inside(lower, upper, half, in_bels=in_bels))
        width = np.where(both, (upper - lower) / 2, _BELS if in_bels else np.abs(one) * 0.5)
        if user.output != "value":
            middle = np.where(np.isfinite(middle), middle, 0.0)
        width = np.where(np.isfinite(width) & (width > 0), width, 1.0)
        found.append(Wish(user.id, False, middle, width, lower, upper, in_bels))  # noqa: FBT003
    nan = np.full(len(nominal), np.nan)
    width = np.maximum(np.abs(nominal), 1e-3)
    own = _with_own_reference(group)
    return found + [Wish(one.id, True, nominal, width, nan, nan) for one in own]  # noqa: FBT003


def _with_own_reference(group: Group) -> list[Measurand]:
    """Return the measurands whose true values are readings of their own, as falling ones are."""
    if group.reference(group.root) is None:
        return []
    found, held = [], set[str]()
    for user in group.users:
        name = group.reference(user)
        behind = {name, *user.inputs[name].of} & {*group.read} if name is not None else set()
        if behind and not behind & held:
            found.append(user)
            held |= behind
    return found


def inside(
    lower: FloatArray, upper: FloatArray, part: FloatArray, *, in_bels: bool = False
) -> FloatArray:
    """Return a value that uses up a part of a one-sided limit; beyond 1 it is overstepped."""
    limit = np.where(np.isfinite(upper), upper, lower)
    if in_bels:
        # a level of which the half would be no half of anything
        return limit + np.where(np.isfinite(upper), -1, 1) * 3 * _BELS * (1 - part)
    towards = limit * (0.3 + 0.7 * part)
    away = limit * (1 + 0.2 * (1 - part))
    # above a positive lower limit, or below a negative upper one, is inside
    grows = np.where(np.isfinite(upper), limit < 0, limit > 0)
    return np.where(grows, away, towards)


def _weight(group: Group, name: str) -> float:
    """Return how readily an input is moved: the item's rather than the standard's."""
    if is_aside(group, name):
        return 1e-3
    behind = {name} | {
        n for one in group.users for n, q in one.inputs.items() if name in q.of and q.statistic
    }
    shown = any(
        c.input in behind and c.evaluate in ("A", "resolution")
        for one in group.users
        for c in one.components
    )
    quantity = group.root.inputs[name]
    if not shown and quantity.unit != group.root.unit:
        return 2e-3
    return 1.0 if quantity.source == "item" else 0.05


def _widened(group: Group) -> frozenset[str]:
    """Return the inputs whose scatter over their own readings is part of an output."""
    return frozenset(
        n
        for one in group.users
        for q in one.inputs.values()
        if q.statistic not in (None, "mean") and q.over == "readings"
        for n in q.of
    )


def _in_the_middle(design: Design, given: Given) -> Design:
    """Return the design with the readings of a faultless item, and what they do to the outputs."""
    places = np.arange(len(design.points))
    design = replace(design, middle=_drawn_apart(design))
    counts = {n: max(c, 2) if n in design.widened else c for n, c in design.counts.items()}
    x = {n: np.repeat(design.middle[n][:, None], counts[n], axis=1) for n in design.group.read}
    patterns = {n: np.tile(ramp(c), (len(places), 1)) for n, c in counts.items()}
    how = movables(design, places, patterns)
    outcome = outcome_of(design, given)
    wished = np.stack([w.middle for w in design.wishes], axis=1)
    size = np.stack([w.width for w in design.wishes], axis=1)
    x = solve(outcome, wished, size, x, how)
    now = outcome(x)
    slopes = {}
    for name in design.group.read:
        h = 1e-6 * np.maximum(np.abs(x[name].mean(axis=1)), 1e-3)
        more = outcome({**x, name: x[name] + h[:, None]})
        slope = (more - now) / h[:, None]
        # what is below the rounding of doubles is no slope
        size = np.stack([w.width for w in design.wishes], axis=1)
        felt = np.abs(slope) * design.scale[name][:, None] > 1e-6 * size
        slopes[name] = np.where(felt, slope, 0.0)
    middle = {n: v.mean(axis=1) for n, v in x.items()}
    scale = {
        n: np.abs(middle[n]) if design.by_factor[n] else design.scale[n] for n in design.group.read
    }
    return replace(design, middle=middle, slopes=slopes, scale=scale)


def _drawn_apart(design: Design) -> dict[str, FloatArray]:
    """Return the guess with positions a little apart: the farthest of equals is not defined."""
    group = design.group
    size = np.min([w.width for w in design.wishes if not w.is_reference], axis=0)
    names = [n for n in group.read if len(peers(group, n)) > 1]
    return {
        n: x + 0.05 * size * (names.index(n) / len(names) - 0.5) if n in names else x
        for n, x in design.middle.items()
    }


def peers(group: Group, name: str) -> tuple[str, ...]:
    """Return the positions an input is one of, in their order; itself alone if it is none."""
    found = [
        q.of
        for one in group.users
        for q in one.inputs.values()
        if q.statistic and len(q.of) > 1 and name in q.of
    ]
    return max(found, key=len, default=(name,))
