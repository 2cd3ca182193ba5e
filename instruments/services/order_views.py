"""Orders as they stand: one, or many at the same few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Select, and_, select

from instruments.context import Context
from instruments.plain import from_plain
from instruments.procedure import Limit
from instruments.records.orders import STATES, Order, OrderLine
from instruments.records.parties import Customer
from instruments.services import fields
from instruments.services.instruments import InstrumentView, get_instruments
from instruments.services.rows import may_see, not_found, own_customer
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """One instrument of an order."""

    id: int
    version: int
    instrument: InstrumentView
    verification_kind: str | None
    customer_limits: Mapping[str, tuple[Limit, ...]]
    points: Mapping[str, tuple[str, ...]]
    predict: Mapping[str, tuple[str, ...]]
    received_at: datetime | None
    received_by: int | None
    """None for the customer's people: who of the lab took it in is the lab's own affair."""
    condition: str
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as it stands."""

    id: int
    version: int
    number: str
    customer_id: int
    customer: LocalizedText
    kind: str
    state: str
    requested_on: date
    requested_by: str
    decision_rule: str
    decision_parameter: str | None
    print_due: bool
    interval_months: int | None
    include_budget: bool
    language: str
    green_channel: bool
    fee: str | None
    """None, as the waiver is empty, for who operates a venue: what is paid is the customer's."""
    fee_waiver: str
    remark: str
    lines: tuple[OrderLineView, ...]


def get_order(ctx: Context, order_id: int) -> OrderView:
    """Return an order with its lines.

    Raises NotFound when the lab has no such order, or the actor may not see it.
    """
    ctx.need("order.read")
    found = _views(ctx, _select().where(Order.id == order_id))
    if not found:
        raise not_found("order", order_id)
    may_see(ctx, found[0].customer_id, "order", order_id)
    return found[0]


def list_orders(
    ctx: Context,
    state: str | None = None,
    *,
    customer_id: int | None = None,
    limit: int | None = None,
) -> tuple[OrderView, ...]:
    """Return the orders the actor may see, newest first, the open green channel before all."""
    ctx.need("order.read")
    pressing = and_(Order.green_channel == 1, Order.state.in_(("requested", "accepted")))
    statement = _select().order_by(pressing.desc(), Order.id.desc())
    own = own_customer(ctx)
    if own is not None:
        statement = statement.where(Order.customer_id == own)
    if state is not None:
        fields.choice(state, STATES, "/state")
        statement = statement.where(Order.state == state)
    if customer_id is not None:
        statement = statement.where(Order.customer_id == customer_id)
    return _views(ctx, statement.limit(limit))


def _select() -> Select[Order, Customer]:
    return select(Order, Customer).join(Customer, Customer.id == Order.customer_id)


def lines_of(ctx: Context, order_ids: Select[int]) -> list[OrderLine]:
    """Return the lines of some orders, in the order they were asked for."""
    return list(
        ctx.session.scalars(
            select(OrderLine).where(OrderLine.order_id.in_(order_ids)).order_by(OrderLine.id)
        )
    )


def _views(ctx: Context, statement: Select[Order, Customer]) -> tuple[OrderView, ...]:
    """Return the orders with their lines, in three queries and without a list of numbers."""
    ids = statement.with_only_columns(Order.id)
    lines: dict[int, list[OrderLine]] = {}
    for line in lines_of(ctx, ids):
        lines.setdefault(line.order_id, []).append(line)
    items = get_instruments(ctx, select(OrderLine.instrument_id).where(OrderLine.order_id.in_(ids)))
    found = ctx.session.execute(statement)
    return tuple(
        _outside(ctx, _view(order, customer, lines.get(order.id, ()), items))
        for order, customer in found
    )


def _outside(ctx: Context, order: OrderView) -> OrderView:
    """Leave out what is not the business of who asks."""
    if ctx.actor.is_staff:
        return order
    lines = tuple(replace(line, received_by=None) for line in order.lines)
    if "customer" in ctx.actor.roles:
        return replace(order, lines=lines)
    return replace(order, lines=lines, fee=None, fee_waiver="")


def _view(
    order: Order,
    customer: Customer,
    lines: Sequence[OrderLine],
    items: Mapping[int, InstrumentView],
) -> OrderView:
    return OrderView(
        id=order.id,
        version=order.version,
        number=order.number,
        customer_id=order.customer_id,
        customer=LocalizedText(customer.name_en, customer.name_zh),
        kind=order.kind,
        state=order.state,
        requested_on=order.requested_on,
        requested_by=order.requested_by,
        decision_rule=order.decision_rule,
        decision_parameter=order.decision_parameter,
        print_due=order.print_due,
        interval_months=order.interval_months,
        include_budget=order.include_budget,
        language=order.language,
        green_channel=order.green_channel,
        fee=order.fee,
        fee_waiver=order.fee_waiver,
        remark=order.remark,
        lines=tuple(
            _line_view(line, items[line.instrument_id])
            for line in lines
            # an instrument that changed hands is no longer shown to its former owner
            if line.instrument_id in items
        ),
    )


def _line_view(line: OrderLine, item: InstrumentView) -> OrderLineView:
    return OrderLineView(
        id=line.id,
        version=line.version,
        instrument=item,
        verification_kind=line.verification_kind,
        customer_limits={
            name: tuple(from_plain(Limit, limit) for limit in limits)
            for name, limits in line.customer_limits.items()
        },
        points={name: tuple(points) for name, points in line.points.items()},
        predict={name: tuple(places) for name, places in line.predict.items()},
        received_at=line.received_at,
        received_by=line.received_by,
        condition=line.condition,
        returned_at=line.returned_at,
    )
