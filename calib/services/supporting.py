"""Which standards can support a record, and why the others cannot.

The checks of the evaluation have the last word; this is what is offered before anything is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from calib.evaluation.inputs import StandardInput, StandardValue
from calib.evaluation.standards import covered_range
from calib.services import calibration_views
from calib.services.calibration_views import VISIT
from instruments.choosing import lies_at_point
from instruments.context import Context
from instruments.errors import Finding
from instruments.procedure import InstrumentType, Measurand, StandardWanted
from instruments.records.standards import (
    MeasurementStandard,
    StandardCertificate,
    StandardCertificateValue,
)
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class StandardCandidate:
    """A certificate of a standard of the right quantity, usable or with the reason why not."""

    measurand: str
    certificate_id: int
    standard: StandardInput
    reason: Finding | None
    """None: usable at every planned point."""
    is_wanted: bool = False
    """It is of a kind that the instrument's type asks for by name."""
    inputs: tuple[str, ...] = ()
    """Inputs of the measurand that can be read on it."""


@dataclass(frozen=True, slots=True)
class CertifiedStandard:
    """A certificate in the form the evaluation takes, with what the registry knows beside it."""

    certificate_id: int
    standard_id: int
    in_service: bool
    replaced: bool
    """A corrected edition stands in its place."""
    kind: str
    """What sort of standard it is; empty: not said."""
    standard: StandardInput


def supporting(ctx: Context, calibration_id: int) -> tuple[StandardCandidate, ...]:
    """Return the standards for each measurand of a record, usable ones first.

    Raises
    ------
    NotFound
    """
    record = calibration_views.view(ctx, calibration_id)
    return candidates(ctx, record.definition, record.plan.points, record.performed_on or ctx.today)


def candidates(
    ctx: Context, definition: InstrumentType, points: Mapping[str, Sequence[str]], on: date
) -> tuple[StandardCandidate, ...]:
    """Return the newest usable edition of each certificate for each measurand on a date."""
    ctx.need("standard.read")
    certified = [c for c in certified_standards(ctx) if not c.replaced]
    wanted = {measurand.id: _wanted(definition, measurand) for measurand in definition.measurands}
    offered = [
        StandardCandidate(
            measurand=measurand.id,
            certificate_id=one.certificate_id,
            standard=one.standard,
            reason=_other_kind(one, wanted[measurand.id])
            or _why_not(one, _points_of(measurand, inputs, points), on),
            is_wanted=one.kind in {kind.id for kind in wanted[measurand.id]},
            inputs=inputs,
        )
        for measurand in definition.measurands
        if not measurand.same_readings_as
        for one in certified
        if (inputs := inputs_on(definition, measurand, one))
    ]
    return tuple(sorted(offered, key=lambda c: (c.reason is not None, not c.is_wanted)))


def default_standards(
    ctx: Context, definition: InstrumentType, points: Mapping[str, Sequence[str]], on: date
) -> dict[str, tuple[int, ...]]:
    """Return for each measurand the most recently calibrated standards that can support it.

    One for every input that is read on a standard; one of a kind that the type asks for goes before
    those of which nobody said what they are.
    """
    chosen: dict[tuple[str, str], StandardCandidate] = {}
    for candidate in candidates(ctx, definition, points, on):
        for name in candidate.inputs if candidate.reason is None else ():
            held = chosen.get((candidate.measurand, name))
            if held is None or _rank(candidate) > _rank(held):
                chosen[candidate.measurand, name] = candidate
    found: dict[str, list[int]] = {}
    for measurand in definition.measurands:
        for name in measurand.inputs:
            one = chosen.get((measurand.id, name))
            if one and one.certificate_id not in found.setdefault(measurand.id, []):
                found[measurand.id].append(one.certificate_id)
    return {measurand: tuple(ids) for measurand, ids in found.items()}


def certified_standards(
    ctx: Context, ids: Sequence[int] | None = None
) -> tuple[CertifiedStandard, ...]:
    """Return certificates of the lab's standards with their values, in three queries.

    Two certificates of one standard bear keys that tell them apart.
    """
    wanted = (
        select(StandardCertificate, MeasurementStandard)
        .join(MeasurementStandard, MeasurementStandard.id == StandardCertificate.standard_id)
        .order_by(MeasurementStandard.code, StandardCertificate.id)
    )
    values = select(StandardCertificateValue).order_by(StandardCertificateValue.place)
    if ids is not None:
        wanted = wanted.where(StandardCertificate.id.in_(ids))
        values = values.where(StandardCertificateValue.certificate_id.in_(ids))
    tables: dict[int, list[StandardValue]] = {}
    for line in ctx.session.scalars(values):
        tables.setdefault(line.certificate_id, []).append(
            StandardValue(
                indication=line.indication,
                reference=line.reference,
                U=line.expanded_uncertainty,
                k=line.coverage_factor,
                dof=line.dof,
            )
        )
    replaced = set(ctx.session.scalars(select(StandardCertificate.replaces_id)))
    found = [
        CertifiedStandard(
            certificate_id=certificate.id,
            standard_id=standard.id,
            in_service=standard.status == "in_service",
            replaced=certificate.id in replaced,
            kind=standard.kind,
            standard=_input(standard, certificate, tables.get(certificate.id, [])),
        )
        for certificate, standard in ctx.session.execute(wanted)
    ]
    return tuple(_told_apart(found)) if ids is not None else tuple(found)


