"""One's own account: password and API tokens."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.agents import agent_words
from api.deps import COOKIE, Reading, Writing, allows, wiring
from api.pages.forms import AsTyped, Form, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from instruments.context import Context
from instruments.errors import DomainError, Invalid
from instruments.services import identities, passkeys, proof, second_factor, sessions, signin

router = APIRouter(include_in_schema=False)


@router.get("/account", dependencies=allows("account.read"))
def show_account(request: Request, ctx: Reading) -> Response:
    """Show one's roles and API tokens."""
    return account_page(request, ctx, form_of(days=90))


@router.post("/account/password", dependencies=allows("account.change"))
def change_password(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change one's own password; every sign-in ends, this one too."""

    def act() -> bool:
        if typed.text("password") != typed.text("again"):
            raise Invalid(
                "passwords-differ",
                "The two new passwords differ. Type the new one twice.",
                at="/again",
            )
        signin.change_password(ctx, old=typed.text("old"), new=typed.text("password"))
        return True

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE)
    return response


@router.post("/account/tokens", dependencies=allows("account.change"))
def make_token(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Make an API token; the page after it shows the token this once."""
    done = attempt(
        ctx,
        lambda: signin.make_token(
            ctx,
            name=typed.text("name"),
            days=typed.whole("days") or 0,
            reach=("read",) if typed.flag("reads") else (),
        ),
    )
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return account_page(request, ctx, form_of(days=90), done)


@router.post("/account/tokens/{token_id}/end", dependencies=allows("account.change"))
def end_token(token_id: int, ctx: Writing) -> Response:
    """End an API token."""
    signin.end_token(ctx, token_id)
    return RedirectResponse("/account?done=ended", status_code=303)


@router.post("/account/sessions/{session_id}/end", dependencies=allows("account.change"))
def end_session(session_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """End a sign-in elsewhere."""
    return _ended(request, ctx, typed, lambda _here: sessions.end_session(ctx, session_id))


@router.post("/account/sessions/end-others", dependencies=allows("account.change"))
def end_others(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """End every sign-in but this one."""
    return _ended(request, ctx, typed, lambda here: sessions.end_others(ctx, here))


def _ended(
    request: Request, ctx: Context, typed: AsTyped, end: Callable[[str], object]
) -> Response:
    """End sign-ins once their owner showed who they are: who found the browser open does not."""

    def act() -> bool:
        here = request.cookies.get(COOKIE, "")
        proof.need(ctx, here)
        end(here)
        return True

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return account_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/account?done=ended", status_code=303)


def account_page(
    request: Request,
    ctx: Context,
    form: Form,
    token: str = "",
    *,
    begun: second_factor.Begun | None = None,
    recovery: tuple[str, ...] = (),
    waits: bool = False,
) -> Response:
    """Show the page of the account, with what is shown this once."""
    here = request.cookies.get(COOKIE, "")
    wired = wiring(request)
    return staff_page(
        request,
        "account.html",
        ctx,
        status=form.status(),
        form=form,
        tokens=signin.list_tokens(ctx),
        token=token,
        now=ctx.now,
        factor=second_factor.state(ctx),
        begun=begun,
        picture=_picture(begun.address) if begun else "",
        recovery=recovery,
        waits=waits or begun is not None,
        passkeys=passkeys.list_passkeys(ctx),
        may_have_passkeys=passkeys.has_party(wired.settings.public_url),
        is_proved=proof.is_fresh(ctx.session, here, ctx.now),
        sessions=sessions.list_sessions(ctx, here),
        failures=sessions.list_failures(ctx),
        agent_words=lambda agent: agent_words(agent, ctx.language),
        provider=wired.provider.name if wired.provider else "",
        is_linked=identities.is_linked(ctx),
    )


def _picture(address: str) -> str:
    """Return the code that an authenticator photographs, as a picture inside the page."""
    import segno

    return segno.make(address, error="m").svg_data_uri(border=4, scale=4, light="white")
