"""Checkpoints (C2SP tlog-checkpoint): how long a log is and what its root is, signed.

And proofs of inclusion in the form in which they travel with a certificate (C2SP tlog-proof).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from calib.ledger.merkle import HASH_SIZE
from calib.ledger.notes import Note, decode, read_note
from instruments.errors import Invalid

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_STEPS = 63
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log at one size."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where an entry stands in the log of a checkpoint, and the path to its root."""

    place: int
    path: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint
    extra: bytes = b""
    """Not signed by anybody: worthless until what it says was hashed and compared."""

    def text(self) -> str:
        """Write the proof as it is stored beside a certificate."""
        extra = f"extra {base64.b64encode(self.extra).decode()}\n" if self.extra else ""
        path = "".join(f"{base64.b64encode(step).decode()}\n" for step in self.path)
        return f"{PROOF_HEADER}\n{extra}index {self.place}\n{path}\n{self.note}"


def read_whole(text: str) -> int:
    """Read a count as C2SP writes it: decimal, no leading zero.

    Raises ValueError.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no count")
    return int(text)


def read_checkpoint(note: Note) -> Checkpoint:
    """Read the text of a note as a checkpoint; extension lines are refused, nothing signs them.

    Raises Invalid when it is none.
    """
    lines = note.text.split("\n")
    try:
        origin, size, root, end = lines
        checkpoint = Checkpoint(origin, read_whole(size), decode(root))
    except ValueError:
        raise _no_checkpoint() from None
    if not origin or end or len(checkpoint.root) != HASH_SIZE:
        raise _no_checkpoint()
    return checkpoint


def read_proof(content: bytes) -> InclusionProof:
    """Read a proof file.

    Raises Invalid when it is none.
    """
    head, blank, tail = content.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n") if blank else []
        return _proof(lines, tail)
    except ValueError:
        raise Invalid(
            "proof-unreadable",
            "This is no proof of inclusion ({header}). Ask the laboratory for the original file.",
            facts={"header": PROOF_HEADER},
        ) from None


def _proof(lines: list[str], tail: bytes) -> InclusionProof:
    if not lines or lines.pop(0) != PROOF_HEADER:
        raise ValueError("another header")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode(lines.pop(0).removeprefix("extra "))
    index = lines.pop(0) if lines else ""
    if not index.startswith("index "):
        raise ValueError("no index")
    note = read_note(tail)
    place = read_whole(index.removeprefix("index "))
    return InclusionProof(place, hashes_of(lines), note, read_checkpoint(note), extra)


def hashes_of(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Read one hash from each line.

    Raises ValueError.
    """
    found = tuple(decode(line) for line in lines)
    if len(found) > MAX_STEPS or any(len(one) != HASH_SIZE for one in found):
        raise ValueError("no hashes of a proof")
    return found


def _no_checkpoint() -> Invalid:
    return Invalid(
        "checkpoint-unreadable",
        "The signed text is no checkpoint: the lines origin, size and root are expected, nothing "
        "else. Ask for the original file.",
    )
