"""Lists of calibration records for queues and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, select

from calib.records.calibrations import STATES, Calibration
from instruments.context import Context
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.services.fields import choice
from instruments.services.rows import own_customer
from instruments.text import LocalizedText

ENDED = ("issued", "closed")


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """A record in a list."""

    id: int
    version: int
    state: str
    kind: str
    type_id: str
    type_name: LocalizedText
    order_id: int
    order_number: str
    green_channel: bool
    instrument_id: int
    barcode: str
    maker: str
    model: str
    serial: str
    performed_on: date | None
    opened_at: datetime
    simulated: bool = False


def list_calibrations(
    ctx: Context, state: str | None = None, *, order_id: int | None = None
) -> tuple[CalibrationLine, ...]:
    """Return the records of the lab, in one state or of one order.

    Those in work come first, the green channel before the rest and the oldest before newer ones;
    then those that ended, the newest first.

    A venue operator may ask for those of an order of their own.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people and named no order.
    Invalid
        There is no such state.
    """
    if order_id is None:
        ctx.need("calibration.read")
    wanted = _in_order()
    own = own_customer(ctx)
    if own is not None:
        wanted = wanted.where(Order.customer_id == own)
    if state is not None:
        wanted = wanted.where(Calibration.state == choice(state, STATES, "/state"))
    if order_id is not None:
        wanted = wanted.where(Order.id == order_id)
    names = _names(ctx)
    return tuple(
        CalibrationLine(
            id=row.id,
            version=row.version,
            state=row.state,
            kind=row.kind,
            type_id=row.type_id,
            type_name=names[row.type_id, row.type_version],
            order_id=row.Order.id,
            order_number=row.Order.number,
            green_channel=row.Order.green_channel,
            instrument_id=row.Instrument.id,
            barcode=row.Instrument.barcode,
            maker=row.InstrumentModel.maker,
            model=row.InstrumentModel.model,
            serial=row.Instrument.serial,
            performed_on=row.performed_on,
            opened_at=row.opened_at,
            simulated=row.simulated,
        )
        for row in ctx.session.execute(wanted)
    )


def _in_order() -> Select[*tuple[Any, ...]]:
    """Return the statement of all records, those to be worked on next first."""
    ended = Calibration.state.in_(ENDED)
    return (
        select(
            Calibration.id,
            Calibration.version,
            Calibration.state,
            Calibration.kind,
            Calibration.type_id,
            Calibration.type_version,
            Calibration.performed_on,
            Calibration.opened_at,
            Calibration.simulated,
            Order,
            Instrument,
            InstrumentModel,
        )
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .order_by(
            ended,
            and_(Order.green_channel == 1, ~ended).desc(),
            case((~ended, Calibration.opened_at)),
            case((ended, -Calibration.id), else_=Calibration.id),
        )
    )


def _names(ctx: Context) -> dict[tuple[str, str], LocalizedText]:
    """Return the name of each edition of a type; whole definitions are not read row by row."""
    edition = (Calibration.type_id, Calibration.type_version)
    newest = select(func.max(Calibration.id)).group_by(*edition)
    rows = ctx.session.execute(
        select(*edition, Calibration.definition).where(Calibration.id.in_(newest))
    )
    return {
        (row.type_id, row.type_version): LocalizedText.from_dict(row.definition["name"])
        for row in rows
    }
