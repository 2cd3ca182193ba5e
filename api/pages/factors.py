"""How one's own account is secured: authenticator, passkeys, recovery codes."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import COOKIE, Acting, Wired, Writing, allows, origin_of
from api.pages.account import account_page
from api.pages.forms import AsTyped, attempt, form_of, shown_again
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import challenges, passkeys, proof, second_factor

router = APIRouter(include_in_schema=False)


@router.post("/account/prove", dependencies=allows("account.change"))
def prove(request: Request, make: Acting, wired: Wired, typed: AsTyped) -> Response:
    """Show anew who one is, by password and code or by a passkey."""
    token = request.cookies.get(COOKIE, "")
    try:
        if typed.text("response"):
            party = passkeys.party_of(wired.settings.public_url)
            proof.by_passkey(make, token, party, typed.text("response"))
        else:
            proof.by_password(
                make,
                token,
                password=typed.text("proof_password"),
                code=typed.text("proof_code"),
                origin=origin_of(request),
            )
    except DomainError as problem:
        with make() as ctx:
            return account_page(request, ctx, shown_again(typed, problem, ctx))
    return RedirectResponse("/account#factor", status_code=303)


@router.post("/account/prove/begin", dependencies=allows("account.change"))
def begin_proof(request: Request, ctx: Writing, wired: Wired) -> Response:
    """Return what the browser is asked to show by a passkey who one is."""
    party = passkeys.party_of(wired.settings.public_url)
    here = request.cookies.get(COOKIE, "")
    return options(proof.begin_by_passkey(ctx, here, party, origin_of(request)))


@router.post("/account/factor/begin", dependencies=allows("account.change"))
def begin_factor(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Make a secret for an authenticator; the page after it shows it this once."""
    issuer = urlsplit(wired.settings.public_url).hostname or "Calib"

    def act() -> second_factor.Begun:
        _need_proof(request, ctx)
        return second_factor.begin(ctx, issuer=issuer)

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return account_page(request, ctx, form_of(days=90), begun=done)


@router.post("/account/factor/confirm", dependencies=allows("account.change"))
def confirm_factor(request: Request, make: Acting, typed: AsTyped) -> Response:
    """Take the first code; the page after it shows the recovery codes this once."""
    try:
        codes = proof.slowly(
            make, origin_of(request), lambda ctx: second_factor.confirm(ctx, typed.text("code"))
        )
    except DomainError as problem:
        with make() as ctx:
            return account_page(request, ctx, shown_again(typed, problem, ctx), waits=True)
    with make() as ctx:
        return account_page(request, ctx, form_of(days=90), recovery=codes)


@router.post("/account/factor/end", dependencies=allows("account.change"))
def end_factor(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Take the authenticator away."""

    def act() -> bool:
        _need_proof(request, ctx)
        second_factor.take_away(ctx)
        return True

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/account?done=ended", status_code=303)


@router.post("/account/factor/codes", dependencies=allows("account.change"))
def make_codes(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Make new recovery codes; the page after it shows them this once."""

    def act() -> tuple[str, ...]:
        _need_proof(request, ctx)
        return second_factor.make_recovery_codes(ctx)

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return account_page(request, ctx, form_of(days=90), recovery=done)


@router.post("/account/passkeys/begin", dependencies=allows("account.change"))
def begin_passkey(request: Request, ctx: Writing, wired: Wired) -> Response:
    """Return what the browser is asked to make a passkey."""
    _need_proof(request, ctx)
    party, own = passkeys.party_of(wired.settings.public_url), ctx.actor.person_id
    challenge = challenges.give(
        ctx.session,
        "registration",
        request.cookies.get(COOKIE, ""),
        person_id=own,
        origin=origin_of(request),
        now=ctx.now,
    )
    return options(passkeys.begin_registration(ctx.session, party, own, challenge))


@router.post("/account/passkeys", dependencies=allows("account.change"))
def register_passkey(request: Request, make: Acting, wired: Wired, typed: AsTyped) -> Response:
    """Keep the passkey the browser made; with the first one come recovery codes."""
    party = passkeys.party_of(wired.settings.public_url)
    try:
        with make() as ctx:
            _need_proof(request, ctx)
            here = request.cookies.get(COOKIE, "")
            taken = challenges.take(ctx.session, "registration", here, ctx.now)
        with make() as ctx:
            had = second_factor.state(ctx).recovery_left
            passkeys.register(
                ctx,
                party,
                name=typed.text("passkey_name"),
                challenge=taken.challenge,
                response=typed.text("response"),
            )
            codes = () if had else second_factor.make_recovery_codes(ctx)
    except DomainError as problem:
        with make() as ctx:
            return account_page(request, ctx, shown_again(typed, problem, ctx))
    with make() as ctx:
        return account_page(request, ctx, form_of(days=90), recovery=codes)


@router.post("/account/passkeys/{passkey_id}/end", dependencies=allows("account.change"))
def remove_passkey(passkey_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Remove a passkey."""

    def act() -> bool:
        _need_proof(request, ctx)
        passkeys.remove(ctx, passkey_id)
        return True

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/account?done=ended", status_code=303)


def options(asked: str) -> Response:
    """Return what a browser is asked, for the script that asks it."""
    return Response(asked, media_type="application/json")


def _need_proof(request: Request, ctx: Context) -> None:
    proof.need(ctx, request.cookies.get(COOKIE, ""))
