"""Slips of the pen, put into simulated readings on purpose and named one by one.

Training and tests know each of them, and by which of the checks it can be found, if by any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from calib.evaluation.checks import check_record
from calib.evaluation.inputs import CalibrationInput, PointInput, ReadingInput
from calib.simulation.chance import Chance
from instruments.procedure import InputQuantity
from instruments.quantities import QUANTITIES, convert

Slip = Literal["transposed", "no_point", "other_unit", "repeated", "other_point"]
SLIPS: tuple[Slip, ...] = ("transposed", "no_point", "other_unit", "repeated", "other_point")


@dataclass(frozen=True, slots=True)
class Blunder:
    """One reading that is not what was seen."""

    kind: Slip
    at: str
    """Place as findings name it: ``/points/<key>/readings/<input>/<id of the reading>``."""
    point: str
    input: str
    place: int
    """0, 1, 2 ...: which of the repeated readings."""
    seen: str
    written: str
    found_by: tuple[str, ...] = ()
    """Codes of the findings that point at it; empty: no check of a record can find it."""


def with_blunders(
    record: CalibrationInput, rate: float, chance: Chance
) -> tuple[CalibrationInput, tuple[Blunder, ...]]:
    """Return the record with about `rate` of its readings written wrongly, and which these are."""
    points, found = [], []
    for point in record.points:
        series: dict[str, tuple[ReadingInput, ...]] = {}
        for name, readings in point.readings.items():
            written = list(readings)
            for place, drawn in enumerate(chance.uniform(len(readings)).tolist()):
                if drawn < rate:
                    slip = _slip(record, point, name, place, chance)
                    if slip is not None:
                        found.append(slip)
                        written[place] = replace(written[place], value=slip.written)
            series[name] = tuple(written)
        points.append(replace(point, readings=series))
    if not found:
        return record, ()
    spoilt = replace(record, points=tuple(points))
    return spoilt, tuple(_findable(spoilt, found))


def _findable(record: CalibrationInput, blunders: list[Blunder]) -> Iterator[Blunder]:
    """Say of each blunder which findings point at it or at the readings it stands among."""
    findings = check_record(record)
    for blunder in blunders:
        series = blunder.at.rpartition("/")[0]
        codes = [f.code for f in findings if f.severity != "note" and f.at in (blunder.at, series)]
        yield replace(blunder, found_by=tuple(dict.fromkeys(codes)))


def _slip(
    record: CalibrationInput, point: PointInput, name: str, place: int, chance: Chance
) -> Blunder | None:
    """Draw a kind of slip; the next kind where one leaves the reading as it is."""
    quantity = record.definition.measurand(point.measurand).inputs[name]
    first = chance.below(len(SLIPS))
    seen = point.readings[name][place]
    for kind in (*SLIPS[first:], *SLIPS[:first]):
        written = _WRITTEN[kind](record, point, name, place, quantity)
        if written is not None and written != seen.value:
            at = f"/points/{point.key}/readings/{name}/{seen.id}"
            return Blunder(kind, at, point.key, name, place, seen.value, written)
    return None


Written = Callable[[CalibrationInput, PointInput, str, int, InputQuantity], str | None]


def _transposed(
    _record: CalibrationInput, point: PointInput, name: str, place: int, _quantity: InputQuantity
) -> str | None:
    """Swap the two leading digits that differ: 37.5 becomes 73.5."""
    text = point.readings[name][place].value
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    for i, j in pairwise(digits):
        if text[i] != text[j] and not (text[j] == "0" and i == digits[0]):
            return text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]
    return None


def _no_point(
    _record: CalibrationInput, point: PointInput, name: str, place: int, _quantity: InputQuantity
) -> str | None:
    text = point.readings[name][place].value
    bare = text.replace(".", "").lstrip("0") or "0"
    return bare if "." in text and Decimal(bare) != Decimal(text) else None


def _other_unit(
    _record: CalibrationInput, point: PointInput, name: str, place: int, quantity: InputQuantity
) -> str | None:
    """Write the number of another unit of the same dimension, with as many digits."""
    text = point.readings[name][place].value
    known = next((q for q in QUANTITIES.values() if quantity.unit in q.units[:1]), None) or next(
        (q for q in QUANTITIES.values() if quantity.unit in q.units), None
    )
    others = [unit for unit in (known.units if known else ()) if unit != quantity.unit]
    if not others:
        return None
    value = convert(Decimal(text), quantity.unit, others[-1])
    places = Decimal((0, (1,), min(0, int(Decimal(text).as_tuple().exponent))))
    return f"{value.quantize(places):f}" if abs(value) < Decimal("1e9") else None


def _repeated(
    _record: CalibrationInput, point: PointInput, name: str, place: int, _quantity: InputQuantity
) -> str | None:
    """Copy the reading before instead of looking."""
    return point.readings[name][place - 1].value if place else None


def _other_point(
    record: CalibrationInput, point: PointInput, name: str, place: int, _quantity: InputQuantity
) -> str | None:
    """Write a reading of another point of the same measurand."""
    others = [
        p.readings[name][place].value
        for p in record.points
        if p.measurand == point.measurand and p.key != point.key and place < len(p.readings[name])
    ]
    return others[-1] if others else None


_WRITTEN: Mapping[Slip, Written] = {
    "transposed": _transposed,
    "no_point": _no_point,
    "other_unit": _other_unit,
    "repeated": _repeated,
    "other_point": _other_point,
}
