"""Due dates: when an instrument is called again, when it is overdue, which notice falls when.

Pure calendar arithmetic on local dates. Knows no rows, no mail and no clock: it is told the day.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from instruments.errors import Invalid

NOTICE_STAGES = (-30, -7, 0)
"""Days from the due date on which a notice falls while the date is still kept."""
WEEK = 7
"""Days between notices once the date has passed."""
SOON = 30
"""Days before the due date from which an instrument counts as due soon."""


def add_months(anchor: date, months: int) -> date:
    """Return the same day `months` later, or the last day of that month where there is no such day.

    Always count from the anchor, never from an earlier answer: 31 January gives 28 February after
    one month and 31 March after two.

    Raises
    ------
    Invalid
        The answer lies outside the years 1 to 9999.
    """
    month = anchor.year * 12 + anchor.month - 1 + months
    year, place = divmod(month, 12)
    if not 1 <= year <= 9999:
        raise Invalid(
            "due-date-out-of-range",
            "{months} months from {anchor} leave the calendar (years 1 to 9999). "
            "Check the date and the interval.",
            facts={"months": months, "anchor": anchor.isoformat()},
        )
    last = calendar.monthrange(year, place + 1)[1]
    return date(year, place + 1, min(anchor.day, last))


def next_due(performed_on: date, interval_months: int) -> date:
    """Return the day on which the agreed interval calls the instrument again.

    Raises
    ------
    Invalid
        The interval is not positive, or leaves the calendar.
    """
    _positive(interval_months)
    return add_months(performed_on, interval_months)


def valid_until(verified_on: date, validity_months: int) -> date:
    """Return the last day on which a verification made on `verified_on` is valid.

    A validity of twelve months from 2 March ends with 1 March. Where the month has no such day it
    ends with the month: from 29 February 2024 with 28 February 2025.

    Raises
    ------
    Invalid
        The validity is not positive, or leaves the calendar.
    """
    _positive(validity_months)
    anniversary = add_months(verified_on, validity_months)
    if anniversary.day < verified_on.day:
        return anniversary
    return anniversary - timedelta(days=1)


def _positive(months: int) -> None:
    if months < 1:
        raise Invalid(
            "interval-not-positive",
            "The interval is {months} months, expected 1 or more. Enter whole months.",
            facts={"months": months},
        )


def is_overdue(due_on: date, today: date) -> bool:
    """Answer whether the due date has passed; on the day itself it has not."""
    return today > due_on


def is_due_soon(due_on: date, today: date) -> bool:
    """Answer whether the due date is kept but at most `SOON` days away."""
    return 0 <= (due_on - today).days <= SOON


def stage(due_on: date, today: date) -> int | None:
    """Return the newest notice stage reached on `today`; None while the date is far away.

    Stages are days from the due date: -30, -7, 0, then 7, 14, 21 ... Only the newest is asked for,
    so a job that stood still for weeks sends one notice when it runs again, not all it missed.
    That each stage is sent once is kept by whoever remembers what was sent.
    """
    past = (today - due_on).days
    if past >= WEEK:
        return past - past % WEEK
    return max((reached for reached in NOTICE_STAGES if reached <= past), default=None)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """Return the calendar date of an instant in a zone.

    Raises
    ------
    Invalid
        The instant has no time zone, or its date leaves the calendar.
    """
    if instant.tzinfo is None:
        raise Invalid(
            "instant-without-zone",
            "The time {instant} names no time zone. Add Z or an offset such as +08:00.",
            facts={"instant": instant.isoformat()},
        )
    try:
        return instant.astimezone(UTC).astimezone(zone).date()
    except OverflowError as problem:
        raise Invalid(
            "instant-out-of-range",
            "The time {instant} leaves the calendar (years 1 to 9999) in {zone}. Check the year.",
            facts={"instant": instant.isoformat(), "zone": zone.key},
        ) from problem


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name such as ``Asia/Shanghai``.

    Raises
    ------
    Invalid
        There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise Invalid(
            "time-zone-unknown",
            "There is no time zone {name}. Use an IANA name such as Asia/Shanghai.",
            facts={"name": repr(name)},
        ) from problem
