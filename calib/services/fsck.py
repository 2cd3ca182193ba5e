"""Compute everything again that can be computed again, and name what is not as it was written.

Audit trails, ledger, log, frozen records, files of certificates, numbers without gaps. Reads, never
mends: what is wrong may be the only trace of what happened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from calib.certificates.document import CertificateDocument
from calib.ledger.chain import leaf_of
from calib.records.calibrations import Evaluation
from calib.records.certificates import Certificate, CertificateEvent, CertificateFile, LedgerLeaf
from calib.services import ledger
from calib.services.heads import check_trail
from calib.services.log import Log
from calib.services.log_check import check_log
from calib.services.ports import FileStore
from calib.services.restoring import SKIPPED
from calib.services.told_check import check_told
from calib.verifier.evidence import sha256
from instruments.canonical import canonical_json
from instruments.db import damage_in_file
from instruments.errors import DomainError, Finding
from instruments.plain import NotPlain
from instruments.records.audit import AuditEvent
from instruments.records.counters import NumberSeries
from instruments.records.parties import Lab
from instruments.services.numbers import CERTIFICATES
from instruments.tenancy import installation_session

Told = Callable[[str, float], None]
BATCH = 200
KINDS = {
    "pdf": "application/pdf",
    "dcc": "application/xml",
    "input": "application/json",
    "result": "application/json",
}
"""Media type of each file of a certificate, as issuing writes it."""


def fsck(
    engine: Engine, store: FileStore, find_log: Callable[[], Log | None], told: Told, now: datetime
) -> Iterator[Finding]:
    """Yield everything that is wrong with an installation; nothing means that all of it holds.

    Even what finds the log asks the database, which may be past answering.
    """

    def logged(_session: Session) -> Iterable[Finding]:
        log = find_log()
        return check_log(log, now) if log is not None else ()

    checks: tuple[tuple[str, float, Callable[[Session], Iterable[Finding]]], ...] = (
        ("database", 0.0, _database),
        ("audit trails", 0.1, _trails),
        ("ledger", 0.2, ledger.check),
        ("lines", 0.25, _lines),
        ("events", 0.3, check_told),
        ("frozen records", 0.4, _evaluations),
        ("certificates", 0.5, _certificates),
        ("files", 0.6, lambda session: _files(session, store)),
        ("numbers", 0.9, _numbers),
        ("log", 0.95, logged),
    )
    for name, part, check in checks:
        told(name, part)
        try:
            with installation_session(engine, read_only=True) as session:
                yield from check(session)
        except Exception as problem:  # noqa: BLE001 -- a damaged row may raise whatever reads it
            yield _unreadable(name, type(problem).__name__)


def _database(session: Session) -> Iterator[Finding]:
    for words in damage_in_file(session):
        yield Finding(
            "database-damaged",
            "The file of the database is damaged: {words}. Stop, and restore a backup.",
            at="/",
            facts={"words": words},
        )


def _unreadable(name: str, problem: str) -> Finding:
    return Finding(
        "rows-unreadable",
        "Looking at {name} broke off ({problem}): a row cannot be read as it was written. Compare "
        "with a backup.",
        at=f"/{name.replace(' ', '-')}",
        facts={"name": name, "problem": problem},
    )


def _trails(session: Session) -> Iterator[Finding]:
    for lab_id in session.scalars(select(Lab.id).order_by(Lab.id)).all():
        yield from check_trail(session, lab_id)


def _lines(session: Session) -> Iterator[Finding]:
    """Make every line of the ledger again from what it commits to."""
    rows = session.scalars(
        select(LedgerLeaf).where(LedgerLeaf.subject != "").order_by(LedgerLeaf.place)
    )
    for row in rows.yield_per(BATCH):
        subject, event = json.loads(row.subject), _type_of(row.leaf)
        kept = (canonical_json(subject).decode(), bytes.fromhex(row.salt).hex())
        if (
            kept != (row.subject, row.salt)  # another spelling of the same
            or leaf_of(event, row.salt, subject) != row.leaf
            or subject.get("status", event) != event
        ):
            yield Finding(
                "ledger-line-differs",
                "Line {place} of the ledger does not follow from what is kept of it: salt or "
                "subject were changed. Compare with a backup.",
                at=f"/ledger/{row.place}",
                facts={"place": row.place},
            )


def _type_of(leaf: str) -> str:
    try:
        return str(json.loads(leaf)["type"])
    except (ValueError, KeyError, TypeError):
        return ""


def _evaluations(session: Session) -> Iterator[Finding]:
    rows = session.scalars(select(Evaluation).order_by(Evaluation.id))
    for row in rows.yield_per(BATCH):
        for kind, content, expected in (
            ("input", row.input_json, row.input_digest),
            ("result", row.result_json, row.result_digest),
        ):
            if sha256(content.encode()) != expected:
                yield Finding(
                    "evaluation-changed",
                    "The frozen {kind} {id} of record {record} is no longer what was stored. "
                    "Compare with a backup.",
                    at=f"/evaluations/{row.id}",
                    facts={"kind": kind, "id": row.id, "record": row.calibration_id},
                )


def _certificates(session: Session) -> Iterator[Finding]:
    """Hold each frozen document to its digest, and the row to the document."""
    for row in session.scalars(select(Certificate).order_by(Certificate.id)).yield_per(BATCH):
        document = _document(row.payload)
        same = document is not None and (
            (document.number, document.token, document.kind, document.result.verdict)
            == (row.number, row.token, row.kind, row.verdict)
            and document.performed_on == row.performed_on.isoformat()
        )
        if sha256(row.payload.encode()) != row.payload_digest or not same:
            yield Finding(
                "payload-changed",
                "What certificate {number} says is no longer what was frozen. Compare with a "
                "backup; the issued file itself is checked apart.",
                at=f"/certificates/{row.id}",
                facts={"number": row.number},
            )


def _document(payload: str) -> CertificateDocument | None:
    try:
        return CertificateDocument.from_dict(json.loads(payload))
    except (ValueError, NotPlain, KeyError):
        return None


def _files(session: Session, store: FileStore) -> Iterator[Finding]:
    """Read every file, and hold it to the digest in its row and in the ledger."""
    logged = _logged(session)
    files = session.execute(
        select(
            CertificateFile.certificate_id,
            CertificateFile.role,
            CertificateFile.sha256,
            CertificateFile.size,
            CertificateFile.media_type,
            Certificate.number,
        )
        .join(Certificate, Certificate.id == CertificateFile.certificate_id)
        .order_by(CertificateFile.id)
    ).all()
    issued = session.scalars(
        select(CertificateEvent.certificate_id).where(CertificateEvent.event == "issued")
    ).all()
    session.rollback()  # reading files takes long, and on SQLite who reads holds up who writes
    for file in files:
        number, at = file.number, f"/certificates/{file.certificate_id}/{file.role}"
        if logged.get(file.certificate_id, {}).pop(file.role, None) != file.sha256:
            yield Finding(
                "file-not-as-logged",
                "The {role} of certificate {number} is not the one that was logged when it was "
                "issued. Compare with a backup.",
                at=at,
                facts={"role": file.role, "number": number},
            )
        try:
            if (len(store.get(file.sha256)), KINDS.get(file.role)) != (file.size, file.media_type):
                yield Finding(
                    "file-row-changed",
                    "Size or kind of the {role} of certificate {number} are not what was written. "
                    "Compare with a backup.",
                    at=at,
                    facts={"role": file.role, "number": number},
                )
        except DomainError as problem:
            facts = {**problem.facts, "number": number, "role": file.role}
            yield Finding(problem.code, problem.message, at=at, facts=facts)
    for id_, left in logged.items():
        for role in left:
            yield Finding(
                "file-row-lost",
                "Certificate {id} was issued with a file {role}, of which the database knows no "
                "more. Compare with a backup.",
                at=f"/certificates/{id_}/{role}",
                facts={"id": id_, "role": role},
            )
    for id_ in issued:
        if id_ not in logged:
            yield Finding(
                "issued-not-logged",
                "Certificate {id} is issued, but the ledger does not say so. Compare with a "
                "backup.",
                at=f"/certificates/{id_}",
                facts={"id": id_},
            )


def _logged(session: Session) -> dict[int, dict[str, Any]]:
    """Return the digests of files by certificate, as the ledger committed to them."""
    rows = session.execute(
        select(LedgerLeaf.certificate_id, LedgerLeaf.subject).where(
            LedgerLeaf.leaf.contains('"type":"issued"'), LedgerLeaf.subject != ""
        )
    )
    return {id_: dict(json.loads(subject).get("files", {})) for id_, subject in rows}


def _numbers(session: Session) -> Iterator[Finding]:
    """Count: every number that was taken must belong to a certificate, or have been voided."""
    taken = {
        (lab_id, kind): count
        for lab_id, kind, count in session.execute(
            select(Certificate.lab_id, Certificate.kind, func.count()).group_by(
                Certificate.lab_id, Certificate.kind
            )
        )
    }
    counted = session.execute(
        select(NumberSeries.lab_id, NumberSeries.name, func.sum(NumberSeries.last))
        .where(NumberSeries.name.in_(CERTIFICATES))
        .group_by(NumberSeries.lab_id, NumberSeries.name)
    )
    skipped = _skipped(session)
    for lab_id, kind, last in counted:
        there = taken.get((lab_id, kind), 0) + skipped.get(lab_id, 0)
        if int(last) != there:
            yield Finding(
                "numbers-not-explained",
                "Laboratory {lab} has taken {last} numbers of the series {series}, but {there} "
                "certificates bear one. Compare with a backup; after a restore the difference are "
                "numbers that were given out and lost.",
                at=f"/labs/{lab_id}",
                facts={"lab": lab_id, "last": int(last), "series": kind, "there": there},
            )


def _skipped(session: Session) -> dict[int, int]:
    """Return by lab how many numbers were skipped after a backup was restored."""
    rows = session.execute(
        select(AuditEvent.lab_id, AuditEvent.facts).where(AuditEvent.act == SKIPPED)
    )
    found: dict[int, int] = {}
    for lab_id, facts in rows:
        found[lab_id] = found.get(lab_id, 0) + int(facts["count"])
    return found
