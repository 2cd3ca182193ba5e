"""What of a type holds for one item: its points, how often it is read, its limits.

An item's attributes are the variants and rated values of its model, and the kind of verification
asked for. Exact on decimals. Knows no records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from instruments.procedure import InstrumentType, Limit, Measurand, PointChoice

Attributes = Mapping[str, str]


def points_for(
    definition: InstrumentType, measurand: Measurand, attributes: Attributes
) -> tuple[str, ...]:
    """Return the usual points; none where a rated value they depend on is not known."""
    points = measurand.points
    chosen = _choice(measurand, attributes)
    if chosen is not None:
        return chosen.default
    if not points.fractions:
        return points.default
    high = rated(definition, points.range_high, attributes)
    low = rated(definition, points.range_low, attributes) if points.range_low else Decimal(0)
    if low is None or high is None:
        return ()
    return tuple(_plain(low + Decimal(f) * (high - low)) for f in points.fractions)


def readings_for(measurand: Measurand, name: str, attributes: Attributes) -> int:
    """Return how often an input is read at a point."""
    own = measurand.inputs[name].readings
    if own is not None:
        return own
    chosen = _choice(measurand, attributes)
    if chosen is not None and chosen.readings is not None:
        return chosen.readings
    return measurand.points.readings


def limits_for(
    definition: InstrumentType, measurand: Measurand, attributes: Attributes
) -> tuple[Limit, ...]:
    """Return the limits of the type that hold for the item, rated values put in.

    A limit whose rated value is not known is left out: then nothing can be stated.
    """
    held = (limit for limit in measurand.limits if _holds(limit.when, attributes))
    put_in = (_with_rating(definition, limit, attributes) for limit in held)
    return tuple(limit for limit in put_in if limit is not None)


def rated(definition: InstrumentType, name: str, attributes: Attributes) -> Decimal | None:
    """Return a rated value of the item; that of most models where the item states none."""
    rating = definition.ratings.get(name)
    text = attributes.get(name) or (rating.default if rating is not None else None)
    return None if text is None else Decimal(text)


def _choice(measurand: Measurand, attributes: Attributes) -> PointChoice | None:
    return next(
        (one for one in measurand.points.alternatives if _holds(one.when, attributes)), None
    )


def _holds(when: Attributes, attributes: Attributes) -> bool:
    return all(attributes.get(name) == value for name, value in when.items())


def _with_rating(definition: InstrumentType, limit: Limit, attributes: Attributes) -> Limit | None:
    """Turn fractions of a rated value into plain limits."""
    if not limit.of_rating:
        return limit
    size = rated(definition, limit.of_rating, attributes)
    if size is None:
        return None
    plain = replace(limit, plus_fraction=None, or_fraction=None, plus_from=None, of_rating="")
    whole = replace(limit, of_rating="")
    lower, upper = whole.at(size)
    return replace(
        plain,
        lower=None if lower is None else _plain(lower),
        upper=None if upper is None else _plain(upper),
    )


def _plain(value: Decimal) -> str:
    """Return a decimal without exponent and without digits that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