def _input(
    standard: MeasurementStandard,
    certificate: StandardCertificate,
    values: Sequence[StandardValue],
) -> StandardInput:
    return StandardInput(
        key=standard.code,
        name=LocalizedText(en=standard.name_en, zh=standard.name_zh)
        if standard.name_en or standard.name_zh
        else LocalizedText(en=standard.code),
        model=standard.model,
        serial=standard.serial,
        quantity=standard.quantity,
        unit=standard.unit,
        certificate_number=certificate.number,
        issuer=certificate.issuer,
        calibrated_on=certificate.calibrated_on.isoformat(),
        valid_until=certificate.valid_until.isoformat() if certificate.valid_until else None,
        values=tuple(sorted(values, key=lambda value: Decimal(value.indication))),
        low=certificate.low,
        high=certificate.high,
    )


def _told_apart(found: Sequence[CertifiedStandard]) -> list[CertifiedStandard]:
    codes = [one.standard.key for one in found]
    return [
        one
        if codes.count(one.standard.key) == 1
        else replace(
            one,
            standard=replace(
                one.standard, key=f"{one.standard.key} {one.standard.certificate_number}"
            ),
        )
        for one in found
    ]


def inputs_on(
    definition: InstrumentType, measurand: Measurand, one: CertifiedStandard
) -> tuple[str, ...]:
    """Return the inputs of a measurand that can be read on a standard; its kind may name them."""
    fitting = tuple(
        name
        for name, read in measurand.inputs.items()
        if read.source == "standard"
        and (one.standard.quantity, one.standard.unit)
        == (read.quantity or measurand.quantity, read.unit)
    )
    named = {place for kind in definition.standards if kind.id == one.kind for place in kind.inputs}
    return tuple(name for name in fitting if f"{measurand.id}.{name}" in named) or fitting


def _points_of(
    measurand: Measurand, inputs: Sequence[str], points: Mapping[str, Sequence[str]]
) -> Sequence[str]:
    """Return the points a standard is read at; none where it is read elsewhere than at them."""
    at_point = any(lies_at_point(measurand, name) for name in inputs)
    return points.get(measurand.id, ()) if at_point else ()


def _rank(candidate: StandardCandidate) -> tuple[bool, str]:
    return candidate.is_wanted, candidate.standard.calibrated_on


def _wanted(definition: InstrumentType, measurand: Measurand) -> tuple[StandardWanted, ...]:
    """Return the kinds of standard that a type asks for to measure one measurand."""
    return tuple(
        kind
        for kind in definition.standards
        if not kind.inputs or any(name.split(".")[0] == measurand.id for name in kind.inputs)
    )


def _other_kind(one: CertifiedStandard, wanted: Sequence[StandardWanted]) -> Finding | None:
    """Return why a standard is not of a kind that the type asks for; None when none is stated."""
    if not wanted or not one.kind or one.kind in {kind.id for kind in wanted}:
        return None
    return Finding(
        "standard-of-other-kind",
        "Standard {standard} is registered as {got}; this type asks for {expected}.",
        facts={
            "standard": one.standard.key,
            "got": one.kind,
            "expected": LocalizedText(
                en=", ".join(kind.name.text("en") for kind in wanted),
                zh="、".join(kind.name.text("zh") for kind in wanted),
            ),
        },
    )


def _why_not(one: CertifiedStandard, points: Sequence[str], on: date) -> Finding | None:
    standard = one.standard
    facts = {"standard": standard.key, "certificate": standard.certificate_number}
    if not one.in_service:
        return Finding(
            "standard-out-of-service",
            "Standard {standard} is out of service. Choose another standard.",
            facts=facts,
        )
    if standard.valid_until is not None and on.isoformat() > standard.valid_until:
        return Finding(
            "standard-out-of-date",
            "The certificate {certificate} of standard {standard} was valid until {valid_until}, "
            "the work is of {on}.",
            facts={**facts, "valid_until": standard.valid_until, "on": on.isoformat()},
        )
    if on.isoformat() < standard.calibrated_on:
        return Finding(
            "standard-not-yet-calibrated",
            "The certificate {certificate} of standard {standard} is of {calibrated_on}, after "
            "the work of {on}.",
            facts={**facts, "calibrated_on": standard.calibrated_on, "on": on.isoformat()},
        )
    if not standard.values:
        return Finding(
            "certificate-empty",
            "The certificate {certificate} of standard {standard} has no values. Enter them as a "
            "corrected edition.",
            facts=facts,
        )
    low, high = covered_range(standard)
    outside = [point for point in points if not low <= Decimal(VISIT.sub("", point)) <= high]
    if outside:
        return Finding(
            "standard-out-of-range",
            "The certificate {certificate} of standard {standard} covers {low} ... {high} {unit}, "
            "not {points}.",
            facts={
                **facts,
                "low": low,
                "high": high,
                "unit": standard.unit,
                "points": ", ".join(outside),
            },
        )
    return None
