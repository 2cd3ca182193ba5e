"""The audit trail: every act of a person or job, hash-chained per lab."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON, insert_only
from instruments.tenancy import LabScoped, scoped


class AuditEvent(LabScoped, Base):
    """One act, hash-chained per lab, written in the same transaction. Insert-only."""

    __tablename__ = "audit_events"
    __table_args__ = scoped(UniqueConstraint("lab_id", "place"))

    place: Mapped[int]
    """1, 2, 3 ... per lab, without gaps."""
    happened_at: Mapped[datetime]
    person_id: Mapped[int | None]
    act: Mapped[str]
    """``calibration:readings:enter``, ``certificate:certificate:issue`` ..."""
    object_kind: Mapped[str]
    object_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """What changed: before and after, reason, digests."""
    request_id: Mapped[str] = mapped_column(default="")
    previous: Mapped[str]
    digest: Mapped[str]


insert_only(AuditEvent.__table__)  # type: ignore[arg-type]
