"""``calib due`` and ``calib instrument``: what is due, and where an instrument is."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import AsJSON, answer
from api.usage import WrongUsage

app = typer.Typer(no_args_is_help=True, help="Find instruments.")


def due(
    within: Annotated[str, typer.Option(help="How far ahead: 30d, 6w.")] = "30d",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """List the instruments that are overdue or due soon, the oldest first."""
    from calib.services import recall

    with acting(token, read_only=True) as (ctx, _):
        items = recall.due_list(ctx, _days(within))
        today = ctx.today
    lines = [
        f"{item.due_on}  {'!' if item.due_on < today else ' '} {item.barcode:12} {item.maker} "
        f"{item.model}  {item.serial}  {item.customer.en or item.customer.zh}  {item.location}"
        for item in items
    ]
    answer(items, "\n".join(lines), as_json=as_json)


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})(d|w|)", text, re.ASCII)
    if found is None:
        raise WrongUsage(
            "option-malformed-span",
            "--within {given} is no span of time. Write days or weeks, like 30d or 6w.",
            facts={"given": repr(text)},
        )
    return int(found[1]) * (7 if found[2] == "w" else 1)


@app.command()
def find(
    text: Annotated[str, typer.Argument(help="Part of serial, barcode, asset number ...")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Find instruments by a part of what is written on them."""
    from instruments.services import instruments

    with acting(token, read_only=True) as (ctx, _):
        found = instruments.find_instruments(ctx, text, limit=limit)
    lines = [f"{i.id}  {i.barcode}  {i.serial}  {i.status}  {i.due_on or '-'}" for i in found]
    answer(found, "\n".join(lines), as_json=as_json)


@app.command()
def transfer(
    instrument: Annotated[int, typer.Argument(help="Its id, as calib instrument find shows it.")],
    to: Annotated[int, typer.Option(help="Id of the customer who has it from now on.")],
    reason: Annotated[str, typer.Option(help="Why it changes hands.")],
    consent: Annotated[str, typer.Option(help="Who agreed, for either side.")],
    *,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="Earlier orders and certificates go with it.")
    ] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Pass an instrument to another customer."""
    from instruments.services import instruments, transfers

    with acting(token) as (ctx, _):
        before = instruments.get_instrument(ctx, instrument)
        view = transfers.transfer_instrument(
            ctx,
            instrument,
            before.version,
            to_customer_id=to,
            reason=reason,
            consent=consent,
            hands_over=hand_over,
        )
    owner = view.customer.en or view.customer.zh
    answer(view, f"{view.id}  {view.barcode}  {owner}", as_json=as_json)
