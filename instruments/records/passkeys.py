"""Passkeys of people, and the challenges that wait for an answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import STRICT


class Passkey(Base):
    """A key pair of a person of which only the public half is here."""

    __tablename__ = "passkeys"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    name: Mapped[str]
    """As its owner calls it."""
    credential: Mapped[str] = mapped_column(unique=True)
    """Name the authenticator gave it, base64url."""
    public_key: Mapped[str]
    """COSE key, base64url."""
    sign_count: Mapped[int]
    """How often the authenticator says it was used; 0 where it does not count."""
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Challenge(Base):
    """Random bytes that one browser was given to be signed once; gone once it answered."""

    __tablename__ = "challenges"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    bound_sha256: Mapped[str] = mapped_column(index=True)
    """SHA-256 of the secret of the browser or sign-in that asked."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    """Whose answer is waited for; None: whoever has a passkey."""
    challenge: Mapped[str]
    """Hexadecimal."""
    origin: Mapped[str] = mapped_column(index=True)
    """Network address that asked."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
