"""What a customer usually agrees on: an order in two taps, with nothing left to fill in.

The last order that was not cancelled says how work is judged and printed; whoever never ordered
gets values and uncertainties without a statement of conformity, which asks for no agreement.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Invalid, Refused
from instruments.procedure import InstrumentType, RecordKind
from instruments.records.orders import Order
from instruments.services.instruments import InstrumentView, get_instruments
from instruments.services.order_request import LineRequest, OrderRequest
from instruments.services.rows import not_found

_KINDS: tuple[RecordKind, ...] = ("calibration", "verification", "check")


def chosen_instruments(ctx: Context, ids: Sequence[int]) -> tuple[InstrumentView, ...]:
    """Return the instruments of one customer that a request is about, each once.

    Raises NotFound for one the actor may not see, Invalid for none, Refused for several owners.
    """
    ctx.need("instrument.read")
    wanted = tuple(dict.fromkeys(ids))
    if not wanted:
        raise Invalid(
            "order-empty", "The order names no instrument. Name at least one.", at="/lines"
        )
    found = get_instruments(ctx, wanted)
    for id_ in wanted:
        if id_ not in found:
            raise not_found("instrument", id_)
    if len({found[id_].customer_id for id_ in wanted}) > 1:
        raise Refused(
            "several-owners",
            "The chosen instruments belong to several customers. Make an order for each.",
        )
    return tuple(found[id_] for id_ in wanted)


def usual_request(
    ctx: Context,
    items: Sequence[InstrumentView],
    *,
    catalogue: Catalogue,
    requested_by: str = "",
    remark: str = "",
) -> OrderRequest:
    """Return the request for these instruments as their owner usually makes it.

    Raises Refused when no kind of work suits all of them.
    """
    ctx.need("order.form")
    owner = items[0].customer_id
    last = ctx.session.scalars(
        select(Order)
        .where(Order.customer_id == owner, Order.state != "cancelled")
        .order_by(Order.id.desc())
        .limit(1)
    ).first()
    types = {item.type_id: catalogue.get(item.type_id) for item in items}
    kind = _kind(last.kind if last else "", list(types.values()))
    is_as_before = last is not None and last.kind == kind
    rule = last.decision_rule if last and is_as_before else "none"
    interval = last.interval_months if last and is_as_before else None
    return OrderRequest(
        customer_id=owner,
        kind=kind,
        decision_rule="regulation" if kind == "verification" else rule,
        decision_parameter=last.decision_parameter if last and is_as_before else None,
        lines=tuple(
            LineRequest(item.id, verification_kind=_verification(kind, item, types[item.type_id]))
            for item in items
        ),
        print_due=bool(last and is_as_before and last.print_due),
        interval_months=interval,
        include_budget=bool(last and is_as_before and last.include_budget),
        language=last.language if last else "zh+en",
        requested_by=requested_by,
        remark=remark,
    )


def _kind(before: str, types: Sequence[InstrumentType]) -> RecordKind:
    for kind in sorted(_KINDS, key=lambda one: one != before):
        if all(kind in type_.kinds for type_ in types):
            return kind
    raise Refused(
        "no-kind-for-all",
        "No kind of work suits all of the chosen instruments. Make an order for each type.",
    )


def _verification(kind: str, item: InstrumentView, type_: InstrumentType) -> str | None:
    """Return which verification it is: a later one for whatever has a due date already."""
    if kind != "verification":
        return None
    wanted = "subsequent" if item.due_on else "initial"
    known = tuple(type_.verification_kinds)
    return wanted if wanted in known else next(iter(known), None)
