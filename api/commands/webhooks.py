"""``calib webhook``: addresses that are told what happens, and what was told to each."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import AsJSON, answer, words

app = typer.Typer(no_args_is_help=True, help="Addresses outside that are told what happens.")
Id = Annotated[int, typer.Argument(help="Id of the address.")]


@app.command("list")
def list_(token: Token = "", as_json: AsJSON = False) -> None:
    """List the addresses that are told."""
    from calib.services import webhooks

    with acting(token, read_only=True) as (ctx, _):
        found = webhooks.list_webhooks(ctx)
    lines = [f"{v.id}  {v.state:8} {v.address}  {' '.join(v.events)}" for v in found]
    answer(found, "\n".join(lines), as_json=as_json)


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Like https://example.org/calib.")],
    event: Annotated[
        list[str] | None,
        typer.Option(help="certificate.issued ...; all if absent.", show_default=False),
    ] = None,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Have an address told; prints its secret, this once."""
    from calib.services import webhooks

    with acting(token) as (ctx, wired):
        made = webhooks.register(
            ctx,
            address=address,
            events=event or webhooks.EVENTS,
            loopback=wired.settings.webhooks == "loopback",
        )
    answer(made, f"{made.id}  {made.secret}", as_json=as_json)


@app.command()
def secret(webhook: Id, token: Token = "", as_json: AsJSON = False) -> None:
    """Give an address a new secret, printed this once; the one before holds for a day more."""
    from calib.services import webhooks

    with acting(token) as (ctx, _):
        made = webhooks.renew_secret(ctx, webhook)
    answer(made, f"{made.id}  {made.secret}", as_json=as_json)


@app.command()
def switch(
    webhook: Id,
    state: Annotated[str, typer.Argument(help="on, off or ended.")],
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Switch an address on or off, or end it."""
    from calib.services import webhooks

    with acting(token) as (ctx, _):
        view = webhooks.switch(ctx, webhook, state)
    answer(view, f"{view.id}  {view.state}  {view.address}", as_json=as_json)


@app.command()
def deliveries(webhook: Id, token: Token = "", as_json: AsJSON = False) -> None:
    """List what was told to an address, newest first."""
    from calib.services import webhooks

    with acting(token, read_only=True) as (ctx, _):
        told = webhooks.deliveries(ctx, webhook)
    lines = []
    for one in told:
        lines.append(f"{one.made_at:%Y-%m-%d %H:%M}  {one.state:8} {one.attempts}  {one.event_id}")
        if one.problem is not None:
            lines.append(f"    {words(one.problem.message, **one.problem.facts)}")
    answer(told, "\n".join(lines), as_json=as_json)
