"""The public log: it grows from the lines of the ledger, is signed, anchored and served as files.

Before a head is signed, what was written is read back and hashed again, and the head must follow
from the one that is anchored outside the database. So neither a damaged disk nor a restored backup
can make the laboratory sign two histories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from calib.ledger.checkpoints import Checkpoint, InclusionProof, read_checkpoint
from calib.ledger.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    Nodes,
    inclusion_proof,
    leaf_hash,
    nodes_of,
    root,
)
from calib.ledger.notes import Note, NoteKey, Signature, read_note, signers
from calib.ledger.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    bundle_of,
    bundles_of,
    entries_of,
    merged,
    nodes_from,
    path_of,
    tiles_of,
)
from calib.records.certificates import LedgerLeaf
from calib.records.log import LogCheckpoint, LogCosignature
from calib.services import ledger
from calib.services.ports import Anchor, LogStore
from instruments.errors import Conflict
from instruments.tenancy import installation_session

CHECKPOINT = "checkpoint"
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Log:
    """One log: where it is kept, what it is called, and who signs its heads."""

    engine: Engine
    files: LogStore
    anchor: Anchor
    note_key: NoteKey
    """Its public key; the name is the origin of its checkpoints."""
    sign: Callable[[str], Signature]
    """Signs the text of a checkpoint."""

    @property
    def origin(self) -> str:
        """Return the name under which heads are signed."""
        return self.note_key.name


def grow(log: Log, clock: Clock) -> Checkpoint:
    """Publish every ledger line that is not published yet; return the head that stands then.

    Safe to repeat and to kill at any moment.

    Raises
    ------
    Conflict
        The ledger does not continue what was anchored: nothing is signed.
    Unavailable
        A disk failed.
    """
    with log.files.held():
        anchored = log.anchor.load()
        before = _continued(log, anchored, clock)
        with installation_session(log.engine, read_only=True) as session:
            size = ledger.head(session).size
            if before is not None and size <= before.size:
                if size < before.size:
                    _need_lines(session, before)
                return before
            if size == 0:
                return Checkpoint(log.origin, 0, EMPTY_ROOT)
            _write_entries(log, session, before, size)
        after = Checkpoint(log.origin, size, _write_tiles(log, before, size))
        text = after.text()
        note = Note(text, (log.sign(text),))
        if signers(note, [log.note_key]) != (log.note_key,):
            raise Conflict(
                "log-key-wrong",
                "The key that signed the head of the log is not that of {origin}. Check the keys.",
                facts={"origin": log.origin},
            )
        # what was read at the beginning: another host may have anchored since, and it was first
        log.anchor.replace(anchored, str(note).encode())
        _publish(log, note, after, clock())
        return after


def published(log: Log) -> InclusionHead | None:
    """Return the head as it is served, with its cosignatures; None before the first."""
    content = log.files.read(CHECKPOINT)
    if content is None:
        return None
    note = read_note(content)
    return InclusionHead(note, read_checkpoint(note))


@dataclass(frozen=True, slots=True)
class InclusionHead:
    """A head of the log with the note that bears it."""

    note: Note
    checkpoint: Checkpoint


def proof_of(log: Log, session: Session, certificate_id: int, event: str) -> InclusionProof:
    """Return the proof that the line of a certificate is in the log, with what the line says.

    Raises
    ------
    NotFound
        Nothing of the kind happened to the certificate.
    Conflict
        Its line is not published yet.
    """
    place = ledger.place_of(session, certificate_id, event)
    line = session.scalars(select(LedgerLeaf).where(LedgerLeaf.place == place)).one()
    head = published(log)
    if head is None or head.checkpoint.size <= line.place:
        raise Conflict(
            "log-not-grown",
            "The line of this certificate is not in a signed head of the log yet. Ask again in a "
            "few seconds.",
        )
    size = head.checkpoint.size
    path = inclusion_proof(line.place, size, stored_nodes(log.files, size))
    extra = b'{"salt":"%b","subject":%b}' % (line.salt.encode(), line.subject.encode())
    return InclusionProof(line.place, path, head.note, head.checkpoint, extra)


def stored_nodes(files: LogStore, size: int) -> Nodes:
    """Return the hashes of complete subtrees as the tiles of a log of `size` hold them.

    Raises
    ------
    Conflict
        A tile is missing.
    """

    def tile_at(level: int, place: int) -> bytes:
        return _read(files, _tile_path(level, place, size))

    return nodes_from(tile_at)


def add_cosignatures(
    log: Log, head: InclusionHead, lines: Sequence[Signature], at: datetime
) -> Note:
    """Keep the cosignatures of witnesses and serve them with the head, unless it has grown on."""
    with log.files.held():
        now = published(log)
        if now is None or now.checkpoint != head.checkpoint:
            return head.note
        known = {(one.name, one.key_id) for one in now.note.signatures}
        new = [line for line in lines if (line.name, line.key_id) not in known]
        note = Note(now.note.text, (*now.note.signatures, *new))
        with installation_session(log.engine) as session:
            session.add_all(
                LogCosignature(size=now.checkpoint.size, line=str(line), seen_at=at) for line in new
            )
        log.files.publish(str(note).encode())
        return note


def _continued(log: Log, content: bytes | None, clock: Clock) -> Checkpoint | None:
    """Return the last head when the ledger continues it; publish one a crash left anchored only.

    `content` is what is anchored.
    """
    anchored = None
    if content is not None:
        note = read_note(content)
        anchored = read_checkpoint(note)
        if not signers(note, [log.note_key]) or anchored.origin != log.origin:
            raise _refused(
                "log-anchor-foreign",
                "What is anchored is no head of the log {origin} by its key. Nothing is signed: "
                "find out whose anchor this is.",
                origin=log.origin,
            )
    with installation_session(log.engine, read_only=True) as session:
        kept = session.scalar(
            select(LogCheckpoint.note).order_by(LogCheckpoint.size.desc()).limit(1)
        )
        recorded = read_checkpoint(read_note(kept.encode())) if kept else None
        if recorded == anchored:
            return anchored
        if anchored is None or (recorded is not None and recorded.size >= anchored.size):
            raise _refused(
                "log-anchor-behind",
                "The database knows a head of {size} lines, the anchor one of {anchored}. The "
                "anchor was lost or is an old copy. Nothing is signed: bring the anchor back, or "
                "take the head that was published as the new anchor after two persons compared it.",
                size=recorded.size if recorded else 0,
                anchored=anchored.size if anchored else 0,
            )
        _need_lines(session, anchored)
    # killed between anchoring and publishing: the same lines, so the head is published now
    _publish(log, read_note(content or b""), anchored, clock())
    return anchored


def _need_lines(session: Session, anchored: Checkpoint) -> None:
    """Refuse when the ledger no longer begins with the lines that were signed."""
    size = ledger.head(session).size
    found = _root_of_lines(session, anchored.size) if size >= anchored.size else b""
    if found != anchored.root:
        first = min(size, anchored.size)
        raise _refused(
            "log-would-fork",
            "The head that was signed has {anchored} lines, but the ledger of this database has "
            "{size} and does not begin with them: an old copy was restored, or lines were changed. "
            "Nothing is signed. Missing at least: lines {first} to {last}. Restore a newer backup; "
            "if there is none, start a new log under another name.",
            anchored=anchored.size,
            size=size,
            first=first if size < anchored.size else 0,
            last=anchored.size - 1,
        )


def _root_of_lines(session: Session, size: int) -> bytes:
    lines = session.scalars(
        select(LedgerLeaf.leaf).where(LedgerLeaf.place < size).order_by(LedgerLeaf.place)
    )
    return root(size, nodes_of([leaf_hash(leaf.encode()) for leaf in lines]))


def _write_entries(log: Log, session: Session, before: Checkpoint | None, size: int) -> None:
    """Write the bundles; lines that were published before must be the ones in the database."""
    had = before.size if before else 0
    if had % WIDTH:
        place, width = had // WIDTH, had % WIDTH
        bundle = _read(log.files, f"tile/{path_of(ENTRIES, place, width)}")
        if tuple(_lines(session, place * WIDTH, had)) != entries_of(bundle):
            raise _refused(
                "log-would-fork",
                "Lines {first} to {last} of the ledger are not the ones that were published. "
                "Nothing is signed: compare the database with the files of the log and a backup.",
                first=place * WIDTH,
                last=had - 1,
            )
    for place, width in bundles_of(size, had):
        entries = tuple(_lines(session, place * WIDTH, place * WIDTH + width))
        log.files.write(f"tile/{path_of(ENTRIES, place, width)}", bundle_of(entries))


def _lines(session: Session, start: int, end: int) -> Iterator[bytes]:
    rows = session.scalars(
        select(LedgerLeaf.leaf)
        .where(LedgerLeaf.place >= start, LedgerLeaf.place < end)
        .order_by(LedgerLeaf.place)
    )
    return (leaf.encode() for leaf in rows)


def _write_tiles(log: Log, before: Checkpoint | None, size: int) -> bytes:
    """Write the tiles from what stands in the files, and return the root over all of it."""
    for tile in tiles_of(size, before.size if before else 0):
        log.files.write(f"tile/{tile.path()}", _content(log.files, tile))
    nodes = stored_nodes(log.files, size)
    if before is not None and root(before.size, nodes) != before.root:
        raise _refused(
            "log-would-fork",
            "The files of the log no longer give the head of {size} lines that was signed. Nothing "
            "is signed: run calib fsck and restore the files from a backup.",
            size=before.size,
        )
    return root(size, nodes)


def _content(files: LogStore, tile: Tile) -> bytes:
    if tile.level == 0:
        bundle = _read(files, f"tile/{path_of(ENTRIES, tile.place, tile.width)}")
        return b"".join(leaf_hash(entry) for entry in entries_of(bundle))
    first = tile.place * WIDTH
    below = (path_of(str(tile.level - 1), first + i) for i in range(tile.width))
    return b"".join(merged(_read(files, f"tile/{path}", WIDTH * HASH_SIZE)) for path in below)


def _tile_path(level: int, place: int, size: int) -> str:
    width = min(WIDTH, (size >> (8 * level)) - place * WIDTH)
    return f"tile/{path_of(str(level), place, width)}"


def _read(files: LogStore, path: str, expected: int | None = None) -> bytes:
    content = files.read(path)
    if content is None or (expected is not None and len(content) != expected):
        raise _refused(
            "log-file-missing",
            "The file {path} of the log is missing or too short. Restore it from a backup.",
            path=path,
        )
    return content


def _publish(log: Log, note: Note, head: Checkpoint, at: datetime) -> None:
    log.files.publish(str(note).encode())
    with installation_session(log.engine) as session:
        session.add(LogCheckpoint(size=head.size, note=str(note), made_at=at))


def _refused(code: str, message: str, **facts: object) -> Conflict:
    return Conflict(code, message, facts=facts)
