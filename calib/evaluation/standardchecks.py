"""Checks of the standards: right quantity, in date, in range, certificate readable.

A reading of a standard names the standard it was read on; a series has one standard. Dates and
decimals have been read before. Knows nothing of where standards are kept.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from decimal import Decimal
from itertools import chain
from operator import attrgetter

from calib.evaluation.inputs import CalibrationInput, PointInput, StandardInput
from calib.evaluation.places import facts_of
from calib.evaluation.shared import with_shared
from calib.evaluation.standards import covered_range, fault_of
from instruments.choosing import resolution_for
from instruments.errors import Finding
from instruments.procedure import READ, InputQuantity, Measurand

_STANDARD = attrgetter("standard")
Quiet = Container[tuple[int, str]]


def check_standards(record: CalibrationInput, quiet: Quiet = frozenset()) -> Iterator[Finding]:
    """Find what forbids a standard or a reading of it, and what the type cannot do without.

    Series known to be `quiet` are not looked at reading by reading.
    """
    usable: dict[str, StandardInput] = {}
    for standard in record.standards:
        faults = [*_certificate(standard), *_dates(record, standard)]
        yield from faults
        if not any(fault.code == "certificate-invalid" for fault in faults):
            usable[standard.key] = standard
    keys = {standard.key for standard in record.standards}
    series = chain.from_iterable([point.readings.values() for point in record.points])
    named = set(map(_STANDARD, chain.from_iterable(series)))
    for key in sorted(keys - named):
        yield Finding(
            "standard-unused",
            "No reading names the standard {standard}; it is in the record all the same.",
            "note",
            f"/standards/{key}",
            {"standard": key},
        )
    measurands = {measurand.id: measurand for measurand in record.definition.measurands}
    for i, point in enumerate(record.points):
        measurand = measurands.get(point.measurand)
        if measurand is not None:
            for name in (n for n, q in measurand.inputs.items() if q.source in READ):
                yield from _naming(point, measurand, name, keys)
                # the first reading of a quiet series stands for all: inside one standard
                most = 1 if (i, name) in quiet else None
                yield from _readings(point, measurand, name, usable, most)
    yield from _resolutions(record)


def _certificate(standard: StandardInput) -> Iterator[Finding]:
    """Find a table that does not rise, or uncertainties that mean nothing."""
    problem = fault_of(standard)
    if problem:
        yield Finding(
            "certificate-invalid",
            "The certificate {certificate} of standard {standard} cannot be used: {problem}."
            " Correct what was entered from it.",
            at=f"/standards/{standard.key}/values",
            facts={
                "certificate": standard.certificate_number,
                "standard": standard.key,
                "problem": problem,
            },
        )


def _dates(record: CalibrationInput, standard: StandardInput) -> Iterator[Finding]:
    """ISO dates compare as text."""
    facts = {
        "standard": standard.key,
        "date": record.performed_on,
        "valid_until": standard.valid_until,
        "calibrated_on": standard.calibrated_on,
    }
    if standard.valid_until is not None and record.performed_on > standard.valid_until:
        yield Finding(
            "standard-out-of-date",
            "Reference standard {standard} was out of date on {date} (valid until {valid_until})."
            " Choose another standard or enter its new certificate.",
            at=f"/standards/{standard.key}",
            facts=facts,
            clause="ISO/IEC 17025:2017 6.4.7",
        )
    if record.performed_on < standard.calibrated_on:
        yield Finding(
            "standard-not-yet-calibrated",
            "Reference standard {standard} was calibrated on {calibrated_on}, after the"
            " measurement on {date}. Enter the certificate that was in force then.",
            at=f"/standards/{standard.key}",
            facts=facts,
            clause="ISO/IEC 17025:2017 6.4.7",
        )


def _naming(
    point: PointInput, measurand: Measurand, name: str, keys: set[str]
) -> Iterator[Finding]:
    """Find a series without one known standard; a series of the item may name none."""
    series = point.readings.get(name, ())
    found = set(map(_STANDARD, series))
    facts = {
        **facts_of(point, measurand),
        "input": name,
        "found": ", ".join(sorted(key or "none" for key in found)),
        "known": ", ".join(sorted(keys)) or "none",
    }
    at = f"/points/{point.key}/readings/{name}"
    unknown = found - keys - ({None} if measurand.inputs[name].source == "item" else set())
    if series and unknown:
        yield Finding(
            "standard-unknown",
            "The readings of {input} at {nominal} {unit} name the standard {found}; the record"
            " has: {known}. Name the standard they were read on.",
            at=at,
            facts=facts,
        )
    elif len(found) > 1:
        yield Finding(
            "standards-mixed",
            "The readings of {input} at {nominal} {unit} name several standards ({found}). Make"
            " one point per standard.",
            at=at,
            facts=facts,
        )


def _readings(
    point: PointInput,
    measurand: Measurand,
    name: str,
    usable: dict[str, StandardInput],
    most: int | None,
) -> Iterator[Finding]:
    quantity = measurand.inputs[name]
    if quantity.source != "standard":
        return
    facts = facts_of(point, measurand)
    at = f"/points/{point.key}/readings/{name}"
    told: set[str] = set()
    for reading in point.readings.get(name, ())[:most]:
        standard = usable.get(reading.standard or "")
        if standard is None:
            continue
        if standard.key not in told:
            told.add(standard.key)
            yield from _quantity(measurand, quantity, standard, at)
        if most is not None:
            continue
        low, high = covered_range(standard)
        if not low <= Decimal(reading.value) <= high:
            yield Finding(
                "standard-out-of-range",
                "The reading {reading} {unit} of standard {standard} is outside {low} ... {high}"
                " {unit}, the range of its certificate {certificate}; nothing is extrapolated."
                " Use a standard calibrated there.",
                at=f"{at}/{reading.id}",
                facts={
                    **facts,
                    "reading": reading.value,
                    "standard": standard.key,
                    "low": low,
                    "high": high,
                    "certificate": standard.certificate_number,
                },
                clause="ISO/IEC 17025:2017 6.5",
            )


def _quantity(
    measurand: Measurand, quantity: InputQuantity, standard: StandardInput, at: str
) -> Iterator[Finding]:
    expected = quantity.quantity or measurand.quantity
    if (standard.quantity, standard.unit) != (expected, quantity.unit):
        yield Finding(
            "standard-wrong-quantity",
            "Standard {standard} is calibrated for {got} in {unit_got}, the readings are of"
            " {expected} in {unit}. Choose a standard for this quantity, or convert its"
            " certificate.",
            at=at,
            facts={
                "standard": standard.key,
                "got": standard.quantity,
                "unit_got": standard.unit,
                "expected": expected,
                "unit": quantity.unit,
            },
        )


def _resolutions(record: CalibrationInput) -> Iterator[Finding]:
    """Find a budget that needs a resolution and has none, or one that is not positive."""
    measured = {point.measurand for point in with_shared(record).points}
    for measurand in record.definition.measurands:
        given = resolution_for(measurand, record.item.resolution)
        wanted = any(c.evaluate == "resolution" for c in measurand.components)
        missing = wanted and given is None and measurand.id in measured
        if missing or (given is not None and Decimal(given) <= 0):
            yield Finding(
                "resolution-missing",
                "The resolution of {measurand} is {given}; the budget needs a positive one."
                " Enter the smallest step of the display in {unit}.",
                at=f"/item/resolution/{measurand.same_readings_as or measurand.id}",
                facts={
                    "measurand": measurand.id,
                    "given": given or "not entered",
                    "unit": measurand.unit,
                },
            )
