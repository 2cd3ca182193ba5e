"""Rows of certificates: their events, ledger lines, and what they mean for the instrument."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from calib.ledger.statuses import entry_of
from calib.records.certificates import Certificate, CertificateEvent
from calib.services import ledger
from calib.services.webhooks import announce_certificate
from instruments.context import Context
from instruments.records.instruments import Instrument
from instruments.records.parties import Lab
from instruments.services import audit
from instruments.services.rows import not_found

LATER = ("void", "withdrawn", "superseded", "issued", "reserved")
"""States from the last to the first: the first one found among the events is the state."""


def certificate_of(session: Session, certificate_id: int) -> Certificate:
    """Return the row.

    Raises
    ------
    NotFound
    """
    row = session.scalar(select(Certificate).where(Certificate.id == certificate_id))
    if row is None:
        raise not_found("certificate", certificate_id)
    return row


def events_of(session: Session, certificate_id: int) -> Mapping[str, CertificateEvent]:
    """Return what happened to a certificate, by event."""
    rows = session.scalars(
        select(CertificateEvent).where(CertificateEvent.certificate_id == certificate_id)
    )
    return {row.event: row for row in rows}


def state_of(events: Collection[str]) -> str:
    """Return the state that follows from the events."""
    return next(event for event in LATER if event in events)


def unfinished() -> ColumnElement[bool]:
    """Return the condition of a number that is reserved and neither issued nor voided."""
    ended = select(CertificateEvent.certificate_id).where(
        CertificateEvent.event.in_(("issued", "void"))
    )
    return Certificate.id.not_in(ended)


def told(
    ctx: Context,
    certificate: Certificate,
    event: str,
    facts: Mapping[str, Any],
    *,
    reason: str = "",
    second_person_id: int | None = None,
    successor: Certificate | None = None,
) -> None:
    """Write down that something happened to a certificate: event, ledger line, audit row.

    Addresses of the lab that want to know are told. The line of the reservation gives the QR code
    a place in the log to name.
    """
    ctx.session.add(
        CertificateEvent(
            certificate_id=certificate.id,
            event=event,
            reason=reason,
            successor_id=successor.id if successor else None,
            person_id=ctx.actor.person_id,
            second_person_id=second_person_id,
            happened_at=ctx.now,
        )
    )
    ledger.append(ctx, event, certificate.id, subject_of(ctx, certificate, event, facts))
    audit.record(
        ctx,
        f"certificate:certificate:{event}",
        "certificate",
        certificate.id,
        {
            **facts,
            "number": certificate.number,
            "reason": reason,
            "second_person_id": second_person_id,
            "successor": successor.number if successor else None,
        },
    )
    announce_certificate(ctx.session, certificate, event, ctx.now)


def row_facts(certificate: Certificate) -> dict[str, Any]:
    """Return what the audit trail keeps of a reservation: all of the row the payload leaves out."""
    due_on = certificate.due_on
    return {
        "payload": certificate.payload_digest,
        "calibration_id": certificate.calibration_id,
        "evaluation_id": certificate.evaluation_id,
        "instrument_id": certificate.instrument_id,
        "replaces_id": certificate.replaces_id,
        "due_on": due_on.isoformat() if due_on else None,
    }


def subject_of(
    ctx: Context, certificate: Certificate, event: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a ledger line commits to."""
    code = ctx.session.scalars(select(Lab.code).where(Lab.id == certificate.lab_id)).one()
    replaced = None
    if certificate.replaces_id is not None:
        replaced = certificate_of(ctx.session, certificate.replaces_id).number
    # said only where it is so: lines of real readings stay as they were
    simulated = json.loads(certificate.payload)["document"].get("simulated") is True
    return {
        **({"simulated": True} if simulated else {}),
        "lab": code,
        "number": certificate.number,
        "payload": certificate.payload_digest,
        "files": dict(facts.get("files", {})),
        "status": event,
        "predecessor": replaced,
        "entry": entry_of(certificate.token),
    }


def supersede(ctx: Context, successor: Certificate, reason: str) -> None:
    """Mark the certificate that `successor` replaces; one already withdrawn stays withdrawn."""
    replaced = certificate_of(ctx.session, successor.replaces_id or 0)
    if state_of(events_of(ctx.session, replaced.id)) == "issued":
        told(ctx, replaced, "superseded", {}, reason=reason, successor=successor)


def set_due(ctx: Context, instrument_id: int) -> None:
    """Let the instrument fall due as its newest valid certificate says.

    A check changes nothing; a failed verification leaves nothing to fall due.
    """
    ended = select(CertificateEvent.certificate_id).where(
        CertificateEvent.event.in_(("superseded", "withdrawn"))
    )
    issued = select(CertificateEvent.certificate_id).where(CertificateEvent.event == "issued")
    newest = ctx.session.execute(
        select(Certificate.due_on)
        .where(
            Certificate.instrument_id == instrument_id,
            Certificate.kind != "check_record",
            Certificate.id.in_(issued),
            Certificate.id.not_in(ended),
        )
        .order_by(Certificate.performed_on.desc(), Certificate.id.desc())
        .limit(1)
    ).one_or_none()
    instrument = ctx.session.scalars(
        select(Instrument)
        .where(Instrument.id == instrument_id)
        .execution_options(populate_existing=True)
    ).one()
    instrument.due_on = newest.due_on if newest else None
    ctx.session.flush()
