"""Whether a seal was set while its key was to be believed: what is claimed, and what is proven.

The time in a seal is a claim of whoever holds the key. A time stamp, or a head of the log that
others saw, proves that the seal was there by then. Without proof a seal is believed only while its
key is valid and was never given up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from calib.ledger.trust import TrustedKey

Answer = Literal["established", "contradicted", "not_established"]
SKEW = timedelta(minutes=5)
"""Clocks of a laboratory and of a timestamp authority may differ by so much."""


def believed(
    key: TrustedKey, signed_at: datetime, now: datetime, proven_at: datetime | None = None
) -> Answer:
    """Answer whether a seal of `signed_at` may be believed at `now`.

    `proven_at` is the earliest time by which somebody other than the holder of the key saw it.
    """
    compromised_at = _instant(key.compromised_at)
    ends = _instant(key.valid_to)
    if not key.held_at(signed_at) or signed_at > now + SKEW:
        return "contradicted"  # by its own words it was set when it could not be
    if proven_at is not None:
        if proven_at + SKEW < signed_at:
            return "contradicted"  # it was there before it claims to have been made
        if compromised_at is not None and proven_at >= compromised_at:
            return "contradicted"  # seen first when anybody could have made it
        return "established" if ends is None or proven_at < ends else "not_established"
    is_over = ends is not None and now >= ends
    return "not_established" if compromised_at is not None or is_over else "established"


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
