"""The installation's ledger: one line for each thing that happened to a certificate.

A line commits to what happened without telling it: the commitment is salted, the salt travels with
the certificate. Lines are numbered without gaps and chained, so a removed, inserted or rewritten
line shows. It is written in the transaction of what it says.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calib.ledger.chain import BEGINNING, chained, is_leaf, leaf_of
from calib.records.certificates import LedgerLeaf
from instruments.canonical import canonical_json
from instruments.context import Context
from instruments.errors import Finding, NotFound
from instruments.tenancy import InstallationSession, beyond_the_lab, hold_all, hold_lab

_LOCK = 0x6C656467
"""Advisory lock of the ledger; labs lock with a pair of numbers, so the two never meet."""


@dataclass(frozen=True, slots=True)
class Head:
    """How long the ledger is and what stands at its end."""

    size: int
    digest: str


def append(ctx: Context, event: str, certificate_id: int, subject: Mapping[str, Any]) -> Head:
    """Put a line at the end of the ledger; it is there once the transaction commits.

    `subject` is what the line commits to: lab, number, digests of payload and files, predecessor.
    """
    _hold(ctx.session, ctx.lab_id)
    with beyond_the_lab(ctx.session) as wide:  # the line before may be another lab's
        before = head(wide)
    return _put(ctx.session, before, ctx.lab_id, ctx.now, event, certificate_id, subject)


def append_alone(
    session: InstallationSession, lab_id: int, now: datetime, event: str, subject: Mapping[str, Any]
) -> Head:
    """Put a line at the end for a lab where nobody acts: what the installation does by itself."""
    _hold(session, lab_id)
    return _put(session, head(session), lab_id, now, event, 0, subject)


def _put(
    session: Session,
    before: Head,
    lab_id: int,
    now: datetime,
    event: str,
    certificate_id: int,
    subject: Mapping[str, Any],
) -> Head:
    salt = secrets.token_hex(16)
    leaf = leaf_of(event, salt, subject)
    after = Head(before.size + 1, chained(before.digest, leaf))
    session.add(
        LedgerLeaf(
            place=before.size,
            leaf=leaf,
            salt=salt,
            subject=canonical_json(subject).decode(),
            head=after.digest,
            added_at=now,
            lab_id=lab_id,
            certificate_id=certificate_id,
        )
    )
    session.flush()
    return after


def head(session: Session) -> Head:
    """Return the length and the end of the ledger."""
    last = session.execute(
        select(LedgerLeaf.place, LedgerLeaf.head).order_by(LedgerLeaf.place.desc()).limit(1)
    ).one_or_none()
    return Head(last.place + 1, last.head) if last else Head(0, BEGINNING)


def place_of(session: Session, certificate_id: int, event: str) -> int:
    """Return the place of the line that says `event` of a certificate.

    Raises
    ------
    NotFound
        There is no such line.
    """
    place = session.scalar(
        select(func.max(LedgerLeaf.place)).where(
            LedgerLeaf.certificate_id == certificate_id,
            LedgerLeaf.leaf.contains(f'"type":"{event}"'),
        )
    )
    if place is None:
        raise NotFound(
            "log-line-missing",
            "The ledger says nothing of this kind about the certificate.",
        )
    return int(place)


def check(session: Session, *, kept: Head | None = None) -> tuple[Finding, ...]:
    """Recompute every head; return the first wrong place, or that a head kept before is gone.

    A head kept elsewhere shows what a chain alone cannot: that the whole end was rewritten.
    """
    if kept is not None and kept.size == 0:
        kept = None
    for finding in _faults(session, kept):
        return (finding,)
    return ()


def _faults(session: Session, kept: Head | None) -> Iterator[Finding]:
    before, place = BEGINNING, 0
    rows = session.execute(
        select(LedgerLeaf.place, LedgerLeaf.leaf, LedgerLeaf.head).order_by(LedgerLeaf.place)
    )
    for row in rows.yield_per(1000):
        if row.place != place:
            yield _fault(
                "ledger-gap",
                "Line {place} of the ledger is missing; {next} follows. Compare with a backup.",
                place,
                row,
            )
        if not is_leaf(row.leaf):
            yield _fault(
                "ledger-leaf-unreadable",
                "Line {place} is no ledger line. Compare with a backup.",
                place,
                row,
            )
        if row.head != chained(before, row.leaf):
            yield _fault(
                "ledger-chain-broken",
                "Line {place} of the ledger does not follow from the lines before it: this or an "
                "earlier line was changed. Compare with a backup.",
                place,
                row,
            )
        before, place = row.head, place + 1
        if kept is not None and kept.size == place and kept.digest != before:
            yield _fault(
                "ledger-rewritten",
                "The ledger up to line {place} is not the one whose head was kept. Compare with a "
                "backup.",
                place - 1,
                row,
            )
    if kept is not None and kept.size > place:
        yield Finding(
            "ledger-shortened",
            "The ledger has {size} lines; {kept} were there when its head was kept. An old copy "
            "was restored, or lines were removed. Compare "
            "with a backup.",
            at=f"/ledger/{place}",
            facts={"size": place, "kept": kept.size},
        )


def _fault(code: str, message: str, place: int, row: Any) -> Finding:
    return Finding(
        code,
        message,
        at=f"/ledger/{place}",
        facts={"place": place, "next": row.place},
    )


def _hold(session: Session, lab_id: int) -> None:
    """Let the writers of all labs take turns at the end of the ledger until commit.

    The lab is always taken first: two transactions can never wait for each other.
    """
    hold_lab(session, lab_id)
    hold_all(session, _LOCK)
