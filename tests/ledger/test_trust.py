"""Trust bundles: read as written, and refused when they do not fit together."""

import json
from datetime import UTC, datetime

import pytest

from calib.ledger.notes import COSIGNATURE
from calib.ledger.trust import TrustBundle, TrustedKey, read_trust
from instruments.errors import Invalid
from instruments.text import LocalizedText
from tests.ledger.keys import Key

LOG = Key("lab.example/log")
MARK = Key("lab.example/labs/L1/mark")
STATUS = Key("lab.example/log/status")
BUNDLE = TrustBundle(
    host="lab.example",
    origin="lab.example/log",
    policy=f"log {LOG.note_key}\nquorum none\n",
    labs={"L1": (LocalizedText(en="First", zh="一"),)},
    roots=("PEM",),
    seals=(TrustedKey("ab" * 32, "L1"),),
    marks=(TrustedKey(str(MARK.note_key), "L1", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),),
    statuses=(TrustedKey(str(STATUS.note_key), compromised_at="2026-06-01T00:00:00Z"),),
    made_at="2026-03-02T08:30:00Z",
)


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_bundle_is_read_as_it_was_written():
    read = read_trust(json.loads(BUNDLE.canonical()))
    assert read == BUNDLE
    assert read.mark_keys() == {MARK.note_key: BUNDLE.marks[0]}
    assert read.read_policy().logs == (LOG.note_key,)


@pytest.mark.parametrize(
    ("at", "held"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_a_key_is_believed_in_its_time(at, held):
    assert BUNDLE.marks[0].held_at(day(at)) is held
    assert BUNDLE.seals[0].held_at(day(at))


def test_nothing_is_believed_from_the_compromise_on():
    before, lost = day("2026-05-31"), day("2026-06-01")
    assert BUNDLE.status_keys(before, before) == (STATUS.note_key,)
    assert BUNDLE.status_keys(lost, lost) == ()
    assert BUNDLE.status_keys(before, lost) == (), "whoever has the key dates a list back"


def changed(**fields):
    return {**json.loads(BUNDLE.canonical()), **fields}


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        ({}, "trust-unreadable"),
        (changed(format="calib-trust/2"), "trust-unreadable"),
        (changed(more=1), "trust-unreadable"),
        (changed(policy="nonsense"), "trust-unreadable"),
        (changed(marks=[{"key": "nonsense"}]), "trust-unreadable"),
        (changed(statuses=[{"key": "nonsense"}]), "trust-unreadable"),
        (changed(seals=[{"key": "ab", "valid_to": "soon"}]), "trust-unreadable"),
        (changed(seals=[{"key": "ab", "valid_to": "2026-01-01T00:00:00"}]), "trust-unreadable"),
        (changed(origin="other.example/log"), "trust-inconsistent"),
        (changed(policy="quorum none\n"), "trust-inconsistent"),
        (changed(marks=[{"key": str(Key("w", COSIGNATURE).note_key)}]), "trust-inconsistent"),
    ],
)
def test_what_is_no_bundle(plain, code):
    with pytest.raises(Invalid) as stop:
        read_trust(plain)
    assert stop.value.code == code
