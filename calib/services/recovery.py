"""Certificates that stay reserved: finished where that is possible, told of until they are.

What could not be finished is written down with its reason, so that another process can tell. Knows
nothing of how a certificate is made.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from calib.records.certificates import Certificate
from calib.records.work import ScheduleRun
from calib.services import issue
from calib.services.certificate_rows import unfinished
from calib.services.ports import FileStore, Sealer
from calib.services.recall import Alarm
from instruments.canonical import canonical_json
from instruments.tenancy import installation_session

JOB = "recovery"
"""Name of the run that is written down whenever what it could not finish has changed."""
PATIENCE = timedelta(minutes=15)
"""A number reserved for longer than this has been passed over by several runs."""


def sweep(engine: Engine, store: FileStore, sealer: Sealer, clock: issue.Clock) -> issue.Recovery:
    """Finish every reserved certificate; write down which could not be finished and why."""
    started = clock()
    found = issue.recover(engine, store, sealer, clock)
    said = _written(found)
    with installation_session(engine, read_only=True) as session:
        is_known = said == _last(session)
    if not is_known:
        with installation_session(engine) as session:
            run = ScheduleRun(job=JOB, for_on=started.date(), started_at=started, outcome=said)
            run.finished_at = clock()
            session.add(run)
    return found


def reserved_alarms(session: Session, now: datetime) -> tuple[Alarm, ...]:
    """Return an alarm for each number that stays reserved; of one lab in a lab's session."""
    waiting = session.execute(
        select(Certificate.id, Certificate.number, Certificate.reserved_at)
        .where(unfinished())
        .order_by(Certificate.id)
    ).all()
    if not waiting:
        return ()
    reasons = {kept["certificate"]: kept for kept in json.loads(_last(session))}
    alarms = []
    for id_, number, reserved_at in waiting:
        kept = reasons.get(id_)
        if kept is not None:
            alarms.append(Alarm(kept["code"], kept["message"], kept["facts"], about=number))
        elif now - reserved_at > PATIENCE:
            alarms.append(_forgotten(number, now - reserved_at))
    return tuple(alarms)


def _forgotten(number: str, waited: timedelta) -> Alarm:
    return Alarm(
        "certificate-waits",
        "Certificate {number} has been reserved for {minutes} minutes and is not issued. Start the "
        "worker, or run calib certificate recover, which says why.",
        {"number": number, "minutes": waited // timedelta(minutes=1)},
    )


def _written(found: issue.Recovery) -> str:
    kept = [
        {
            "certificate": id_,
            "code": finding.code,
            "message": finding.message,
            "facts": {name: str(fact) for name, fact in finding.facts.items()},
        }
        for id_, finding in zip(found.certificate_ids, found.findings, strict=True)
    ]
    return canonical_json(kept).decode()


def _last(session: Session) -> str:
    newest = select(ScheduleRun.outcome).where(ScheduleRun.job == JOB)
    return session.scalar(newest.order_by(ScheduleRun.id.desc()).limit(1)) or "[]"
