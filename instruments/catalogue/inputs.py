"""Judges the inputs of a measurand and the points at which they are read.

Knows neither the budget nor limits; those stand in `components` and `limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem
from instruments.procedure import READ, InputQuantity, InstrumentType, Measurand, PointChoice

CONDITIONS = ("temperature", "relative_humidity", "pressure")
REFERENCES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "iec60751_resistance": (("degC",), "ohm"),
    "iec60751_temperature": (("ohm",), "degC"),
    "thermocouple_emf": (("degC", "degC"), "mV"),
    "thermocouple_temperature": (("mV", "degC"), "degC"),
    "saturation_pressure": (("degC",), "Pa"),
}
"""Published functions an input may be derived by, with the units they take and give; the second
argument may be left out. The evaluation computes them."""


def input_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield inputs that stand on nothing, or on what is not there."""
    for name, entered in measurand.inputs.items():
        place = (*path, "inputs", name)
        if entered.readings is not None and (entered.readings < 1 or entered.source not in READ):
            message = "readings is a count, one or more, of an input that is read."
            yield Problem("type-not-positive", (*place, "readings"), message)
        if entered.source == "derived":
            yield from _derived(measurand, entered, place)
        elif entered.statistic is not None or entered.reference:
            message = "only a derived input has a statistic or a reference. Take it out."
            yield Problem("type-input", place, message)
        known: Sequence[str] = {"condition": CONDITIONS, "rating": tuple(type_.ratings)}.get(
            entered.source, ()
        )
        if entered.source in ("condition", "rating") and (
            len(entered.of) != 1 or entered.of[0] not in known
        ):
            message = "of = {got} names no {source}. Name one of: {known}."
            facts = {
                "got": list(entered.of),
                "source": entered.source,
                "known": ", ".join(known) or "none is declared",
            }
            yield Problem("type-input", (*place, "of"), message, facts)


def _derived(measurand: Measurand, entered: InputQuantity, path: Path) -> Iterator[Problem]:
    """Yield what keeps a derived input from one clear way to come about."""
    if (entered.statistic is None) == (not entered.reference):
        message = "give one way to derive it: a statistic of readings, or a reference function."
        yield Problem("type-input", path, message)
        return
    wanted: tuple[str, ...] = READ if entered.statistic else (*READ, "nominal", "condition")
    usable = [n for n, q in measurand.inputs.items() if q.source in wanted]
    wrong = [name for name in entered.of if name not in usable]
    if not entered.of or wrong:
        message = "of = {got}: expected inputs among {known}."
        facts = {"got": list(entered.of), "known": ", ".join(usable)}
        yield Problem("type-input", (*path, "of"), message, facts)
    if entered.reference:
        yield from _reference(measurand, entered, path)
    if entered.statistic and entered.over == "readings" and len(entered.of) != 1:
        message = "a statistic over readings is of one input. Name one, or another over."
        yield Problem("type-input", (*path, "over"), message)
    if entered.statistic and entered.over != "readings" and len(entered.of) < 2:
        message = "over = {over} needs the inputs of two positions or more."
        yield Problem("type-input", (*path, "over"), message, {"over": entered.over})


def _reference(measurand: Measurand, entered: InputQuantity, path: Path) -> Iterator[Problem]:
    """Yield an unknown function, or units it does not take."""
    if entered.reference not in REFERENCES:
        message = "the reference function {got} is not known. Use one of: {known}."
        facts = {"got": entered.reference, "known": ", ".join(REFERENCES)}
        yield Problem("type-input", (*path, "reference"), message, facts)
        return
    takes, gives = REFERENCES[entered.reference]
    given = [measurand.inputs[n].unit for n in entered.of if n in measurand.inputs]
    if [*given, entered.unit] != [*takes[: max(1, len(entered.of))], gives]:
        message = "{reference} takes {takes} and gives {gives}. Correct the units or the inputs."
        facts = {"reference": entered.reference, "takes": ", ".join(takes), "gives": gives}
        yield Problem("type-input", (*path, "reference"), message, facts)


def point_problems(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    """Yield points that are missing, outside the range of the method or of no known model."""
    points = measurand.points
    path = (*path, "points")
    if points.readings < 1 or points.minimum < 1:
        message = "readings and minimum are counts: one or more."
        yield Problem("type-not-positive", path, message)
    if points.fractions:
        yield from _fractions(type_, measurand, path)
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


def _fractions(type_: InstrumentType, measurand: Measurand, path: Path) -> Iterator[Problem]:
    points = measurand.points
    if points.default or len(points.fractions) < points.minimum:
        message = "give fractions instead of default, as many as minimum asks for."
        yield Problem("type-points", (*path, "fractions"), message)
    for name in ("range_low", "range_high"):
        rating = getattr(points, name)
        if rating not in type_.ratings and (rating or name == "range_high"):
            message = "{got} is no rating of the type. Declare it under ratings."
            yield Problem("type-points", (*path, name), message, {"got": rating or "nothing"})


def _alternative(
    type_: InstrumentType, measurand: Measurand, choice: PointChoice, path: Path
) -> Iterator[Problem]:
    for name, value in choice.when.items():
        if value not in type_.variants.get(name, {}):
            message = "the type has no {name} = {value}. Declare it under variants."
            facts = {"name": name, "value": value}
            yield Problem("type-variant-unknown", (*path, "when", name), message, facts)
    if not choice.when or len(choice.default) < measurand.points.minimum:
        message = "an alternative says for which models it holds, and has enough points."
        yield Problem("type-points", path, message)
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
