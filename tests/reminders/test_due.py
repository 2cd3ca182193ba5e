"""Due dates: month ends, leap days, zones, fence posts, odd times, stages of notices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.reminders import due
from instruments.errors import Invalid

MONTHS = [
    # anchor, months, day
    ("2024-01-31", 1, "2024-02-29"),
    ("2024-01-31", 2, "2024-03-31"),
    ("2024-01-31", 3, "2024-04-30"),
    ("2024-01-31", 4, "2024-05-31"),
    ("2024-01-31", 13, "2025-02-28"),
    ("2023-01-31", 1, "2023-02-28"),
    ("2023-01-31", 2, "2023-03-31"),
    ("2023-01-30", 1, "2023-02-28"),
    ("2023-01-29", 1, "2023-02-28"),
    ("2023-01-28", 1, "2023-02-28"),
    ("2024-01-30", 1, "2024-02-29"),
    ("2024-01-29", 1, "2024-02-29"),
    ("2024-02-29", 1, "2024-03-29"),
    ("2024-02-29", 12, "2025-02-28"),
    ("2024-02-29", 24, "2026-02-28"),
    ("2024-02-29", 36, "2027-02-28"),
    ("2024-02-29", 48, "2028-02-29"),
    ("2024-02-29", 6, "2024-08-29"),
    ("2023-02-28", 12, "2024-02-28"),
    ("2023-12-31", 2, "2024-02-29"),
    ("2022-12-31", 2, "2023-02-28"),
    ("2023-12-31", 1, "2024-01-31"),
    ("2023-12-01", 1, "2024-01-01"),
    ("2023-11-30", 3, "2024-02-29"),
    ("2023-08-31", 6, "2024-02-29"),
    ("2023-08-31", 1, "2023-09-30"),
    ("2023-10-31", 1, "2023-11-30"),
    ("2023-05-31", 1, "2023-06-30"),
    ("2023-03-31", 1, "2023-04-30"),
    ("2026-03-02", 12, "2027-03-02"),
    ("2026-03-02", 6, "2026-09-02"),
    ("2026-03-02", 3, "2026-06-02"),
    ("2026-06-30", 12, "2027-06-30"),
    ("2026-07-15", 18, "2028-01-15"),
    ("2037-12-31", 2, "2038-02-28"),
    ("2038-01-19", 1, "2038-02-19"),
    ("2099-12-31", 2, "2100-02-28"),
    ("1999-12-31", 2, "2000-02-29"),
    ("1899-12-31", 2, "1900-02-28"),
    ("9999-11-30", 1, "9999-12-30"),
]


def test_the_table_has_forty_rows():
    assert len({row[:2] for row in MONTHS}) == 40


@pytest.mark.parametrize(("anchor", "months", "day"), MONTHS)
def test_months_are_counted_from_the_anchor(anchor, months, day):
    assert due.add_months(date.fromisoformat(anchor), months) == date.fromisoformat(day)


def test_two_months_are_not_one_month_twice():
    anchor = date(2023, 1, 31)
    assert due.add_months(anchor, 2) == date(2023, 3, 31)
    assert due.add_months(due.add_months(anchor, 1), 1) == date(2023, 3, 28)


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(1, 240))
def test_the_day_never_moves_into_another_month(anchor, months):
    day = due.add_months(anchor, months)
    assert (day.year * 12 + day.month) - (anchor.year * 12 + anchor.month) == months
    assert day.day == anchor.day or (day.day < anchor.day and (day + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(("anchor", "months"), [("9999-12-31", 1), ("9000-01-01", 12_000)])
def test_a_due_date_after_the_year_9999_is_refused(anchor, months):
    with pytest.raises(Invalid, match="years 1 to 9999") as caught:
        due.next_due(date.fromisoformat(anchor), months)
    assert caught.value.code == "due-date-out-of-range"


@pytest.mark.parametrize("months", [0, -1])
@pytest.mark.parametrize("reckon", [due.next_due, due.valid_until])
def test_an_interval_that_is_not_positive_is_refused(reckon, months):
    with pytest.raises(Invalid) as caught:
        reckon(date(2026, 3, 2), months)
    assert caught.value.code == "interval-not-positive"


@pytest.mark.parametrize(
    ("verified", "months", "last"),
    [
        ("2026-03-02", 12, "2027-03-01"),
        ("2026-01-01", 12, "2026-12-31"),
        ("2024-03-01", 12, "2025-02-28"),
        ("2023-03-01", 12, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-28"),
        ("2025-08-31", 6, "2026-02-28"),
        ("2025-03-31", 6, "2025-09-30"),
    ],
)
def test_a_legal_validity_ends_with_its_last_day(verified, months, last):
    until = due.valid_until(date.fromisoformat(verified), months)
    assert until == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("today", "overdue", "soon"),
    [
        ("2026-02-01", False, False),
        ("2026-02-02", False, True),
        ("2026-03-03", False, True),
        ("2026-03-04", False, True),
        ("2026-03-05", True, False),
        ("2027-03-04", True, False),
    ],
)
def test_on_the_due_date_itself_nothing_is_overdue(today, overdue, soon):
    due_on, today = date(2026, 3, 4), date.fromisoformat(today)
    assert due.is_overdue(due_on, today) is overdue
    assert due.is_due_soon(due_on, today) is soon


@pytest.mark.parametrize(
    ("instant", "overdue"),
    [
        ("2026-03-04T15:59:59.999999Z", False),
        ("2026-03-04T16:00:00Z", True),  # midnight in Shanghai, still the 4th in UTC
        ("2026-03-04T16:00:01Z", True),
        ("2026-03-03T16:00:00Z", False),
    ],
)
def test_the_last_valid_second_is_the_last_of_the_local_day(instant, overdue):
    today = due.local_date(datetime.fromisoformat(instant), ZoneInfo("Asia/Shanghai"))
    assert due.is_overdue(date(2026, 3, 4), today) is overdue


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-06-30T22:30Z", "America/Los_Angeles", "2026-06-30"),
        ("2026-06-30T22:30Z", "Europe/Berlin", "2026-07-01"),
        ("2026-06-30T22:30Z", "Asia/Shanghai", "2026-07-01"),
        # clocks go forward and back in Berlin
        ("2026-03-28T22:59:59Z", "Europe/Berlin", "2026-03-28"),
        ("2026-03-28T23:00:00Z", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T21:59:59Z", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T22:00:00Z", "Europe/Berlin", "2026-03-30"),
        ("2026-10-25T22:59:59Z", "Europe/Berlin", "2026-10-25"),
        ("2026-10-25T23:00:00Z", "Europe/Berlin", "2026-10-26"),
        # São Paulo skipped midnight of 4 November 2018: the day began at 01:00
        ("2018-11-04T02:59:59Z", "America/Sao_Paulo", "2018-11-03"),
        ("2018-11-04T03:00:00Z", "America/Sao_Paulo", "2018-11-04"),
        # Apia had no 30 December 2011
        ("2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31"),
        ("2038-01-19T03:14:08Z", "Asia/Shanghai", "2038-01-19"),
        ("1899-12-31T23:59:59Z", "UTC", "1899-12-31"),
        ("9999-12-31T23:59:59Z", "UTC", "9999-12-31"),
    ],
)
def test_a_date_is_the_labs_date(instant, zone, day):
    assert due.local_date(datetime.fromisoformat(instant), ZoneInfo(zone)).isoformat() == day


@pytest.mark.parametrize(
    ("instant", "code"),
    [
        (datetime(2026, 3, 2, 8, 30), "instant-without-zone"),  # noqa: DTZ001 -- the very point
        (datetime(9999, 12, 31, 23, tzinfo=UTC), "instant-out-of-range"),
    ],
)
def test_an_instant_without_a_date_is_refused(instant, code):
    with pytest.raises(Invalid) as caught:
        due.local_date(instant, ZoneInfo("Asia/Shanghai"))
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["Asia/Peking", "", "../etc/passwd", "/etc/localtime", "Asia"])
def test_an_unknown_zone_is_refused_by_name(name):
    with pytest.raises(Invalid) as caught:
        due.zone_named(name)
    assert repr(name) in str(caught.value)


def test_a_known_zone_is_found():
    assert due.zone_named("Asia/Shanghai") == ZoneInfo("Asia/Shanghai")


DUE = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("days", "reached"),
    [
        (-400, None),
        (-31, None),
        (-30, -30),
        (-8, -30),
        (-7, -7),
        (-1, -7),
        (0, 0),
        (6, 0),
        (7, 7),
        (13, 7),
        (14, 14),
        (20, 14),
        (21, 21),
        (365, 364),
    ],
)
def test_the_newest_stage_reached_is_the_one_to_send(days, reached):
    assert due.stage(DUE, DUE + timedelta(days=days)) == reached


def _sent(days):
    """Run the job on these days and remember what was sent, as the registry does."""
    sent: list[int] = []
    for day in days:
        reached = due.stage(DUE, day)
        if reached is not None and reached not in sent:
            sent.append(reached)
    return sent


def test_run_daily_every_stage_is_sent_once():
    days = [DUE + timedelta(days=n) for n in range(-60, 30) for _twice in range(2)]
    assert _sent(days) == [-30, -7, 0, 7, 14, 21, 28]


def test_after_a_pause_only_the_newest_stage_is_sent():
    days = [DUE + timedelta(days=n) for n in (-40, -29, 23, 24, 28)]
    assert _sent(days) == [-30, 21, 28]


@pytest.mark.parametrize(
    ("zone", "start", "hours", "due_on"),
    [
        ("Pacific/Apia", "2011-12-25T00:30Z", 240, "2011-12-30"),  # a day that never was
        ("America/Sao_Paulo", "2018-10-30T02:30Z", 240, "2018-11-04"),
        ("Europe/Berlin", "2026-03-25T00:30Z", 240, "2026-03-29"),
        ("Europe/Berlin", "2026-10-20T00:30Z", 240, "2026-10-25"),
    ],
)
def test_an_hourly_job_reminds_once_however_the_clocks_jump(zone, start, hours, due_on):
    first, place = datetime.fromisoformat(start), ZoneInfo(zone)
    sent: list[int] = []
    for hour in range(hours):
        today = due.local_date(first + timedelta(hours=hour), place)
        reached = due.stage(date.fromisoformat(due_on), today)
        if reached not in sent:
            sent.append(reached)
    assert sent == [-7, 0]
