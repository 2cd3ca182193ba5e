"""After a backup was restored: what the log holds and the database no longer knows.

The log was published, so its lines cannot be taken back. They are taken up again, their content
lost but their place kept, and the numbers that were given out since the backup are skipped: nothing
forks, and no number is ever given twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from calib.ledger.chain import BEGINNING, chained, is_leaf
from calib.ledger.checkpoints import Checkpoint, read_checkpoint
from calib.ledger.merkle import leaf_hash, nodes_of, root
from calib.ledger.notes import NoteKey, read_note, signers
from calib.ledger.tiles import ENTRIES, WIDTH, bundles_of, entries_of, path_of
from calib.records.certificates import LedgerLeaf
from calib.services import ledger
from calib.services.log import CHECKPOINT
from calib.services.ports import LogStore
from instruments.errors import Conflict
from instruments.records.audit import AuditEvent
from instruments.records.counters import NumberSeries
from instruments.records.parties import Lab
from instruments.services import audit
from instruments.services.numbers import CERTIFICATES
from instruments.tenancy import InstallationSession, installation_session

SKIPPED = "installation:numbers:skip"
"""Act under which the trail of a lab tells of numbers that were given out and lost."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What the log knows beyond the restored database."""

    head: Checkpoint | None
    """Newest signed head; None: there is no log."""
    lines: tuple[str, ...]
    """Lines of the log after the last of the ledger, in order."""

    def by_lab(self) -> dict[str, Counter[str]]:
        """Count what happened, by the code of the lab; the empty code is the installation."""
        counts: dict[str, Counter[str]] = {}
        for line in self.lines:
            plain = json.loads(line)
            counts.setdefault(plain["lab"], Counter())[plain["type"]] += 1
        return counts


def missing_lines(engine: Engine, files: LogStore, keys: Sequence[NoteKey]) -> Missing:
    """Compare the ledger with the published log.

    Raises
    ------
    Conflict
        The log is not that of this ledger, or its files are damaged.
    """
    content = files.read(CHECKPOINT)
    if content is None:
        return Missing(None, ())
    note = read_note(content)
    head = read_checkpoint(note)
    if not signers(note, keys):
        raise _unfit("its head is not signed by a key of this installation")
    entries = _entries(files, head.size)
    if root(head.size, nodes_of([leaf_hash(entry) for entry in entries])) != head.root:
        raise _unfit("its entries do not give its head")
    with installation_session(engine, read_only=True) as session:
        size = ledger.head(session).size
        known = session.scalars(
            select(LedgerLeaf.leaf).where(LedgerLeaf.place < head.size).order_by(LedgerLeaf.place)
        ).all()
    if [entry.decode() for entry in entries[: len(known)]] != list(known):
        raise _unfit("the ledger does not begin with its entries")
    return Missing(head, tuple(entry.decode() for entry in entries[size:]))


def take_up(engine: Engine, missing: Missing, now: datetime, by: Sequence[str]) -> None:
    """Take the missing lines up again and skip the numbers they may have used.

    `by` names the two persons who looked at what is missing.
    """
    with installation_session(engine) as session:
        head = ledger.head(session)
        place, digest = head.size, head.digest if head.size else BEGINNING
        for line in missing.lines:
            if not is_leaf(line):
                raise _unfit("an entry is no line of a ledger")
            digest = chained(digest, line)
            session.add(_lost(place, line, digest, now))
            place += 1
        session.flush()
        for code, counts in missing.by_lab().items():
            if code:
                _skip(session, code, counts["reserved"], now, by)


def _lost(place: int, line: str, digest: str, now: datetime) -> LedgerLeaf:
    return LedgerLeaf(
        place=place,
        leaf=line,
        salt="",
        subject="",
        head=digest,
        added_at=now,
        lab_id=0,
        certificate_id=0,
    )


def _skip(
    session: InstallationSession, code: str, count: int, now: datetime, by: Sequence[str]
) -> None:
    """Move every series of certificates on: which of them the lost numbers were in is not known."""
    lab_id = session.scalar(select(Lab.id).where(Lab.code == code))
    if lab_id is None or not count:
        return
    for series in _series(session, lab_id):
        series.last += count
    audit.append(
        session,
        AuditEvent(
            lab_id=lab_id,
            happened_at=now,
            person_id=None,
            act=SKIPPED,
            object_kind="lab",
            object_id=lab_id,
            facts={"count": count, "by": list(by)},
            request_id="restore",
        ),
    )


def _series(session: Session, lab_id: int) -> Sequence[NumberSeries]:
    """Return the counters that may have counted the lost numbers: the newest of each series."""
    rows = session.scalars(
        select(NumberSeries)
        .where(NumberSeries.lab_id == lab_id, NumberSeries.name.in_(CERTIFICATES))
        .order_by(NumberSeries.name, NumberSeries.period)
    )
    newest = {row.name: row for row in rows}
    return tuple(newest.values())


def _entries(files: LogStore, size: int) -> list[bytes]:
    entries: list[bytes] = []
    for place, width in bundles_of(size):
        content = files.read(f"tile/{path_of(ENTRIES, place, width)}")
        try:
            found = entries_of(content or b"")
        except ValueError:
            found = ()
        if len(found) != min(width, WIDTH):
            raise _unfit("an entry is missing")
        entries += found
    return entries


def _unfit(reason: str) -> Conflict:
    return Conflict(
        "log-not-of-this-ledger",
        "The published log cannot be joined with the restored database: {reason}. Bring the files "
        "of the log from where they were served last.",
        facts={"reason": reason},
    )
