"""The work of an order as its certificates show it."""

from __future__ import annotations

from sqlalchemy import select

from calib.records.calibrations import Calibration
from instruments.context import Context
from instruments.records.orders import Order, OrderLine
from instruments.services import audit


def finish_when_issued(ctx: Context, order_line_id: int) -> None:
    """Note that an accepted order is done once every item on it has its certificate.

    An item whose record was closed without one stays with whoever decides whether work goes on.
    """
    order = ctx.session.scalars(
        select(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.id == order_line_id)
    ).one()
    issued = select(Calibration.order_line_id).where(Calibration.state == "issued")
    left = select(OrderLine.id).where(OrderLine.order_id == order.id, OrderLine.id.not_in(issued))
    if order.state != "accepted" or ctx.session.scalars(left).first() is not None:
        return
    order.state = "done"
    facts = {"state": ["accepted", "done"]}
    audit.record(ctx, "registry:order:finish", "order", order.id, facts)
