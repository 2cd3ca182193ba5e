"""Signing in: by password and second factor, or by a passkey."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.bootstrap import Wiring
from api.deps import COOKIE, Language, Wired, allows, origin_of, same_origin
from api.pages.factors import options
from api.pages.home import local_path
from api.pages.rendering import page
from instruments.errors import DomainError
from instruments.services import challenges, entrance, passkeys, signin
from instruments.tenancy import InstallationSession, installation_session

router = APIRouter(include_in_schema=False)
WAITING = "calib_challenge"
"""Cookie with the secret a challenge is bound to before anybody is signed in."""
STATUS = {"sign-in-paused": 429, "identity-not-given": 400}
"""Of a sign-in that failed in another way than by being nobody's."""


@router.get("/sign-in", dependencies=allows("public.sign_in_form"))
def sign_in_form(
    request: Request,
    wired: Wired,
    language: Language,
    next: str = "/",  # noqa: A002
) -> HTMLResponse:
    """Show the sign-in form."""
    return sign_in_page(request, wired, language, next)


@router.post("/sign-in", dependencies=allows("public.sign_in"))
def sign_in(
    request: Request,
    wired: Wired,
    language: Language,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    lab: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in; a wrong mail and a wrong password give the same answer."""
    same_origin(request)
    bound, asked = secrets.token_urlsafe(32), []

    def halfway(session: InstallationSession, person_id: int) -> None:
        if passkeys.has_party(wired.settings.public_url) and passkeys.has_any(session, person_id):
            asked.append(_begin(request, wired, session, bound, person_id))

    try:
        signed = entrance.enter(
            wired.engine,
            email=email,
            password=password,
            lab_code=lab.strip() or None,
            origin=origin_of(request),
            clock=wired.clock,
            agent=request.headers.get("user-agent", ""),
            code=code,
            halfway=halfway,
        )
    except DomainError as problem:
        shown = sign_in_page(
            request, wired, language, next, problem, email=email, lab=lab, asked="".join(asked)
        )
        if asked:
            wait(shown, bound)
        return shown
    return entered(request, wired, signed, next)


@router.post("/sign-in/passkey/begin", dependencies=allows("public.sign_in"))
def begin_passkey(request: Request, wired: Wired) -> Response:
    """Return what the browser is asked to sign in by a passkey alone."""
    same_origin(request)
    bound = secrets.token_urlsafe(32)
    with installation_session(wired.engine) as session:
        response = options(_begin(request, wired, session, bound, None))
    wait(response, bound)
    return response


@router.post("/sign-in/passkey", dependencies=allows("public.sign_in"))
def sign_in_by_passkey(
    request: Request,
    wired: Wired,
    language: Language,
    response: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
    lab: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Sign in by what a passkey signed."""
    same_origin(request)
    waited: challenges.Purpose = "second-factor" if purpose == "second-factor" else "sign-in"
    try:
        signed = entrance.enter_by_passkey(
            wired.engine,
            passkeys.party_of(wired.settings.public_url),
            request.cookies.get(WAITING, ""),
            response,
            purpose=waited,
            lab_code=lab.strip() or None,
            clock=wired.clock,
            agent=request.headers.get("user-agent", ""),
        )
    except DomainError as problem:
        return sign_in_page(request, wired, language, next, problem, lab=lab)
    done = entered(request, wired, signed, next)
    done.delete_cookie(WAITING)
    return done


def entered(
    request: Request, wired: Wiring, signed: signin.SignedIn, next_path: str
) -> RedirectResponse:
    """Return the way to the wanted page with the cookie of a new sign-in; an earlier one ends."""
    with installation_session(wired.engine) as session:
        signin.end_sign_in(session, request.cookies.get(COOKIE, ""), wired.clock())
    response = RedirectResponse(local_path(next_path), status_code=303)
    response.set_cookie(
        COOKIE,
        signed.token,
        max_age=int((signed.expires_at - wired.clock()).total_seconds()),
        httponly=True,
        samesite="lax",
    )
    return response


def _begin(
    request: Request, wired: Wiring, session: InstallationSession, bound: str, person: int | None
) -> str:
    return entrance.begin_by_passkey(
        session,
        passkeys.party_of(wired.settings.public_url),
        bound,
        person_id=person,
        origin=origin_of(request),
        now=wired.clock(),
    )


def wait(response: Response, bound: str) -> None:
    """Give the browser the secret that its passkey challenge is bound to."""
    response.set_cookie(
        WAITING,
        bound,
        max_age=int(challenges.LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
    )


def sign_in_page(
    request: Request,
    wired: Wiring,
    language: str,
    next_path: str,
    problem: DomainError | None = None,
    *,
    email: str = "",
    lab: str = "",
    asked: str = "",
) -> HTMLResponse:
    """Show the sign-in, with what is wrong."""
    status = 200 if problem is None else STATUS.get(problem.code, 401)
    return page(
        request,
        "sign_in.html",
        language,
        status=status,
        next=local_path(next_path),
        email=email,
        lab=lab,
        problem=problem,
        asked=asked,
        provider=wired.provider.name if wired.provider else "",
        has_passkeys=passkeys.has_party(wired.settings.public_url),
    )
