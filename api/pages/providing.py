"""Signing in through the identity provider. Reading never writes: what comes back is sent on."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.bootstrap import Wiring
from api.deps import COOKIE, Acting, Language, WhoIs, Wired, Writing, allows, origin_of, same_origin
from api.pages.account import account_page
from api.pages.entering import entered, sign_in_page, wait
from api.pages.forms import AsTyped, attempt, shown_again
from api.pages.home import local_path
from api.pages.rendering import page
from instruments.errors import DomainError, NotAllowed, Refused
from instruments.services import entrance, identities, passkeys, proof, provider_flows
from instruments.services.identities import Provider, Waits
from instruments.tenancy import installation_session

router = APIRouter(include_in_schema=False)
WAITING = "calib_provider"
"""Cookie with the secret a sign-in through the provider is bound to."""


@router.post("/sign-in/provider", dependencies=allows("public.sign_in"))
def begin(
    request: Request,
    wired: Wired,
    language: Language,
    lab: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Send the browser to the provider."""
    same_origin(request)
    bound = secrets.token_urlsafe(32)
    flow = provider_flows.begun("sign-in", lab_code=lab.strip(), next_path=local_path(next))
    try:
        provider = _provider(wired)
        address = provider.address(flow, wired.clock())
        identities.begin(wired.engine, flow, bound, origin=origin_of(request), now=wired.clock())
    except DomainError as problem:
        return sign_in_page(request, wired, language, next, problem, lab=lab)
    response = _page(request, language, "leave", address=address, name=provider.name)
    _bind(response, bound)
    return response


@router.post("/account/identity", dependencies=allows("account.change"))
def begin_link(
    request: Request, make: Acting, wired: Wired, language: Language, who: WhoIs, typed: AsTyped
) -> Response:
    """Send the browser to the provider, to connect the account with it."""
    here, now = request.cookies.get(COOKIE, ""), wired.clock()
    flow = provider_flows.begun("link", person_id=who.person_id)
    try:
        provider = _provider(wired)
        address = provider.address(flow, now)
        with make() as ctx:
            proof.need(ctx, here)
            provider_flows.put(ctx.session, flow, here, origin=origin_of(request), now=now)
    except DomainError as problem:
        with make() as ctx:
            return account_page(request, ctx, shown_again(typed, problem, ctx))
    return _page(request, language, "leave", address=address, name=provider.name)


@router.get("/sign-in/provider/back", dependencies=allows("public.sign_in_form"))
def back(
    request: Request,
    wired: Wired,
    language: Language,
    code: str = "",
    state: str = "",
    iss: str = "",
    error: str = "",
) -> Response:
    """Show what came back, to be sent on by this site itself."""
    if error or not (code and state):
        return sign_in_page(request, wired, language, "/", _ended())
    provider = _provider(wired)
    onward = "/account/identity" if state.startswith(provider_flows.LINK) else "/sign-in/provider"
    given = {"code": code, "state": state, "iss": iss}
    return _page(request, language, "back", onward=onward, given=given, name=provider.name)


@router.post("/sign-in/provider/back", dependencies=allows("public.sign_in"))
def enter(
    request: Request,
    wired: Wired,
    language: Language,
    code: Annotated[str, Form()] = "",
    state: Annotated[str, Form()] = "",
    iss: Annotated[str, Form()] = "",
) -> Response:
    """Sign in by what the provider says."""
    same_origin(request)
    bound = request.cookies.get(WAITING, "")
    try:
        outcome, onward = identities.enter(
            wired.engine,
            _provider(wired),
            state=state,
            bound=bound,
            code=code,
            issuer=iss,
            origin=origin_of(request),
            clock=wired.clock,
            agent=request.headers.get("user-agent", ""),
        )
    except DomainError as problem:
        return sign_in_page(request, wired, language, "/", problem)
    if isinstance(outcome, Waits):
        return _asked(request, wired, language, outcome, onward)
    return _done(entered(request, wired, outcome, onward))


@router.post("/sign-in/provider/finish", dependencies=allows("public.sign_in"))
def finish(
    request: Request,
    wired: Wired,
    language: Language,
    state: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Confirm the account, or show its second factor."""
    same_origin(request)
    try:
        signed, onward = identities.finish(
            wired.engine,
            state=state,
            bound=request.cookies.get(WAITING, ""),
            code=code,
            origin=origin_of(request),
            clock=wired.clock,
            agent=request.headers.get("user-agent", ""),
        )
    except DomainError as problem:
        return sign_in_page(request, wired, language, "/", problem)
    return _done(entered(request, wired, signed, onward))


@router.post("/account/identity/back", dependencies=allows("account.change"))
def link(request: Request, make: Acting, wired: Wired, who: WhoIs, typed: AsTyped) -> Response:
    """Connect the account with the provider, once it said who somebody is."""
    here = request.cookies.get(COOKIE, "")
    try:
        with make() as ctx:
            proof.need(ctx, here)
            flow = provider_flows.take(ctx.session, ("link",), typed.text("state"), here, ctx.now)
        if flow.person_id != who.person_id:
            raise identities.unknown()
        answer = _provider(wired).redeem(flow, typed.text("code"), typed.text("iss"), wired.clock())
        with make() as ctx:
            identities.link(ctx, answer)
    except DomainError as problem:
        with make() as ctx:
            return account_page(request, ctx, shown_again(typed, problem, ctx))
    return RedirectResponse("/account?done=saved", status_code=303)


@router.post("/account/identity/end", dependencies=allows("account.change"))
def unlink(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Disconnect the account from the provider."""

    def act() -> bool:
        proof.need(ctx, request.cookies.get(COOKIE, ""))
        identities.unlink(ctx)
        return True

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/account?done=ended", status_code=303)


def _asked(request: Request, wired: Wiring, language: str, waits: Waits, onward: str) -> Response:
    """Show what is still asked; a passkey stands for the second factor as at the password."""
    asked, bound, url = "", secrets.token_urlsafe(32), wired.settings.public_url
    if waits.flow.step == "factor" and passkeys.has_party(url):
        person_id = waits.flow.person_id or 0
        with installation_session(wired.engine) as session:
            if passkeys.has_any(session, person_id):
                asked = entrance.begin_by_passkey(
                    session, passkeys.party_of(url), bound, person_id=person_id,
                    origin=origin_of(request), now=wired.clock(),
                )  # fmt: skip
    shown = _page(
        request, language, waits.flow.step, state=waits.flow.state, email=waits.email,
        asked=asked, next=onward, name=_provider(wired).name,
    )  # fmt: skip
    if asked:
        wait(shown, bound)
    return shown


def _provider(wired: Wiring) -> Provider:
    if wired.provider is None:
        raise Refused(
            "provider-none",
            "This installation has no identity provider. Sign in with mail address and password.",
        )
    return wired.provider


def _ended() -> NotAllowed:
    return NotAllowed(
        "identity-not-given",
        "The identity provider signed nobody in. Begin again, or sign in another way.",
    )


def _bind(response: Response, bound: str) -> None:
    response.set_cookie(
        WAITING,
        bound,
        max_age=int(provider_flows.LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
    )


def _done(response: Response) -> Response:
    response.delete_cookie(WAITING)
    return response


def _page(request: Request, language: str, step: str, **values: Any) -> HTMLResponse:
    return page(request, "provider.html", language, step=step, **values)
