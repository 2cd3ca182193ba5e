"""Units as digital certificates spell them: D-SI where it has the unit, a second list where not.

D-SI lets a hybrid quantity give the same values a second time in any other unit, as long as one of
its lists is in a unit of the SI. Where the table of units has a unit that D-SI does not, the first
list is converted exactly and the second holds the printed texts. Knows no XML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from instruments.errors import Invalid
from instruments.quantities import UNITS, convert, convert_difference, unit, unit_from_dsi
from instruments.units import Unit


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a unit stands in a digital certificate."""

    dsi: str
    """The D-SI text of the first list, e.g. ``\\degreecelsius``."""
    outside: str = ""
    """Name of the unit in the second list; empty: D-SI has the unit, and one list is enough."""
    unit: str = ""
    """Unit the first list is converted to; empty: its numbers are those printed."""


OUTSIDE: Final = MappingProxyType({
    # a Fahrenheit value has no end as a decimal in SI units: 34 digits stand in the first list
    "degF": Spelling(r"\degreecelsius", "degF", "degC"),
    "cmH2O": Spelling(r"\pascal", "cmH2O", "Pa"),
    "r/min": Spelling(r"\minute\tothe{-1}", "r/min"),
    "r/s": Spelling(r"\second\tothe{-1}", "r/s"),
    "pH": Spelling(r"\one", "pH"),
})  # fmt: skip
"""The units of the table that D-SI does not have."""

_ONE_FACTOR = re.compile(r"(?:\\(?:micro|milli|centi|deci|hecto|kilo|mega))?\\[A-Za-z]+")


def spelling(unit_id: str) -> Spelling:
    """Return how a unit of the table is written; raises Invalid for a unit that is not in it."""
    return OUTSIDE.get(unit_id) or Spelling(unit(unit_id).dsi)


def converted(spelled: Spelling, unit_id: str, value: str, *, difference: bool) -> str:
    """Return a printed value in the unit of the first list; a difference is never shifted."""
    if not spelled.unit:
        return value
    change = convert_difference if difference else convert
    return f"{change(Decimal(value), unit_id, spelled.unit):f}"


def unit_of(text: str, *, at: str = "") -> Unit:
    """Return the unit that the text of a file names, in D-SI or by its plain name.

    Raises
    ------
    Invalid
        The table holds no such unit.
    """
    if text.startswith("\\"):
        return unit_from_dsi(text, at=at)
    for known in UNITS.values():
        if text in {known.id, known.symbol}:
            return known
    raise Invalid(
        "unit-dsi-unknown",
        "The D-SI unit {unit} is not known. Enter the value by hand in a known unit.",
        at=at,
        facts={"unit": text},
    )


def unit_over_power(y: str, x: str, power: int) -> str | None:
    """Return the D-SI unit of a coefficient, y over x to a power; None where D-SI has none."""
    if power == 0:
        found = spelling(y)
        return None if found.outside else found.dsi
    if y in OUTSIDE or x in OUTSIDE:
        return None
    above, below = _difference(unit(y).dsi), _difference(unit(x).dsi)
    if below == r"\one":
        return above
    if not _ONE_FACTOR.fullmatch(below):
        return None
    if above == below:
        return r"\one" if power == 1 else f"{below}\\tothe{{{1 - power}}}"
    tail = f"{below}\\tothe{{{-power}}}"
    return tail if above == r"\one" else above + tail


def _difference(dsi: str) -> str:
    """Return the unit of a difference: kelvin for degree Celsius, which takes no power."""
    return r"\kelvin" if dsi == r"\degreecelsius" else dsi
