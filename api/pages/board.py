"""The board of a venue: which instrument is good today, in colour, shape and words; a wall list."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Reading, Wired, allows, types_of
from api.pages.drawing import shape
from api.pages.rendering import staff_page
from calib.services import board
from calib.services.colours import COLOURS
from instruments.context import Context
from instruments.services import customers

router = APIRouter(include_in_schema=False)


@router.get("/board", dependencies=allows("board.read"))
def show_board(
    request: Request, ctx: Reading, wired: Wired, customer_id: str = "", colour: str = ""
) -> Response:
    """Show the venues of a customer: their own to operators, any one to the lab's people."""
    return _board(request, ctx, wired, "board/board.html", customer_id, colour)


@router.get("/board/wall", dependencies=allows("board.read"))
def wall_list(request: Request, ctx: Reading, wired: Wired, customer_id: str = "") -> Response:
    """Show the list to print and put on the wall."""
    return _board(request, ctx, wired, "board/wall.html", customer_id, "")


def _board(
    request: Request, ctx: Context, wired: Wired, template: str, customer_id: str, colour: str
) -> Response:
    view = board.board(ctx, catalogue=types_of(ctx, wired))
    chosen = int(customer_id) if customer_id.isdecimal() and len(customer_id) < 10 else None
    if not ctx.actor.is_staff:
        chosen = ctx.actor.customer_id
    owners = {site.customer_id: site.customer for site in view.sites}
    if chosen is None and len(owners) == 1:
        chosen = next(iter(owners))
    sites = [site for site in view.sites if chosen is None or site.customer_id == chosen]
    return staff_page(
        request,
        template,
        ctx,
        sites=sites,
        owners=sorted(owners.items(), key=lambda pair: pair[1].text(ctx.language)),
        chosen=chosen,
        counts={name: sum(site.count(name) for site in sites) for name in COLOURS},
        colour_wanted=colour if colour in COLOURS else "",
        today=view.today,
        shape=shape,
        calendar=_calendar(ctx, wired, chosen),
    )


def _calendar(ctx: Context, wired: Wired, customer_id: int | None) -> str:
    if customer_id is None:
        return ""
    token = customers.get_customer(ctx, customer_id).calendar_token
    return f"{wired.settings.public_url.rstrip('/')}/calendar/{token}.ics" if token else ""
