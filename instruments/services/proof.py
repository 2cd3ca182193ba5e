"""Showing anew who one is, before changing how the account is secured. Guessing is slowed down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import NotAllowed
from instruments.records.parties import Person, SignIn
from instruments.services import audit, challenges, passkeys, second_factor, throttle
from instruments.services.secrets import is_password, token_hash

LIFE = timedelta(minutes=5)
MakeContext = Callable[[], AbstractContextManager[Context]]
Done = TypeVar("Done")


def is_fresh(session: Session, token: str, now: datetime) -> bool:
    """Answer whether a sign-in showed within the last minutes who it is."""
    row = _sign_in(session, token)
    return row is not None and row.proved_at is not None and now < row.proved_at + LIFE


def need(ctx: Context, token: str) -> None:
    """Refuse a change to how the account is secured unless the sign-in showed anew who it is.

    Raises NotAllowed.
    """
    ctx.need("account.change")
    if not is_fresh(ctx.session, token, ctx.now):
        raise NotAllowed(
            "proof-needed",
            "Show first who you are: type your password, and the code of your second factor if "
            "you have one, or use a passkey.",
            at="/proof_password",
        )


def by_password(make: MakeContext, token: str, *, password: str, code: str, origin: str) -> None:
    """Let a sign-in show who it is by password and, where there is one, second factor.

    Raises NotAllowed when one of them is wrong, or after too many that were.
    """

    def act(ctx: Context) -> None:
        person = ctx.session.get_one(Person, ctx.actor.person_id)
        fits = is_password(password, person.password_hash)
        if not (fits and second_factor.passes(ctx.session, person.id, code, ctx.now)):
            raise NotAllowed(
                "proof-wrong",
                "The password or the code is not right. A code is taken once: wait for the next "
                "one, then type both again.",
                at="/proof_password",
            )
        _mark(ctx, token)

    slowly(make, origin, act)


def begin_by_passkey(ctx: Context, token: str, party: passkeys.Party, origin: str) -> str:
    """Return what the browser is asked, as JSON, to have a passkey of the actor show who it is."""
    ctx.need("account.change")
    own = ctx.actor.person_id
    challenge = challenges.give(
        ctx.session, "proof", token, person_id=own, origin=origin, now=ctx.now
    )
    return passkeys.begin_assertion(ctx.session, party, own, challenge)


def by_passkey(make: MakeContext, token: str, party: passkeys.Party, response: str) -> None:
    """Let a sign-in show who it is by a passkey.

    Raises NotAllowed when the answer is not right.
    """
    with make() as ctx:
        taken = challenges.take(ctx.session, "proof", token, ctx.now)
    with make() as ctx:
        own = ctx.actor.person_id
        passkeys.check_assertion(ctx.session, party, own, taken.challenge, response, now=ctx.now)
        _mark(ctx, token)


def slowly(make: MakeContext, origin: str, act: Callable[[Context], Done]) -> Done:
    """Do what somebody signed in could guess at; a refusal counts as a failed sign-in.

    Raises NotAllowed after too many refusals, and whatever the act raises.
    """
    with make() as ctx:
        email = ctx.session.get_one(Person, ctx.actor.person_id).email
        throttle.need_calm(ctx.session, email, origin, ctx.now)
    try:
        with make() as ctx:
            return act(ctx)
    except NotAllowed:
        with make() as ctx:
            throttle.note_failure(ctx.session, email, origin, ctx.now)
        raise


def _mark(ctx: Context, token: str) -> None:
    row = _sign_in(ctx.session, token)
    if row is None or row.person_id != ctx.actor.person_id:
        raise NotAllowed(
            "proof-by-token",
            "An API token cannot change how an account is secured. Sign in with a browser.",
            at="/proof_password",
        )
    row.proved_at = ctx.now
    audit.record(ctx, "registry:person:prove", "person", row.person_id, {})


def _sign_in(session: Session, token: str) -> SignIn | None:
    kept = select(SignIn).where(SignIn.token_sha256 == token_hash(token))
    return session.scalars(kept).one_or_none()
