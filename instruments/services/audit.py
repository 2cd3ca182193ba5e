"""The audit trail: every act leaves a row in its own transaction, chained to the one before.

Whoever kept a digest can show that an earlier row was changed or removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Session

from instruments import changes
from instruments.canonical import digest
from instruments.context import Context
from instruments.errors import Finding
from instruments.records.audit import AuditEvent
from instruments.tenancy import LabSession, hold_lab

BEGINNING = "0" * 64
"""What the first row of a lab names as the digest before it."""


_LAST = "last_audit_event"


class Untold(RuntimeError):
    """Rows of a lab were written and no act was told: a fault of the program, nothing is kept."""


def record(
    ctx: Context, act: str, object_kind: str, object_id: int | None, facts: Mapping[str, object]
) -> None:
    """Write the act of the context's actor into the trail of the lab."""
    append(
        ctx.session,
        AuditEvent(
            lab_id=ctx.lab_id,
            happened_at=ctx.now,
            person_id=ctx.actor.person_id,
            act=act,
            object_kind=object_kind,
            object_id=object_id,
            facts=dict(facts),
            via=ctx.actor.via,
            request_id=ctx.request_id,
        ),
    )


def append(session: Session, event: AuditEvent) -> None:
    """Put the event, complete but for its place and digests, at the end of its lab's chain."""
    session.flush()
    _append(session, event, changes.take(session))


def append_to_each(session: Session, events: Sequence[AuditEvent]) -> None:
    """Put one event at the end of the chain of each lab; each is told its own rows alone."""
    session.flush()
    told = changes.part(session, [event.lab_id for event in events])
    for event in sorted(events, key=lambda one: one.lab_id):  # all take turns in one order
        _append(session, event, told[event.lab_id])


def _append(session: Session, event: AuditEvent, told: list[dict[str, Any]]) -> None:
    hold_lab(session, event.lab_id)
    last = session.execute(
        select(AuditEvent.place, AuditEvent.digest)
        .where(AuditEvent.lab_id == event.lab_id)
        .order_by(AuditEvent.place.desc())
        .limit(1)
    ).one_or_none()
    event.request_id = event.request_id or ""  # the default of the column would come too late
    event.via = event.via or ""
    event.changes = told
    event.place = last.place + 1 if last else 1
    event.previous = last.digest if last else BEGINNING
    event.digest = _digest(event)
    session.add(event)
    session.flush()
    session.info[_LAST] = event


@listens_for(LabSession, "before_commit")
def _tell_the_rest(session: LabSession) -> None:
    """Tell what an act wrote after its row, as more of the same; refuse what nobody told."""
    if session.in_nested_transaction():
        return
    session.flush()
    last: AuditEvent | None = session.info.pop(_LAST, None)
    if not changes.waiting(session):
        return
    if last is None:
        tables = sorted({str(one["table"]) for one in changes.take(session)})
        raise Untold(f"a change of {', '.join(tables)} without a row in the audit trail")
    append(
        session,
        AuditEvent(
            lab_id=last.lab_id,
            happened_at=last.happened_at,
            person_id=last.person_id,
            act=f"{last.act}:more",
            object_kind=last.object_kind,
            object_id=last.object_id,
            facts={"continues": last.place},
            via=last.via,
            request_id=last.request_id,
        ),
    )


def check_chain(session: Session, lab_id: int) -> tuple[Finding, ...]:
    """Return what is wrong with the trail of a lab: gaps, broken links, changed rows."""
    findings: list[Finding] = []
    previous, place = BEGINNING, 0
    rows = session.scalars(
        select(AuditEvent).where(AuditEvent.lab_id == lab_id).order_by(AuditEvent.place)
    )
    for event in rows.yield_per(1000):
        place += 1
        if event.place != place:
            message = (
                "The audit trail of lab {lab} has a gap before place {place}. "
                "Compare with a backup before anything else is changed."
            )
            findings.append(_finding("audit-gap", message, event))
            place = event.place
        elif event.previous != previous:
            message = (
                "Place {place} of the audit trail of lab {lab} does not follow the one before. "
                "Compare with a backup before anything else is changed."
            )
            findings.append(_finding("audit-chain-broken", message, event))
        if event.digest != _digest(event):
            message = (
                "Place {place} of the audit trail of lab {lab} was changed after it was written. "
                "Compare with a backup before anything else is changed."
            )
            findings.append(_finding("audit-row-changed", message, event))
        previous = event.digest
    return tuple(findings)


def head(session: Session, lab_id: int) -> str:
    """Return the digest of the newest row of a lab's trail."""
    newest = select(AuditEvent.digest).where(AuditEvent.lab_id == lab_id)
    return session.scalar(newest.order_by(AuditEvent.place.desc()).limit(1)) or BEGINNING


def _finding(code: str, message: str, event: AuditEvent) -> Finding:
    return Finding(
        code,
        message,
        at=f"/audit/{event.place}",
        facts={"lab": event.lab_id, "place": event.place},
    )


def _digest(event: AuditEvent) -> str:
    happened_at: datetime = event.happened_at
    # rows of earlier versions have neither, and keep the digest they were given
    more = {"via": event.via, "changes": event.changes}
    return digest(
        {name: value for name, value in more.items() if value}
        | {
            "lab": event.lab_id,
            "place": event.place,
            "happened_at": happened_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "person": event.person_id,
            "act": event.act,
            "object_kind": event.object_kind,
            "object_id": event.object_id,
            "facts": event.facts,
            "request": event.request_id,
            "previous": event.previous,
        }
    )
