"""What a verifier pins of an installation: its log and witnesses, roots of seals, keys of marks.

Public, and useless to an attacker; but whoever takes it from the attacker trusts the attacker. It
is therefore handed over once, by a way other than the certificate, and kept. Knows keys as text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from calib.ledger.checkpoints import read_whole
from calib.ledger.notes import ED25519, NoteKey, read_note_key
from calib.ledger.policies import Policy, read_policy
from instruments.canonical import canonical_json
from instruments.errors import DomainError, Invalid
from instruments.plain import NotPlain, from_plain, later, to_plain
from instruments.text import LocalizedText

FORMAT = "calib-trust/1"
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key for marks or seals of one laboratory, or for status lists of the installation."""

    key: str
    """A vkey; of a seal the SHA-256 of its certificate in hexadecimal."""
    lab: str = ""
    """Code of the laboratory; empty: of the installation."""
    valid_from: str = ""
    valid_to: str = ""
    """UTC instants; empty: without an end."""
    compromised_at: str = ""
    """From when on nothing by this key is believed; empty: never."""
    compromised_size: str = later("")
    """How many lines the log had by then: what stands among them was signed before."""

    def was_logged_before(self, place: int | None) -> bool:
        """Answer whether a line stood in the log before the key was given up."""
        return place is not None and place < read_whole(self.compromised_size or "0")

    def was_given_up(self, now: datetime) -> bool:
        """Answer whether it may be in other hands by now: whoever has it can date things back."""
        return bool(self.compromised_at) and _instant(self.compromised_at) <= now

    def held_at(self, at: datetime) -> bool:
        """Answer whether what the key signed at this instant may be believed."""
        return (
            (not self.valid_from or _instant(self.valid_from) <= at)
            and (not self.valid_to or at < _instant(self.valid_to))
            and (not self.compromised_at or at < _instant(self.compromised_at))
        )


@dataclass(frozen=True, slots=True)
class TrustBundle:
    """Everything that is pinned of one installation."""

    host: str
    """Host and port its addresses bear, e.g. ``calib.institute.example``."""
    origin: str
    """Name of its log."""
    policy: str
    """Which key signs the log, which witnesses must have seen it (C2SP tlog-policy)."""
    labs: Mapping[str, tuple[LocalizedText, ...]] = field(default_factory=dict)
    """By code: the name of the laboratory, and after it those it had before."""
    roots: tuple[str, ...] = ()
    """Certificates (PEM) under which seals must stand."""
    seals: tuple[TrustedKey, ...] = ()
    marks: tuple[TrustedKey, ...] = ()
    statuses: tuple[TrustedKey, ...] = ()
    made_at: str = ""
    time_roots: tuple[str, ...] = later(())
    """Certificates (PEM) of timestamp authorities; when they saw a seal is then believed."""

    def read_policy(self) -> Policy:
        """Return whom the log is believed with."""
        return read_policy(self.policy)

    def mark_keys(self) -> Mapping[NoteKey, TrustedKey]:
        """Return the keys of marks, each with whose it is."""
        return {read_note_key(one.key): one for one in self.marks}

    def status_keys(self, at: datetime, now: datetime) -> tuple[NoteKey, ...]:
        """Return the keys that a status list made at this instant and read now may be signed by."""
        return tuple(
            read_note_key(one.key)
            for one in self.statuses
            if one.held_at(at) and not one.was_given_up(now)
        )

    def canonical(self) -> bytes:
        """Return the bytes that are handed over and compared."""
        return canonical_json({"format": FORMAT, **to_plain(self)})

    def fingerprint(self) -> str:
        """Return the SHA-256 by which two people compare bundles; when it was made is no matter."""
        return hashlib.sha256(replace(self, made_at="").canonical()).hexdigest()


def read_trust(plain: object) -> TrustBundle:
    """Read a trust bundle; every key in it is looked at.

    Raises Invalid with what is wrong.
    """
    try:
        if not isinstance(plain, Mapping):
            raise NotPlain("", "an object is expected")
        rest = {name: value for name, value in plain.items() if name != "format"}
        if plain.get("format") != FORMAT:
            raise NotPlain("/format", f"got {plain.get('format')!r}, expected {FORMAT!r}")
        bundle = from_plain(TrustBundle, rest)
        policy = bundle.read_policy()
        keys = [*bundle.mark_keys(), *(read_note_key(one.key) for one in bundle.statuses)]
        for one in (*bundle.seals, *bundle.marks, *bundle.statuses):
            for instant in (one.valid_from, one.valid_to, one.compromised_at):
                if instant:
                    _instant(instant)
    except (NotPlain, DomainError, ValueError) as problem:
        raise Invalid(
            "trust-unreadable",
            "This is no trust bundle ({problem}). Ask the laboratory for it again, by a way other "
            "than the certificate.",
            facts={"problem": str(problem)},
        ) from problem
    names = {note_key.name for note_key in policy.logs}
    if names != {bundle.origin} or any(one.type != ED25519 for one in keys):
        raise Invalid(
            "trust-inconsistent",
            "The trust bundle names the log {origin}, but its keys are of {names}. Ask the "
            "laboratory for it again.",
            facts={"origin": bundle.origin, "names": ", ".join(sorted(names)) or "-"},
        )
    return bundle


def _instant(text: str) -> datetime:
    """Read a UTC instant; raises ValueError when it is none."""
    at = datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)
    if at.strftime(_INSTANT) != text:
        raise ValueError(f"{text!r} is no instant as {_INSTANT}")
    return at
