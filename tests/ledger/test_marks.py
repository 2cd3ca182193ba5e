"""Marks of QR codes and status lists: read as written, and refused when bent."""

import base64
import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import segno
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calib.ledger.marks import Mark, fragment_of, read_fragment
from calib.ledger.notes import Note
from calib.ledger.statuses import Entry, StatusList, entry_of, read_status
from instruments.errors import Invalid
from tests.ledger.keys import Key

LAB = Key("lab.example/labs/L1/mark")
MARK = Mark(
    "lab.example/log",
    "校字 2026-000123",
    "calibration_certificate",
    "2026-03-02",
    "-",
    "pass",
    "SN 0815-体温",
    41,
    bytes(range(16)),
    entry_of("a token of the address"),
)


def fragment(mark=MARK, key=LAB):
    return fragment_of(mark, key.line(mark.text()))


def test_a_mark_is_read_as_it_was_written_and_its_signer_known():
    read = read_fragment(fragment())
    assert read.mark == MARK
    assert read.signer([Key("other").note_key, LAB.note_key]) == LAB.note_key


def test_a_mark_by_another_key_of_the_same_name_has_no_signer():
    forged = read_fragment(fragment(key=Key(LAB.note_key.name, seed="another")))
    assert forged.mark == MARK
    assert forged.signer([LAB.note_key]) is None
    assert read_fragment(fragment()).signer([]) is None


def test_every_bit_of_a_fragment_counts():
    """Flip each bit of the decoded halves: unreadable, or signed by nobody."""
    body, tail = (
        bytearray(base64.urlsafe_b64decode(half + "=" * (-len(half) % 4)))
        for half in fragment().split(".")
    )
    accepted = 0
    for content in (body, tail):
        for i in range(len(content)):
            for bit in range(8):
                content[i] ^= 1 << bit
                bent = ".".join(
                    base64.urlsafe_b64encode(half).decode().rstrip("=") for half in (body, tail)
                )
                with contextlib.suppress(Invalid):
                    accepted += read_fragment(bent).signer([LAB.note_key]) is not None
                content[i] ^= 1 << bit
    assert accepted == 0


WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


@settings(max_examples=60)
@given(number=WORDS, item=WORDS, place=st.integers(0, 10**18))
def test_whatever_is_written_is_read_again(number, item, place):
    mark = replace(MARK, number=number, item=item, place=place)
    assume(len(fragment(mark)) <= 1200)
    assert read_fragment(fragment(mark)).mark == mark


@pytest.mark.parametrize(
    "change",
    [
        {"number": ""},
        {"number": "a\nb"},
        {"item": "a\tb"},
        {"kind": "Pass"},
        {"verdict": "pass fail"},
        {"issued_on": "2026-3-2"},
        {"until": "20270302"},
        {"place": -1},
        {"payload": bytes(15)},
        {"entry": "abc"},
    ],
)
def test_what_cannot_be_a_mark_is_not_written(change):
    with pytest.raises(ValueError, match=r"mark|kind|date|digest|iso|count|values"):
        replace(MARK, **change).text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        fragment().replace(".", ""),
        fragment() + "=",
        fragment() + "A",
        fragment()[:-4],
        fragment() + "." + fragment(),
        " " + fragment(),
        "A" * 1300,
        fragment().replace("-", "+").replace("_", "/") + "+",
    ],
)
def test_what_is_no_mark(text):
    with pytest.raises(Invalid, match="no mark"):
        read_fragment(text)


def test_the_code_stays_small_enough_to_print_and_scan():
    address = "https://calib.institute.example/c/" + "A" * 22 + "#" + fragment()
    code = segno.make(address, error="m", boost_error=False)
    assert code.version <= 17


NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
TOKENS = ("tokenA", "tokenB", "tokenC")
LIST = StatusList(
    "lab.example/log",
    NOW,
    NOW + timedelta(hours=24),
    77,
    {
        entry_of("tokenA"): Entry("withdrawn", date(2026, 3, 1)),
        entry_of("tokenB"): Entry("superseded", date(2026, 2, 1)),
    },
)


def test_a_list_is_read_as_it_was_written():
    read = read_status(Note(LIST.text(), ()))
    assert read == LIST
    assert read.entry("tokenA") == Entry("withdrawn", date(2026, 3, 1))
    assert read.entry("tokenC") is None
    assert "token" not in LIST.text()


@pytest.mark.parametrize(
    ("after", "current"),
    [(-1, False), (0, True), (24 * 3600 - 1, True), (24 * 3600, False), (10**7, False)],
)
def test_a_list_is_believed_for_its_time_only(after, current):
    assert LIST.is_current(NOW + timedelta(seconds=after)) is current


ROW = LIST.text().split("\n")[-2]


@pytest.mark.parametrize(
    "text",
    [
        LIST.text().replace("calib-status/1", "calib-status/2"),
        LIST.text().replace("T08:30:00Z", "T08:30Z"),
        LIST.text().replace("\n77\n", "\n077\n"),
        LIST.text().replace("withdrawn", "valid"),
        LIST.text() + ROW + "\n",
        LIST.text() + "A" * 22 + " void 2026-3-1\n",
        LIST.text() + "AAAA void 2026-03-01\n",
        "\n".join(LIST.text().split("\n")[:4]) + "\n",
        LIST.text().replace("lab.example/log", ""),
        LIST.text() + "\n",
    ],
)
def test_what_is_no_list(text):
    with pytest.raises(Invalid, match="no status list"):
        read_status(Note(text, ()))
