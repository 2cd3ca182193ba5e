"""Signed notes (C2SP signed-note): a text, and lines that say who signed it.

Only Ed25519. A signature by a key nobody configured says nothing and is passed over; one that
bears the name and number of a known key and does not fit makes the whole note worthless.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from instruments.errors import Invalid, Refused

ED25519 = 0x01
COSIGNATURE = 0x04
"""Signature types: of a log over the text, of a witness over the text and a time."""
MAX_BYTES = 64 * 1024
MAX_SIGNATURES = 64
_KEY_SIZE = 32
_SIGNATURE_SIZE = 64


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under a name (vkey)."""

    name: str
    type: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that stand before each of its signatures."""
        return key_id(self.name, self.type, self.public_key)

    def __str__(self) -> str:
        """Write the key as policies and settings hold it."""
        body = base64.b64encode(bytes([self.type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{body}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        """Write the line, without its end."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.content).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signature lines; nothing is believed yet."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """Write the note."""
        return self.text + "\n" + "".join(f"{one}\n" for one in self.signatures)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness saw the tree at this time."""

    note_key: NoteKey
    seconds: int


def key_id(name: str, type_: int, public_key: bytes) -> bytes:
    """Return the number of a key: it commits to name, type and key."""
    named = name.encode() + b"\n" + bytes([type_]) + public_key
    return hashlib.sha256(named).digest()[:4]


def read_note_key(text: str) -> NoteKey:
    """Read a key in the form ``name+12345678+base64``.

    Raises Invalid when it is none, or its number is not that of its content.
    """
    name, _, rest = text.partition("+")
    number, _, body = rest.partition("+")
    try:
        decoded = decode(body)
    except ValueError:
        decoded = b""
    known = len(decoded) == 1 + _KEY_SIZE and decoded[0] in (ED25519, COSIGNATURE)
    if not (is_key_name(name) and known):
        raise Invalid(
            "vkey-unreadable",
            "{got} is no public key of the form name+number+base64 with an Ed25519 key. Copy the "
            "whole line from its owner.",
            facts={"got": text[:200]},
        )
    note_key = NoteKey(name, decoded[0], decoded[1:])
    if note_key.key_id.hex() != number:
        raise Invalid(
            "vkey-number-wrong",
            "The key of {name} bears the number {got}, but its content gives {expected}. It was "
            "damaged or changed: ask its owner for it again.",
            facts={"name": name, "got": number, "expected": note_key.key_id.hex()},
        )
    return note_key


def is_key_name(name: str) -> bool:
    """Answer whether this can be the name of a key: not empty, no space, no plus."""
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def read_note(content: bytes) -> Note:
    """Take a note apart.

    Raises Invalid when it is none.
    """
    try:
        whole = content.decode("utf-8") if len(content) <= MAX_BYTES else ""
    except UnicodeDecodeError:
        whole = ""
    text, blank, tail = whole.rpartition("\n\n")
    lines = tail.split("\n")
    is_note = blank and text and lines.pop() == "" and 0 < len(lines) <= MAX_SIGNATURES
    if not is_note or any(c < " " and c != "\n" for c in whole):
        raise _unreadable()
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    try:
        decoded = decode(parts[2]) if len(parts) == 3 and parts[0] == "—" else b""
    except ValueError:
        decoded = b""
    if len(decoded) <= 4 or not is_key_name(parts[1]):
        raise _unreadable()
    return Signature(parts[1], decoded[:4], decoded[4:])


def _unreadable() -> Invalid:
    return Invalid(
        "note-unreadable",
        "This is no signed note: a text, an empty line and one line for each signature are "
        "expected. Ask for the original file.",
    )


def signers(note: Note, known: Iterable[NoteKey]) -> tuple[NoteKey, ...]:
    """Return which known keys signed the text itself.

    Raises Refused when a line bears the name and number of a known key and does not fit.
    """
    return tuple(note_key for note_key, _ in _matched(note, known, ED25519))


def cosigners(note: Note, known: Iterable[NoteKey]) -> tuple[Cosignature, ...]:
    """Return which known witnesses cosigned the text, and when.

    Raises Refused as `signers` does.
    """
    return tuple(
        Cosignature(note_key, int.from_bytes(signature.content[:8], "big"))
        for note_key, signature in _matched(note, known, COSIGNATURE)
    )


def _matched(
    note: Note, known: Iterable[NoteKey], type_: int
) -> Sequence[tuple[NoteKey, Signature]]:
    keys = {(one.name, one.key_id): one for one in known if one.type == type_}
    found: dict[NoteKey, Signature] = {}
    for signature in note.signatures:
        note_key = keys.get((signature.name, signature.key_id))
        if note_key is None:
            continue
        if not _fits(note.text, note_key, signature.content):
            raise Refused(
                "note-signature-wrong",
                "The signature of {name} does not fit the text. The text or the signature was "
                "changed: do not rely on it.",
                facts={"name": note_key.name},
            )
        found.setdefault(note_key, signature)
    return list(found.items())


def _fits(text: str, note_key: NoteKey, content: bytes) -> bool:
    message = text.encode()
    if note_key.type == COSIGNATURE:
        seconds = int.from_bytes(content[:8], "big")
        message, content = cosigned_message(text, seconds), content[8:]
        if seconds >= 1 << 63:
            return False
    if len(content) != _SIGNATURE_SIZE:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(note_key.public_key).verify(content, message)
    except InvalidSignature:
        return False
    return True


def cosigned_message(text: str, seconds: int) -> bytes:
    """Return what a witness signs: the text at a time (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def signed(note_key: NoteKey, signature: bytes) -> Signature:
    """Return the line of a signature over the text."""
    return Signature(note_key.name, note_key.key_id, signature)


def cosigned(note_key: NoteKey, seconds: int, signature: bytes) -> Signature:
    """Return the line of a cosignature."""
    return Signature(note_key.name, note_key.key_id, seconds.to_bytes(8, "big") + signature)


def decode(text: str) -> bytes:
    """Read base64 strictly: one text for one content.

    Raises ValueError.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as problem:
        raise ValueError(str(problem)) from problem
    if base64.b64encode(content).decode() != text:
        raise ValueError("not the canonical base64 of its content")
    return content
