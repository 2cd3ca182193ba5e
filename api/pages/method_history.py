"""Versions of a type in the laboratory: who made them, what used them, what sets two apart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.deps import Reading, Wired, allows
from api.pages.rendering import staff_page
from api.type_words import parts, told
from calib.services import method_history
from instruments.catalogue.difference import Difference
from instruments.errors import NotFound

router = APIRouter(include_in_schema=False)
Version = Annotated[str, Query(max_length=80)]


@router.get("/methods/history/{type_id}", dependencies=allows("method.read"))
def show_history(
    type_id: str, request: Request, ctx: Reading, wired: Wired, old: Version = "", new: Version = ""
) -> Response:
    """Show every version of a type, and what one says otherwise than another."""
    history = method_history.method_history(ctx, type_id, wired.catalogue)
    is_asked = bool(old or new)
    in_force = next((one.version for one in history.versions if one.is_in_force), "")
    new = new or in_force or history.versions[0].version
    old = old or history.before(new)
    found: tuple[Difference, ...] = ()
    try:
        if old != new:
            found = method_history.compare(ctx, type_id, old, new, wired.catalogue)
    except NotFound:
        if is_asked:
            raise
        old = new  # nobody asked for this one, which defines nothing
    return staff_page(
        request,
        "methods/history.html",
        ctx,
        history=history,
        old=old,
        new=new,
        sentences=[told(one, ctx.language) for one in found],
        fields=[parts(one, ctx.language) for one in found],
    )
