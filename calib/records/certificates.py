"""Certificates: reserved numbers with what will be said, what happened to them, their files.

Everything here is insert-only. The state of a certificate is its newest event.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, insert_only
from instruments.tenancy import LabScoped, scoped, to_same_lab

CERTIFICATE_KINDS = (
    "calibration_certificate",
    "verification_certificate",
    "verification_notice",
    "check_record",
)
EVENTS = ("reserved", "issued", "void", "superseded", "withdrawn")


class Certificate(LabScoped, Base):
    """A number with the frozen payload of the certificate that bears it (first transaction)."""

    __tablename__ = "certificates"
    __table_args__ = scoped(
        to_same_lab("calibration_id", "calibrations"),
        to_same_lab("evaluation_id", "evaluations"),
        to_same_lab("instrument_id", "instruments"),
        to_same_lab("replaces_id", "certificates"),
        UniqueConstraint("lab_id", "number"),
        UniqueConstraint("token"),
        CheckConstraint(f"kind IN {CERTIFICATE_KINDS}", "kind"),
    )

    number: Mapped[str]
    token: Mapped[str]
    """128 random bits; what the QR code opens. Not derivable from the number."""
    kind: Mapped[str]
    calibration_id: Mapped[int] = mapped_column(index=True)
    evaluation_id: Mapped[int]
    instrument_id: Mapped[int] = mapped_column(index=True)
    replaces_id: Mapped[int | None]
    payload: Mapped[str]
    """Canonical text of a `CertificateDocument`: rendering needs no more."""
    payload_digest: Mapped[str]
    performed_on: Mapped[date]
    due_on: Mapped[date | None]
    """When the registry calls the instrument again: agreed interval or legal validity."""
    verdict: Mapped[str]
    reserved_by: Mapped[int]
    reserved_at: Mapped[datetime]


class CertificateEvent(LabScoped, Base):
    """What happened to a certificate. Each event happens once."""

    __tablename__ = "certificate_events"
    __table_args__ = scoped(
        to_same_lab("certificate_id", "certificates"),
        to_same_lab("successor_id", "certificates"),
        UniqueConstraint("lab_id", "certificate_id", "event"),
        CheckConstraint(f"event IN {EVENTS}", "event"),
        CheckConstraint("event NOT IN ('void','withdrawn','superseded') OR reason <> ''", "reason"),
    )

    certificate_id: Mapped[int] = mapped_column(index=True)
    event: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    successor_id: Mapped[int | None]
    """The certificate that replaces it (superseded)."""
    person_id: Mapped[int | None]
    second_person_id: Mapped[int | None]
    """Void and withdraw need two persons."""
    happened_at: Mapped[datetime]


class CertificateFile(LabScoped, Base):
    """A file of a certificate in the content-addressed store."""

    __tablename__ = "certificate_files"
    __table_args__ = scoped(
        to_same_lab("certificate_id", "certificates"),
        UniqueConstraint("lab_id", "certificate_id", "role"),
    )

    certificate_id: Mapped[int] = mapped_column(index=True)
    role: Mapped[str]
    """``pdf``, ``input`` (frozen input), ``result``; later ``dcc``."""
    sha256: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    media_type: Mapped[str]


class LedgerLeaf(Base):
    """One line of the installation's ledger: contiguous, hash-chained, holds no personal data.

    The entries of the public log. The chain shows any gap, removal or rewrite to whoever kept an
    earlier head.
    """

    __tablename__ = "ledger_leaves"
    __table_args__ = ({"sqlite_strict": True},)

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """0, 1, 2 ... without gaps."""
    leaf: Mapped[str]
    """Canonical JSON ``{"commit", "lab", "type", "v"}``."""
    salt: Mapped[str]
    """128 random bits that travel with the certificate; without it the leaf says nothing."""
    subject: Mapped[str] = mapped_column(default="", server_default="")
    """What the line commits to, canonical JSON; goes with the salt into the proof."""
    head: Mapped[str]
    """SHA-256 over the previous head and the leaf."""
    added_at: Mapped[datetime]
    lab_id: Mapped[int]
    certificate_id: Mapped[int] = mapped_column(index=True)
    """0 for both: a line of the installation itself."""


for _table in (Certificate, CertificateEvent, CertificateFile, LedgerLeaf):
    insert_only(_table.__table__)  # type: ignore[arg-type]
