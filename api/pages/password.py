"""Choosing a password by a link in a mail. What is answered tells nobody who has an account.

The token of the link leaves the address at once: it goes into a cookie that lives as long as a
reset does, and the form stands at an address that holds nothing. Opening a link uses nothing up.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.deps import (
    InstallationWriting,
    Language,
    PublicReading,
    Wired,
    allows,
    origin_of,
    same_origin,
)
from api.pages.rendering import page
from instruments.errors import DomainError, Invalid
from instruments.services import links
from instruments.tenancy import installation_session

router = APIRouter(include_in_schema=False)
CARRIED = "calib_link"
"""The cookie with the token between the link and the form."""
LIFE = 3600
LONGEST = 100


@router.get("/password/forgotten", dependencies=allows("public.password_form"))
def forgotten_form(request: Request, language: Language) -> HTMLResponse:
    """Ask for the mail address."""
    return _page(request, language, "ask")


@router.post("/password/forgotten", dependencies=allows("public.password"))
def ask_for_link(
    request: Request,
    session: InstallationWriting,
    wired: Wired,
    language: Language,
    email: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Note who wants a link; whether there is such an account is looked up later."""
    same_origin(request)
    links.ask(session, "reset", email, origin=origin_of(request), now=wired.clock())
    return _page(request, language, "asked")


@router.get("/password", dependencies=allows("public.password_form"))
def password_form(
    request: Request,
    session: PublicReading,
    wired: Wired,
    language: Language,
    token: str | None = None,
) -> Response:
    """Take the token out of the address; then show the form behind the link."""
    if token is not None:
        return _carried(token)
    if links.is_open(session, request.cookies.get(CARRIED, ""), wired.clock()):
        return _page(request, language, "choose")
    return _dropped(_page(request, language, "choose", problem=links.gone(), is_open=False))


@router.post("/password", dependencies=allows("public.password"))
def choose_password(
    request: Request,
    wired: Wired,
    language: Language,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Set the password, and go to the sign-in."""
    same_origin(request)
    try:
        if password != again:
            raise Invalid(
                "passwords-differ",
                "The two new passwords differ. Type the new one twice.",
                at="/again",
            )
        with installation_session(wired.engine) as session:
            token = request.cookies.get(CARRIED, "")
            links.choose_password(session, token, password, now=wired.clock())
    except DomainError as problem:
        is_open = problem.code != "link-gone"
        shown = _page(request, language, "choose", problem=problem, is_open=is_open)
        return shown if is_open else _dropped(shown)
    return _dropped(RedirectResponse("/sign-in", status_code=303))


def _carried(token: str) -> Response:
    """Send the browser to the clean address with the token in a cookie.

    Lax: whoever comes from a mail comes from another site, and a strict cookie would not arrive.
    """
    response = RedirectResponse("/password", status_code=303)
    response.headers["Referrer-Policy"] = "no-referrer"
    if not token.startswith(links.LINK) or len(token) > LONGEST or not token.isascii():
        return _dropped(response)  # and not the link that was opened before
    response.set_cookie(CARRIED, token, max_age=LIFE, httponly=True, samesite="lax")
    return response


def _dropped(response: Response) -> Response:
    response.delete_cookie(CARRIED)
    return response


def _page(
    request: Request,
    language: str,
    step: str,
    *,
    problem: DomainError | None = None,
    is_open: bool = True,
) -> HTMLResponse:
    return page(
        request,
        "password.html",
        language,
        status=422 if problem else 200,
        step=step,
        problem=problem,
        is_open=is_open,
    )
