"""The signed list of certificates that no longer stand, and until when it may be believed.

An entry names a certificate by a hash of its token: the list tells nothing to who does not hold
the certificate. A list past its time says nothing: the state is then unknown, never valid.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, cast

from calib.ledger.checkpoints import read_whole
from calib.ledger.notes import Note
from instruments.errors import Invalid

HEADER = "calib-status/1"
LONGEST = timedelta(days=7)
"""How long a list is believed, whatever it says of itself: a signature that was got once, or a
slip of the pen, hides no withdrawal for years. Lists are made for a day."""
Ended = Literal["superseded", "withdrawn", "void"]
_ENDED = ("superseded", "withdrawn", "void")
_CONTEXT = b"cal-status/1\0"
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate that no longer stands, and since when."""

    state: Ended
    on: date


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list as it was signed."""

    origin: str
    issued_at: datetime
    next_update: datetime
    size: int
    """Lines of the log it takes into account."""
    entries: Mapping[str, Entry]
    """By `entry_of` of the token."""

    def text(self) -> str:
        """Return what is signed."""
        head = (
            HEADER,
            self.origin,
            self.issued_at.astimezone(UTC).strftime(_INSTANT),
            self.next_update.astimezone(UTC).strftime(_INSTANT),
            str(self.size),
        )
        rows = (f"{id_} {one.state} {one.on}" for id_, one in sorted(self.entries.items()))
        return "".join(f"{line}\n" for line in (*head, *rows))

    @property
    def ends_at(self) -> datetime:
        """Return until when the list may be believed."""
        return self.issued_at + min(self.next_update - self.issued_at, LONGEST)

    def is_current(self, now: datetime) -> bool:
        """Answer whether the list may be believed now."""
        return self.issued_at <= now < self.ends_at

    def entry(self, token: str) -> Entry | None:
        """Return what became of the certificate; None: the list does not name it."""
        return self.entries.get(entry_of(token))


def entry_of(token: str) -> str:
    """Return the name of a certificate in the list."""
    digest = hashlib.sha256(_CONTEXT + token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def read_status(note: Note) -> StatusList:
    """Read the text of a note as a status list.

    Raises Invalid when it is none.
    """
    header, *lines = note.text.removesuffix("\n").split("\n")
    try:
        origin, issued, until, size, *rows = lines
        if header != HEADER or not origin:
            raise ValueError("another header")
        entries = dict(_row(row) for row in rows)
        found = StatusList(origin, _instant(issued), _instant(until), read_whole(size), entries)
    except ValueError:
        raise _unreadable() from None
    if found.text() != note.text:
        raise _unreadable()
    return found


def _row(row: str) -> tuple[str, Entry]:
    id_, state, on = row.split(" ")
    if state not in _ENDED or len(id_) != 22:
        raise ValueError("no entry")
    return id_, Entry(cast("Ended", state), date.fromisoformat(on))


def _instant(text: str) -> datetime:
    return datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)


def _unreadable() -> Invalid:
    return Invalid(
        "status-unreadable",
        "This is no status list ({header}). Fetch it again from the laboratory.",
        facts={"header": HEADER},
    )
