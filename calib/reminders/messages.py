"""The words of a due-date digest and its calendar; knows no rows, no mail server and no clock.

One digest tells one reader about all that falls due, by customer and venue, and what to do. The
same due date is the same calendar event (same UID) in every mail and in the feed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from icalendar import Alarm, Calendar, Event

from calib.i18n import format_date, translate
from calib.reminders.due import NOTICE_STAGES, is_overdue
from instruments.errors import fill
from instruments.text import LocalizedText

LISTED = 200
"""Instruments a digest lists one by one; the rest are counted and stand on the board."""
CALLED = ("in_service", "limited")
"""Status in which an instrument is called when its date comes."""
MORNING = timedelta(hours=9)
"""Alarms ring at nine, not at the midnight at which an all-day event begins."""


@dataclass(frozen=True, slots=True)
class DueItem:
    """One instrument with its due date, as digest and calendar name it."""

    instrument_id: int
    customer_id: int
    site_id: int | None
    key: str
    """Names the instrument for ever, across installations; the calendar's UID is made of it."""
    status: str
    """Of the registry: in_service, limited, out_of_service, lost, scrapped."""
    barcode: str
    maker: str
    model: str
    serial: str
    asset_number: str
    location: str
    customer: LocalizedText
    site: LocalizedText | None
    due_on: date
    revision: int = 0
    """Rises with every change; a calendar takes the event with the higher one."""
    changed_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    is_simulated: bool = False
    """The newest certificate rests on simulated readings."""

    @property
    def is_called(self) -> bool:
        """Answer whether the instrument is in use, so that its due date matters to anybody."""
        return self.status in CALLED


@dataclass(frozen=True, slots=True)
class Sender:
    """The laboratory that reminds."""

    name: LocalizedText
    phone: str = ""
    email: str = ""
    board: str = ""
    """Full address of the board; empty: not named."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What one reader is told in one mail."""

    sender: Sender
    items: tuple[DueItem, ...]
    today: date
    language: str
    names_customers: bool
    """For the lab's own people the customer of each venue is named."""


def subject(digest: Digest) -> str:
    """Return the subject line: who, how many are due, how many are overdue."""
    overdue = sum(is_overdue(item.due_on, digest.today) for item in digest.items)
    facts = {
        "lab": digest.sender.name.text(digest.language),
        "overdue": overdue,
        "due": len(digest.items) - overdue,
    }
    if not overdue:
        message = "{lab}: {due} instruments are due for calibration soon"
    elif overdue == len(digest.items):
        message = "{lab}: {overdue} instruments are overdue for calibration"
    else:
        message = "{lab}: {overdue} instruments are overdue, {due} are due soon"
    return " ".join(_say(message, digest.language, **facts).split())


def body(digest: Digest) -> str:
    """Return the text: overdue first, then due, by venue; what to do; whom to ask."""
    language = digest.language
    ordered = sorted(digest.items, key=_by_place)
    overdue = [item for item in ordered if is_overdue(item.due_on, digest.today)]
    coming = [item for item in ordered if not is_overdue(item.due_on, digest.today)]
    shown = (overdue + coming)[:LISTED]
    blocks = [
        _say("Good day,", language),
        _say(
            "these instruments need a new calibration or verification (as of {today}).",
            language,
            today=format_date(digest.today, language),
        ),
    ]
    if overdue:
        title = _say("Overdue: {count}", language, count=len(overdue))
        blocks.append(_block(title, shown[: len(overdue)], digest))
    if shown[len(overdue) :]:
        title = _say("Due soon: {count}", language, count=len(coming))
        blocks.append(_block(title, shown[len(overdue) :], digest))
    if len(shown) < len(digest.items):
        rest = len(digest.items) - len(shown)
        blocks.append(
            _say("{rest} more are not listed here; the board shows them all.", language, rest=rest)
        )
    blocks += [_what_to_do(bool(overdue), digest), _farewell(digest)]
    return "\n\n".join(blocks) + "\n"


def _by_place(item: DueItem) -> tuple[str, str, str, date, str]:
    site = item.site or LocalizedText(en=" ")
    return (item.customer.text("zh"), site.text("zh"), site.text("en"), item.due_on, item.barcode)


