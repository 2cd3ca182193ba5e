"""What was published of the log: its heads, and the witnesses that cosigned them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, insert_only


class LogCheckpoint(Base):
    """A head of the log that was signed and published. Insert-only; sizes only grow.

    The newest must be the one that is anchored outside the database: a restored backup is noticed
    by that before it can sign a second history.
    """

    __tablename__ = "log_checkpoints"
    __table_args__ = ({"sqlite_strict": True},)

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str]
    """The checkpoint with the signature of the log."""
    made_at: Mapped[datetime]


class LogCosignature(Base):
    """A witness cosigned a head. Insert-only."""

    __tablename__ = "log_cosignatures"
    __table_args__ = ({"sqlite_strict": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(index=True)
    line: Mapped[str]
    """Its signature line, as it stands in the published checkpoint."""
    seen_at: Mapped[datetime]


for _table in (LogCheckpoint, LogCosignature):
    insert_only(_table.__table__)  # type: ignore[arg-type]
