"""Instruments that pass from one customer to another: told, agreed and kept.

What was ordered before stays the former owner's; the new owner sees the instrument from that day
on, and the earlier orders and certificates only where the former one handed them over. Everything
else follows from whose the instrument is now: board, calendar, notices, people and their tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import aliased

from instruments.context import Context
from instruments.errors import Conflict, Invalid
from instruments.records.instruments import Instrument, InstrumentStatus, InstrumentTransfer
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer
from instruments.services import audit, fields
from instruments.services.instruments import InstrumentView, get_instrument
from instruments.services.rows import change, check_version, get_row, own_customer
from instruments.services.sites import check_site
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class StatusView:
    """A change of status."""

    status: str
    reason: str
    from_at: datetime
    person_id: int | None


@dataclass(frozen=True, slots=True)
class TransferView:
    """An instrument changed hands."""

    id: int
    transferred_on: date
    recorded_at: datetime
    from_customer: LocalizedText
    to_customer: LocalizedText
    reason: str
    consent: str
    hands_over: bool
    person_id: int


def transfer_instrument(  # noqa: PLR0913 -- what is agreed
    ctx: Context,
    instrument_id: int,
    version: int,
    *,
    to_customer_id: int,
    reason: str,
    consent: str,
    transferred_on: date | None = None,
    site_id: int | None = None,
    hands_over: bool = False,
) -> InstrumentView:
    """Pass an instrument to another customer; today unless told otherwise.

    Raises NotFound for an unknown instrument, customer or site, Conflict when it was changed
    meanwhile, is the customer's already or is in work, Invalid without reason or consent and for a
    day to come.
    """
    ctx.need("instrument.transfer")
    row = get_row(ctx, Instrument, instrument_id, "instrument")
    check_version(row, version, "instrument")
    get_row(ctx, Customer, to_customer_id, "customer", "/to_customer_id")
    check_site(ctx, site_id, to_customer_id)
    on = transferred_on or ctx.today
    _need_passable(ctx, row, to_customer_id, on)
    given = InstrumentTransfer(
        instrument_id=instrument_id,
        from_customer_id=row.customer_id,
        to_customer_id=to_customer_id,
        transferred_on=on,
        reason=fields.words(reason, "/reason", required=True),
        consent=fields.words(consent, "/consent", required=True),
        hands_over=hands_over,
        person_id=ctx.actor.person_id,
        recorded_at=ctx.now,
    )
    ctx.session.add(given)
    moved = {"customer_id": to_customer_id, "site_id": site_id, "location": "", "asset_number": ""}
    differences = change(ctx, row, moved, "instrument")
    facts = {
        **differences,
        "on": on.isoformat(),
        "reason": given.reason,
        "consent": given.consent,
        "hands_over": hands_over,
    }
    audit.record(ctx, "registry:instrument:transfer", "instrument", instrument_id, facts)
    return get_instrument(ctx, instrument_id)


def transfers_of(ctx: Context, instrument_id: int) -> tuple[TransferView, ...]:
    """Return how an instrument changed hands, oldest first; owners see those they had part in.

    Raises NotFound when the lab has no such instrument, or the actor may not see it.
    """
    get_instrument(ctx, instrument_id)
    giver, taker = aliased(Customer), aliased(Customer)
    wanted = (
        select(InstrumentTransfer, giver, taker)
        .join(giver, giver.id == InstrumentTransfer.from_customer_id)
        .join(taker, taker.id == InstrumentTransfer.to_customer_id)
        .where(InstrumentTransfer.instrument_id == instrument_id)
        .order_by(InstrumentTransfer.id)
    )
    own = own_customer(ctx)
    if own is not None:
        wanted = wanted.where(or_(giver.id == own, taker.id == own))
    return tuple(
        TransferView(
            id=row.id,
            transferred_on=row.transferred_on,
            recorded_at=row.recorded_at,
            from_customer=LocalizedText(past.name_en, past.name_zh),
            to_customer=LocalizedText(new.name_en, new.name_zh),
            reason=row.reason,
            consent=row.consent,
            hands_over=row.hands_over,
            person_id=row.person_id,
        )
        for row, past, new in ctx.session.execute(wanted)
    )


def status_history(ctx: Context, instrument_id: int) -> tuple[StatusView, ...]:
    """Return every status the instrument had, oldest first; an owner sees those of its own time.

    Raises NotFound when the lab has no such instrument, or the actor may not see it.
    """
    get_instrument(ctx, instrument_id)
    since = owned_since(ctx, instrument_id)
    rows = ctx.session.scalars(
        select(InstrumentStatus)
        .where(
            InstrumentStatus.instrument_id == instrument_id,
            *(() if since is None else (InstrumentStatus.from_at > since,)),
        )
        .order_by(InstrumentStatus.id)
    )
    return tuple(StatusView(r.status, r.reason, r.from_at, r.person_id) for r in rows)


def handed_over_to(customer_id: int) -> Select[int]:
    """Return the lines of orders that former owners handed over with what is the customer's now."""
    return (
        select(OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Instrument, Instrument.id == OrderLine.instrument_id)
        .join(
            InstrumentTransfer,
            and_(
                InstrumentTransfer.instrument_id == OrderLine.instrument_id,
                InstrumentTransfer.from_customer_id == Order.customer_id,
                InstrumentTransfer.recorded_at >= Order.created_at,
            ),
        )
        .where(
            InstrumentTransfer.to_customer_id == customer_id,
            InstrumentTransfer.hands_over == True,  # noqa: E712 -- a column of 0 and 1
            Instrument.customer_id == customer_id,
        )
    )


def owned_since(ctx: Context, instrument_id: int) -> datetime | None:
    """Return since when the actor's customer sees an instrument; None: from its beginning."""
    own = own_customer(ctx)
    if own is None:
        return None
    last = (
        select(InstrumentTransfer)
        .where(InstrumentTransfer.instrument_id == instrument_id)
        .order_by(InstrumentTransfer.id.desc())
        .limit(1)
    )
    row = ctx.session.scalars(last).one_or_none()
    return None if row is None or row.hands_over else row.recorded_at


def _need_passable(ctx: Context, row: Instrument, to_customer_id: int, on: date) -> None:
    if row.customer_id == to_customer_id:
        raise Conflict(
            "transfer-same-owner",
            "The instrument {barcode} is this customer's already. Choose the new owner.",
            at="/to_customer_id",
            facts={"barcode": row.barcode},
        )
    if on > ctx.today:
        raise Invalid(
            "transfer-to-come",
            "The instrument would pass on {day}, which is still to come. Enter it on that day.",
            at="/transferred_on",
            facts={"day": on.isoformat()},
        )
    in_work = (
        select(Order.number)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            OrderLine.instrument_id == row.id,
            Order.state.in_(("requested", "accepted", "done")),
        )
    )
    number = ctx.session.scalars(in_work.limit(1)).first()
    if number is not None:
        raise Conflict(
            "transfer-in-work",
            "The instrument {barcode} is in order {number} of its present owner. Give it back or "
            "cancel the order first.",
            facts={"barcode": row.barcode, "number": number},
        )
