"""``calib order``: request, accept, receive, open the records, give back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import AsJSON, answer, lists, tell_findings

if TYPE_CHECKING:
    from instruments.services.orders import OrderView

app = typer.Typer(no_args_is_help=True, help="Orders: from the request to the return.")
Points = Annotated[
    list[str] | None,
    typer.Option(help="measurand=0,50,100; those of the type if absent.", show_default=False),
]


def _line(order: OrderView) -> str:
    lines = [f"{order.id}  {order.number}  {order.state}  {order.kind}  {order.customer.en}"]
    lines += [
        f"  {line.id}  {line.instrument.barcode}  {line.instrument.serial}  {line.condition}"
        for line in order.lines
    ]
    return "\n".join(lines)


@app.command()
def request(
    instrument: Annotated[list[int], typer.Option(help="Id of an instrument; repeat for more.")],
    *,
    kind: Annotated[str, typer.Option(help="calibration or verification.")] = "calibration",
    rule: Annotated[str, typer.Option(help="Decision rule.")] = "none",
    parameter: Annotated[str | None, typer.Option(help="Parameter of the rule.")] = None,
    points: Points = None,
    predict: Points = None,
    interval_months: Annotated[int | None, typer.Option(help="Agreed interval.")] = None,
    verification_kind: Annotated[str | None, typer.Option(help="initial, subsequent ...")] = None,
    language: Annotated[str, typer.Option(help="zh, en or zh+en.")] = "zh+en",
    remark: str = "",
    print_due: Annotated[bool, typer.Option("--print-due", help="Print the due date.")] = False,
    budget: Annotated[bool, typer.Option("--budget", help="Print the budget.")] = False,
    green_channel: Annotated[bool, typer.Option("--green-channel", help="Goes first.")] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Request work on instruments of one customer."""
    from instruments.services import instruments, orders
    from instruments.services.method_views import lab_catalogue

    wanted = lists(points or [], "--points")
    predicted = lists(predict or [], "--predict")
    with acting(token) as (ctx, wired):
        lines = tuple(
            orders.LineRequest(id_, verification_kind, points=wanted, predict=predicted)
            for id_ in instrument
        )
        asked = orders.OrderRequest(
            customer_id=instruments.get_instrument(ctx, instrument[0]).customer_id,
            kind=kind,
            decision_rule=rule,
            decision_parameter=parameter,
            lines=lines,
            print_due=print_due,
            interval_months=interval_months,
            include_budget=budget,
            language=language,
            green_channel=green_channel,
            remark=remark,
        )
        order = orders.request(ctx, asked, catalogue=lab_catalogue(ctx, wired.catalogue))
    answer(order, _line(order), as_json=as_json)


@app.command()
def show(order_id: int, token: Token = "", as_json: AsJSON = False) -> None:
    """Show an order with its lines."""
    from instruments.services import orders

    with acting(token, read_only=True) as (ctx, _):
        order = orders.get_order(ctx, order_id)
    answer(order, _line(order), as_json=as_json)


@app.command()
def accept(order_id: int, token: Token = "", as_json: AsJSON = False) -> None:
    """Accept a request: from now on it is the agreement."""
    from instruments.services import orders

    with acting(token) as (ctx, _):
        order = orders.accept(ctx, order_id, orders.get_order(ctx, order_id).version)
    answer(order, _line(order), as_json=as_json)


@app.command()
def receive(
    order_id: int,
    condition: Annotated[str, typer.Option(help="Condition in which they came in.")],
    line: Annotated[list[int] | None, typer.Option(help="Line; all when absent.")] = None,
    pieces: Annotated[int | None, typer.Option(help="Pieces of a lot.")] = None,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Note the receipt of instruments and their condition."""
    from instruments.services import orders

    with acting(token) as (ctx, _):
        order = orders.get_order(ctx, order_id)
        waiting = [ln.id for ln in order.lines if ln.received_at is None]
        for line_id in line or waiting:
            order = orders.receive(ctx, order_id, line_id, condition, pieces)
    answer(order, _line(order), as_json=as_json)


@app.command(name="open")
def open_(
    order_id: int,
    line: Annotated[list[int] | None, typer.Option(help="Line; all received when absent.")] = None,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Open a record of work on each received line."""
    from calib.services import planning
    from calib.services.document_standing import standing_notes
    from instruments.services import orders
    from instruments.services.method_views import lab_catalogue

    with acting(token) as (ctx, wired):
        order = orders.get_order(ctx, order_id)
        received = [ln.id for ln in order.lines if ln.received_at is not None]
        records = [
            planning.open_calibration(ctx, line_id, catalogue=lab_catalogue(ctx, wired.catalogue))
            for line_id in line or received
        ]
        noted = {n.at: n for r in records for n in standing_notes(ctx, r.definition, r.kind)}
    tell_findings(tuple(noted.values()))
    answer(
        [{"id": r.id, "instrument_id": r.instrument_id, "plan": r.plan} for r in records],
        "\n".join(f"{r.id}  {r.definition.name.en}" for r in records),
        as_json=as_json,
    )


@app.command()
def give_back(order_id: int, token: Token = "", as_json: AsJSON = False) -> None:
    """Note that the instruments that are here went back to the customer."""
    from instruments.services import orders

    with acting(token) as (ctx, _):
        order = orders.give_back(ctx, order_id, orders.get_order(ctx, order_id).version)
    answer(order, _line(order), as_json=as_json)
