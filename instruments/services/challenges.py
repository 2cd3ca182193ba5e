"""Challenges for passkeys: random, for one purpose and one browser, taken once within minutes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from instruments.errors import NotAllowed
from instruments.records.passkeys import Challenge
from instruments.services.secrets import token_hash

Purpose = Literal["sign-in", "second-factor", "proof", "registration"]
LIFE = timedelta(minutes=5)
MOST_BY_ORIGIN = 200
"""Waiting at once from one network address; a whole hospital may come from one."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A challenge that was waited for, and whose answer it must be; None: anybody's."""

    challenge: bytes
    person_id: int | None


def give(
    session: Session,
    purpose: Purpose,
    bound: str,
    *,
    person_id: int | None,
    origin: str,
    now: datetime,
) -> bytes:
    """Return a new challenge for whoever holds the secret `bound`; it replaces an earlier one.

    Raises NotAllowed when too many wait that the same network address asked for.
    """
    session.execute(delete(Challenge).where(Challenge.expires_at <= now))
    session.execute(delete(Challenge).where(*_for(purpose, bound)))
    waiting = select(func.count()).select_from(Challenge).where(Challenge.origin == origin)
    if int(session.scalar(waiting) or 0) >= MOST_BY_ORIGIN:
        raise NotAllowed(
            "challenges-too-many",
            "Too many sign-ins were begun from your network and not finished. Wait {minutes} "
            "minutes, then try again.",
            facts={"minutes": LIFE // timedelta(minutes=1)},
        )
    challenge = secrets.token_bytes(32)
    session.add(
        Challenge(
            purpose=purpose,
            bound_sha256=token_hash(bound),
            person_id=person_id,
            challenge=challenge.hex(),
            origin=origin,
            expires_at=now + LIFE,
        )
    )
    session.flush()
    return challenge


def take(session: Session, purpose: Purpose, bound: str, now: datetime) -> Taken:
    """Return the challenge that waits for an answer, and let none wait any more.

    Whoever calls commits this before the answer is looked at: a wrong answer uses it up too.

    Raises NotAllowed when none waits.
    """
    row = session.scalars(
        select(Challenge).where(*_for(purpose, bound), Challenge.expires_at > now)
    ).one_or_none()
    gone = session.execute(delete(Challenge).where(*_for(purpose, bound)))
    if row is None or gone.rowcount != 1:  # type: ignore[attr-defined]
        raise NotAllowed(
            "challenge-gone",
            "This took longer than {minutes} minutes, or was sent twice. Begin again.",
            facts={"minutes": LIFE // timedelta(minutes=1)},
        )
    return Taken(bytes.fromhex(row.challenge), row.person_id)


def _for(purpose: Purpose, bound: str) -> tuple[ColumnElement[bool], ...]:
    return Challenge.purpose == purpose, Challenge.bound_sha256 == token_hash(bound)
