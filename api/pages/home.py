"""Signing out, the language switch, and the first page by role."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import (
    COOKIE,
    LANGUAGE_COOKIE,
    InstallationWriting,
    Reading,
    WhoIs,
    Wired,
    Writing,
    allows,
)
from api.pages.rendering import staff_page
from calib.services import lookup, outbox
from instruments.services import signin
from instruments.text import LANGUAGES

router = APIRouter(include_in_schema=False)
YEAR = 365 * 24 * 3600


def local_path(path: str) -> str:
    """Return `path` if it stays on this site, else the first page."""
    good = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if good and path.isprintable() else "/"


@router.post("/sign-out", dependencies=allows("public.sign_out"))
def sign_out(request: Request, session: InstallationWriting, wired: Wired, _who: WhoIs) -> Response:
    """End the session on the server, then forget the cookie."""
    signin.end_sign_in(session, request.cookies.get(COOKIE, ""), wired.clock())
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'  # the storage holds what /authenticate pinned
    return response


@router.post("/language", dependencies=allows("public.language"))
def choose_language(
    language: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Remember the language of the pages."""
    response = RedirectResponse(local_path(back), status_code=303)
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, httponly=True, samesite="lax")
    return response


@router.get("/", dependencies=allows("home.read"))
def first_page(request: Request, ctx: Reading) -> Response:
    """Show today's work to the lab's people, the board to venues, the coverage to authorities."""
    if ctx.may("oversight.read"):
        return RedirectResponse("/oversight", status_code=303)
    if not ctx.may("dashboard.read"):
        return RedirectResponse("/board" if ctx.may("board.read") else "/lab", status_code=303)
    return staff_page(request, "today.html", ctx, dashboard=lookup.dashboard(ctx))


@router.post("/mails/{mail_id}/send-again", dependencies=allows("mail.resend"))
def send_again(mail_id: int, ctx: Writing) -> Response:
    """Send a refused mail once more."""
    outbox.send_again(ctx, mail_id)
    return RedirectResponse("/?done=mail-waits", status_code=303)
