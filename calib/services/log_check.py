"""Compute the whole log again from its entries, and name every file that does not fit.

Reads, never mends: what is wrong may be the only trace of an attack.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calib.ledger.checkpoints import Checkpoint, read_checkpoint
from calib.ledger.merkle import EMPTY_ROOT, Nodes, leaf_hash, nodes_of, root
from calib.ledger.notes import read_note, signers
from calib.ledger.tiles import (
    ENTRIES,
    WIDTH,
    bundles_of,
    entries_of,
    path_of,
    tile_content,
    tiles_of,
)
from calib.records.certificates import LedgerLeaf
from calib.services.log import CHECKPOINT, Log
from calib.services.ports import LogStore
from instruments.errors import DomainError, Finding
from instruments.tenancy import installation_session

PATIENCE = timedelta(minutes=2)
"""How long a line may wait: what is issued is published seconds later."""


def check_log(log: Log, now: datetime) -> Iterator[Finding]:
    """Compare ledger, entries, tiles, published head and anchor; yield what does not fit.

    Lines that are not published count once they waited longer than publishing ever takes.
    """
    heads = {
        CHECKPOINT: _head(log, log.files.read(CHECKPOINT)),
        "anchor": _head(log, log.anchor.load()),
    }
    for name, head in heads.items():
        if head is None:
            yield _wrong(name)
    served = heads[CHECKPOINT]
    if served is None or heads["anchor"] is None:
        return
    if served != heads["anchor"]:
        yield _wrong("anchor")
    with installation_session(log.engine, read_only=True) as session:
        rows = session.scalars(
            select(LedgerLeaf.leaf).where(LedgerLeaf.place < served.size).order_by(LedgerLeaf.place)
        )
        lines = [leaf.encode() for leaf in rows]
        yield from _unpublished(session, served.size, now)
    if len(lines) < served.size:
        yield Finding(
            "log-lines-missing",
            "The log has a signed head of {signed} lines, but the ledger only {size}. An old copy "
            "of the database was restored. Missing: lines {size} to {last}.",
            at=f"/ledger/{len(lines)}",
            facts={"signed": served.size, "size": len(lines), "last": served.size - 1},
        )
        return
    nodes = nodes_of([leaf_hash(line) for line in lines])
    if root(served.size, nodes) != served.root:
        yield _wrong(CHECKPOINT)
    yield from _entries(log.files, lines)
    yield from _tiles(log.files, served.size, nodes)


def _unpublished(session: Session, size: int, now: datetime) -> Iterator[Finding]:
    waiting = session.scalar(
        select(func.count()).where(LedgerLeaf.place >= size, LedgerLeaf.added_at <= now - PATIENCE)
    )
    if waiting:
        yield Finding(
            "log-unpublished",
            "{count} lines of the ledger, from line {first} on, are not published: nobody can "
            "prove the certificates in them. Run calib log grow, and see that calib worker or "
            "calib serve runs.",
            at=f"/ledger/{size}",
            facts={"count": waiting, "first": size},
        )


def _head(log: Log, content: bytes | None) -> Checkpoint | None:
    """Return a head by the key of the log; of a log that has none yet, the empty one."""
    if content is None:
        return Checkpoint(log.origin, 0, EMPTY_ROOT)
    try:
        note = read_note(content)
        head = read_checkpoint(note)
        return head if signers(note, [log.note_key]) and head.origin == log.origin else None
    except DomainError:
        return None


def _entries(files: LogStore, lines: list[bytes]) -> Iterator[Finding]:
    for place, width in bundles_of(len(lines)):
        path = f"tile/{path_of(ENTRIES, place, width)}"
        content = files.read(path)
        try:
            entries = entries_of(content) if content is not None else ()
        except ValueError:
            entries = ()
        if list(entries) != lines[place * WIDTH : place * WIDTH + width]:
            yield _wrong(path)


def _tiles(files: LogStore, size: int, nodes: Nodes) -> Iterator[Finding]:
    for tile in tiles_of(size):
        path = f"tile/{tile.path()}"
        if files.read(path) != tile_content(tile, nodes):
            yield _wrong(path)


def _wrong(path: str) -> Finding:
    return Finding(
        "log-file-wrong",
        "The file {path} of the log is missing or does not hold what follows from the ledger. "
        "Compare both with a backup and with what witnesses keep.",
        at=f"/log/{path}",
        facts={"path": path},
    )
