"""The due list and the calendar feed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from calib.services import recall
from instruments.errors import Invalid, NotFound
from instruments.records.parties import Customer
from instruments.services.instruments import set_status
from instruments.tenancy import installation_session
from tests.support.due_world import ctx_of


def test_the_due_list_holds_overdue_and_due_in_order(world):
    world.instrument(world.station, "2026-04-02")
    soon = world.instrument(world.station, "2026-04-01")
    late = world.instrument(world.school, "2025-12-31")
    world.instrument(world.school, "2025-12-31", status="lost")
    world.instrument(world.school, None)
    with ctx_of(world) as ctx:
        assert [i.instrument_id for i in recall.due_list(ctx, 30)] == [late, soon]
        assert [i.instrument_id for i in recall.due_list(ctx, 0)] == [late]
        assert len(recall.due_list(ctx, 31)) == 3
    with ctx_of(world, customer_id=world.station) as ctx:
        assert [i.instrument_id for i in recall.due_list(ctx, 30)] == [soon]


@pytest.mark.parametrize("days", [-1, 36_526])
def test_days_that_leave_the_calendar_are_refused(world, days):
    with ctx_of(world) as ctx, pytest.raises(Invalid) as caught:
        recall.due_list(ctx, days)
    assert caught.value.code == "days-out-of-range"


def token_of(world, customer):
    with installation_session(world.engine) as session:
        return session.scalars(select(Customer.calendar_token).where(Customer.id == customer)).one()


def feed(world, customer):
    token = token_of(world, customer)
    with installation_session(world.engine, read_only=True) as session:
        return recall.calendar(session, token, world.now, public_url="https://calib.example")


def events(world, customer):
    return list(Calendar.from_ical(feed(world, customer)).walk("VEVENT"))


def test_the_feed_holds_the_customers_own_dates_as_whole_days(world):
    world.instrument(world.school, "2026-05-01", location="门卫")
    world.instrument(world.school, None)
    world.instrument(world.station, "2026-05-01")
    (found,) = events(world, world.school)
    assert found["DTSTART"].dt == date(2026, 5, 1)
    assert found["DTSTART"].params["VALUE"] == "DATE"
    assert found["STATUS"] == "CONFIRMED"
    assert "Braun BST200" in found["SUMMARY"]
    assert "校准" in found["SUMMARY"]
    assert "门卫" in found["LOCATION"]
    assert "https://calib.example/board" in found["DESCRIPTION"]
    days = [(alarm["TRIGGER"].dt - timedelta(hours=9)).days for alarm in found.walk("VALARM")]
    assert days == [-30, -7, 0]


def test_an_event_keeps_its_name_and_rises_when_the_date_moves(world):
    id_ = world.instrument(world.school, "2026-05-01")
    (before,) = events(world, world.school)
    world.change(id_, due_on=date(2027, 5, 1))
    (after,) = events(world, world.school)
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTART"].dt == date(2027, 5, 1)


def test_a_scrapped_instrument_is_cancelled_and_forgotten_after_a_year(world):
    id_ = world.instrument(world.school, "2026-05-01")
    (before,) = events(world, world.school)
    world.now += timedelta(days=1)
    with ctx_of(world) as ctx:
        set_status(ctx, id_, "scrapped", "broken")
    (after,) = events(world, world.school)
    assert after["STATUS"] == "CANCELLED"
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt == world.now > before["LAST-MODIFIED"].dt
    assert list(after.walk("VALARM")) == []
    world.on("2027-05-02")
    assert events(world, world.school) == []


def test_two_feeds_never_share_an_event_name(world):
    world.instrument(world.school, "2026-05-01")
    world.instrument(world.station, "2026-05-01")
    names = [e["UID"] for c in (world.school, world.station) for e in events(world, c)]
    assert len(set(names)) == 2


def test_the_same_rows_give_the_same_bytes(world):
    world.instrument(world.school, "2026-05-01")
    assert feed(world, world.school) == feed(world, world.school)


def test_lines_are_folded_to_75_bytes_and_stay_whole_characters(world):
    world.instrument(world.school, "2026-05-01", location="体温检测点" * 30)
    raw = feed(world, world.school)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    for line in raw.split(b"\r\n"):
        line.decode()  # no character is cut in two
    (found,) = Calendar.from_ical(raw).walk("VEVENT")
    assert "体温检测点" * 30 in found["LOCATION"]


def test_words_cannot_add_lines_to_the_calendar(world):
    world.instrument(world.school, "2026-05-01", location="Gate\nATTENDEE:mailto:x@y\nSUMMARY:z")
    raw = feed(world, world.school)
    assert b"\r\nATTENDEE" not in raw
    assert raw.count(b"\r\nSUMMARY") == 1


@pytest.mark.parametrize("token", ["", "x", "A" * 32, "A" * 9999, "A" * 31 + "\x00"])
def test_an_unknown_token_opens_no_feed(world, token):
    with installation_session(world.engine) as session, pytest.raises(NotFound) as caught:
        recall.calendar(session, token, world.now)
    assert caught.value.code == "calendar-unknown"
