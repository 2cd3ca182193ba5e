"""What of a type holds for one item: its points, how often it is read, its limits.

An item's attributes are the variants and rated values of its model, and the kind of verification
asked for. Exact on decimals. Knows no records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from instruments.limits import BY_ATTRIBUTE, by_attribute
from instruments.procedure import InstrumentType, Limit, Measurand, PointChoice

Attributes = Mapping[str, str]
MOST_STEPS = 100
"""More points than this are no plan of a measurement but a slip in the rated range."""


def points_for(
    definition: InstrumentType, measurand: Measurand, attributes: Attributes
) -> tuple[str, ...]:
    """Return the usual points; none where a rated value they depend on is not known.

    A measurand that uses the readings of another has no points of its own, and one that the item
    does not have has none.
    """
    if measurand.same_readings_as or not holds(measurand.when, attributes):
        return ()
    points, chosen = measurand.points, _choice(measurand, attributes)
    default, step = (points.default, points.step) if chosen is None else (
        chosen.default, chosen.step
    )  # fmt: skip
    if default:
        return default
    high = rated(definition, points.range_high, attributes)
    low = rated(definition, points.range_low, attributes) if points.range_low else Decimal(0)
    if low is None or high is None:
        return ()
    if step:
        return _by_step(low, high, Decimal(step))
    return tuple(_plain(low + Decimal(f) * (high - low)) for f in points.fractions)


def _by_step(low: Decimal, high: Decimal, step: Decimal) -> tuple[str, ...]:
    """Return the ends and the multiples of the step between them."""
    if not low < high or (high - low) / step > MOST_STEPS:
        return ()
    first = int((low / step).to_integral_value(rounding="ROUND_CEILING"))
    last = int((high / step).to_integral_value(rounding="ROUND_FLOOR"))
    inside = {step * n for n in range(first, last + 1)}
    return tuple(_plain(value) for value in sorted({low, high, *inside}))


def readings_for(measurand: Measurand, name: str, attributes: Attributes) -> int:
    """Return how often an input is read at a point."""
    own = measurand.inputs[name].readings
    if own is not None:
        return own
    chosen = _choice(measurand, attributes)
    if chosen is not None and chosen.readings is not None:
        return chosen.readings
    return measurand.points.readings


def resolution_for(measurand: Measurand, resolution: Mapping[str, str]) -> str | None:
    """Return the resolution of the item; where readings are shared, that of where they are read."""
    return resolution.get(measurand.id) or resolution.get(measurand.same_readings_as)


def needs_resolution(
    definition: InstrumentType, measurand: Measurand, attributes: Attributes
) -> bool:
    """Answer whether a budget of what is read with this measurand needs the item's resolution."""
    if measurand.same_readings_as or not holds(measurand.when, attributes):
        return False
    users = users_of(definition, measurand)
    return any(c.evaluate == "resolution" for m in users for c in m.components)


def users_of(definition: InstrumentType, measurand: Measurand) -> tuple[Measurand, ...]:
    """Return the measurands that use the readings of this one, itself first."""
    others = (m for m in definition.measurands if m.same_readings_as == measurand.id)
    return (measurand, *others)


def limits_for(
    definition: InstrumentType, measurand: Measurand, attributes: Attributes
) -> tuple[Limit, ...]:
    """Return the limits of the type that hold for the item, rated values put in.

    A limit whose rated value is not known is left out: then nothing can be stated.
    """
    held = (limit for limit in measurand.limits if holds(limit.when, attributes))
    put_in = (_with_ratings(definition, limit, attributes) for limit in held)
    return tuple(limit for limit in put_in if limit is not None)


def rated(definition: InstrumentType, name: str, attributes: Attributes) -> Decimal | None:
    """Return a rated value of the item; that of most models where the item states none."""
    text = attribute(definition, name, attributes)
    return None if text is None else Decimal(text)


def attribute(definition: InstrumentType, name: str, attributes: Attributes) -> str | None:
    """Return a variant or rated value of the item as text, as `rated` does."""
    rating = definition.ratings.get(name)
    return attributes.get(name) or (rating.default if rating is not None else None)


def lies_at_point(measurand: Measurand, name: str) -> bool:
    """Answer whether an input reads the quantity whose nominal value a point states."""
    quantity = measurand.inputs[name]
    if (quantity.quantity or measurand.quantity, quantity.unit) != (
        measurand.quantity, measurand.unit
    ):  # fmt: skip
        return False
    sides = [side for side in (measurand.reference, measurand.indication) if side]
    if quantity.source == "item" or not measurand.reference:
        return True
    return any(name in (side, *measurand.inputs[side].of[:1]) for side in sides)


def holds(when: Attributes, attributes: Attributes) -> bool:
    """Answer whether an item has all attributes that a condition asks for."""
    return all(attributes.get(name) == value for name, value in when.items())


def _choice(measurand: Measurand, attributes: Attributes) -> PointChoice | None:
    return next((one for one in measurand.points.alternatives if holds(one.when, attributes)), None)


def _with_ratings(definition: InstrumentType, limit: Limit, attributes: Attributes) -> Limit | None:
    """Turn what depends on the item into plain limits; None where something is not known."""
    put_in = _with_attributes(definition, limit, attributes)
    if put_in is None:
        return None
    limit = put_in
    names = {limit.steps_of, limit.plus_rating, limit.of_rating} - {""}
    sizes = {name: rated(definition, name, attributes) for name in names}
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(known) < len(names):
        return None
    if limit.steps_of:
        start, end = (_times(text, known[limit.steps_of]) for text in (limit.start, limit.end))
        limit = replace(limit, start=start, end=end, steps_of="")
    if limit.plus_rating:
        width = Decimal(limit.plus_rating_fraction or 0) * known[limit.plus_rating]
        lower, upper = _wider(limit.lower, -width), _wider(limit.upper, width)
        limit = replace(limit, lower=lower, upper=upper, plus_rating="", plus_rating_fraction=None)
    return _of_rating(limit, known[limit.of_rating]) if limit.of_rating else limit


def _with_attributes(
    definition: InstrumentType, limit: Limit, attributes: Attributes
) -> Limit | None:
    """Put in the numbers that an attribute of the item gives; None where one is not known."""
    numbers: dict[str, Any] = {}
    for field in BY_ATTRIBUTE:
        named = by_attribute(getattr(limit, field) or "")
        if named is None:
            continue
        name, factor = named
        value = rated(definition, name, attributes)
        if value is None:
            return None
        numbers[field] = _plain(value * factor)
    return replace(limit, **numbers) if numbers else limit


def _of_rating(limit: Limit, size: Decimal) -> Limit:
    """Turn fractions of a rated value into plain limits."""
    lower, upper = limit.at(size)
    return replace(
        limit,
        lower=None if lower is None else _plain(lower),
        upper=None if upper is None else _plain(upper),
        plus_fraction=None,
        or_fraction=None,
        plus_from=None,
        plus_inverse=None,
        of_rating="",
    )


def _times(text: str | None, size: Decimal) -> str | None:
    return None if text is None else _plain(Decimal(text) * size)


def _wider(text: str | None, width: Decimal) -> str | None:
    return None if text is None else _plain(Decimal(text) + width)


def _plain(value: Decimal) -> str:
    """Return a decimal without exponent and without digits that say nothing."""
    text = f"{value or abs(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
