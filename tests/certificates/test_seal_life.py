"""Twelve lives of a key and more: each seal is believed, refused or left open, exactly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from calib.certificates.seal_life import believed
from calib.ledger.trust import TrustedKey

YES, NO, OPEN = "established", "contradicted", "not_established"


def _on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


def _key(**more: str) -> TrustedKey:
    given = {"valid_from": "2024-01-01T00:00:00Z", "valid_to": "2027-01-01T00:00:00Z"}
    return TrustedKey(key="0" * 64, lab="HZ", **(given | more))


VALID = _key()
ROTATED = _key(valid_to="2025-06-01T00:00:00Z")
GIVEN_UP = _key(compromised_at="2025-09-01T00:00:00Z")
TIMELINES = [
    ("1 valid key, no stamp", VALID, "2025-03-02", "2026-01-01", None, YES),
    ("2 sealed before the key was valid", VALID, "2023-12-31", "2026-01-01", None, NO),
    ("3 sealed after the key had expired", VALID, "2027-01-02", "2027-02-01", None, NO),
    ("4 expired since, no stamp", VALID, "2025-03-02", "2027-02-01", None, OPEN),
    ("5 expired since, stamped in time", VALID, "2025-03-02", "2040-02-01", "2025-03-02", YES),
    ("6 expired since, stamped too late", VALID, "2025-03-02", "2040-02-01", "2027-03-02", OPEN),
    ("7 rotated, sealed before", ROTATED, "2025-05-31", "2025-12-01", "2025-05-31", YES),
    ("8 rotated, sealed after", ROTATED, "2025-06-02", "2025-12-01", "2025-06-02", NO),
    ("9 given up, sealed after", GIVEN_UP, "2025-09-02", "2026-01-01", "2025-09-02", NO),
    ("10 given up, seen before", GIVEN_UP, "2025-03-02", "2026-01-01", "2025-03-02", YES),
    ("11 given up, dated back", GIVEN_UP, "2025-03-02", "2026-01-01", "2025-10-01", NO),
    ("12 given up, nobody saw it before", GIVEN_UP, "2025-03-02", "2026-01-01", None, OPEN),
    ("13 dated forward", VALID, "2026-02-02", "2026-01-01", None, NO),
    ("14 stamped before it was made", VALID, "2025-03-02", "2026-01-01", "2025-02-02", NO),
]


@pytest.mark.parametrize(
    ("key", "signed", "now", "seen", "answer"),
    [line[1:] for line in TIMELINES],
    ids=[line[0] for line in TIMELINES],
)
def test_a_seal_is_believed_as_the_table_says(key, signed, now, seen, answer):
    proven = _on(seen) if seen else None
    assert believed(key, _on(signed), _on(now), proven) == answer


@pytest.mark.parametrize("second", [-1, 0])
def test_the_instant_of_a_compromise_itself_counts(second):
    at = (
        datetime(2025, 8, 31, 23, 59, 59, tzinfo=UTC)
        if second
        else datetime(2025, 9, 1, tzinfo=UTC)
    )
    assert believed(GIVEN_UP, at, _on("2026-01-01"), at) == (YES if second else NO)
