"""The one window: request, accept, receive, start the work, give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.order_forms import (
    COMMON_RULES,
    MORE_RULES,
    beside_fields,
    chosen_ids,
    request_of,
)
from api.pages.rendering import staff_page
from api.pages.sorting import sorting_of
from calib.services import planning
from calib.services.calibration_lists import CalibrationLine, list_calibrations
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import customers, instruments, orders
from instruments.services.orders import OrderLineView, OrderView

router = APIRouter(include_in_schema=False)
STATES = ("requested", "accepted", "done", "returned", "cancelled")
STATIONS = ("requested", "accepted", "received", "measured", "reviewed", "issued", "returned")
_REACHED = {"submitted": 3, "reviewed": 4, "authorised": 4, "reserved": 4, "issued": 5, "closed": 5}
"""How many stations beyond the request a record's state stands for."""
MOST_SHOWN = 200
SORTS: dict[str, Callable[[OrderView, str], Any]] = {
    "number": lambda order, _language: order.number,
    "customer": lambda order, language: order.customer.text(language),
    "requested": lambda order, _language: (order.requested_on, order.number),
    "instruments": lambda order, _language: len(order.lines),
    "state": lambda order, _language: STATES.index(order.state),
}
"""By what the list can stand; by itself it is the green channel first, then the newest."""


@router.get("/orders", dependencies=allows("order.read"))
def list_orders(request: Request, ctx: Reading, state: str = "") -> Response:
    """List orders, those of the green channel first, all or those in one state."""
    everything = orders.list_orders(ctx)
    counts = {code: sum(order.state == code for order in everything) for code in STATES}
    sorting = sorting_of(request, *SORTS)
    shown = [order for order in everything if state in ("", order.state)]
    if sorting.key:
        shown.sort(key=lambda order: SORTS[sorting.key](order, ctx.language))
        shown = shown[::-1] if sorting.is_descending else shown
    return staff_page(
        request,
        "orders/list.html",
        ctx,
        orders=shown,
        sorting=sorting,
        counts=counts,
        total=len(everything),
        state=state,
    )


