"""From the rows of a record, its order and its standards to the frozen input of the evaluation.

The number of queries does not depend on the number of readings. Nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Literal, cast

from sqlalchemy import or_, select

from calib.evaluation.inputs import (
    AgreedLimits,
    CalibrationInput,
    CMCRow,
    ConditionInput,
    DecisionRule,
    ExaminationInput,
    ItemInput,
    PointInput,
    ReadingInput,
    Rounding,
    RuleId,
)
from calib.evaluation.places import rejected_by_examination
from calib.services.calibration_views import VISIT, CalibrationView, ReadingView
from calib.services.supporting import CertifiedStandard, certified_standards
from instruments.choosing import limits_for
from instruments.context import Context
from instruments.errors import Finding, Refused
from instruments.plain import from_plain
from instruments.procedure import InstrumentType, Limit, Measurand, RecordKind, Stage
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Lab
from instruments.records.scope import ScopeRow
from instruments.services.confirmations import limits_with_confirmations


def undated() -> Finding:
    """Return the finding that stands until the date of the work is known."""
    return Finding(
        "performed-on-missing",
        "The date of the work is missing; standards and validity depend on it. Enter it.",
        at="/performed_on",
        clause="ISO/IEC 17025:2017 7.8.2.1 (i)",
    )


def freeze_record(
    ctx: Context, record: CalibrationView
) -> tuple[CalibrationInput, tuple[Finding, ...]]:
    """Return the input, and what the registry holds against it that the input cannot say."""
    if record.performed_on is None:
        missing = undated()
        raise Refused(missing.code, missing.message, at=missing.at, clause=missing.clause)
    line, order, instrument, model, lab = ctx.session.execute(
        select(OrderLine, Order, Instrument, InstrumentModel, Lab)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .join(Lab, Lab.id == OrderLine.lab_id)
        .where(OrderLine.id == record.order_line_id)
    ).one()
    readings = record.readings()
    named = {r.standard_certificate_id for r in readings if r.standard_certificate_id is not None}
    certified = certified_standards(ctx, sorted(named))
    attributes = dict(model.attributes)
    if line.verification_kind is not None:
        attributes["verification"] = line.verification_kind
    frozen = CalibrationInput(
        kind=cast("RecordKind", record.kind),
        definition=record.definition,
        item=ItemInput(
            maker=model.maker,
            model=model.model,
            serial=instrument.serial,
            resolution=model.resolution,
            attributes=attributes,
            calibration_mode=model.calibration_mode,
            pieces=record.plan.pieces,
        ),
        performed_on=record.performed_on.isoformat(),
        points=_points(record, readings, certified),
        standards=tuple(one.standard for one in certified),
        conditions=_conditions(record),
        decision_rule=DecisionRule(
            id=cast("RuleId", order.decision_rule), parameter=order.decision_parameter
        ),
        limits=_limits(record, attributes, line, model, _ours(ctx, record, order)),
        cmc=_cmc(ctx, record, record.performed_on),
        rounding=from_plain(Rounding, lab.rounding),
        acclimatisation_minutes=record.acclimatisation_minutes,
        examinations=_examinations(record),
        predict=record.plan.predict,
        accepted_warnings=tuple(sorted(w["warning"] for w in record.accepted_warnings)),
        simulated=record.simulated,
    )
    return _without_unmeasured_rejects(frozen), tuple(_replaced(certified))


def _without_unmeasured_rejects(frozen: CalibrationInput) -> CalibrationInput:
    """Leave out planned points nobody read because an examination had rejected the piece."""
    rejected = rejected_by_examination(frozen)
    points = tuple(p for p in frozen.points if p.readings or p.piece not in rejected)
    return replace(frozen, points=points)


def _points(
    record: CalibrationView,
    readings: tuple[ReadingView, ...],
    certified: tuple[CertifiedStandard, ...],
) -> tuple[PointInput, ...]:
    """Lay the readings on the planned points; a planned point without readings stays, empty."""
    keys = {one.certificate_id: one.standard.key for one in certified}
    placed: dict[tuple[str, str, int, str], dict[str, list[ReadingInput]]] = {}
    for r in readings:  # ordered by place
        inputs = placed.setdefault((r.measurand, r.stage, r.piece, r.point), {})
        inputs.setdefault(r.input, []).append(
            ReadingInput(
                id=str(r.id),
                value=cast("str", r.value),
                standard=keys.get(r.standard_certificate_id or 0),
            )
        )
    points = []
    for measurand in record.definition.measurands:
        for stage in _stages(record, measurand, readings):
            for piece in record.plan.numbers_of_pieces():
                for point in record.plan.points.get(measurand.id, ()):
                    series = placed.get((measurand.id, stage, piece, point), {})
                    points.append(
                        PointInput(
                            key=f"{measurand.id}/{stage}/{piece}/{point}",
                            measurand=measurand.id,
                            stage=stage,
                            piece=piece,
                            nominal=VISIT.sub("", point),
                            readings={name: tuple(found) for name, found in series.items()},
                        )
                    )
    return tuple(points)


def _stages(
    record: CalibrationView, measurand: Measurand, readings: tuple[ReadingView, ...]
) -> tuple[Stage, ...]:
    """As left is due once something was adjusted; an optional measurand only where it was read."""
    read = {r.stage for r in readings if r.measurand == measurand.id}
    if measurand.optional and not read:
        return ()
    due = {"as_found", *read, *(["as_left"] if record.adjustment else [])}
    return tuple(stage for stage in record.definition.stages if stage in due)


def _conditions(record: CalibrationView) -> tuple[ConditionInput, ...]:
    return tuple(
        ConditionInput(
            quantity=cast("Literal['temperature', 'relative_humidity', 'pressure']", c.quantity),
            unit=c.unit,
            value=c.value,
            when=cast("Literal['start', 'end']", c.moment),
        )
        for c in record.conditions
        if c.value is not None
    )


def _ours(ctx: Context, record: CalibrationView, order: Order) -> Mapping[str, tuple[Limit, ...]]:
    """Return the limits of the type; who confirmed them matters only to a statement."""
    if order.decision_rule == "none":
        return {measurand.id: measurand.limits for measurand in record.definition.measurands}
    return limits_with_confirmations(ctx, record.definition)


def _limits(
    record: CalibrationView,
    attributes: Mapping[str, str],
    line: OrderLine,
    model: InstrumentModel,
    of_type: Mapping[str, tuple[Limit, ...]],
) -> dict[str, AgreedLimits]:
    """Choose the customer's limits before the maker's, these before the type's.

    A verification is made against its regulation alone.
    """
    stated: dict[str, AgreedLimits] = {}
    if record.kind != "verification":
        for measurand in record.definition.measurands:
            theirs = _given(line.customer_limits, measurand.id, attributes)
            makers = _given(model.maker_limits, measurand.id, attributes)
            if theirs or makers:
                origin: Literal["customer", "maker"] = "customer" if theirs else "maker"
                stated[measurand.id] = AgreedLimits(origin=origin, rows=theirs or makers)
    return agreed_limits(record.definition, attributes, stated, of_type)


def agreed_limits(
    definition: InstrumentType,
    attributes: Mapping[str, str],
    stated: Mapping[str, AgreedLimits],
    of_type: Mapping[str, tuple[Limit, ...]] | None = None,
) -> dict[str, AgreedLimits]:
    """Return by measurand the limits that were stated, else those of the type that hold.

    `of_type` are those of the definition with what the lab knows of them.
    """
    agreed: dict[str, AgreedLimits] = {}
    for measurand in definition.measurands:
        ours = measurand if of_type is None else replace(measurand, limits=of_type[measurand.id])
        rows = limits_for(definition, ours, attributes)
        if measurand.id in stated:
            agreed[measurand.id] = stated[measurand.id]
        elif rows:
            agreed[measurand.id] = AgreedLimits(origin="type", rows=rows)
    return agreed


def _given(
    limits: Mapping[str, Any], measurand: str, attributes: Mapping[str, str]
) -> tuple[Limit, ...]:
    rows = (from_plain(Limit, row) for row in limits.get(measurand, ()))
    return tuple(
        row
        for row in rows
        if all(attributes.get(name) == value for name, value in row.when.items())
    )


def _cmc(ctx: Context, record: CalibrationView, on: date) -> tuple[CMCRow, ...]:
    rows = ctx.session.scalars(
        select(ScopeRow)
        .where(
            ScopeRow.type_id == record.definition.id,
            ScopeRow.starts_on <= on,
            or_(ScopeRow.ends_on.is_(None), ScopeRow.ends_on >= on),
        )
        .order_by(ScopeRow.id)
    )
    return tuple(
        CMCRow(
            measurand=row.measurand,
            low=row.low,
            high=row.high,
            U=row.expanded_uncertainty,
            U_fraction=row.fraction,
            document=row.document,
        )
        for row in rows
    )


def _examinations(record: CalibrationView) -> tuple[ExaminationInput, ...]:
    return tuple(
        ExaminationInput(
            id=id_,
            passed=found["passed"],
            remark=found["remark"],
            rejected_pieces=tuple(found["rejected_pieces"]),
        )
        for id_, found in sorted(record.examinations.items())
    )


def _replaced(certified: tuple[CertifiedStandard, ...]) -> list[Finding]:
    return [
        Finding(
            "standard-certificate-replaced",
            "The certificate {certificate} of standard {standard} was corrected by a newer "
            "edition. Name that one for the readings.",
            at=f"/standards/{one.standard.key}",
            facts={
                "certificate": one.standard.certificate_number,
                "standard": one.standard.key,
            },
        )
        for one in certified
        if one.replaced
    ]
