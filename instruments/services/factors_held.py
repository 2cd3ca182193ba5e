"""Who has a second factor."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from instruments.records.factors import SecondFactor
from instruments.records.passkeys import Passkey


def with_factor(session: Session, persons: Collection[int]) -> frozenset[int]:
    """Return those of the persons who have a second factor: an authenticator or a passkey."""
    held = select(SecondFactor.person_id).where(
        SecondFactor.person_id.in_(persons), SecondFactor.confirmed_at.is_not(None)
    )
    keys = select(Passkey.person_id).where(Passkey.person_id.in_(persons))
    return frozenset(session.scalars(held)) | frozenset(session.scalars(keys))
