"""Judges the points of a measurand: enough of them, inside the range, for every model.

Knows neither inputs nor limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.procedure import InstrumentType, Measurand, PointChoice


def point_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield points that are missing, outside the range of the method or of no known model."""
    points = measurand.points
    path = (*path, "points")
    if points.readings < 1 or points.minimum < 1:
        message = "readings and minimum are counts: one or more."
        yield Problem("type-not-positive", path, message)
    if points.fractions or points.step:
        yield from _of_range(type_, measurand, path)
    elif len(points.default) < max(points.minimum, 1):
        message = "{count} default points, but minimum asks for {minimum}. Add points."
        counts = {"count": len(points.default), "minimum": max(points.minimum, 1)}
        yield Problem("type-points", (*path, "default"), message, counts)
    if points.low is not None and points.high is not None:
        low, high = points.low, points.high
        if Decimal(low) > Decimal(high):
            message = "low {low} lies above high {high}. Exchange or correct them."
            yield Problem("type-range", (*path, "low"), message, {"low": low, "high": high})
    yield from _inside(measurand, points.default, (*path, "default"))
    for index, choice in enumerate(points.alternatives):
        yield from _alternative(type_, measurand, choice, (*path, "alternatives", index))


def _of_range(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield what keeps points from following the item's own range."""
    points = measurand.points
    if sum(map(bool, (points.default, points.fractions, points.step))) != 1 or (
        points.fractions and len(points.fractions) < points.minimum
    ):
        message = "give one of default, step, or fractions; as many as minimum asks for."
        yield Problem("type-points", path, message)
    for index, part in enumerate(points.fractions):
        if not 0 <= Decimal(part) <= 1:
            message = "got {got}: 0 is the low end of the item's range and 1 its high end."
            yield Problem("type-points", (*path, "fractions", index), message, {"got": part})
    yield from _ends(type_, measurand, path)


def _ends(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    for name in ("range_low", "range_high"):
        rating = getattr(measurand.points, name)
        if not rating and name == "range_high":
            message = (
                "range_high is missing: fractions and steps are of the item's own range. Name the "
                "rated value that is its upper end: {known}."
            )
            known = ", ".join(type_.ratings) or "none is declared under ratings"
            yield Problem("type-points", (*path, name), message, {"known": known})
        elif rating and rating not in type_.ratings:
            message = "{got} is no rating of the type. Declare it under ratings."
            yield Problem("type-points", (*path, name), message, {"got": rating})


def _alternative(
    type_: InstrumentType, measurand: Measurand, choice: PointChoice, path: Path
) -> Iterator[Problem]:
    for name, value in choice.when.items():
        asked = type_.verification_kinds if name == "verification" else ()
        if value not in (*asked, *type_.variants.get(name, {})):
            message = "the type has no {name} = {value}. Declare it under variants."
            facts = {"name": name, "value": value}
            yield Problem("type-variant-unknown", (*path, "when", name), message, facts)
    if not choice.when or bool(choice.step) == bool(choice.default):
        message = "an alternative says for which models it holds, and gives default or step."
        yield Problem("type-points", path, message)
    elif choice.default and len(choice.default) < measurand.points.minimum:
        message = "{count} default points, but minimum asks for {minimum}. Add points."
        counts = {"count": len(choice.default), "minimum": measurand.points.minimum}
        yield Problem("type-points", (*path, "default"), message, counts)
    if choice.step:
        yield from _ends(type_, measurand, path[:-2])
    if choice.readings is not None and choice.readings < 1:
        message = "readings and minimum are counts: one or more."
        yield Problem("type-not-positive", (*path, "readings"), message)
    yield from _inside(measurand, choice.default, (*path, "default"))


def _inside(measurand: Measurand, default: tuple[str, ...], path: Path) -> Iterator[Problem]:
    points = measurand.points
    for index, point in enumerate(default):
        below = points.low is not None and Decimal(point) < Decimal(points.low)
        above = points.high is not None and Decimal(point) > Decimal(points.high)
        if below or above:
            message = "the point {point} lies outside {low} to {high}. Correct it or the range."
            facts = {"point": point, "low": points.low or "-∞", "high": points.high or "∞"}
            yield Problem("type-points", (*path, index), message, facts)