def _block(title: str, items: Sequence[DueItem], digest: Digest) -> str:
    lines = [title]
    for place, group in groupby(items, key=lambda item: _place(item, digest)):
        lines.append(f"  {place}")
        lines += [f"  - {_line(item, digest)}" for item in group]
    return "\n".join(lines)


def _place(item: DueItem, digest: Digest) -> str:
    language = digest.language
    site = item.site.text(language) if item.site else _say("No venue given", language)
    return f"{item.customer.text(language)} · {site}" if digest.names_customers else site


def _line(item: DueItem, digest: Digest) -> str:
    language, days = digest.language, (item.due_on - digest.today).days
    if days < 0:
        when = "overdue since {day} ({days} days)"
    elif days == 0:
        when = "due today, {day}"
    else:
        when = "due on {day} (in {days} days)"
    parts = [item.barcode, named(item, language)]
    if item.location:
        parts.append(item.location)
    parts.append(_say(when, language, day=format_date(item.due_on, language), days=abs(days)))
    return " · ".join(parts)


def named(item: DueItem, language: str) -> str:
    """Return maker, model, serial and the owner's number in one line."""
    words = f"{item.maker} {item.model}".strip()
    words += " " + _say("no. {serial}", language, serial=item.serial)
    if item.asset_number:
        words += " " + _say("(asset {asset})", language, asset=item.asset_number)
    if item.is_simulated:
        words += " " + _say("(simulated readings)", language)
    return words


def _what_to_do(has_overdue: bool, digest: Digest) -> str:  # noqa: FBT001 -- private
    language = digest.language
    lines = [_say("What to do", language)]
    if has_overdue:
        lines.append(
            _say("- Overdue: put the instrument aside until it is calibrated again.", language)
        )
    lines.append(
        _say("- Due soon: ask for a date, or send the instrument in before the day.", language)
    )
    lines.append(_say("- No longer used: tell us, and the reminders for it end.", language))
    if digest.sender.board:
        lines.append(_say("State of all instruments: {board}", language, board=digest.sender.board))
    return "\n".join(lines)


def _farewell(digest: Digest) -> str:
    sender = digest.sender
    lines = [sender.name.text(digest.language), sender.phone, sender.email]
    return "\n".join(line for line in lines if line)


def calendar(items: Iterable[DueItem], sender: Sender, language: str) -> str:
    """Return iCalendar text: an all-day event per due date, alarms 30, 7 and 0 days before."""
    feed = Calendar()
    feed.add("prodid", "-//Calib//Due dates//EN")
    feed.add("version", "2.0")
    feed.add("calscale", "GREGORIAN")
    feed.add("method", "PUBLISH")
    title = _say("Calibration due dates", language)
    feed.add("x-wr-calname", _plain(f"{title} · {sender.name.text(language)}"))
    for item in items:
        feed.add_component(_event(item, sender, language))
    text: str = feed.to_ical().decode()
    return text


def _event(item: DueItem, sender: Sender, language: str) -> Event:
    event = Event()
    event.add("uid", str(uuid.uuid5(uuid.NAMESPACE_OID, item.key)))
    event.add("dtstamp", item.changed_at)
    event.add("last-modified", item.changed_at)
    event.add("sequence", item.revision)
    event.add("dtstart", item.due_on)
    event.add("transp", "TRANSPARENT")
    event.add("status", "CONFIRMED" if item.is_called else "CANCELLED")
    summary = _say("Calibration due: {item}", language, item=named(item, language))
    event.add("summary", _plain(summary))
    place = [item.site.text(language) if item.site else "", item.location]
    if any(place):
        event.add("location", _plain(" · ".join(part for part in place if part)))
    details = [item.barcode, *_farewell_lines(sender, language)]
    event.add("description", "\n".join(_plain(line) for line in details))
    if item.is_called:
        for days in NOTICE_STAGES:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", _plain(summary))
            alarm.add("trigger", timedelta(days=days) + MORNING)
            event.add_component(alarm)
    return event


def _farewell_lines(sender: Sender, language: str) -> list[str]:
    lines = [sender.name.text(language), sender.phone, sender.email, sender.board]
    return [line for line in lines if line]


def _plain(words: str) -> str:
    """Return the words on one line without control characters, which calendars cannot carry."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _say(message: str, language: str, **facts: object) -> str:
    return fill(translate(message, language), facts)
