"""A request in two taps: how one usually agrees is shown, and sent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.order_forms import chosen_ids
from api.pages.rendering import staff_page
from calib.services.idempotency import once
from instruments.canonical import digest
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Refused
from instruments.services import orders
from instruments.services.usual_order import chosen_instruments, usual_request

router = APIRouter(include_in_schema=False)
ACT = "orders:quick"


@router.get("/orders/quick", dependencies=allows("order.form"))
def look(
    request: Request,
    ctx: Reading,
    wired: Wired,
    chosen: Annotated[list[int] | None, Query()] = None,
) -> Response:
    """Show what would be requested and how it would be judged."""
    form = form_of(requested_by=ctx.actor.name, key=secrets.token_urlsafe(16))
    ids = chosen or []
    try:
        return _page(request, ctx, types_of(ctx, wired), ids, form)
    except Refused:  # nothing suits all of them: some are left out, or asked for otherwise
        owner = chosen_instruments(ctx, ids)[0].customer_id
        kept = urlencode([("customer_id", owner), *(("chosen", id_) for id_ in ids)])
        return RedirectResponse(f"/orders/new?{kept}", status_code=303)


@router.post("/orders/quick", dependencies=allows("order.request"))
def send(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Send the request; pressed twice, it is one order."""
    types = types_of(ctx, wired)
    ids = chosen_ids(typed)
    done = attempt(ctx, lambda: _request(ctx, typed, ids, types))
    if isinstance(done, DomainError):
        return _page(request, ctx, types, ids, shown_again(typed, done, ctx))
    return RedirectResponse(f"/orders/{done}?done=requested", status_code=303)


def _request(ctx: Context, typed: Typed, ids: Sequence[int], types: Catalogue) -> int:
    said = {name: typed.text(name) for name in ("requested_by", "remark")}

    def do() -> dict[str, int]:
        items = chosen_instruments(ctx, ids)
        asked = usual_request(
            ctx, items, catalogue=types, requested_by=said["requested_by"], remark=said["remark"]
        )
        return {"order": orders.request(ctx, asked, catalogue=types).id}

    asked = digest({**said, "chosen": list(ids)})
    return int(once(ctx, ACT, typed.text("key"), asked, do)["order"])


def _page(
    request: Request, ctx: Context, types: Catalogue, ids: Sequence[int], form: Form
) -> Response:
    items = chosen_instruments(ctx, ids)
    return staff_page(
        request,
        "orders/quick.html",
        ctx,
        status=form.status(),
        form=form,
        items=items,
        asked=usual_request(ctx, items, catalogue=types),
        type_names={item.type_id: types.get(item.type_id).name for item in items},
    )
