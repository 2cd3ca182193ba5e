"""Signing in is refused for a while after many failures, by account and by where they come from.

Counts what was typed, whether there is such an account or not: the answer tells nothing of that.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from instruments.errors import NotAllowed
from instruments.records.parties import SignInFailure

WINDOW = timedelta(minutes=15)
"""Failures older than this are forgotten."""
MOST_BY_ACCOUNT = 10
MOST_BY_ORIGIN = 100
"""A whole hospital may come from one address."""


def need_calm(session: Session, email: str, origin: str, now: datetime) -> None:
    """Refuse an attempt after too many failed ones.

    Raises NotAllowed telling how long to wait.
    """
    limits = (
        (SignInFailure.account == _account(email), MOST_BY_ACCOUNT),
        (SignInFailure.origin == origin, MOST_BY_ORIGIN),
    )
    for mine, most in limits:
        failures = _recent(session, mine, most, now)
        if len(failures) == most:
            ends_at = failures[-1] + WINDOW
            raise NotAllowed(
                "sign-in-paused",
                "Too many attempts to sign in have failed. Wait {minutes} minutes, then try again; "
                "if you forgot the password, ask a lab manager.",
                facts={"minutes": -((now - ends_at) // timedelta(minutes=1))},
            )


def note_failure(session: Session, email: str, origin: str, now: datetime) -> None:
    """Write down a failed attempt and throw away those that no longer count."""
    session.execute(delete(SignInFailure).where(SignInFailure.failed_at <= now - WINDOW))
    session.add(SignInFailure(account=_account(email), origin=origin, failed_at=now))
    session.flush()


def forget(session: Session, email: str) -> None:
    """Forget the failures of an account that was signed in to."""
    session.execute(delete(SignInFailure).where(SignInFailure.account == _account(email)))


def _recent(
    session: Session, mine: ColumnElement[bool], most: int, now: datetime
) -> list[datetime]:
    """Return the last failures that count, newest first."""
    newest = SignInFailure.failed_at.desc()
    statement = select(SignInFailure.failed_at).where(mine, SignInFailure.failed_at > now - WINDOW)
    return list(session.scalars(statement.order_by(newest).limit(most)))


def _account(email: str) -> str:
    """Return the mail address as it is kept: people type passwords into the wrong field."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()
