"""What a witness answers to a log that asks for a cosignature (C2SP tlog-witness).

Pure: the request and what is known of the log in, the answer out. Whoever keeps the state must
hold it from reading to writing, or two requests at once could roll it back.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from calib.ledger.checkpoints import Checkpoint, hashes_of, read_checkpoint, read_whole
from calib.ledger.merkle import EMPTY_ROOT, is_consistent
from calib.ledger.notes import Note, NoteKey, read_note, signers
from instruments.errors import DomainError

PLAIN = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
MAX_REQUEST = 128 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that could be read."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Answer:
    """What the witness says; `cosign` is set when it keeps and cosigns the checkpoint."""

    status: int
    body: str
    content_type: str = PLAIN
    cosign: Checkpoint | None = None


def read_request(body: bytes) -> Asked | None:
    """Read the body of ``add-checkpoint``; None when it is none."""
    head, blank, tail = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
        if not blank or len(body) > MAX_REQUEST or not first.startswith("old "):
            return None
        note = read_note(tail)
        old = read_whole(first.removeprefix("old "))
        return Asked(old, hashes_of(lines), note, read_checkpoint(note))
    except (ValueError, DomainError):
        return None


def request_of(old: int, proof: Collection[str], note: Note) -> bytes:
    """Write the body of ``add-checkpoint``; `proof` holds one base64 hash each."""
    lines = "".join(f"{line}\n" for line in proof)
    return f"old {old}\n{lines}\n{note}".encode()


def answer(asked: Asked | None, trusted: Collection[NoteKey], latest: Checkpoint | None) -> Answer:
    """Judge a request: `trusted` are the keys of the log it names, empty for an unknown log."""
    if asked is None:
        return Answer(400, "The request is no checkpoint with its proof.\n")
    if not trusted:
        return Answer(404, "The witness does not know this log.\n")
    try:
        signed = signers(asked.note, trusted)
    except DomainError:
        signed = ()
    if not signed:
        return Answer(403, "No known key of the log signed the checkpoint.\n")
    new = asked.checkpoint
    if asked.old > new.size:
        return Answer(400, "The old size is larger than the checkpoint.\n")
    seen = latest or Checkpoint(new.origin, 0, EMPTY_ROOT)
    if asked.old != seen.size:
        return Answer(409, f"{seen.size}\n", SIZE)
    if asked.old == new.size and seen.root != new.root:
        return Answer(409, f"{seen.size}\n", SIZE)
    if not is_consistent(asked.old, new.size, asked.proof, seen.root, new.root):
        return Answer(422, "The proof does not show that the log only grew.\n")
    return Answer(200, "", cosign=new)
