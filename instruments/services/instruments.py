"""Instruments of customers: register, change, put in and out of service, find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import aliased

from instruments.context import Context
from instruments.errors import Conflict
from instruments.records.instruments import STATUSES, Instrument, InstrumentStatus
from instruments.records.models import InstrumentModel
from instruments.records.parties import Customer
from instruments.records.sites import Site
from instruments.services import audit, fields
from instruments.services.numbers import take_number
from instruments.services.rows import (
    change,
    check_version,
    get_row,
    may_see,
    not_found,
    own_customer,
)
from instruments.services.sites import check_site
from instruments.tenancy import hold_lab
from instruments.text import LocalizedText

MAX_PIECES = 10_000
MAX_INTERVAL = 120
"""Months: a recalibration interval beyond ten years is a slip of the finger."""
MAX_FOUND = 500
SORTS: Mapping[str, Sequence[Any]] = {
    "label": (Instrument.barcode,),
    "model": (InstrumentModel.maker, InstrumentModel.model),
    "serial": (Instrument.serial,),
    "due": (Instrument.due_on.is_(None), Instrument.due_on),
}
"""By what lists of instruments can stand; those without a due date come last."""


class InstrumentFields(TypedDict, total=False):
    """What may be changed of an instrument."""

    customer_id: int
    site_id: int | None
    location: str
    asset_number: str
    serial: str
    probe_serial: str
    pieces: int
    interval_months: int | None


@dataclass(frozen=True, slots=True)
class InstrumentView:
    """An instrument, or a lot, as it stands."""

    id: int
    version: int
    barcode: str
    asset_number: str
    serial: str
    probe_serial: str
    pieces: int
    model_id: int
    type_id: str
    maker: str
    model: str
    customer_id: int
    customer: LocalizedText
    site_id: int | None
    site: LocalizedText | None
    location: str
    interval_months: int | None
    due_on: date | None
    status: str
    status_reason: str


def register_instrument(  # noqa: PLR0913 -- the marks of an instrument
    ctx: Context,
    *,
    model_id: int,
    customer_id: int,
    site_id: int | None = None,
    serial: str,
    asset_number: str = "",
    probe_serial: str = "",
    location: str = "",
    pieces: int = 1,
    barcode: str | None = None,
    interval_months: int | None = None,
) -> InstrumentView:
    """Register an instrument, or a lot of like pieces, under the next barcode of the lab.

    Raises NotFound for an unknown model, customer or site, Conflict naming the instrument that has
    the serial or the barcode, Invalid for marks that deceive the eye.
    """
    ctx.need("instrument.write")
    get_row(ctx, InstrumentModel, model_id, "model", "/model_id")
    get_row(ctx, Customer, customer_id, "customer", "/customer_id")
    values = _checked(
        {
            "serial": serial,
            "asset_number": asset_number,
            "probe_serial": probe_serial,
            "location": location,
            "pieces": pieces,
            "interval_months": interval_months,
            "customer_id": customer_id,
            "site_id": site_id,
        }
    )
    check_site(ctx, site_id, customer_id)
    hold_lab(ctx.session, ctx.lab_id)
    _need_free_serial(ctx, model_id, str(values["serial"]))
    row = Instrument(
        model_id=model_id, barcode=_barcode(ctx, barcode), created_at=ctx.now, **values
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add(first_status(ctx, row.id))
    facts = {**values, "model": model_id, "barcode": row.barcode}
    audit.record(ctx, "registry:instrument:register", "instrument", row.id, facts)
    return get_instrument(ctx, row.id)


def update_instrument(
    ctx: Context, instrument_id: int, version: int, **changes: Unpack[InstrumentFields]
) -> InstrumentView:
    """Change what is named; the rest stays. Model and barcode never change, the owner elsewhere.

    Raises NotFound, Conflict when it was changed meanwhile, the serial is taken or the owner would
    change (`transfers`), Invalid.
    """
    ctx.need("instrument.write")
    row = get_row(ctx, Instrument, instrument_id, "instrument")
    check_version(row, version, "instrument")
    values = _checked(changes)
    customer_id = changes.get("customer_id", row.customer_id)
    if customer_id != row.customer_id:
        get_row(ctx, Customer, customer_id, "customer", "/customer_id")
        raise Conflict(
            "transfer-needed",
            "The instrument {barcode} would change its owner. Transfer it: that says why, and who "
            "agreed.",
            at="/customer_id",
            facts={"barcode": row.barcode},
        )
    check_site(ctx, changes.get("site_id", row.site_id), customer_id)
    if values.get("serial", row.serial) != row.serial:
        hold_lab(ctx.session, ctx.lab_id)
        _need_free_serial(ctx, row.model_id, str(values["serial"]))
    differences = change(ctx, row, values, "instrument")
    audit.record(ctx, "registry:instrument:update", "instrument", row.id, differences)
    return get_instrument(ctx, row.id)


def set_status(ctx: Context, instrument_id: int, status: str, reason: str) -> InstrumentView:
    """Put an instrument in or out of service, with the reason.

    Raises NotFound, Invalid for an unknown status or an empty reason, Conflict when it has that
    status already.
    """
    ctx.need("instrument.status")
    view = get_instrument(ctx, instrument_id)
    fields.choice(status, STATUSES, "/status")
    said = fields.words(reason, "/reason", required=True)
    if view.status == status:
        raise Conflict(
            "status-same",
            "The instrument {barcode} is {status} already. Choose another status.",
            at="/status",
            facts={"barcode": view.barcode, "status": status},
        )
    ctx.session.add(
        InstrumentStatus(
            instrument_id=instrument_id,
            status=status,
            reason=said,
            from_at=ctx.now,
            person_id=ctx.actor.person_id,
        )
    )
    facts = {"status": [view.status, status], "reason": said}
    audit.record(ctx, "registry:instrument:set_status", "instrument", instrument_id, facts)
    return get_instrument(ctx, instrument_id)


def get_instrument(ctx: Context, instrument_id: int) -> InstrumentView:
    """Return an instrument.

    Raises NotFound when the lab has no such instrument, or the actor may not see it.
    """
    ctx.need("instrument.read")
    found = list(_views(ctx, _select().where(Instrument.id == instrument_id)))
    if not found:
        raise not_found("instrument", instrument_id)
    may_see(ctx, found[0].customer_id, "instrument", instrument_id)
    return found[0]


def find_instruments(  # noqa: PLR0913 -- what a list can be asked for
    ctx: Context,
    text: str = "",
    *,
    customer_id: int | None = None,
    site_id: int | None = None,
    due_before: date | None = None,
    limit: int = 100,
    after: int = 0,
    sort: str = "",
    offset: int = 0,
) -> tuple[InstrumentView, ...]:
    """Return instruments the actor may see, at most `limit`, ordered by id and beyond `after`.

    `text` is looked for in barcode, asset number, serials, maker and model. `sort` is one of
    `SORTS`, a hyphen before it turns it round; then `offset` leaves out the first.
    """
    ctx.need("instrument.read")
    columns = SORTS.get(sort.removeprefix("-"), ())
    turned = [column.desc() for column in columns] if sort.startswith("-") else columns
    statement = _select().where(Instrument.id > after).order_by(*turned, Instrument.id)
    statement = statement.offset(offset) if offset else statement
    own = own_customer(ctx)
    for column, wanted in (
        (Instrument.customer_id, own),
        (Instrument.customer_id, customer_id),
        (Instrument.site_id, site_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if due_before is not None:
        statement = statement.where(Instrument.due_on < due_before)
    if text.strip():
        statement = statement.where(_holds(text.strip()))
    return tuple(_views(ctx, statement.limit(max(1, min(limit, MAX_FOUND)))))


def marked_instruments(ctx: Context, mark: str) -> tuple[InstrumentView, ...]:
    """Return those the actor may see that bear exactly this label, serial or asset number."""
    ctx.need("instrument.read")
    own = own_customer(ctx)
    columns = (Instrument.barcode, Instrument.asset_number, Instrument.serial)
    statement = _select().where(or_(*(column == mark for column in columns)))
    if own is not None:
        statement = statement.where(Instrument.customer_id == own)
    return tuple(_views(ctx, statement.order_by(Instrument.id).limit(20)))


def get_instruments(ctx: Context, ids: Iterable[int] | Select[int]) -> dict[int, InstrumentView]:
    """Return those of the instruments that the actor may see, by id."""
    ctx.need("instrument.read")
    own = own_customer(ctx)
    wanted = ids if isinstance(ids, Select) else set(ids)
    statement = _select().where(Instrument.id.in_(wanted))
    if own is not None:
        statement = statement.where(Instrument.customer_id == own)
    return {view.id: view for view in _views(ctx, statement)}


def first_status(ctx: Context, instrument_id: int) -> InstrumentStatus:
    """Return the row that puts a new instrument in service."""
    return InstrumentStatus(
        instrument_id=instrument_id,
        status="in_service",
        reason="",
        from_at=ctx.now,
        person_id=ctx.actor.person_id,
    )


def _select() -> Select[Instrument, InstrumentModel, Customer, Site, InstrumentStatus]:
    later = aliased(InstrumentStatus)
    newest = (
        select(func.max(later.id))
        .where(later.instrument_id == Instrument.id)
        .correlate(Instrument)
        .scalar_subquery()
    )
    return (
        select(Instrument, InstrumentModel, Customer, Site, InstrumentStatus)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .join(Customer, Customer.id == Instrument.customer_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .join(InstrumentStatus, InstrumentStatus.id == newest)
    )


def _views(
    ctx: Context, statement: Select[Instrument, InstrumentModel, Customer, Site, InstrumentStatus]
) -> Iterable[InstrumentView]:
    return (_view(row) for row in ctx.session.execute(statement))


def _holds(text: str) -> ColumnElement[bool]:
    columns = (
        Instrument.barcode,
        Instrument.asset_number,
        Instrument.serial,
        Instrument.probe_serial,
        InstrumentModel.maker,
        InstrumentModel.model,
    )
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def _checked(given: InstrumentFields) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in given.items():
        at = f"/{name}"
        if name in ("serial", "probe_serial", "asset_number"):
            values[name] = fields.mark(str(value), at, required=name == "serial")
        elif name == "location":
            values[name] = fields.words(str(value), at)
        elif name in ("pieces", "interval_months"):
            high = MAX_PIECES if name == "pieces" else MAX_INTERVAL
            number = value if isinstance(value, int) else None
            if name == "pieces" and number is None:
                number = 0
            values[name] = fields.whole(number, at, low=1, high=high)
        else:
            values[name] = value
    return values


def _need_free_serial(ctx: Context, model_id: int, serial: str) -> None:
    same = select(Instrument.barcode).where(
        Instrument.model_id == model_id, Instrument.serial == serial
    )
    taken = ctx.session.scalars(same).one_or_none()
    if taken is not None:
        raise Conflict(
            "serial-registered",
            "The serial {serial} of this model is registered as instrument {barcode}. "
            "Use that one, or correct the serial.",
            at="/serial",
            facts={"serial": serial, "barcode": taken},
        )


def _barcode(ctx: Context, given: str | None) -> str:
    if given is None:
        barcode = take_number(ctx, "barcode")
        while _serial_under(ctx, barcode) is not None:  # somebody stuck this label on by hand
            barcode = take_number(ctx, "barcode")
        return barcode
    barcode = fields.mark(given, "/barcode", required=True)
    taken = _serial_under(ctx, barcode)
    if taken is not None:
        raise Conflict(
            "barcode-taken",
            "The barcode {barcode} is on the instrument with serial {serial}. Take another label.",
            at="/barcode",
            facts={"barcode": barcode, "serial": taken},
        )
    return barcode


def _serial_under(ctx: Context, barcode: str) -> str | None:
    return ctx.session.scalars(
        select(Instrument.serial).where(Instrument.barcode == barcode)
    ).one_or_none()


def _view(
    found: Row[Instrument, InstrumentModel, Customer, Site, InstrumentStatus],
) -> InstrumentView:
    row, model, customer, site, status = found
    return InstrumentView(
        id=row.id,
        version=row.version,
        barcode=row.barcode,
        asset_number=row.asset_number,
        serial=row.serial,
        probe_serial=row.probe_serial,
        pieces=row.pieces,
        model_id=model.id,
        type_id=model.type_id,
        maker=model.maker,
        model=model.model,
        customer_id=customer.id,
        customer=LocalizedText(customer.name_en, customer.name_zh),
        site_id=row.site_id,
        site=None if row.site_id is None else LocalizedText(site.name_en, site.name_zh),
        location=row.location,
        interval_months=row.interval_months,
        due_on=row.due_on,
        status=status.status,
        status_reason=status.reason,
    )
