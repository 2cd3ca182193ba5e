"""The audit trail: every act of a person or job, hash-chained per lab."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON, insert_only
from instruments.tenancy import LabScoped, scoped


class AuditEvent(LabScoped, Base):
    """One act, hash-chained per lab, written in the same transaction. Insert-only."""

    __tablename__ = "audit_events"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "place"),
        Index(None, "lab_id", "object_kind", "object_id"),
        Index(None, "lab_id", "person_id"),
    )

    place: Mapped[int]
    """1, 2, 3 ... per lab, without gaps."""
    happened_at: Mapped[datetime]
    person_id: Mapped[int | None]
    act: Mapped[str]
    """``calibration:readings:enter``, ``certificate:certificate:issue`` ..."""
    object_kind: Mapped[str]
    object_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """What the act was told: reason, numbers, digests."""
    changes: Mapped[list[Any]] = mapped_column(CanonicalJSON, default=list, server_default="[]")
    """Rows the act wrote, as `instruments.changes` tells them: before and after."""
    via: Mapped[str] = mapped_column(default="", server_default="")
    """``sign-in:7``, ``token:3``: by which of a person's ways in; empty: at the machine, a job."""
    request_id: Mapped[str] = mapped_column(default="")
    previous: Mapped[str]
    digest: Mapped[str]


class RefusalCount(LabScoped, Base):
    """How often somebody was refused within a while; the trail tells the first of them singly."""

    __tablename__ = "refusal_counts"
    __table_args__ = scoped(UniqueConstraint("lab_id", "asker"))

    asker: Mapped[str]
    """``person:5``, ``origin:203.0.113.7``."""
    began_at: Mapped[datetime]
    last_at: Mapped[datetime]
    count: Mapped[int]


insert_only(AuditEvent.__table__)  # type: ignore[arg-type]
