"""Lists of calibration records for queues and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from calib.records.calibrations import Calibration
from instruments.context import Context
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.services.rows import need_staff, own_customer
from instruments.text import LocalizedText


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


def list_calibrations(
    ctx: Context, state: str | None = None, *, order_id: int | None = None
) -> tuple[CalibrationLine, ...]:
    """Return the records of the lab, in one state or of one order, the green channel first.

    A venue operator may ask for those of an order of their own.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people and named no order.
    """
    if order_id is None:
        need_staff(ctx)
    wanted = (
        select(Calibration, Order, Instrument, InstrumentModel)
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .order_by(Order.green_channel.desc(), Calibration.opened_at, Calibration.id)
    )
    own = own_customer(ctx)
    if own is not None:
        wanted = wanted.where(Order.customer_id == own)
    if state is not None:
        wanted = wanted.where(Calibration.state == state)
    if order_id is not None:
        wanted = wanted.where(Order.id == order_id)
    return tuple(
        CalibrationLine(
            id=row.id,
            version=row.version,
            state=row.state,
            kind=row.kind,
            type_id=row.type_id,
            type_name=LocalizedText.from_dict(row.definition["name"]),
            order_id=order.id,
            order_number=order.number,
            green_channel=order.green_channel,
            instrument_id=instrument.id,
            barcode=instrument.barcode,
            maker=model.maker,
            model=model.model,
            serial=instrument.serial,
            performed_on=row.performed_on,
            opened_at=row.opened_at,
        )
        for row, order, instrument, model in ctx.session.execute(wanted)
    )
