"""One value for one place of a record, and whether it may stand there; knows no rows.

Every refusal names the place: measurand, point, input, number of the reading.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from calib.services.calibration_views import Plan
from instruments.errors import Invalid
from instruments.procedure import READ, InputQuantity, InstrumentType
from instruments.quantities import parse_decimal

MOST_PLACES = 1000
"""Readings of one input at one point; more is a slip."""

UNKNOWN = {
    "measurand-unknown": "The record has no measurand {given}; it has: {known}. Correct the entry.",
    "input-unknown": "No input {given} is read here; read are: {known}. Correct the entry.",
    "stage-unknown": "The record has no stage {given}; it has: {known}. Correct the entry.",
    "point-unknown": "The point {given} is not planned; planned are: {known}. Plan it first.",
}

Slot = tuple[str, str, int, str, str, int]


@dataclass(frozen=True, slots=True)
class ReadingEntry:
    """A value to be entered."""

    measurand: str
    stage: str
    piece: int
    """0: the item itself; 1, 2 ...: the piece of a batch."""
    point: str
    """As planned, e.g. ``37.0`` or ``37.0#2``."""
    input: str
    place: int
    """0, 1, 2 ...: which of the repeated readings."""
    value: str | None
    """Decimal text; None takes the reading back."""
    revision: int
    """The revision that was seen; 0 when the place was empty."""
    standard_certificate_id: int | None = None
    """None: the standard the plan names."""
    reason: str = ""
    """Why an entered value changes."""
    unit: str | None = None
    """Unit the value was read in; None: that of the input."""

    @property
    def slot(self) -> Slot:
        """Return where in the record the value goes."""
        return (self.measurand, self.stage, self.piece, self.point, self.input, self.place)


def check_entry(
    definition: InstrumentType, plan: Plan, entry: ReadingEntry, at: str
) -> InputQuantity:
    """Return the input quantity the value is of.

    Raises
    ------
    Invalid
        The place does not exist in the plan, the unit is another, or the value is no decimal.
    """
    measurands = {m.id: m for m in definition.measurands}
    _one_of("measurand-unknown", entry.measurand, measurands, f"{at}/measurand")
    inputs = {
        name: quantity
        for name, quantity in measurands[entry.measurand].inputs.items()
        if quantity.source in READ
    }
    _one_of("input-unknown", entry.input, inputs, f"{at}/input")
    _one_of("stage-unknown", entry.stage, definition.stages, f"{at}/stage")
    _one_of("point-unknown", entry.point, plan.points.get(entry.measurand, ()), f"{at}/point")
    if type(entry.piece) is not int or entry.piece not in plan.numbers_of_pieces():
        numbers = plan.numbers_of_pieces()
        raise Invalid(
            "piece-unknown",
            "There is no piece {piece} in this record; pieces are numbered {first} to {last}.",
            at=f"{at}/piece",
            facts={"piece": entry.piece, "first": numbers[0], "last": numbers[-1]},
        )
    if type(entry.place) is not int or not 0 <= entry.place < MOST_PLACES:
        raise Invalid(
            "place-out-of-range",
            "Reading number {place} of {input} at {point} is not possible; at most {most} are "
            "kept per point.",
            at=f"{at}/place",
            facts={
                "place": entry.place,
                "input": entry.input,
                "point": entry.point,
                "most": MOST_PLACES,
            },
        )
    quantity = inputs[entry.input]
    _same_unit(entry, quantity, at)
    if entry.value is not None:
        parse_decimal(entry.value, at=f"{at}/value")
    return quantity


def _one_of(code: str, given: str, known: Collection[str], at: str) -> None:
    if given not in known:
        raise unknown(code, given, known, at)


def unknown(code: str, given: str, known: Collection[str], at: str) -> Invalid:
    """Return the error for a name that the record does not have."""
    facts = {"given": given or "(empty)", "known": ", ".join(known) or "none"}
    return Invalid(code, UNKNOWN[code], at=at, facts=facts)


def _same_unit(entry: ReadingEntry, quantity: InputQuantity, at: str) -> None:
    """Refuse a value in another unit: converting in silence would change its last digit."""
    if entry.unit is not None and entry.unit != quantity.unit:
        raise Invalid(
            "unit-unexpected",
            "The reading {value} of {input} at {point} is in {unit}, expected {expected}. "
            "Enter it in {expected}.",
            at=f"{at}/unit",
            facts={
                "value": entry.value,
                "input": entry.input,
                "point": entry.point,
                "unit": entry.unit,
                "expected": quantity.unit,
            },
        )


def each_once(entries: Sequence[tuple[str, ReadingEntry]]) -> None:
    """Refuse entries of which two go to the same place.

    Raises
    ------
    Invalid
    """
    first: dict[Slot, str] = {}
    for at, entry in entries:
        if entry.slot in first:
            raise Invalid(
                "reading-twice",
                "Reading {number} of {input} at {point} is given twice, at {first} and {second}. "
                "Send each place once.",
                at=at,
                facts={
                    "number": entry.place + 1,
                    "input": entry.input,
                    "point": entry.point,
                    "first": first[entry.slot],
                    "second": at,
                },
            )
        first[entry.slot] = at
