"""Choosing a password by a link in a mail. What is answered tells nobody who has an account."""

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
    request: Request, session: PublicReading, wired: Wired, language: Language, token: str = ""
) -> HTMLResponse:
    """Show the form behind a link."""
    if links.is_open(session, token, wired.clock()):
        return _page(request, language, "choose", token=token)
    return _page(request, language, "choose", problem=links.gone(), is_open=False)


@router.post("/password", dependencies=allows("public.password"))
def choose_password(
    request: Request,
    wired: Wired,
    language: Language,
    token: Annotated[str, Form()] = "",
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
            links.choose_password(session, token, password, now=wired.clock())
    except DomainError as problem:
        is_open = problem.code != "link-gone"
        return _page(request, language, "choose", token=token, problem=problem, is_open=is_open)
    return RedirectResponse("/sign-in", status_code=303)


def _page(
    request: Request,
    language: str,
    step: str,
    *,
    token: str = "",
    problem: DomainError | None = None,
    is_open: bool = True,
) -> HTMLResponse:
    return page(
        request,
        "password.html",
        language,
        status=422 if problem else 200,
        step=step,
        token=token,
        problem=problem,
        is_open=is_open,
    )
