"""Electronic signatures: what somebody was asked to sign, and what they signed. Insert-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, CanonicalJSON, insert_only
from instruments.tenancy import LabScoped, scoped, to_same_lab

RECORD_MEANINGS = ("performed", "reviewed", "authorised")
WAYS = ("password", "password+code", "passkey")


class SignatureChallenge(LabScoped, Base):
    """What a person is asked to sign in one session; holds once, for minutes."""

    __tablename__ = "signature_challenges"
    __table_args__ = scoped(
        to_same_lab("calibration_id", "calibrations"),
        UniqueConstraint("token"),
        CheckConstraint(f"meaning IN {RECORD_MEANINGS}", "meaning"),
    )

    token: Mapped[str]
    """256 random bits."""
    calibration_id: Mapped[int] = mapped_column(index=True)
    version: Mapped[int]
    """Of the record, as it was seen."""
    meaning: Mapped[str]
    content_digest: Mapped[str]
    """Of input and result together, as `EvaluationView.content_digest`."""
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    session_sha256: Mapped[str]
    """SHA-256 of the secret of the sign-in or token that asked."""
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Signature(LabScoped, Base):
    """A signature with everything it was made from."""

    __tablename__ = "signatures"
    __table_args__ = scoped(
        to_same_lab("challenge_id", "signature_challenges"),
        to_same_lab("calibration_id", "calibrations"),
        to_same_lab("evaluation_id", "evaluations"),
        UniqueConstraint("lab_id", "challenge_id"),
        CheckConstraint(f"meaning IN {RECORD_MEANINGS}", "meaning"),
        CheckConstraint(f"way IN {WAYS}", "way"),
    )

    challenge_id: Mapped[int]
    """Each challenge is answered once."""
    calibration_id: Mapped[int] = mapped_column(index=True)
    evaluation_id: Mapped[int]
    meaning: Mapped[str]
    content_digest: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    printed_name: Mapped[str]
    """As the account was named when it signed."""
    signed_at: Mapped[datetime]
    signed_local: Mapped[str]
    """The same instant in the lab's zone with its offset, as it is printed."""
    way: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)
    """What of the proof can be checked again; of a passkey its assertion."""


class EndProposal(LabScoped, Base):
    """One person wants a certificate withdrawn or a number voided, and asks a colleague."""

    __tablename__ = "end_proposals"
    __table_args__ = scoped(
        to_same_lab("certificate_id", "certificates"),
        UniqueConstraint("token"),
        CheckConstraint("act IN ('withdraw', 'void')", "act"),
        CheckConstraint("person_id <> second_person_id", "two_persons"),
    )

    token: Mapped[str]
    certificate_id: Mapped[int] = mapped_column(index=True)
    act: Mapped[str]
    reason: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    second_person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class EndConsent(LabScoped, Base):
    """That the colleague agreed, in a session of their own, proving who they are."""

    __tablename__ = "end_consents"
    __table_args__ = scoped(
        to_same_lab("proposal_id", "end_proposals"),
        UniqueConstraint("lab_id", "proposal_id"),
        CheckConstraint(f"way IN {WAYS}", "way"),
    )

    proposal_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    printed_name: Mapped[str]
    consented_at: Mapped[datetime]
    consented_local: Mapped[str]
    way: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)


class KeyProposal(LabScoped, Base):
    """One person wants a key retired or given up, and asks a colleague."""

    __tablename__ = "key_proposals"
    __table_args__ = scoped(
        UniqueConstraint("token"),
        CheckConstraint("act IN ('retire', 'compromise')", "act"),
        CheckConstraint("(act = 'compromise') = (effective_at IS NOT NULL)", "since"),
        CheckConstraint("person_id <> second_person_id", "two_persons"),
    )

    token: Mapped[str]
    key_id: Mapped[int] = mapped_column(ForeignKey("signing_keys.id"), index=True)
    act: Mapped[str]
    effective_at: Mapped[datetime | None]
    """Since when the key may have been in other hands."""
    reason: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    second_person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class KeyConsent(LabScoped, Base):
    """That the colleague agreed, in a session of their own, proving who they are."""

    __tablename__ = "key_consents"
    __table_args__ = scoped(
        to_same_lab("proposal_id", "key_proposals"),
        UniqueConstraint("lab_id", "proposal_id"),
        CheckConstraint(f"way IN {WAYS}", "way"),
    )

    proposal_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    printed_name: Mapped[str]
    consented_at: Mapped[datetime]
    consented_local: Mapped[str]
    way: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(CanonicalJSON)


_KEPT = (SignatureChallenge, Signature, EndProposal, EndConsent, KeyProposal, KeyConsent)
for _table in _KEPT:
    insert_only(_table.__table__)  # type: ignore[arg-type]
