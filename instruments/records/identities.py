"""Accounts that an identity provider opens, and the sign-ins there that wait for an answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import STRICT


class LinkedIdentity(Base):
    """Whom a provider knows, and the account that is theirs here; one of an account."""

    __tablename__ = "linked_identities"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), unique=True)
    subject_sha256: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of issuer and subject: the name itself is nobody's business here."""
    linked_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ProviderFlow(Base):
    """One step of a sign-in through the provider that waits for its browser; taken once."""

    __tablename__ = "provider_flows"
    __table_args__ = (
        CheckConstraint("step IN ('sign-in','link','confirm','factor')", "step"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str]
    state_sha256: Mapped[str] = mapped_column(unique=True)
    bound_sha256: Mapped[str]
    """SHA-256 of the secret of the browser or sign-in that began."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    """Whose account it is about, once that is known."""
    nonce: Mapped[str]
    pkce_secret: Mapped[str]
    subject_sha256: Mapped[str]
    has_factor: Mapped[bool]
    """Whether the provider said that it saw a second factor."""
    lab_code: Mapped[str]
    next_path: Mapped[str]
    origin: Mapped[str] = mapped_column(index=True)
    """Network address that asked."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
