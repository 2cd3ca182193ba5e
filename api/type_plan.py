"""Where and how often a type is measured, in the words of a reader: points, order, inputs, ends.

Shared by pages and commands. Knows no request and no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from api.attribute_words import OVER_WORDS, attribute_name, way_name
from api.type_words import key_words, value_text, when_text
from calib.i18n import translate
from instruments.procedure import READ, InputQuantity, InstrumentType, Measurand
from instruments.quantities import UNITS

ORDER_WORDS: Mapping[str, str] = {
    "up": "rising",
    "down": "falling",
    "up_then_down": "rising, then the same falling",
    "standard_item_item_standard": "standard, item, item, standard",
}
"""Orders of points and sequences of readings; any order needs no word."""
SOURCE_WORDS: Mapping[str, str] = {
    "standard": "read on the standard",
    "item": "read on the item",
    "nominal": "the point",
    "condition": "surroundings",
    "rating": "rated value",
    "derived": "derived",
}


def between(low: str | None, high: str | None, unit: str, language: str) -> str:
    """Return a range as a reader says it; one of its ends may be absent."""
    if low is None and high is not None:
        return translate("at most {value}", language, value=f"{high} {unit}".rstrip())
    if high is None and low is not None:
        return translate("at least {value}", language, value=f"{low} {unit}".rstrip())
    return f"{low} … {high} {unit}".rstrip()


def points_text(type_: InstrumentType, measurand: Measurand, language: str) -> str:
    """Return the usual points of a measurand, with what they are parts of."""
    points = measurand.points
    if points.default:
        return f"{', '.join(points.default)} {UNITS[measurand.unit].symbol}"
    ends = _ends(type_, measurand, language)
    if points.step:
        return _stepped(points.step, measurand, ends, language)
    return translate("{parts} of {range}", language, parts=", ".join(points.fractions), range=ends)


def plan_lines(type_: InstrumentType, measurand: Measurand, language: str) -> Iterator[str]:
    """Yield order, sequence and range of the method, and the points of other models."""
    points, unit = measurand.points, UNITS[measurand.unit].symbol
    for key, code in (("order", points.order), ("sequence", points.sequence)):
        if code in ORDER_WORDS:
            yield f"{key_words(key, language)}: {translate(ORDER_WORDS[code], language)}"
    yield f"{key_words('minimum', language)}: {points.minimum}"
    if points.low is not None or points.high is not None:
        said = between(points.low, points.high, unit, language)
        yield f"{translate('range of the method', language)}: {said}"
    for choice in points.alternatives:
        ends = _ends(type_, measurand, language)
        planned = (
            f"{', '.join(choice.default)} {unit}"
            if choice.default
            else _stepped(choice.step, measurand, ends, language)
        )
        times = "" if choice.readings is None else f"; × {choice.readings}"
        yield f"{when_text(type_, choice.when, language)}: {planned}{times}"


def input_text(name: str, quantity: InputQuantity, language: str) -> str:
    """Return one input: what it is, its unit, where it comes from, how often it is read."""
    source = translate(SOURCE_WORDS[quantity.source], language)
    if quantity.source == "derived":
        way = quantity.statistic or quantity.reference or quantity.function
        source = f"{source}: {way_name(way, language)} ({', '.join(quantity.of)})"
        if quantity.over in OVER_WORDS:
            source += f", {translate(OVER_WORDS[quantity.over], language)}"
    times = f"; × {quantity.readings}" if quantity.source in READ and quantity.readings else ""
    unit = UNITS[quantity.unit].symbol
    return f"{name}  {quantity.label.text(language)}, {unit}, {source}{times}"


def variant_lines(type_: InstrumentType, language: str) -> Iterator[str]:
    """Yield what kinds of models there are, and what makes the type more than one measurement."""
    for name, values in type_.variants.items():
        named = [f"{value} ({label.text(language)})" for value, label in values.items()]
        yield f"{attribute_name(name, language)}: {', '.join(named)}"
    yield f"{key_words('stages', language)}: {value_text(type_.stages, language, 'stages')}"
    if type_.batch:
        yield translate("measured in batches: the pieces of a lot share a record", language)


def _ends(type_: InstrumentType, measurand: Measurand, language: str) -> str:
    """Return the range of the item by the names of the rated values that are its ends."""
    points = measurand.points

    def named(name: str) -> str:
        known = type_.ratings.get(name)
        return known.label.text(language) if known is not None else name

    low = named(points.range_low) if points.range_low else f"0 {UNITS[measurand.unit].symbol}"
    return translate(
        "the range from {low} to {high}", language, low=low, high=named(points.range_high)
    )


def _stepped(step: str, measurand: Measurand, ends: str, language: str) -> str:
    size = f"{step} {UNITS[measurand.unit].symbol}"
    return translate("every {step} and both ends of {range}", language, step=size, range=ends)
