"""What was refused stands in the trail too, each in a transaction of its own.

The first refusals of an asker within a while are told one by one, the rest as one row with their
count: nobody can flood the trail. Who is not known is counted by where they come from.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from instruments.records.audit import AuditEvent, RefusalCount
from instruments.records.parties import Lab, Membership, Person
from instruments.services import audit
from instruments.tenancy import hold_lab, installation_session

WINDOW = timedelta(minutes=10)
MOST = 10
"""Of one asker within a window, so many are told one by one."""
MOST_OF_STRANGERS = 100
"""Of all who are not known together."""
STRANGERS = "strangers"
ELSEWHERE = "elsewhere:"
"""Begins the count of what was meant for no lab."""
REQUEST = "access:request:refuse"
SIGN_IN = "access:sign_in:refuse"
TOKEN = "access:token:refuse"  # noqa: S105 -- the name of an act


class _Nobody(Exception):
    """Undoes what was written for nobody."""


@dataclass(frozen=True, slots=True)
class Denial:
    """One refusal: of whom, what they asked for, and why not."""

    act: str
    code: str
    """Code of the error they were given."""
    asked: str
    """What they asked for: an act of the policy, or method and path."""
    origin: str
    person_id: int | None = None
    via: str = ""
    request_id: str = ""
    account: str = ""
    """SHA-256 of the mail address that was typed: people type passwords there."""

    @property
    def asker(self) -> str:
        """Return by whom it is counted."""
        return f"person:{self.person_id}" if self.person_id else f"origin:{self.origin}"


def tell(engine: Engine, lab_id: int, denial: Denial, now: datetime) -> None:
    """Write a refusal into the trail of a lab, or count it when there were many already."""
    with installation_session(engine) as session:
        _tell(session, lab_id, denial, now)


def tell_sign_in(
    engine: Engine, email: str, lab_code: str | None, origin: str, code: str, now: datetime
) -> None:
    """Write a refused sign-in into the trail of every lab it was meant for.

    What was meant for none is no lab's to read, and takes the same work in one transaction too:
    how long the answer takes tells nobody whether there is such an account.
    """
    address = email.strip().lower()
    account = hashlib.sha256(address.encode()).hexdigest() if address else ""
    denial = Denial(SIGN_IN, code, "sign-in", origin, account=account)
    with installation_session(engine, read_only=True) as session:
        labs = sorted(_meant(session, address, lab_code))
    with installation_session(engine) as session:
        for lab_id in labs:
            _tell(session, lab_id, denial, now)
        if not labs:
            _tell_nobody(session, denial, now)


def tell_stranger(engine: Engine, denial: Denial, now: datetime) -> None:
    """Write what was refused to nobody known; where several labs are, it is none of theirs."""
    with installation_session(engine, read_only=True) as session:
        labs = _only(session)
    for lab_id in labs:
        tell(engine, lab_id, denial, now)


def sweep(engine: Engine, now: datetime) -> None:
    """Tell how many were counted only, once their while is over."""
    with installation_session(engine) as session:
        over = select(RefusalCount).where(RefusalCount.began_at <= now - WINDOW)
        for row in session.scalars(over.order_by(RefusalCount.id)).all():
            hold_lab(session, row.lab_id)
            _close(session, row, now)
            session.delete(row)


def _tell(session: Session, lab_id: int, denial: Denial, now: datetime, of: str = "") -> None:
    hold_lab(session, lab_id)
    limits = [(of + denial.asker, MOST)]
    if denial.person_id is None:
        limits.insert(0, (of + STRANGERS, MOST_OF_STRANGERS))
    for asker, most in limits:
        row = _counted(session, lab_id, asker, now)
        if row.count > most:
            return
    event = _event(lab_id, denial, now)
    if not of:
        audit.append(session, event)
        return
    with contextlib.suppress(_Nobody), session.begin_nested():
        audit.append(session, event)
        raise _Nobody


def _tell_nobody(session: Session, denial: Denial, now: datetime) -> None:
    """Do what telling a lab takes, and keep the count alone."""
    first = session.scalar(select(func.min(Lab.id)))
    if first is not None:
        _tell(session, first, denial, now, of=ELSEWHERE)


def _counted(session: Session, lab_id: int, asker: str, now: datetime) -> RefusalCount:
    held = select(RefusalCount).where(RefusalCount.lab_id == lab_id, RefusalCount.asker == asker)
    row = session.scalars(held).one_or_none()
    if row is None:
        row = RefusalCount(lab_id=lab_id, asker=asker, began_at=now, last_at=now, count=0)
        session.add(row)
    elif row.began_at <= now - WINDOW:
        _close(session, row, now)
        row.began_at, row.count = now, 0
    row.last_at, row.count = now, row.count + 1
    return row


def _close(session: Session, row: RefusalCount, now: datetime) -> None:
    most = MOST_OF_STRANGERS if row.asker == STRANGERS else MOST
    if row.count <= most or row.asker.startswith(ELSEWHERE):
        return
    kind, _, named = row.asker.partition(":")
    event = AuditEvent(
        lab_id=row.lab_id,
        happened_at=now,
        person_id=int(named) if kind == "person" else None,
        act="access:request:refuse_more",
        object_kind="access",
        object_id=None,
        facts={
            "asker": row.asker,
            "count": row.count - most,
            "since": row.began_at.isoformat(),
            "last_at": row.last_at.isoformat(),
        },
    )
    audit.append(session, event)


def _event(lab_id: int, denial: Denial, now: datetime) -> AuditEvent:
    facts = {"asked": denial.asked, "code": denial.code, "origin": denial.origin}
    if denial.account:
        facts["account"] = denial.account
    return AuditEvent(
        lab_id=lab_id,
        happened_at=now,
        person_id=denial.person_id,
        act=denial.act,
        object_kind="access",
        object_id=None,
        facts=facts,
        via=denial.via,
        request_id=denial.request_id,
    )


def _meant(session: Session, address: str, lab_code: str | None) -> Iterable[int]:
    if lab_code:
        return session.scalars(select(Lab.id).where(Lab.code == lab_code)).all()
    held = select(Membership.lab_id).join(Person, Person.id == Membership.person_id)
    labs = session.scalars(held.where(Person.email == address).distinct()).all()
    return labs or _only(session)


def _only(session: Session) -> Iterable[int]:
    labs = session.scalars(select(Lab.id).limit(2)).all()
    return labs if len(labs) == 1 else ()
