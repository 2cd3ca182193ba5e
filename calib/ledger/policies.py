"""Whom a verifier trusts (C2SP tlog-policy): logs, witnesses, and how many must have cosigned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from calib.ledger.notes import COSIGNATURE, ED25519, NoteKey, read_note_key
from instruments.errors import DomainError, Invalid

MAX_LINES = 1000
NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses of which so many must have cosigned."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it was read."""

    logs: tuple[NoteKey, ...]
    witnesses: Mapping[str, NoteKey]
    groups: Mapping[str, Group]
    quorum: str
    urls: Mapping[str, str] = field(default_factory=dict)
    """Where a log (by origin) or a witness (by name) answers."""

    def is_met_by(self, cosigned: Collection[NoteKey]) -> bool:
        """Answer whether these cosigners are enough."""
        return self.quorum == NONE or self._holds(self.quorum, cosigned)

    def _holds(self, name: str, cosigned: Collection[NoteKey]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in cosigned
        group = self.groups[name]
        return sum(self._holds(member, cosigned) for member in group.members) >= group.needed


def read_policy(text: str) -> Policy:
    """Read a policy file.

    Raises Invalid with the line that is wrong.
    """
    reader = _Reader()
    lines = text.split("\n")
    if len(lines) > MAX_LINES or any((c < " " and c not in "\t\n") or c == "\x7f" for c in text):
        raise _wrong(0, "it is too long or holds control characters")
    for number, line in enumerate(lines, 1):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if words and not words[0].startswith("#"):
            reader.read(number, words)
    if reader.quorum is None:
        raise _wrong(len(lines), "there is no quorum line")
    return Policy(tuple(reader.logs), reader.witnesses, reader.groups, reader.quorum, reader.urls)


class _Reader:
    def __init__(self) -> None:
        self.logs: list[NoteKey] = []
        self.witnesses: dict[str, NoteKey] = {}
        self.groups: dict[str, Group] = {}
        self.urls: dict[str, str] = {}
        self.quorum: str | None = None
        self._used: set[str] = set()
        self._keys: set[tuple[str, bytes]] = set()

    def read(self, number: int, words: list[str]) -> None:
        """Read one line."""
        keyword, *rest = words
        known = {
            "log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum
        }  # fmt: skip
        if keyword not in known:
            raise _wrong(number, f"{keyword} is none of log, witness, group, quorum")
        known[keyword](number, rest)

    def _log(self, number: int, rest: list[str]) -> None:
        if len(rest) not in (1, 2):
            raise _wrong(number, "a log has a key and perhaps an address")
        note_key = self._key(number, "log", rest[0], ED25519)
        self.logs.append(note_key)
        if len(rest) == 2:
            self.urls[note_key.name] = rest[1]

    def _witness(self, number: int, rest: list[str]) -> None:
        if len(rest) not in (2, 3):
            raise _wrong(number, "a witness has a name, a key and perhaps an address")
        self._need_new(number, rest[0])
        self.witnesses[rest[0]] = self._key(number, "witness", rest[1], COSIGNATURE)
        if len(rest) == 3:
            self.urls[rest[0]] = rest[2]

    def _group(self, number: int, rest: list[str]) -> None:
        if len(rest) < 3:
            raise _wrong(number, "a group has a name, all, any or a count, and members")
        name, needed, *members = rest
        self._need_new(number, name)
        for member in members:
            if member not in self.witnesses and member not in self.groups:
                raise _wrong(number, f"{member} is not defined above")
            if member in self._used:
                raise _wrong(number, f"{member} is a member already")
            self._used.add(member)
        counts = {"all": len(members), "any": 1}
        if needed not in counts and not (needed.isascii() and needed.isdecimal()):
            raise _wrong(number, f"{needed} is neither all, any nor a count")
        count = counts.get(needed) or int(needed)
        if not 1 <= count <= len(members):
            raise _wrong(number, f"{count} of {len(members)} members cannot be asked for")
        self.groups[name] = Group(count, tuple(members))

    def _quorum(self, number: int, rest: list[str]) -> None:
        if self.quorum is not None:
            raise _wrong(number, "there is a quorum line already")
        if len(rest) != 1 or (
            rest[0] != NONE and rest[0] not in self.witnesses and rest[0] not in self.groups
        ):
            raise _wrong(number, "a quorum names one witness or group defined above, or none")
        self.quorum = rest[0]

    def _need_new(self, number: int, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise _wrong(number, f"the name {name} is taken")

    def _key(self, number: int, kind: str, text: str, type_: int) -> NoteKey:
        try:
            note_key = read_note_key(text)
        except DomainError as problem:
            raise _wrong(number, f"the key cannot be read ({problem.code})") from problem
        if note_key.type != type_:
            raise _wrong(number, f"the key of a {kind} has type {type_}, not {note_key.type}")
        if (kind, note_key.public_key) in self._keys:
            raise _wrong(number, "the same key stands there twice")
        self._keys.add((kind, note_key.public_key))
        return note_key


def _wrong(number: int, reason: str) -> Invalid:
    return Invalid(
        "policy-unreadable",
        "Line {line} of the policy is wrong: {reason}. Correct it, or ask its author.",
        at=f"/{number}",
        facts={"line": number, "reason": reason},
    )
