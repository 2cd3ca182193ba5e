"""Texts of strangers in mails: they make no header, no part, no event of a calendar, no markup."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from icalendar import Calendar

from calib.adapters.mail import compose
from calib.reminders import messages
from calib.reminders.messages import Digest, DueItem, Sender
from calib.services import letters
from instruments.services.links import Due
from instruments.services.security_notices import NOTICES
from instruments.text import LANGUAGES, LocalizedText
from tests.support.builders import NOW
from tests.support.hostile_texts import TEMPLATES, XSS

BREAKS = [
    "Li\r\nBcc: all@example.org", "Li\nBcc: all@example.org", "Li\rBcc: all@example.org",
    "Li\r\n\r\n<script>alert(31337)</script>", "Li\r\n.\r\nMAIL FROM:<x@example.org>",
    "Li\nContent-Type: text/html", "Li\u2028Bcc: all@example.org", "Li\u0085Bcc: all@example.org",
    "Li\x0bBcc: all@example.org", "Li\x00Bcc: all@example.org", "=?utf-8?Q?Li=0D=0ABcc:_x?=",
    "Li\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:paid", "x;VALUE=URI:http://evil.example",
    "--===============0==\r\nContent-Type: text/html\r\n\r\n<b>x</b>",
]  # fmt: skip
TEXTS = [*XSS[::4], *TEMPLATES[::4], *BREAKS]
"""A mail is plain text: what is markup elsewhere is one of many here."""
HEADERS = {
    "From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "Content-Type",
    "Content-Transfer-Encoding", "MIME-Version",
}  # fmt: skip
TODAY = date(2026, 3, 2)


def parsed(subject, body, calendar=None):
    """Return the mail as its reader gets it, after holding it to be one of ours and no more."""
    mail = compose(
        sender="Calib <calib@example.org>", recipient="li@example.org", subject=subject, body=body,
        message_id="<1@calib.example>", calendar=calendar,
    )  # fmt: skip
    read = message_from_bytes(bytes(mail), policy=default)
    assert set(read.keys()) <= HEADERS, read.keys()
    assert len(read.keys()) == len(set(read.keys()))
    assert read["To"].addresses[0].addr_spec == "li@example.org"
    assert len(read["To"].addresses) == 1
    kinds = [part.get_content_type() for part in read.walk() if not part.is_multipart()]
    assert kinds == ["text/plain"] + ["text/calendar"] * (calendar is not None)
    return read


def squeezed(text):
    """Return the words without what no mail carries as it is."""
    return "".join(c for c in text if c.isprintable() and not c.isspace())


def a_digest(text, language):
    both = LocalizedText(en=text, zh=text)
    items = tuple(
        DueItem(
            instrument_id=n, customer_id=1, site_id=1, key=f"key {n}", status="in_service",
            barcode=text, maker=text, model=text, serial=text, asset_number=text, location=text,
            customer=both, site=both, due_on=TODAY + timedelta(days=n * 7 - 3),
        )
        for n in range(2)
    )  # fmt: skip
    sender = Sender(both, phone=text, email=text, board="https://calib.example/board")
    return Digest(sender, items, TODAY, language, names_customers=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reminder_stays_one_mail_of_plain_text_with_its_own_events(language):
    for text in TEXTS:
        digest = a_digest(text, language)
        feed = messages.calendar(digest.items, digest.sender, language)
        read = parsed(messages.subject(digest), messages.body(digest), feed)
        assert squeezed(text) in squeezed(read.get_body().get_content()), text
        calendar = Calendar.from_ical(next(read.iter_attachments()).get_content())
        events = calendar.walk("VEVENT")
        assert len(events) == 2
        allowed = {
            "UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "DTSTART", "TRANSP", "STATUS",
            "SUMMARY", "LOCATION", "DESCRIPTION",
        }  # fmt: skip
        for event in events:
            assert set(event) <= allowed, text
            assert squeezed(text) in squeezed(str(event["SUMMARY"])), text
            assert not event["SUMMARY"].params, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_about_an_account_names_its_person_and_says_nothing_else(language):
    class Box:
        def send(self, *, recipient, subject, body, message_id, calendar):
            self.sent = (subject, body)

    box = Box()
    for text in TEXTS:
        for purpose in ("reset", "invitation", *NOTICES[:3]):
            due = Due(1, purpose, "li@example.org", text, language, "calib_l_x", NOW, NOW)
            letters._send(box, due, "https://calib.example.org")
            read = parsed(*box.sent)
            content = read.get_body().get_content()
            assert squeezed(text) in squeezed(content), (purpose, text)
            links = [word for word in content.split() if word.startswith("https:")]
            with_link = purpose in ("reset", "invitation")
            expected = ["https://calib.example.org/password?token=calib_l_x"] * with_link
            assert links == expected, (purpose, text)


def test_what_is_not_printable_never_reaches_the_subject():
    digest = a_digest("x", "en")
    for text in BREAKS:
        sender = Sender(LocalizedText(en=text, zh=text))
        line = messages.subject(dataclasses.replace(digest, sender=sender))
        read = parsed(line, "x")
        assert "\n" not in read["Subject"]
        assert "\r" not in read["Subject"]
