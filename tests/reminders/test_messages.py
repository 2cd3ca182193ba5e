"""The words of a digest: calm, complete, on one line where they must be, in both languages."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from calib.reminders import messages
from calib.reminders.messages import Digest, DueItem, Sender
from instruments.text import LocalizedText
from tests.support.spoken import untranslated

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 3, 2)
SENDER = Sender(
    LocalizedText("Hangzhou Institute", "杭州计量院"),
    phone="0571-000",
    email="lab@example.org",
    board="https://calib.example/board",
)


def item(due_on="2026-03-05", **more):
    given = {
        "instrument_id": 1,
        "customer_id": 1,
        "site_id": 1,
        "key": "HZ 1",
        "status": "in_service",
        "barcode": "HZ-000001",
        "maker": "Braun",
        "model": "BST200",
        "serial": "77",
        "asset_number": "",
        "location": "",
        "customer": LocalizedText("East Station", "东站"),
        "site": LocalizedText("Hall A", "甲厅"),
        "due_on": date.fromisoformat(due_on),
        "changed_at": datetime(2026, 1, 1, tzinfo=UTC),
        **more,
    }
    return DueItem(**given)


def digest(*items, language="en", names_customers=False):
    return Digest(SENDER, items, TODAY, language, names_customers)


@pytest.mark.parametrize(
    ("dates", "en", "zh"),
    [
        (["2026-03-05"], "1 instruments are due", "1 件器具即将到期"),
        (["2026-03-02"], "1 instruments are due", "1 件器具即将到期"),
        (["2026-03-01"], "1 instruments are overdue for", "1 件器具已超期，请尽快"),
        (["2026-03-01", "2026-03-05"], "1 instruments are overdue, 1", "1 件器具已超期，1 件即将"),
    ],
)
def test_the_subject_counts(dates, en, zh):
    items = [item(day) for day in dates]
    assert en in messages.subject(digest(*items))
    assert zh in messages.subject(digest(*items, language="zh"))


def test_the_subject_is_one_line_whatever_the_lab_is_called():
    sender = Sender(LocalizedText("Lab\r\nBcc: x@y"))
    text = messages.subject(Digest(sender, (item(),), TODAY, "en", names_customers=False))
    assert "\n" not in text
    assert "\r" not in text


def test_the_body_in_full():
    found = messages.body(
        digest(
            item("2026-03-05"),
            item("2026-02-20", barcode="HZ-000002", serial="78", asset_number="A-1"),
            item("2026-03-02", barcode="HZ-000003", site=None, location="Gate 3"),
        )
    )
    assert found == (
        "Good day,\n\n"
        "these instruments need a new calibration or verification (as of 2 March 2026).\n\n"
        "Overdue: 1\n"
        "  Hall A\n"
        "  - HZ-000002 · Braun BST200 no. 78 (asset A-1) · overdue since 20 February 2026 (10 days)"
        "\n\n"
        "Due soon: 2\n"
        "  No venue given\n"
        "  - HZ-000003 · Braun BST200 no. 77 · Gate 3 · due today, 2 March 2026\n"
        "  Hall A\n"
        "  - HZ-000001 · Braun BST200 no. 77 · due on 5 March 2026 (in 3 days)\n\n"
        "What to do\n"
        "- Overdue: put the instrument aside until it is calibrated again.\n"
        "- Due soon: ask for a date, or send the instrument in before the day.\n"
        "- No longer used: tell us, and the reminders for it end.\n"
        "State of all instruments: https://calib.example/board\n\n"
        "Hangzhou Institute\n0571-000\nlab@example.org\n"
    )


def test_the_body_in_chinese_has_no_english_sentence():
    found = messages.body(digest(item(), item("2026-02-20"), language="zh", names_customers=True))
    for word in ("Good day", "Overdue", "due", "What to do", "asset", "State of"):
        assert word not in found
    assert "东站 · 甲厅" in found
    assert "2026年2月20日" in found


def test_without_overdue_items_nobody_is_told_to_put_anything_aside():
    assert "put the instrument aside" not in messages.body(digest(item()))


def test_a_due_date_at_the_end_of_the_calendar_is_an_event():
    assert "99991231" in messages.calendar([item("9999-12-31")], SENDER, "en")


FILES = (
    "calib/reminders/messages.py",
    "calib/reminders/due.py",
    "calib/adapters/mail.py",
    "calib/services/recall.py",
    "calib/services/outbox.py",
    "calib/services/colours.py",
)


@pytest.mark.parametrize("file", FILES)
def test_every_sentence_of_reminders_and_board_has_chinese_words(file):
    """Sentences are the texts with a blank in calls of errors, alarms, judgements and `_say`."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    callers = {
        "_say",
        "Alarm",
        "Judgement",
        "Invalid",
        "NotFound",
        "Refused",
        "Unavailable",
        "Conflict",
        "DomainError",
    }
    sentences = {
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in callers
        for argument in call.args
        if isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and " " in argument.value
    }
    assert sentences
    assert untranslated(sentences) == ()
