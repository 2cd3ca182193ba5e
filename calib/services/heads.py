"""Heads of the audit trails in the ledger: a trail that is written anew no longer fits them.

The chain of a trail shows whoever changes a row; not whoever owns the database and computes the
whole chain again. A line of the ledger commits to the newest row of a lab's trail, and the ledger
is published and anchored elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from calib.records.certificates import LedgerLeaf
from calib.services import ledger
from instruments.errors import Finding
from instruments.records.audit import AuditEvent
from instruments.records.parties import Lab
from instruments.services.audit import check_chain
from instruments.tenancy import hold_lab, installation_session

EVENT = "audit"
INTERVAL = timedelta(hours=1)
"""At most so often a line of the ledger is spent on the trail of a lab."""
BATCH = 500


def tell_heads(engine: Engine, now: datetime, interval: timedelta = INTERVAL) -> int:
    """Commit to the newest row of every trail that has grown; return of how many."""
    with installation_session(engine, read_only=True) as session:
        labs = session.scalars(select(Lab.id).order_by(Lab.id)).all()
    return sum(_tell(engine, lab_id, now, interval) for lab_id in labs)


def _tell(engine: Engine, lab_id: int, now: datetime, interval: timedelta) -> bool:
    with installation_session(engine) as session:
        hold_lab(session, lab_id)
        newest = session.execute(
            select(AuditEvent.place, AuditEvent.digest, Lab.code)
            .join(Lab, Lab.id == AuditEvent.lab_id)
            .where(AuditEvent.lab_id == lab_id)
            .order_by(AuditEvent.place.desc())
            .limit(1)
        ).one_or_none()
        last = session.scalars(
            _told(lab_id).order_by(LedgerLeaf.place.desc()).limit(1)
        ).one_or_none()
        if newest is None:
            return False
        if last is not None:
            place = json.loads(last.subject)["place"]
            if newest.place <= place or last.added_at > now - interval:
                return False
        subject = {
            "lab": newest.code,
            "status": EVENT,
            "place": newest.place,
            "head": newest.digest,
        }
        ledger.append_alone(session, lab_id, now, EVENT, subject)
        return True


def check_trail(session: Session, lab_id: int) -> Iterator[Finding]:
    """Yield what is wrong with the trail of a lab: its own chain, then the heads in the ledger."""
    yield from check_chain(session, lab_id)
    fits = 0
    for line in session.scalars(_told(lab_id).order_by(LedgerLeaf.place)).yield_per(BATCH):
        told = json.loads(line.subject)
        digest = session.scalar(
            select(AuditEvent.digest).where(
                AuditEvent.lab_id == lab_id, AuditEvent.place == told["place"]
            )
        )
        if digest != told["head"]:
            yield Finding(
                "audit-rewritten",
                "The audit trail of lab {lab} is not the one of which line {line} of the ledger "
                "keeps the head: between place {first} and place {last} rows were changed, "
                "removed or written anew. Compare with a backup before anything else is changed.",
                at=f"/audit/{fits + 1}",
                facts={
                    "lab": lab_id,
                    "line": line.place,
                    "first": fits + 1,
                    "last": told["place"],
                },
            )
            return
        fits = told["place"]


def _told(lab_id: int) -> Select[LedgerLeaf]:
    return select(LedgerLeaf).where(
        LedgerLeaf.lab_id == lab_id,
        LedgerLeaf.certificate_id == 0,
        LedgerLeaf.leaf.contains(f'"type":"{EVENT}"'),
    )
