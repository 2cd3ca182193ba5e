"""What a model of a type usually is, where nobody says: variants, rated values, resolution.

Everything comes from the type itself: its points, limits and components, and from the unit of a
figure where the type says nothing. No instrument type is known by name here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from instruments.choosing import (
    attribute,
    holds,
    limits_for,
    needs_resolution,
    points_for,
    rated,
)
from instruments.procedure import InstrumentType, Limit, Measurand

SIZES: Mapping[str, str] = {
    "degC": "20", "K": "10", "%RH": "50", "Pa": "100000", "hPa": "1000", "kPa": "100", "MPa": "10",
    "bar": "10", "mmHg": "100", "cmH2O": "20", "L/min": "10", "mL/min": "100", "mL/h": "25",
    "L/h": "1", "m3": "1", "L": "1", "mL": "100", "uL": "100", "%": "5", "1": "1", "ohm": "100",
    "mA": "10", "uA": "100", "V": "10", "mV": "1", "uV": "100", "mm/mV": "10", "m": "1",
    "cm": "10", "mm": "10", "um": "100", "s": "1", "ms": "10", "min": "10", "h": "1", "d": "1",
    "kg": "1", "g": "200", "mg": "10", "mm/s": "25", "Hz": "50", "/min": "60", "r/min": "3000",
    "J": "100", "mS/cm": "14", "S/m": "1.4", "pH": "7", "dB": "60", "1/K": "0.00016",
}  # fmt: skip
"""A size that a quantity in this unit often has, where the type says nothing of it."""
_DIVISIONS = Decimal(20000)
"""Scale intervals in the range of an instrument that states one."""
_SURROUNDINGS = {
    "temperature": ("degC", 21.0, 25.0),
    "relative_humidity": ("%RH", 42.0, 60.0),
    "pressure": ("kPa", 100.0, 102.0),
}


def usual_attributes(
    definition: InstrumentType, given: Mapping[str, str], verification: str | None = None
) -> dict[str, str]:
    """Return the attributes of a model: those given, for the rest what is usual."""
    found = {name: next(iter(values)) for name, values in definition.variants.items()}
    if verification is not None:
        found["verification"] = verification
    found |= given
    missing = [name for name in definition.ratings if attribute(definition, name, found) is None]
    return found | {name: _rating(definition, name, found) for name in missing}


def _rating(definition: InstrumentType, name: str, known: Mapping[str, str]) -> str:
    """Return a rated value by what the type does with it."""
    unit = definition.ratings[name].unit
    size = Decimal(SIZES.get(unit, "1"))
    ends = [m.points for m in definition.measurands]
    full = next((p.range_high for p in ends if p.range_high), "")
    whole = rated(definition, full, known) or (
        Decimal(SIZES.get(definition.ratings[full].unit, "1")) if full else size
    )
    limits = [limit for m in definition.measurands for limit in m.limits]
    if any(name == p.range_low for p in ends):
        return "0"
    if any(name == p.range_high for p in ends):
        return _text(100 if unit == "degC" else whole)
    steps = [limit for limit in limits if limit.steps_of == name]
    if steps:
        # the highest step at which limits change lies at the end of the range
        last = max(Decimal(limit.start or 0) for limit in steps)
        return _text(whole / (last or 1))
    if any(limit.of_rating == name for limit in limits) and full:
        return _text(whole / _DIVISIONS)
    return _text(size)


def _text(value: Decimal | int) -> str:
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def planned_points(
    definition: InstrumentType, attributes: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the usual points of each measurand that is read on such an item."""
    found = {
        m.id: points_for(definition, m, attributes)
        for m in definition.measurands
        if not m.same_readings_as and holds(m.when, attributes)
    }
    return {id_: points for id_, points in found.items() if points}


def usual_resolution(
    definition: InstrumentType, attributes: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return the resolution of the display: a power of ten finer than half the limits."""
    found = dict(given)
    for measurand in definition.measurands:
        if measurand.id in found or not needs_resolution(definition, measurand, attributes):
            continue
        nominal = [abs(float(x)) for x in points_for(definition, measurand, attributes)]
        widths = [
            width
            for user in definition.measurands
            if measurand.id in (user.id, user.same_readings_as)
            for width in _widths(definition, user, attributes, nominal)
        ]
        size = min(widths) / 2 if widths else 2e-4 * max([*nominal, 1.0])
        # a recorded repeatability was seen on such a display
        seen = [
            3.4 * float(c.pooled.s) * (max(min(nominal), 1e-9) if c.pooled.relative else 1.0)
            for c in measurand.components
            if c.pooled is not None
            and measurand.inputs[c.input].unit == measurand.unit
            and measurand.inputs[c.input].source == "item"
        ]
        size = min([size, *seen])
        found[measurand.id] = power_of_ten(size)
    return found


def _widths(
    definition: InstrumentType,
    measurand: Measurand,
    attributes: Mapping[str, str],
    nominal: list[float],
) -> list[float]:
    """Return how far limits lie apart or from zero, in the unit of the readings."""
    rows = limits_for(definition, measurand, attributes)
    points = points_for(definition, measurand, attributes) or tuple(map(str, nominal))
    found = []
    for point in points:
        sides = next((r.at(Decimal(point)) for r in rows if r.covers(Decimal(point))), None)
        width = half_width(sides) if sides else None
        if width and measurand.output == "relative_error":
            found.append(width / 100 * (abs(float(point)) or 1.0))
        elif width and measurand.output_unit in (measurand.unit, "K"):
            found.append(width)
    return found


def half_width(sides: tuple[Decimal | None, Decimal | None]) -> float | None:
    """Return half the distance of two limits, or the size of the only one; None without."""
    lower, upper = (None if side is None else float(side) for side in sides)
    if lower is not None and upper is not None:
        return (upper - lower) / 2 or None
    one = lower if lower is not None else upper
    return abs(one) if one else None


def limit_at(rows: tuple[Limit, ...], nominal: str) -> tuple[float | None, float | None] | None:
    """Return the limits that hold at a nominal value; None where there are none."""
    value = Decimal(nominal)
    row = next((row for row in rows if row.covers(value)), None)
    if row is None:
        return None
    lower, upper = row.at(value)
    return (None if lower is None else float(lower), None if upper is None else float(upper))


def power_of_ten(size: float) -> str:
    """Return the power of ten at or below a size, as decimal text."""
    place = math.floor(math.log10(size) + 1e-9)
    return f"{Decimal(1).scaleb(place):f}"


def surroundings(definition: InstrumentType, quantity: str) -> tuple[str, float, float]:
    """Return unit, low and high of a quantity of the surroundings, inside what the type allows."""
    unit, low, high = _SURROUNDINGS[quantity]
    for limit in definition.environment:
        if limit.quantity == quantity:
            least = -math.inf if limit.low is None else float(limit.low)
            most = math.inf if limit.high is None else float(limit.high)
            margin = (high - low) / 8
            if least > high - margin or most < low + margin:
                width = high - low
                low, high = (
                    least if math.isfinite(least) else most - width,
                    most if math.isfinite(most) else least + width,
                )
            low, high = max(low, least + margin), min(high, most - margin)
            unit = limit.unit
    return unit, low, high
