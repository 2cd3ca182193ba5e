"""Where somebody is signed in, as they see it themselves, and ending it from afar."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Select, select

from instruments.context import Context
from instruments.records.audit import AuditEvent
from instruments.records.parties import Lab, Person, SignIn
from instruments.services import audit, denials
from instruments.services.rows import not_found
from instruments.services.secrets import token_hash
from instruments.services.signin import ends_at
from instruments.tenancy import beyond_the_lab

MOST_ENDED = 5
"""Of those that have ended, so many are shown: somebody else's would be among the last."""


MOST_LOOKED_AT = 500
"""Of the refusals of the lab."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """One sign-in of the actor."""

    id: int
    lab_code: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    agent: str
    is_open: bool
    is_this: bool
    """Whether it is the one that asks."""


@dataclass(frozen=True, slots=True)
class FailureView:
    """One attempt to sign in to the actor's account that was refused."""

    happened_at: datetime
    origin: str
    """Network address."""


def list_sessions(ctx: Context, token: str = "") -> tuple[SessionView, ...]:
    """Return the actor's sign-ins in every lab, open ones first; `token` is that which asks."""
    ctx.need("account.read")
    here = token_hash(token)
    with beyond_the_lab(ctx.session) as wide:
        rows = wide.execute(
            select(SignIn, Lab.code)
            .join(Lab, Lab.id == SignIn.lab_id)
            .where(SignIn.person_id == ctx.actor.person_id)
            .order_by(SignIn.id.desc())
            .limit(100)
        )
        views = [
            SessionView(
                row.id, code, row.created_at, row.expires_at, row.ended_at, row.agent,
                is_open=row.ended_at is None and ctx.now < ends_at(row),
                is_this=row.token_sha256 == here,
            )
            for row, code in rows
        ]  # fmt: skip
    ended = [view for view in views if not view.is_open]
    return (*(view for view in views if view.is_open), *ended[:MOST_ENDED])


def list_failures(ctx: Context) -> tuple[FailureView, ...]:
    """Return the last refused attempts to sign in to the actor's account, newest first."""
    ctx.need("account.read")
    email = ctx.session.get_one(Person, ctx.actor.person_id).email
    account = hashlib.sha256(email.encode()).hexdigest()
    refused = (
        select(AuditEvent)
        .where(AuditEvent.lab_id == ctx.lab_id, AuditEvent.act == denials.SIGN_IN)
        .order_by(AuditEvent.place.desc())
        .limit(MOST_LOOKED_AT)
    )
    mine = (row for row in ctx.session.scalars(refused) if row.facts.get("account") == account)
    return tuple(
        FailureView(row.happened_at, str(row.facts.get("origin", "")))
        for row in islice(mine, MOST_ENDED)
    )


def end_session(ctx: Context, session_id: int) -> None:
    """End a sign-in of the actor.

    Raises NotFound when it is none of theirs.
    """
    ctx.need("account.change")
    with beyond_the_lab(ctx.session) as wide:
        row = wide.scalars(_own(ctx).where(SignIn.id == session_id)).one_or_none()
        if row is None:
            raise not_found("sign-in", session_id)
        was_open = row.ended_at is None
        row.ended_at = row.ended_at or ctx.now
    if was_open:
        audit.record(ctx, "registry:person:end_sign_in", "person", ctx.actor.person_id, {})


def end_others(ctx: Context, token: str) -> int:
    """End every sign-in of the actor but the one that asks; return how many."""
    ctx.need("account.change")
    still_open = _own(ctx).where(SignIn.ended_at.is_(None), SignIn.expires_at > ctx.now)
    others = still_open.where(SignIn.token_sha256 != token_hash(token))
    with beyond_the_lab(ctx.session) as wide:
        rows = wide.scalars(others).all()
        for row in rows:
            row.ended_at = ctx.now
    facts = {"count": len(rows)}
    audit.record(ctx, "registry:person:end_sign_ins", "person", ctx.actor.person_id, facts)
    return len(rows)


def _own(ctx: Context) -> Select[SignIn]:
    return select(SignIn).where(SignIn.person_id == ctx.actor.person_id)
