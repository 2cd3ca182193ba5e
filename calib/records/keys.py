"""Signing keys, their public side only: what they are for, how long they hold, what became of them.

Insert-only. A private key never comes here: `reference` says where the back-end finds it. What is
true of a key now follows from its events.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, insert_only
from instruments.tenancy import STRICT

PURPOSES = ("root", "seal", "mark", "log", "status", "preview")
KEY_EVENTS = ("made", "certified", "rotated", "retired", "compromised")


class SigningKey(Base):
    """The public side of a key; the installation's own keys belong to no lab."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        UniqueConstraint("public_key"),
        CheckConstraint(f"purpose IN {PURPOSES}", "purpose"),
        CheckConstraint("(purpose IN ('seal','mark')) = (lab_id IS NOT NULL)", "whose"),
        CheckConstraint("starts_at < ends_at", "validity"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    lab_id: Mapped[int | None] = mapped_column(ForeignKey("labs.id"), index=True)
    name: Mapped[str]
    """Name in signed notes, or common name of the certificate; a successor may bear it again."""
    algorithm: Mapped[str]
    """``ed25519`` or ``ecdsa-p256``."""
    public_key: Mapped[str]
    """A vkey (Ed25519), or the public key as PEM (P-256)."""
    reference: Mapped[str]
    """Where the back-end finds the private key, e.g. ``file:seal-HZ-1a2b3c4d.pem``."""
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class SigningKeyEvent(Base):
    """What happened to a key, each time by two persons."""

    __tablename__ = "signing_key_events"
    __table_args__ = (
        CheckConstraint(f"event IN {KEY_EVENTS}", "event"),
        CheckConstraint("event NOT IN ('retired','compromised') OR reason <> ''", "reason"),
        CheckConstraint("person_id <> second_person_id", "two_persons"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("signing_keys.id"), index=True)
    event: Mapped[str]
    effective_at: Mapped[datetime]
    """From when it counts; a compromise from the day the key may have been in other hands."""
    reason: Mapped[str] = mapped_column(default="")
    chain: Mapped[str] = mapped_column(default="")
    """``certified``: certificates as PEM, that of the key first, its root last."""
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("signing_keys.id"))
    """``rotated``: the key that follows."""
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    second_person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    happened_at: Mapped[datetime]


for _table in (SigningKey, SigningKeyEvent):
    insert_only(_table.__table__)  # type: ignore[arg-type]
