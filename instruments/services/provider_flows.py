"""Steps of a sign-in through an identity provider: bound to one browser, taken once, soon over."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from instruments.errors import NotAllowed
from instruments.records.identities import ProviderFlow
from instruments.services.secrets import token_hash

Step = Literal["sign-in", "link", "confirm", "factor"]
LIFE = timedelta(minutes=10)
LINK = "account-"
"""How the state of a sign-in begins by which somebody signed in connects their account."""
MOST_BY_ORIGIN = 200
"""Waiting at once from one network address; a whole hospital may come from one."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What a step knows; the state is the caller's to show and is kept as a hash."""

    step: Step
    state: str
    nonce: str = ""
    pkce_secret: str = ""
    """Of PKCE: whoever redeems the code shows it."""
    person_id: int | None = None
    subject_sha256: str = ""
    has_factor: bool = False
    lab_code: str = ""
    next_path: str = "/"


def begun(step: Step, **known: object) -> Flow:
    """Return a new step with random state, nonce and verifier."""
    state, nonce, secret = (secrets.token_urlsafe(32) for _ in range(3))
    if step == "link":
        state = LINK + state
    return Flow(step, state, nonce, secret, **known)  # type: ignore[arg-type]


def put(session: Session, flow: Flow, bound: str, *, origin: str, now: datetime) -> None:
    """Let a step wait for whoever holds the secret `bound`.

    Raises NotAllowed when too many wait that the same network address asked for.
    """
    session.execute(delete(ProviderFlow).where(ProviderFlow.expires_at <= now))
    waiting = select(func.count()).select_from(ProviderFlow).where(ProviderFlow.origin == origin)
    if int(session.scalar(waiting) or 0) >= MOST_BY_ORIGIN:
        raise NotAllowed(
            "challenges-too-many",
            "Too many sign-ins were begun from your network and not finished. Wait {minutes} "
            "minutes, then try again.",
            facts={"minutes": LIFE // timedelta(minutes=1)},
        )
    session.add(
        ProviderFlow(
            step=flow.step,
            state_sha256=token_hash(flow.state),
            bound_sha256=token_hash(bound),
            person_id=flow.person_id,
            nonce=flow.nonce,
            pkce_secret=flow.pkce_secret,
            subject_sha256=flow.subject_sha256,
            has_factor=flow.has_factor,
            lab_code=flow.lab_code,
            next_path=flow.next_path,
            origin=origin,
            expires_at=now + LIFE,
        )
    )
    session.flush()


def take(session: Session, steps: tuple[Step, ...], state: str, bound: str, now: datetime) -> Flow:
    """Return the step that waits under this state for this browser; it waits no more.

    Whoever calls commits this before the answer is looked at: a wrong answer uses it up too.

    Raises NotAllowed when none waits.
    """
    mine = (
        ProviderFlow.state_sha256 == token_hash(state),
        ProviderFlow.bound_sha256 == token_hash(bound),
        ProviderFlow.step.in_(steps),
    )
    row = session.scalars(
        select(ProviderFlow).where(*mine, ProviderFlow.expires_at > now)
    ).one_or_none()
    gone = session.execute(delete(ProviderFlow).where(*mine))
    if row is None or gone.rowcount != 1:  # type: ignore[attr-defined]
        raise NotAllowed(
            "challenge-gone",
            "This took longer than {minutes} minutes, or was sent twice. Begin again.",
            facts={"minutes": LIFE // timedelta(minutes=1)},
        )
    return Flow(
        step=row.step,  # type: ignore[arg-type]
        state=state,
        nonce=row.nonce,
        pkce_secret=row.pkce_secret,
        person_id=row.person_id,
        subject_sha256=row.subject_sha256,
        has_factor=row.has_factor,
        lab_code=row.lab_code,
        next_path=row.next_path,
    )
