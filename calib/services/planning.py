"""Open a record on an order line, plan it, note its circumstances, close it without a certificate.

Knows nothing of arithmetic: whether a plan is enough is for the checks of the evaluation to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from calib.records.calibrations import Calibration
from calib.services import calibration_views
from calib.services.calibration_views import (
    VISIT,
    CalibrationView,
    Plan,
    attributes_of,
    locked,
    need_draft,
)
from calib.services.competent import need_for_plan
from calib.services.supporting import default_standards
from instruments.catalogue.loader import Catalogue
from instruments.choosing import points_for
from instruments.context import Context
from instruments.errors import Conflict, Invalid, NotFound, Refused
from instruments.plain import from_plain
from instruments.procedure import InstrumentType
from instruments.quantities import parse_decimal
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.standards import StandardCertificate
from instruments.services import audit
from instruments.services.fields import few, mark
from instruments.services.instruments import MAX_PIECES
from instruments.services.order_request import MAX_POINTS
from instruments.tenancy import hold_lab


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What of a plan is to change; None leaves a part as it is."""

    points: Mapping[str, Sequence[str]] | None = None
    standards: Mapping[str, Sequence[int]] | None = None
    predict: Mapping[str, Sequence[str]] | None = None
    pieces: Sequence[str] | None = None


