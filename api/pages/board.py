"""The board of a venue: which instrument is good today, in colour, shape and words; a wall list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Reading, Wired, allows, types_of
from api.pages.drawing import shape
from api.pages.rendering import staff_page
from api.pages.sorting import Sorting, page_of, sorting_of
from calib.reminders.due import is_due_soon, is_overdue
from calib.services import board
from calib.services.board import BoardItem, BoardSite
from calib.services.colours import COLOURS
from instruments.context import Context
from instruments.services import customers

router = APIRouter(include_in_schema=False)
PAGE = 100
"""Instruments on a page: a screen of a thousand is neither quick nor read."""
Entry = tuple[BoardSite, BoardItem]
DUE: dict[str, Callable[[BoardItem, date], bool]] = {
    "overdue": lambda item, today: item.due_on is not None and is_overdue(item.due_on, today),
    "soon": lambda item, today: item.due_on is not None and is_due_soon(item.due_on, today),
    "none": lambda item, _today: item.due_on is None,
}


@router.get("/board", dependencies=allows("board.read"))
def show_board(
    request: Request,
    ctx: Reading,
    wired: Wired,
    customer_id: str = "",
    site_id: str = "",
    colour: str = "",
    due: str = "",
) -> Response:
    """Show the venues of a customer: their own to operators, any one to the lab's people."""
    view = board.board(ctx, catalogue=types_of(ctx, wired))
    sites, owners, chosen = _of_customer(ctx, view, customer_id)
    venues = sorting_of(request, "venue", "district", "red", "yellow", "next", default="-red")
    items = sorting_of(request, "grave", "due", "name", default="")
    site = next((one for one in sites if str(one.site_id or 0) == site_id), None)
    counted = [site] if site else sites
    wanted = [
        (place, item)
        for place in counted
        for item in place.items
        if (colour not in COLOURS or item.judgement.colour == colour)
        and (due not in DUE or DUE[due](item, view.today))
    ]
    last = max(1, -(-len(wanted) // PAGE))
    number = min(page_of(request), last)
    ordered = _sorted(wanted, items)
    return staff_page(
        request,
        "board/board.html",
        ctx,
        is_empty=not view.sites,
        groups=_grouped(ordered[(number - 1) * PAGE : number * PAGE], by_site=not items.key),
        venues=_venues(ctx, sites, venues) if len(sites) > 1 else [],
        sorting=venues,
        order=items,
        owners=owners,
        chosen=chosen,
        site=site,
        counts={name: sum(place.count(name) for place in counted) for name in COLOURS},
        total=len(wanted),
        number=number,
        last=last,
        colour_wanted=colour if colour in COLOURS else "",
        due_wanted=due if due in DUE else "",
        link=_linker(request),
        today=view.today,
        shape=shape,
        calendar=_calendar(ctx, wired, chosen),
    )


@router.get("/board/wall", dependencies=allows("board.read"))
def wall_list(request: Request, ctx: Reading, wired: Wired, customer_id: str = "") -> Response:
    """Show the list to print and put on the wall."""
    view = board.board(ctx, catalogue=types_of(ctx, wired))
    sites, _, chosen = _of_customer(ctx, view, customer_id)
    return staff_page(
        request, "board/wall.html", ctx, sites=sites, chosen=chosen, today=view.today, shape=shape
    )


def _of_customer(
    ctx: Context, view: board.BoardView, customer_id: str
) -> tuple[list[BoardSite], list[tuple[int, Any]], int | None]:
    """Return the sites that are shown, all customers with their names, and the one chosen."""
    chosen = int(customer_id) if customer_id.isdecimal() and len(customer_id) < 10 else None
    if not ctx.actor.is_staff:
        chosen = ctx.actor.customer_id
    owners = {site.customer_id: site.customer for site in view.sites}
    if chosen is None and len(owners) == 1:
        chosen = next(iter(owners))
    sites = [site for site in view.sites if chosen is None or site.customer_id == chosen]
    return sites, sorted(owners.items(), key=lambda pair: pair[1].text(ctx.language)), chosen


def _venues(ctx: Context, sites: Sequence[BoardSite], sorting: Sorting) -> list[dict[str, Any]]:
    """Return a row for each venue: how many of which colour, and what is due next."""
    rows = [
        {
            "site": site,
            "venue": site.name.text(ctx.language) if site.name else "",
            "district": site.district,
            **{colour: site.count(colour) for colour in COLOURS},
            "next": min((i.due_on for i in site.items if i.due_on), default=date.max),
        }
        for site in sites
    ]
    rows.sort(key=lambda row: row["venue"])
    rows.sort(key=lambda row: row[sorting.key], reverse=sorting.is_descending)
    return rows


def _sorted(entries: list[Entry], order: Sorting) -> list[Entry]:
    keys: dict[str, Callable[[Entry], Any]] = {
        "grave": lambda e: (COLOURS.index(e[1].judgement.colour), e[1].due_on or date.max),
        "due": lambda e: (e[1].due_on or date.max, e[1].barcode),
        "name": lambda e: (e[1].maker, e[1].model, e[1].serial),
    }
    if not order.key:
        return entries
    return sorted(entries, key=keys[order.key], reverse=order.is_descending)


def _grouped(
    entries: Iterable[Entry], *, by_site: bool
) -> list[tuple[BoardSite | None, list[Entry]]]:
    """Return the instruments of a page venue by venue, or all together in their order."""
    if not by_site:
        together = list(entries)
        return [(None, together)] if together else []
    return [(site, list(group)) for site, group in groupby(entries, key=lambda entry: entry[0])]


def _linker(request: Request) -> Callable[..., str]:
    """Return what makes the link to this board with some of what is asked changed."""
    kept = dict(request.query_params.items())

    def link(**changed: object) -> str:
        asked = {k: v for k, v in kept.items() if k not in ("page", "done")}
        asked |= {name: str(value or "") for name, value in changed.items()}
        return "?" + urlencode({name: value for name, value in asked.items() if value})

    return link


def _calendar(ctx: Context, wired: Wired, customer_id: int | None) -> str:
    if customer_id is None:
        return ""
    token = customers.get_customer(ctx, customer_id).calendar_token
    return f"{wired.settings.public_url.rstrip('/')}/calendar/{token}.ics" if token else ""
