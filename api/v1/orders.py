"""Orders as JSON: request, accept, receive, give back."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Reading, VersionSeen, Wired, Writing, allows, types_of
from api.schemas.work import NewOrder, Reason, Receipt, ReturnedLines
from api.strict_routes import StrictRoute
from api.v1.answers import tagged
from calib.services import planning
from calib.services.calibration_views import CalibrationView
from instruments.services import orders
from instruments.services.order_request import LineRequest, OrderRequest
from instruments.services.rows import not_found

router = APIRouter(tags=["orders"], route_class=StrictRoute)


@router.get("/orders", dependencies=allows("order.read"))
def list_orders(ctx: Reading, state: str | None = None) -> tuple[orders.OrderView, ...]:
    """Return the orders the actor may see."""
    return orders.list_orders(ctx, state)


@router.post("/orders", status_code=201, dependencies=allows("order.request"))
def request_order(
    body: NewOrder, ctx: Writing, wired: Wired, response: Response
) -> orders.OrderView:
    """Request work on instruments."""
    given = body.given()
    given["lines"] = tuple(LineRequest(**line.model_dump()) for line in body.lines)
    asked = OrderRequest(**given)  # type: ignore[arg-type]
    return tagged(response, orders.request(ctx, asked, catalogue=types_of(ctx, wired)))


@router.get("/orders/{order_id}", dependencies=allows("order.read"))
def get_order(order_id: int, ctx: Reading, response: Response) -> orders.OrderView:
    """Return an order with its lines."""
    return tagged(response, orders.get_order(ctx, order_id))


@router.post("/orders/{order_id}/accept", dependencies=allows("order.accept"))
def accept(
    order_id: int, version: VersionSeen, ctx: Writing, response: Response
) -> orders.OrderView:
    """Accept a request: from now on it is the agreement."""
    return tagged(response, orders.accept(ctx, order_id, version))


@router.post("/orders/{order_id}/cancel", dependencies=allows("order.cancel"))
def cancel(
    order_id: int, body: Reason, version: VersionSeen, ctx: Writing, response: Response
) -> orders.OrderView:
    """Cancel an order with a reason."""
    return tagged(response, orders.cancel(ctx, order_id, version, body.reason))


@router.post("/orders/{order_id}/finish", dependencies=allows("order.finish"))
def finish(
    order_id: int, version: VersionSeen, ctx: Writing, response: Response
) -> orders.OrderView:
    """Note that the work of an order is done."""
    return tagged(response, orders.finish(ctx, order_id, version))


@router.post("/orders/{order_id}/lines/{line_id}/receive", dependencies=allows("order.receive"))
def receive(
    order_id: int, line_id: int, body: Receipt, ctx: Writing, response: Response
) -> orders.OrderView:
    """Note the receipt of an instrument and its condition."""
    return tagged(response, orders.receive(ctx, order_id, line_id, body.condition, body.pieces))


@router.post("/orders/{order_id}/give-back", dependencies=allows("order.give_back"))
def give_back(
    order_id: int, body: ReturnedLines, version: VersionSeen, ctx: Writing, response: Response
) -> orders.OrderView:
    """Note that instruments went back to the customer."""
    return tagged(response, orders.give_back(ctx, order_id, version, body.line_ids))


@router.post(
    "/orders/{order_id}/lines/{line_id}/calibrations",
    status_code=201,
    dependencies=allows("calibration.open"),
)
def open_calibration(
    order_id: int, line_id: int, ctx: Writing, wired: Wired, response: Response
) -> CalibrationView:
    """Open a record of work on a received line."""
    if line_id not in {line.id for line in orders.get_order(ctx, order_id).lines}:
        raise not_found("order line", line_id)
    return tagged(response, planning.open_calibration(ctx, line_id, catalogue=types_of(ctx, wired)))
