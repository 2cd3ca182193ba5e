"""Instants as people and programs write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from instruments.errors import Invalid


def instant_of(text: str, zone: ZoneInfo | None = None, at: str = "/since") -> datetime:
    """Return the instant that was written; without an offset it counts in `zone`.

    Raises Invalid when there is none, or it has no offset and no zone is given.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is not None and found.tzinfo is None and zone is not None:
        found = found.replace(tzinfo=zone)
    if found is None or found.tzinfo is None:
        raise Invalid(
            "instant-malformed",
            "{got} is no instant. Write date, time and zone, like 2026-03-02T08:00:00Z.",
            at=at,
            facts={"got": text},
        )
    return found
