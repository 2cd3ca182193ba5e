"""Orders (委托单): request, accept, receive, give back.

What was agreed is fixed when the order is accepted (ISO/IEC 17025 7.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Conflict, Refused
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer
from instruments.services import audit, fields
from instruments.services.instruments import (
    MAX_PIECES,
    InstrumentView,
    get_instrument,
    get_instruments,
    update_instrument,
)
from instruments.services.models import read_limits
from instruments.services.numbers import take_number
from instruments.services.order_request import LineRequest, OrderRequest, check_head, check_lines
from instruments.services.order_views import (
    OrderLineView,
    OrderView,
    get_order,
    lines_of,
    list_orders,
)
from instruments.services.rows import check_version, get_row, may_see, not_found
from instruments.tenancy import hold_lab

__all__ = [
    "LineRequest",
    "OrderLineView",
    "OrderRequest",
    "OrderView",
    "get_order",
    "list_orders",
]
TRANSITIONS: dict[str, tuple[str, ...]] = {
    "requested": ("accepted", "cancelled"),
    "accepted": ("done", "returned", "cancelled"),
    "done": ("returned",),
    "returned": (),
    "cancelled": (),
}
"""The one table of transitions. Accepted to returned: given back without work."""


def request(ctx: Context, asked: OrderRequest, *, catalogue: Catalogue) -> OrderView:
    """Take down a request under the next order number; a venue operator asks for their own only.

    Raises NotFound for an unknown customer or instrument, Invalid for unusable fields, Refused for
    what the standard or the instrument's type does not allow.
    """
    ctx.need("order.request")
    get_row(ctx, Customer, asked.customer_id, "customer", "/customer_id")
    may_see(ctx, asked.customer_id, "customer", asked.customer_id)
    check_head(asked)
    known = get_instruments(ctx, (line.instrument_id for line in asked.lines))
    for place, line in enumerate(asked.lines):
        if line.instrument_id not in known:
            raise not_found("instrument", line.instrument_id, f"/lines/{place}/instrument_id")
    check_lines(asked, known, catalogue)
    row = _order(ctx, asked)
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add_all(
        _line(line, known[line.instrument_id], row.id, catalogue) for line in asked.lines
    )
    facts = {"number": row.number, "kind": row.kind, "instruments": sorted(known)}
    audit.record(ctx, "registry:order:request", "order", row.id, facts)
    return get_order(ctx, row.id)


def accept(ctx: Context, order_id: int, version: int) -> OrderView:
    """Accept a request: the lab can and will do the work as agreed.

    Raises NotFound, NotAllowed, Conflict when it was changed meanwhile or is no open request.
    """
    ctx.need("order.accept")
    return _turn(ctx, order_id, version, "accepted", "registry:order:accept", {})


def cancel(ctx: Context, order_id: int, version: int, reason: str) -> OrderView:
    """Cancel an order, with the reason; instruments that came in must be given back first.

    Raises NotFound, NotAllowed, Conflict, Refused while an instrument is still with the lab.
    """
    ctx.need("order.cancel")
    view = get_order(ctx, order_id)
    if not ctx.actor.is_staff and view.state != "requested":
        raise _wrong_state(view.number, view.state, "cancelled")
    said = fields.words(reason, "/reason", required=True)
    held = [ln for ln in view.lines if ln.received_at is not None and ln.returned_at is None]
    if held:
        raise Refused(
            "instrument-still-here",
            "The instrument {barcode} of order {number} is still with the lab. Give it back first.",
            at="/lines",
            facts={"barcode": held[0].instrument.barcode, "number": view.number},
        )
    return _turn(ctx, order_id, version, "cancelled", "registry:order:cancel", {"reason": said})


def finish(ctx: Context, order_id: int, version: int) -> OrderView:
    """Note that the work of an order is done.

    Raises NotFound, NotAllowed, Conflict when it is not accepted or was changed meanwhile.
    """
    ctx.need("order.finish")
    return _turn(ctx, order_id, version, "done", "registry:order:finish", {})


def receive(
    ctx: Context, order_id: int, line_id: int, condition: str, pieces: int | None = None
) -> OrderView:
    """Note that an instrument came in and in which condition; of a lot also how many pieces.

    Raises NotFound, NotAllowed, Conflict when the order is not accepted or the instrument came in
    before, Invalid without a condition, Refused for pieces of a single instrument.
    """
    ctx.need("order.receive")
    hold_lab(ctx.session, ctx.lab_id)
    order = get_row(ctx, Order, order_id, "order")
    line = _line_of(ctx, order, line_id)
    said = fields.words(condition, "/condition", required=True)
    if order.state != "accepted":
        raise _wrong_state(order.number, order.state, "received")
    item = get_instrument(ctx, line.instrument_id)
    if line.received_at is not None:
        raise Conflict(
            "received-before",
            "The instrument {barcode} of order {number} came in before. Load the order again.",
            facts={"barcode": item.barcode, "number": order.number},
        )
    if pieces is not None:
        _count_pieces(ctx, item, pieces)
    line.received_at, line.received_by, line.condition = ctx.now, ctx.actor.person_id, said
    facts = {"order": order.number, "condition": said, "pieces": pieces}
    audit.record(ctx, "registry:order:receive", "order_line", line.id, facts)
    return get_order(ctx, order_id)


def give_back(
    ctx: Context, order_id: int, version: int, line_ids: Sequence[int] | None = None
) -> OrderView:
    """Note that instruments went back, all that are here unless some are named.

    When none is left the order is returned. Raises NotFound, NotAllowed, Conflict when an
    instrument is not with the lab or the order was changed meanwhile.
    """
    ctx.need("order.give_back")
    hold_lab(ctx.session, ctx.lab_id)
    order = get_row(ctx, Order, order_id, "order")
    check_version(order, version, "order")
    lines = lines_of(ctx, select(Order.id).where(Order.id == order_id))
    here = [ln for ln in lines if ln.received_at is not None and ln.returned_at is None]
    chosen = here if line_ids is None else [_line_of(ctx, order, i) for i in line_ids]
    if not chosen or any(line not in here for line in chosen):
        raise Conflict(
            "instrument-not-here",
            "Not every chosen instrument of order {number} is with the lab. Load the order again.",
            facts={"number": order.number},
        )
    for line in chosen:
        line.returned_at = ctx.now
    if all(line.returned_at is not None for line in lines):
        order.state = _next(order, "returned")
    facts = {"order": order.number, "lines": [line.id for line in chosen], "state": order.state}
    audit.record(ctx, "registry:order:give_back", "order", order.id, facts)
    return get_order(ctx, order_id)


def _order(ctx: Context, asked: OrderRequest) -> Order:
    return Order(
        number=take_number(ctx, "order"),
        customer_id=asked.customer_id,
        kind=asked.kind,
        requested_on=asked.requested_on or ctx.today,
        requested_by=fields.words(asked.requested_by, "/requested_by", limit=100) or ctx.actor.name,
        decision_rule=asked.decision_rule,
        decision_parameter=asked.decision_parameter,
        print_due=asked.print_due,
        interval_months=asked.interval_months,
        include_budget=asked.include_budget,
        language=asked.language,
        green_channel=asked.green_channel,
        fee=asked.fee,
        fee_waiver=fields.words(asked.fee_waiver, "/fee_waiver"),
        remark=fields.words(asked.remark, "/remark"),
        created_at=ctx.now,
    )


def _line(
    asked: LineRequest, item: InstrumentView, order_id: int, catalogue: Catalogue
) -> OrderLine:
    limits = read_limits(asked.customer_limits, catalogue.get(item.type_id), "/customer_limits")
    return OrderLine(
        order_id=order_id,
        instrument_id=asked.instrument_id,
        verification_kind=asked.verification_kind,
        customer_limits=limits,
        points={name: list(points) for name, points in asked.points.items() if points},
        predict={name: list(places) for name, places in asked.predict.items() if places},
        received_at=None,
        received_by=None,
        returned_at=None,
    )


def _turn(
    ctx: Context, order_id: int, version: int, state: str, act: str, facts: Mapping[str, object]
) -> OrderView:
    hold_lab(ctx.session, ctx.lab_id)
    order = get_row(ctx, Order, order_id, "order")
    may_see(ctx, order.customer_id, "order", order_id)
    check_version(order, version, "order")
    before, order.state = order.state, _next(order, state)
    audit.record(ctx, act, "order", order.id, {"state": [before, state], **facts})
    return get_order(ctx, order_id)


def _next(order: Order, state: str) -> str:
    if state not in TRANSITIONS[order.state]:
        raise _wrong_state(order.number, order.state, state)
    return state


def _wrong_state(number: str, state: str, wanted: str) -> Conflict:
    return Conflict(
        "order-state",
        "Order {number} is {state} and cannot be {wanted}. Load it again and see what it allows.",
        facts={"number": number, "state": state, "wanted": wanted},
    )


def _line_of(ctx: Context, order: Order, line_id: int) -> OrderLine:
    line = get_row(ctx, OrderLine, line_id, "order line")
    if line.order_id != order.id:
        raise not_found("order line", line_id)
    return line


def _count_pieces(ctx: Context, item: InstrumentView, pieces: int) -> None:
    if item.pieces == 1 and pieces != 1:
        raise Refused(
            "instrument-is-single",
            "The instrument {barcode} is registered as a single one, and {pieces} pieces came in. "
            "Register the lot first, or receive one.",
            at="/pieces",
            facts={"barcode": item.barcode, "pieces": pieces},
        )
    fields.whole(pieces, "/pieces", low=1, high=MAX_PIECES)
    if pieces != item.pieces:
        update_instrument(ctx, item.id, item.version, pieces=pieces)
