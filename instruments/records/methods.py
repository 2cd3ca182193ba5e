"""A lab's own methods: its version of an instrument type, and the figures it has confirmed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON, insert_only
from instruments.tenancy import LabScoped, scoped

METHOD_STATES = ("draft", "submitted", "approved", "withdrawn")
METHOD_TRANSITIONS: dict[str, tuple[str, ...]] = {
    "draft": ("submitted", "withdrawn"),
    "submitted": ("draft", "approved"),
    "approved": ("withdrawn",),
    "withdrawn": (),
}
"""``submitted`` back to ``draft``: returned with a reason. ``withdrawn``: a draft given up, or an
approved method no longer used; the one approved before it is in force again."""


class MethodVersion(LabScoped, Base):
    """One revision of a lab's own form of an instrument type.

    The highest approved revision takes the place of the catalogue's type for new records of this
    lab. Records keep the definition they were opened with.
    """

    __tablename__ = "method_versions"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "type_id", "revision"),
        CheckConstraint(f"state IN {METHOD_STATES}", "state"),
        CheckConstraint("state <> 'approved' OR approved_by <> submitted_by", "two_persons"),
    )

    type_id: Mapped[str]
    revision: Mapped[int]
    """1, 2, 3 ... for this type in this lab; the version of the definition ends in it."""
    state: Mapped[str] = mapped_column(default="draft")
    based_on: Mapped[str]
    """``version`` of the catalogue's type or of the own revision it started from; empty: a type of
    the lab's own."""
    text: Mapped[str]
    """The definition as TOML, as it was written."""
    definition: Mapped[dict[str, Any] | None] = mapped_column(CanonicalJSON)
    """`InstrumentType.as_dict()`; None while the text has errors."""
    definition_digest: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    """What was changed and why; needed to submit."""
    evidence: Mapped[dict[str, Any] | None] = mapped_column(CanonicalJSON)
    """What the dry run on past records showed when it was submitted."""
    written_by: Mapped[int]
    written_at: Mapped[datetime]
    submitted_by: Mapped[int | None]
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[int | None]
    approved_at: Mapped[datetime | None]
    remark: Mapped[str] = mapped_column(default="")
    """What the second person said: approving, returning or withdrawing."""
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Confirmation(LabScoped, Base):
    """A named person compared a limit with the bought document. Insert-only; the newest counts.

    It holds for the figure wherever it stands in the same type and measurand: a limit that is
    changed has lost it.
    """

    __tablename__ = "confirmations"
    __table_args__ = scoped(CheckConstraint("act IN ('confirmed','revoked')", "act"))

    type_id: Mapped[str]
    measurand: Mapped[str]
    figure: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """The limit as plain values, without its confidence."""
    figure_digest: Mapped[str]
    act: Mapped[str] = mapped_column(default="confirmed")
    document: Mapped[str]
    """Number with edition, as it stands on the document that was read."""
    clause: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int]
    confirmed_on: Mapped[date]
    """The day the figure was compared."""
    recorded_at: Mapped[datetime]


class DocumentRecord(LabScoped, Base):
    """What a lab holds of a governing document. Insert-only; the newest revision counts.

    Stands before what the catalogue says of the same number.
    """

    __tablename__ = "document_records"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "number", "revision"),
        CheckConstraint("status IN ('announced','in_force','superseded','withdrawn')", "status"),
    )

    number: Mapped[str]
    """Number with edition, e.g. ``JJF 1107-2003``."""
    revision: Mapped[int]
    title_en: Mapped[str]
    title_zh: Mapped[str]
    status: Mapped[str]
    issued_on: Mapped[date | None]
    in_force_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    replaces: Mapped[list[Any]] = mapped_column(CanonicalJSON)
    replaced_by: Mapped[str] = mapped_column(default="")
    counterparts: Mapped[list[Any]] = mapped_column(CanonicalJSON)
    source: Mapped[str]
    """Where it was read: the bought copy, the regulator's list."""
    note: Mapped[str] = mapped_column(default="")
    person_id: Mapped[int]
    recorded_at: Mapped[datetime]


for _table in (Confirmation, DocumentRecord):
    insert_only(_table.__table__)  # type: ignore[arg-type]
