"""Whose account is secured otherwise than before is told by mail, in the transaction of the act.

The mail waits in the database with it and is sent by a job; the words are not known here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args

from sqlalchemy.orm import Session

from instruments.records.links import Letter
from instruments.records.parties import Person

Notice = Literal[
    "changed",
    "factor-reset",
    "password",
    "authenticator-added",
    "authenticator-removed",
    "recovery-codes",
    "passkey-added",
    "passkey-removed",
    "identity-added",
    "identity-removed",
]
NOTICES: Final[tuple[Notice, ...]] = get_args(Notice)
"""``changed``: the password by a link; ``password``: by whoever was signed in."""


def tell(session: Session, person_id: int, notice: Notice, now: datetime) -> None:
    """Put the mail to a person into the queue."""
    session.add(
        Letter(
            purpose=notice,
            address=session.get_one(Person, person_id).email,
            origin="",
            asked_at=now,
            next_try_at=now,
        )
    )
    session.flush()
