"""Watch a log from outside: that it only grows, and that nothing appears in one's name unasked.

Trusts neither the database nor the operator: it reads what is served, and computes every root
itself. Knows no network: whoever calls fetches.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from calib.ledger.chain import leaf_of, said_by
from calib.ledger.checkpoints import Checkpoint, read_checkpoint, read_proof
from calib.ledger.merkle import HASH_SIZE, leaf_hash, root
from calib.ledger.notes import NoteKey, read_note, signers
from calib.ledger.tiles import ENTRIES, WIDTH, entries_of, merged, nodes_from, path_of
from instruments.errors import Conflict, Finding, Refused

Fetch = Callable[[str], bytes]
"""Returns a file of the log by its name; raises Unavailable when it is not served."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen."""

    head: Checkpoint
    findings: tuple[Finding, ...]


def watch(
    fetch: Fetch,
    key: NoteKey,
    seen: Checkpoint | None,
    lab: str = "",
    own: Collection[str] = (),
) -> Watched:
    """Look at a log again; `own` are the lines the lab knows to be its own.

    Raises
    ------
    Refused
        The head is not signed by the log, or does not continue what was seen: keep both, tell
        others.
    Conflict
        A file of the log does not fit its head.
    """
    note = read_note(fetch("checkpoint"))
    head = read_checkpoint(note)
    if not signers(note, [key]) or head.origin != key.name:
        raise Refused(
            "log-head-foreign",
            "The head that is served is not signed by {origin}. Whoever answers there is not the "
            "log.",
            facts={"origin": key.name},
        )
    if head.size == 0:
        return Watched(head, ())
    tiles = functools.cache(lambda level, place: _tile(fetch, head.size, level, place))
    nodes = nodes_from(tiles)
    start = seen.size if seen is not None else 0
    if head.size < start or (seen is not None and start and root(start, nodes) != seen.root):
        raise Refused(
            "log-forked",
            "The log had {seen} lines when it was last seen; what is served now, of {size} lines, "
            "does not begin with them. Somebody rewrote history: keep both heads and tell the "
            "witnesses.",
            facts={"seen": start, "size": head.size},
        )
    if root(head.size, nodes) != head.root:
        raise _unfit("checkpoint")
    entries = _entries(fetch, tiles, start, head.size)
    return Watched(head, tuple(_foreign(entries, start, lab, frozenset(own))))


def _tile(fetch: Fetch, size: int, level: int, place: int) -> bytes:
    width = min(WIDTH, (size >> (8 * level)) - place * WIDTH)
    path = path_of(str(level), place, width)
    content = fetch(f"tile/{path}")
    if len(content) != width * HASH_SIZE:
        raise _unfit(path)
    return content


def _entries(
    fetch: Fetch, tiles: Callable[[int, int], bytes], start: int, end: int
) -> Iterator[str]:
    """Return the entries from `start` on; each must be the one whose hash stands in the tree."""
    for place in range(start // WIDTH, -(-end // WIDTH)):
        width = min(WIDTH, end - place * WIDTH)
        path = path_of(ENTRIES, place, width)
        try:
            entries = entries_of(fetch(f"tile/{path}"))
        except ValueError:
            raise _unfit(path) from None
        if b"".join(leaf_hash(entry) for entry in entries) != tiles(0, place):
            raise _unfit(path)
        _need_way_up(tiles, place, end)
        first = max(0, start - place * WIDTH)
        yield from (entry.decode("utf-8", "replace") for entry in entries[first:])


def _need_way_up(tiles: Callable[[int, int], bytes], place: int, size: int) -> None:
    """Make sure that the tiles above a full tile bear its hash, up to the one that is not full."""
    level = 0
    while size >> (8 * level) >= (place + 1) * WIDTH:
        above, at = place // WIDTH, place % WIDTH * HASH_SIZE
        if tiles(level + 1, above)[at : at + HASH_SIZE] != merged(tiles(level, place)):
            raise _unfit(path_of(str(level + 1), above))
        level, place = level + 1, above


def _foreign(
    entries: Iterator[str], start: int, lab: str, own: frozenset[str]
) -> Iterator[Finding]:
    for place, line in enumerate(entries, start):
        if lab and _issues_for(lab, line) and line not in own:
            yield Finding(
                "log-line-unknown",
                "Line {place} was written in the name of {lab}, which does not know it: {line}. "
                "Find out what was issued; if nobody did it, keys are in wrong hands.",
                at=f"/log/{place}",
                facts={"place": place, "lab": lab, "line": line[:200]},
            )


def _issues_for(lab: str, line: str) -> bool:
    """Answer whether a line says that something was issued in the name of the lab."""
    try:
        plain = json.loads(line)
        return bool(plain["lab"] == lab and plain["type"] == "issued")
    except (ValueError, TypeError, KeyError):
        return False


def _unfit(path: str) -> Conflict:
    return Conflict(
        "log-file-unfit",
        "The file {path} of the log does not fit its signed head. Fetch it again; if it stays so, "
        "the log is damaged or lies.",
        facts={"path": path},
    )


def lines_of_proofs(proofs: Iterable[bytes]) -> frozenset[str]:
    """Return the lines that proofs of one's own certificates speak of.

    Raises Invalid or Refused for a file that is no proof.
    """
    said = (said_by(read_proof(content).extra) for content in proofs)
    return frozenset(leaf_of(str(subject["status"]), salt, subject) for salt, subject in said)