@router.get("/orders/new", dependencies=allows("order.form"))
def new_order(
    request: Request,
    ctx: Reading,
    wired: Wired,
    customer_id: str = "",
    chosen: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """Choose the customer, then show the form of a new order; operators order for themselves."""
    if not ctx.actor.is_staff:
        customer_id = str(ctx.actor.customer_id or 0)
    if not (customer_id.isascii() and customer_id.isdigit() and len(customer_id) < 10):
        known = customers.list_customers(ctx)
        return staff_page(request, "orders/customer.html", ctx, customers=known)
    form = form_of(
        customer_id=customer_id,
        chosen=chosen or [],
        kind="calibration",
        language="zh+en",
        requested_by="" if ctx.actor.is_staff else ctx.actor.name,
    )
    return _order_form(request, ctx, types_of(ctx, wired), form)


@router.post("/orders/new", dependencies=allows("order.request"))
def request_order(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Take the request down; a press of another button only shows the form again."""
    typed.whole("customer_id")  # without one there is no form to show again
    if typed.flag("find") or typed.flag("details"):
        return _order_form(request, ctx, types_of(ctx, wired), typed.form())
    done = attempt(ctx, lambda: _request(ctx, typed, types_of(ctx, wired)))
    if isinstance(done, DomainError):
        ids = [int(text) for text in dict.fromkeys(typed.many("chosen")) if text.isdecimal()]
        form = beside_fields(shown_again(typed, done, ctx), ids)
        return _order_form(request, ctx, types_of(ctx, wired), form)
    return RedirectResponse(f"/orders/{done.id}?done=requested", status_code=303)


@router.get("/orders/{order_id}", dependencies=allows("order.read"))
def show_order(order_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show an order with what is agreed and where each instrument stands."""
    return _order_page(request, ctx, types_of(ctx, wired), order_id, Form())


@router.post("/orders/{order_id}/accept", dependencies=allows("order.accept"))
def accept(order_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Accept a request."""
    done = attempt(ctx, lambda: orders.accept(ctx, order_id, typed.version()))
    return _after(request, ctx, types_of(ctx, wired), order_id, typed, done, "accepted")


@router.post("/orders/{order_id}/cancel", dependencies=allows("order.cancel"))
def cancel(order_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Cancel an order, with the reason."""
    done = attempt(ctx, lambda: orders.cancel(ctx, order_id, typed.version(), typed.text("reason")))
    return _after(request, ctx, types_of(ctx, wired), order_id, typed, done, "cancelled")


@router.post("/orders/{order_id}/finish", dependencies=allows("order.finish"))
def finish(order_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Note that the work is done."""
    done = attempt(ctx, lambda: orders.finish(ctx, order_id, typed.version()))
    return _after(request, ctx, types_of(ctx, wired), order_id, typed, done, "saved")


@router.post("/orders/{order_id}/receive", dependencies=allows("order.receive"))
def receive(
    order_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Receive the ticked instruments, each in its condition."""
    done = attempt(ctx, lambda: _receive(ctx, order_id, typed))
    return _after(request, ctx, types_of(ctx, wired), order_id, typed, done, "received")


@router.post("/orders/{order_id}/give-back", dependencies=allows("order.give_back"))
def give_back(
    order_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Give the ticked instruments back."""
    ids = [int(text) for text in typed.many("line") if text.isdecimal()]
    done = attempt(ctx, lambda: orders.give_back(ctx, order_id, typed.version(), ids))
    return _after(request, ctx, types_of(ctx, wired), order_id, typed, done, "returned")


@router.post("/orders/{order_id}/lines/{line_id}/start", dependencies=allows("calibration.open"))
def start(
    order_id: int, line_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Open the record of work on a received instrument and go to the bench."""
    orders.get_order(ctx, order_id)
    done = attempt(
        ctx, lambda: planning.open_calibration(ctx, line_id, catalogue=types_of(ctx, wired))
    )
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _order_page(request, ctx, types_of(ctx, wired), order_id, form)
    return RedirectResponse(f"/calibrations/{done.id}", status_code=303)


def _request(ctx: Context, typed: Typed, catalogue: Catalogue) -> OrderView:
    asked = request_of(ctx, typed, chosen_ids(typed))
    return orders.request(ctx, asked, catalogue=catalogue)


def _receive(ctx: Context, order_id: int, typed: Typed) -> OrderView:
    ids = [int(text) for text in typed.many("line") if text.isdecimal()]
    for line_id in ids:
        condition = typed.text(f"condition/{line_id}") or typed.text("condition")
        orders.receive(ctx, order_id, line_id, condition, typed.whole(f"pieces/{line_id}"))
    return orders.get_order(ctx, order_id)


def _after(
    request: Request,
    ctx: Context,
    catalogue: Catalogue,
    order_id: int,
    typed: Typed,
    done: OrderView | DomainError,
    notice: str,
) -> Response:
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _order_page(request, ctx, catalogue, order_id, form)
    return RedirectResponse(f"/orders/{order_id}?done={notice}", status_code=303)


def _order_form(request: Request, ctx: Context, catalogue: Catalogue, form: Form) -> Response:
    customer = customers.get_customer(ctx, int(form.value("customer_id") or 0))
    ticked = {int(text) for text in form.values.get("chosen", ()) if text.isdecimal()}
    kept = instruments.get_instruments(ctx, ticked)
    found = instruments.find_instruments(
        ctx, form.value("text"), customer_id=customer.id, limit=MOST_SHOWN
    )
    usable = [i for i in found if i.status not in ("lost", "scrapped") and i.id not in kept]
    shown = [*(i for i in kept.values() if i.customer_id == customer.id), *usable]
    types = {item.type_id: catalogue.get(item.type_id) for item in shown}
    wishes = form.value("details") or any(name.startswith("wish/") for name in form.values)
    return staff_page(
        request,
        "orders/form.html",
        ctx,
        status=form.status(),
        form=form,
        customer=customer,
        shown=shown,
        types=types,
        detailed=[i for i in shown if i.id in ticked] if wishes else [],
        common_rules=COMMON_RULES,
        more_rules=MORE_RULES,
        most=MOST_SHOWN,
    )


def _order_page(
    request: Request, ctx: Context, catalogue: Catalogue, order_id: int, form: Form
) -> Response:
    order = orders.get_order(ctx, order_id)
    records = _records(ctx, order)
    return staff_page(
        request,
        "orders/show.html",
        ctx,
        status=form.status(),
        form=form,
        order=order,
        records=records,
        types={ln.instrument.type_id: catalogue.get(ln.instrument.type_id) for ln in order.lines},
        stations=_stations(order, records),
    )


def _records(ctx: Context, order: OrderView) -> dict[int, CalibrationLine]:
    """Return the newest record of each instrument of the order, by instrument."""
    found = sorted(list_calibrations(ctx, order_id=order.id), key=lambda line: line.id)
    return {line.instrument_id: line for line in found}


def _stations(order: OrderView, records: dict[int, CalibrationLine]) -> list[dict[str, Any]]:
    """Return the stations with how many instruments have passed each."""
    passed = [_passed(order, line, records) for line in order.lines]
    counts = [sum(place <= reached for reached in passed) for place in range(len(STATIONS))]
    return [
        {"name": name, "passed": count, "of": len(passed), "is_done": count == len(passed)}
        for name, count in zip(STATIONS, counts, strict=True)
    ]


def _passed(order: OrderView, line: OrderLineView, records: dict[int, CalibrationLine]) -> int:
    if line.returned_at is not None:
        return len(STATIONS) - 1
    record = records.get(line.instrument.id)
    if record is not None and record.state in _REACHED:
        return _REACHED[record.state]
    if line.received_at is not None:
        return 2
    return 0 if order.state in ("requested", "cancelled") else 1
