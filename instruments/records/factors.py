"""The second factor of an account, and the codes for the day it is lost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base
from instruments.tenancy import STRICT


class SecondFactor(Base):
    """An authenticator of a person; counts once its first code was typed."""

    __tablename__ = "second_factors"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), unique=True)
    secret: Mapped[str]
    """Base32 as the authenticator has it, closed with a key that is not in the database."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)
    """The step whose code was used last; none before it is taken again."""


class RecoveryCode(Base):
    """A code that stands once for the authenticator; kept as a hash."""

    __tablename__ = "recovery_codes"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    code_sha256: Mapped[str]
    used_at: Mapped[datetime | None]
