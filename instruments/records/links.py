"""Mails about an account that wait to be sent, and the links in those that were."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import STRICT

PURPOSES = (
    "reset", "invitation", "changed", "factor-reset", "password", "authenticator-added",
    "authenticator-removed", "recovery-codes", "passkey-added", "passkey-removed",
    "identity-added", "identity-removed",
)  # fmt: skip
"""Those with a link first."""


class Letter(Base):
    """A mail about an account that somebody asked for or that is due; gone once it is sent.

    It holds no link: that is made when the mail leaves, and stands in the mail alone.
    """

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint(f"purpose IN {PURPOSES}", "purpose"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    address: Mapped[str]
    """As typed, lower case, whether it has an account or not."""
    origin: Mapped[str] = mapped_column(index=True)
    """Network address that asked; empty: the program itself."""
    attempts: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    next_try_at: Mapped[datetime] = mapped_column(index=True)


class AccountLink(Base):
    """A link that lets whoever reads a person's mail choose the password, once."""

    __tablename__ = "account_links"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    purpose: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """Used, or replaced by a newer password."""
