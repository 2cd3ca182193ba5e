"""Checks of what enters a result besides readings: conditions while measuring, figures of the item.

Decimals have been read before (`decimals.check_decimals`). Knows nothing of arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.shared import with_shared
from instruments.choosing import attribute
from instruments.errors import Finding, Invalid
from instruments.procedure import InputQuantity, Measurand
from instruments.quantities import convert


def check_given(record: CalibrationInput) -> Iterator[Finding]:
    """Find conditions and rated values that a result takes and nobody entered, or not usably."""
    measured = {point.measurand for point in with_shared(record).points}
    for measurand in (m for m in record.definition.measurands if m.id in measured):
        for name, quantity in measurand.inputs.items():
            if quantity.source == "condition":
                yield from _condition(record, measurand, name, quantity)
        for name, wanted in _attributes_used(measurand):
            if attribute(record.definition, wanted, record.item.attributes) is None:
                yield Finding(
                    "rating-missing",
                    "The rated value {wanted} of the model enters the result of {measurand}"
                    " and is not known. Enter it with the model.",
                    at=f"/item/attributes/{wanted}",
                    facts={"wanted": wanted, "measurand": measurand.id, "input": name},
                )


def _condition(
    record: CalibrationInput, measurand: Measurand, name: str, quantity: InputQuantity
) -> Iterator[Finding]:
    (wanted,) = quantity.of
    facts = {"wanted": wanted, "measurand": measurand.id, "input": name}
    at, clause = f"/conditions/{wanted}", "ISO/IEC 17025:2017 7.8.4.1 (b)"
    units = {c.unit for c in record.conditions if c.quantity == wanted}
    if not units:
        yield Finding(
            "condition-missing",
            "The {wanted} while measuring enters the result of {measurand} and was"
            " not entered. Enter it.",
            at=at,
            facts=facts,
            clause=clause,
        )
    for unit in sorted(units):
        if _converts(unit, quantity.unit):
            continue
        yield Finding(
            "condition-unit",
            "The {wanted} was entered in {got}, which does not convert to {unit}. Enter it in a"
            " unit of this quantity.",
            at=at,
            facts={**facts, "got": unit, "unit": quantity.unit},
            clause=clause,
        )


def _converts(unit: str, to: str) -> bool:
    try:
        convert(Decimal(1), unit, to)
    except Invalid:
        return False
    return True


def _attributes_used(measurand: Measurand) -> Iterator[tuple[str, str]]:
    """Yield what of the item enters a result, after the input or component that takes it."""
    for name, quantity in measurand.inputs.items():
        texts = quantity.parameters.values()
        yield from ((name, text[1:]) for text in texts if text.startswith("@"))
        if quantity.source == "rating":
            yield name, quantity.of[0]
    for component in measurand.components:
        if component.of is not None and component.of.startswith("@"):
            yield component.input, component.of[1:]