def open_calibration(
    ctx: Context, order_line_id: int, *, catalogue: Catalogue, simulated: bool = False
) -> CalibrationView:
    """Open a record on a received order line, planned as the order or else the type says.

    `simulated`: its readings will come from the generator; that is never taken back.

    Raises
    ------
    NotFound, Conflict, Refused
    """
    ctx.need("calibration.open")
    line, order, instrument, model = _ordered(ctx, order_line_id)
    definition = catalogue.get(model.type_id)
    if order.kind not in definition.kinds:
        raise Refused(
            "kind-not-allowed",
            "The type {type} has no {kind} (it has: {known}). Choose another kind of record.",
            facts={
                "type": definition.id,
                "kind": order.kind,
                "known": ", ".join(definition.kinds),
            },
        )
    attributes = attributes_of(model.attributes, line.verification_kind)
    points = {
        m.id: _numbered(
            line.points.get(m.id) or points_for(definition, m, attributes), f"/points/{m.id}"
        )
        for m in definition.measurands
    }
    need_for_plan(ctx, "performs", definition, points)
    row = Calibration(
        order_line_id=line.id,
        instrument_id=instrument.id,
        kind=order.kind,
        type_id=definition.id,
        type_version=definition.version,
        definition=definition.as_dict(),
        plan=Plan(
            points=points,
            standards=default_standards(ctx, definition, points, ctx.today),
            pieces=_pieces(definition, instrument),
            predict={m: tuple(values) for m, values in line.predict.items()},
        ).as_dict(),
        performed_on=None,
        acclimatisation_minutes=None,
        examinations={},
        accepted_warnings=[],
        amends_id=None,
        simulated=simulated,
        opened_by=ctx.actor.person_id,
        opened_at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(
        ctx,
        "calibration:record:open",
        "calibration",
        row.id,
        {"order_line_id": line.id, "type": definition.id, "definition": definition.digest()},
    )
    return calibration_views.view(ctx, row.id)


def plan(ctx: Context, calibration_id: int, version: int, change: PlanChange) -> CalibrationView:
    """Change the plan of a draft; a place that holds a reading cannot be planned away.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    ctx.need("calibration.plan")
    row = locked(ctx, calibration_id, version)
    need_draft(row)
    _need_few(change)
    definition = InstrumentType.from_dict(row.definition)
    before = from_plain(Plan, row.plan)
    after = before
    if change.points is not None:
        _known_measurands(definition, change.points, "/points")
        chosen = {m: _numbered(points, f"/points/{m}") for m, points in change.points.items()}
        after = replace(after, points={**before.points, **chosen})
    if change.standards is not None:
        _known_measurands(definition, change.standards, "/standards")
        _known_certificates(ctx, change.standards)
        named = {m: tuple(ids) for m, ids in change.standards.items()}
        after = replace(after, standards={**before.standards, **named})
    if change.predict is not None:
        _known_measurands(definition, change.predict, "/predict")
        for m, values in change.predict.items():
            for i, value in enumerate(values):
                parse_decimal(value, at=f"/predict/{m}/{i}")
        wanted = {m: tuple(values) for m, values in change.predict.items()}
        after = replace(after, predict={**before.predict, **wanted})
    if change.pieces is not None:
        after = replace(after, pieces=_checked_pieces(definition, change.pieces))
    _keep_readings(ctx, calibration_id, after)
    if change.points is not None:
        need_for_plan(ctx, "performs", definition, change.points)
    row.plan = after.as_dict()
    audit.record(
        ctx,
        "calibration:record:plan",
        "calibration",
        row.id,
        {"before": before.as_dict(), "after": row.plan},
    )
    return calibration_views.view(ctx, calibration_id)


def _need_few(change: PlanChange) -> None:
    for name, lists in (
        ("points", change.points),
        ("predict", change.predict),
        ("standards", change.standards),
    ):
        for measurand, values in (lists or {}).items():
            few(values, f"/{name}/{measurand}", MAX_POINTS)
    few(change.pieces or (), "/pieces", MAX_PIECES)


def _ordered(
    ctx: Context, order_line_id: int
) -> tuple[OrderLine, Order, Instrument, InstrumentModel]:
    hold_lab(ctx.session, ctx.lab_id)  # before any row: the lab first, as everywhere else
    found = ctx.session.execute(
        select(OrderLine, Order, Instrument, InstrumentModel)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .where(OrderLine.id == order_line_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound(
            "order-line-missing",
            "There is no order line {id} in this lab. Check the number.",
            facts={"id": order_line_id},
        )
    line, order, instrument, model = found
    if order.state != "accepted" or line.received_at is None:
        raise Conflict(
            "order-line-not-received",
            "The item {barcode} of order {order} cannot be measured yet. Accept the order and "
            "receive the item first.",
            facts={"barcode": instrument.barcode, "order": order.number},
        )
    if line.returned_at is not None:
        raise Conflict(
            "item-given-back",
            "The item {barcode} of order {order} went back to the customer. Take a new request "
            "for it.",
            facts={"barcode": instrument.barcode, "order": order.number},
        )
    other = ctx.session.scalar(
        select(Calibration.id).where(
            Calibration.order_line_id == line.id, Calibration.state != "closed"
        )
    )
    if other is not None:
        raise Conflict(
            "record-open",
            "The item {barcode} of order {order} already has the record {id}. Go on with that one.",
            facts={"barcode": instrument.barcode, "order": order.number, "id": other},
        )
    return line, order, instrument, model


def _pieces(definition: InstrumentType, instrument: Instrument) -> tuple[str, ...]:
    """Return running numbers for the pieces of a lot, until their own are entered."""
    if not definition.batch:
        return ()
    return tuple(str(number) for number in range(1, instrument.pieces + 1))


def _checked_pieces(definition: InstrumentType, pieces: Sequence[str]) -> tuple[str, ...]:
    names = tuple(mark(piece, f"/pieces/{i}") for i, piece in enumerate(pieces))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not definition.batch and names:
        raise Invalid(
            "pieces-not-allowed",
            "The type {type} is measured item by item, not in batches. Leave the pieces out.",
            at="/pieces",
            facts={"type": definition.id},
        )
    if "" in names or twice:
        raise Invalid(
            "piece-unnamed",
            "Every piece of a batch needs its own number; empty or given twice: {pieces}.",
            at="/pieces",
            facts={"pieces": ", ".join(repr(name) for name in twice) or "''"},
        )
    return names


def _numbered(points: Sequence[str], at: str) -> tuple[str, ...]:
    """Return the nominal values; the second visit to a value is marked ``#2``."""
    visits: Counter[object] = Counter()
    numbered = []
    for i, point in enumerate(points):
        nominal = VISIT.sub("", point)
        value = parse_decimal(nominal, at=f"{at}/{i}")
        visits[value] += 1
        numbered.append(nominal if visits[value] == 1 else f"{nominal}#{visits[value]}")
    return tuple(numbered)


def _known_measurands(definition: InstrumentType, named: Mapping[str, object], at: str) -> None:
    known = [measurand.id for measurand in definition.measurands]
    for measurand in named:
        if measurand not in known:
            raise Invalid(
                "measurand-unknown",
                "The type {type} has no measurand {measurand}; it has {known}.",
                at=f"{at}/{measurand}",
                facts={
                    "type": definition.id,
                    "measurand": measurand,
                    "known": ", ".join(known),
                },
            )


def _known_certificates(ctx: Context, named: Mapping[str, Sequence[int]]) -> None:
    wanted = {id_: f"/standards/{m}/{i}" for m, ids in named.items() for i, id_ in enumerate(ids)}
    known = set(
        ctx.session.scalars(
            select(StandardCertificate.id).where(StandardCertificate.id.in_(wanted))
        )
    )
    for id_, at in wanted.items():
        if id_ not in known:
            raise NotFound(
                "standard-certificate-missing",
                "There is no certificate {id} of a standard in this lab. Choose one of the "
                "standards offered.",
                at=at,
                facts={"id": id_},
            )


def _keep_readings(ctx: Context, calibration_id: int, after: Plan) -> None:
    """Refuse a plan in which a reading in force would no longer have a place."""
    for reading in calibration_views.in_force(ctx, calibration_id):
        planned = after.points.get(reading.measurand, ())
        if reading.point not in planned or reading.piece not in after.numbers_of_pieces():
            raise Conflict(
                "point-has-readings",
                "The point {point} of {measurand} (piece {piece}) holds the reading {value}. "
                "Take its readings back with a reason before the point leaves the plan.",
                at=f"/points/{reading.measurand}",
                facts={
                    "point": reading.point,
                    "measurand": reading.measurand,
                    "piece": reading.piece,
                    "value": reading.value,
                },
            )
