"""The mark in a QR code: what was issued, signed, so that it can be checked without any server.

It stands behind the # of the address, which no browser sends anywhere. A copied code still says
whose certificate it is: whoever scans it compares number, item and result with what lies before
them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from calib.ledger.checkpoints import read_whole
from calib.ledger.notes import Note, NoteKey, Signature, signers
from instruments.errors import DomainError, Invalid

HEADER = "calib-mark/1"
NONE = "-"
MAX_LENGTH = 1200
DIGEST_SIZE = 16
_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the code says of one certificate."""

    origin: str
    """Name of the log its lines stand in."""
    number: str
    kind: str
    issued_on: str
    until: str
    """End of its legal validity, ``-`` when it has none."""
    verdict: str
    item: str
    """Serial number, or the first and the last of a batch."""
    place: int
    """Place of its reservation in the log: no later line can have been issued before."""
    payload: bytes
    """First half of the SHA-256 of the frozen document."""
    entry: str
    """Name of the certificate in the status list: the token in the address is held to it."""

    def text(self) -> str:
        """Return what is signed.

        Raises ValueError when a part does not fit into its line.
        """
        lines = (
            HEADER,
            self.origin,
            self.number,
            self.kind,
            self.issued_on,
            self.until,
            self.verdict,
            self.item,
            str(self.place),
            _encode(self.payload),
            self.entry,
        )
        text = "".join(f"{line}\n" for line in lines)
        if _mark_of(text) != self:
            raise ValueError(f"{self} cannot be written as a mark")
        return text


@dataclass(frozen=True, slots=True)
class SignedMark:
    """A mark as it was read; nothing is believed yet."""

    mark: Mark
    key_id: bytes
    signature: bytes

    def signer(self, known: Iterable[NoteKey]) -> NoteKey | None:
        """Return the known key that signed it; None when none did."""
        text = self.mark.text()
        for note_key in known:
            line = Signature(note_key.name, self.key_id, self.signature)
            try:
                if signers(Note(text, (line,)), [note_key]):
                    return note_key
            except DomainError:
                continue
        return None


def fragment_of(mark: Mark, signature: Signature) -> str:
    """Return what stands behind the # of the address."""
    return f"{_encode(mark.text().encode())}.{_encode(signature.key_id + signature.content)}"


def read_fragment(fragment: str) -> SignedMark:
    """Read what stands behind the # of an address.

    Raises Invalid when it is no mark.
    """
    try:
        body, _, tail = fragment.partition(".") if len(fragment) <= MAX_LENGTH else ("", "", "")
        text, signed = _decode(body).decode(), _decode(tail)
        mark = _mark_of(text)
    except ValueError:
        raise _unreadable() from None
    if len(signed) != 4 + 64:
        raise _unreadable()
    return SignedMark(mark, signed[:4], signed[4:])


def read_mark(content: bytes) -> Mark:
    """Read what is signed of a mark.

    Raises Invalid when it is none.
    """
    try:
        return _mark_of(content.decode())
    except ValueError:
        raise _unreadable() from None


def _mark_of(text: str) -> Mark:
    """Take the text apart.

    Raises ValueError.
    """
    header, *words, place, payload, entry, end = text.split("\n")
    origin, number, kind, issued, until, verdict, item = words
    if (
        header != HEADER
        or end
        or not all(words)
        or any(c < " " or c == "\x7f" for c in text if c != "\n")
    ):
        raise ValueError("no mark")
    if not _WORD.fullmatch(kind) or not _WORD.fullmatch(verdict):
        raise ValueError("no kind or verdict")
    for day in (issued,) if until == NONE else (issued, until):
        if date.fromisoformat(day).isoformat() != day:
            raise ValueError("no date")
    digest = _decode(payload)
    if {len(digest), len(_decode(entry))} != {DIGEST_SIZE}:
        raise ValueError("no digest")
    at = read_whole(place)
    return Mark(origin, number, kind, issued, until, verdict, item, at, digest, entry)


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Read base64url without padding, strictly: one text for one content.

    Raises ValueError.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
    if _encode(content) != text:
        raise ValueError("not the canonical text of its content")
    return content


def _unreadable() -> Invalid:
    return Invalid(
        "mark-unreadable",
        "The code holds no mark of a certificate ({header}). It was not made by this program, or "
        "was damaged: compare the certificate by its file.",
        facts={"header": HEADER},
    )
