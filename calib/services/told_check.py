"""Hold what happened to certificates against the two others that tell it: ledger and audit trail.

Whoever owns the database can change a row and the digest beside it; all three tellings, of which
one is chained and one is published, cannot be changed together unnoticed. Reads, never mends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from calib.records.calibrations import Evaluation
from calib.records.certificates import EVENTS, Certificate, CertificateEvent, LedgerLeaf
from calib.services.certificate_rows import row_facts
from instruments.errors import Finding
from instruments.records.audit import AuditEvent

BATCH = 200
_ACT = "certificate:certificate:"
_Key = tuple[int, str]
"""Certificate and event."""


def check_told(session: Session) -> Iterator[Finding]:
    """Compare every event with its ledger line and its audit row, and look for events gone."""
    lines, trail = _lines(session), _trail(session)
    successor = aliased(Certificate)
    rows = session.execute(
        select(
            CertificateEvent,
            Certificate,
            Evaluation,
            successor.number,
        )
        .join(Certificate, Certificate.id == CertificateEvent.certificate_id)
        .join(Evaluation, Evaluation.id == Certificate.evaluation_id)
        .outerjoin(successor, successor.id == CertificateEvent.successor_id)
        .order_by(CertificateEvent.id)
    )
    for event, certificate, evaluation, follower in rows.yield_per(BATCH):
        key = (certificate.id, event.event)
        line, act = lines.pop(key, None), trail.pop(key, None)
        if not (
            _fits_line(event, certificate, line, evaluation)
            and _fits_act(event, certificate, act, follower)
        ):
            yield Finding(
                "event-not-as-told",
                "What happened to certificate {number} ({event}) is not what ledger and audit "
                "trail tell of it. Compare with a backup.",
                at=f"/certificates/{certificate.id}/{event.event}",
                facts={"number": certificate.number, "event": event.event},
            )
    for id_, kind in sorted({*lines, *trail}):
        yield Finding(
            "event-missing",
            "Ledger or audit trail tell of certificate {id}: {event}. The database says so no "
            "more. Compare with a backup.",
            at=f"/certificates/{id_}/{kind}",
            facts={"id": id_, "event": kind},
        )


def _lines(session: Session) -> dict[_Key, Mapping[str, Any]]:
    """Return by certificate and event what its line commits to, and its row."""
    rows = session.execute(
        select(
            LedgerLeaf.certificate_id, LedgerLeaf.lab_id, LedgerLeaf.added_at, LedgerLeaf.subject
        )
        .where(LedgerLeaf.certificate_id != 0)
        .order_by(LedgerLeaf.place)
    )
    found: dict[_Key, Mapping[str, Any]] = {}
    for row in rows:
        subject = json.loads(row.subject or "{}")
        told = {**subject, "lab_id": row.lab_id, "added_at": row.added_at}
        found[row.certificate_id, str(subject.get("status", ""))] = told
    return found


def _trail(session: Session) -> dict[_Key, AuditEvent]:
    acts = [f"{_ACT}{event}" for event in EVENTS]
    rows = session.scalars(select(AuditEvent).where(AuditEvent.act.in_(acts)))
    return {(row.object_id or 0, row.act.removeprefix(_ACT)): row for row in rows}


def _fits_line(
    event: CertificateEvent,
    certificate: Certificate,
    line: Mapping[str, Any] | None,
    evaluation: Evaluation,
) -> bool:
    """Answer whether the line commits to this event of this row, and to what was evaluated."""
    if line is None:
        return False
    files = line["files"]
    evaluated = {"input": evaluation.input_digest, "result": evaluation.result_digest}
    return (
        evaluation.calibration_id == certificate.calibration_id
        and (line["number"], line["payload"]) == (certificate.number, certificate.payload_digest)
        and (line["lab_id"], line["added_at"]) == (certificate.lab_id, event.happened_at)
        and all(files[role] == digest for role, digest in evaluated.items() if files)
    )


def _fits_act(
    event: CertificateEvent,
    certificate: Certificate,
    act: AuditEvent | None,
    successor: str | None,
) -> bool:
    """Answer whether the audit trail tells the same, of a reservation all that its row says."""
    if act is None:
        return False
    facts = act.facts
    same = (
        (act.lab_id, act.person_id, act.happened_at)
        == (event.lab_id, event.person_id, event.happened_at)
        and (facts["number"], facts["reason"]) == (certificate.number, event.reason)
        and (facts["second_person_id"], facts["successor"]) == (event.second_person_id, successor)
    )
    if event.event != "reserved":
        return same
    row = row_facts(certificate)
    return (
        same
        and (certificate.reserved_by, certificate.reserved_at) == (act.person_id, act.happened_at)
        and all(facts[name] == row[name] for name in facts if name in row)
    )
