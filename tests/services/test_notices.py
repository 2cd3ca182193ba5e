"""Notices: who is told what and when, once, whatever runs twice, at once or not at all."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from calib.records.work import Mail, Notice, ScheduleRun
from calib.services import notices, recall
from instruments.records.audit import AuditEvent
from instruments.tenancy import installation_session
from tests.support.due_world import LAB_MAIL, due_world


def run(world):
    return notices.make_notices(world.engine, world.clock, public_url="https://calib.example")


def mails(world):
    with installation_session(world.engine) as session:
        rows = session.scalars(select(Mail).order_by(Mail.id)).all()
        session.expunge_all()
    return (
        {mail.recipient: mail for mail in rows}
        if len({m.recipient for m in rows}) == len(rows)
        else rows
    )


def stages(world, recipient):
    with installation_session(world.engine) as session:
        return session.scalars(
            select(Notice.stage).where(Notice.recipient == recipient).order_by(Notice.id)
        ).all()


def test_one_digest_per_reader_not_one_mail_per_item(world):
    for n in range(3):
        world.instrument(world.station, f"2026-03-{5 + n:02d}")
    world.instrument(world.school, "2026-02-20")
    made = run(world)
    assert (made.mails, made.notices) == (3, 8)
    assert set(mails(world)) == {LAB_MAIL, "station@example.org", "school@example.org"}


def test_a_digest_names_venue_days_what_to_do_and_nobody_elses_things(world):
    world.instrument(world.station, "2026-03-05", asset_number="A-7", location="Gate 3")
    world.instrument(world.school, "2026-02-20", serial="SCHOOL-1")
    run(world)
    text = mails(world)["station@example.org"].body
    assert "Hall A" in text
    assert "Braun BST200 no. SN-0001 (asset A-7)" in text
    assert "Gate 3" in text
    assert "in 3 days" in text
    assert "What to do" in text
    assert "https://calib.example/board" in text
    assert "SCHOOL-1" not in text
    assert "第一小学" not in text
    calendar = mails(world)["station@example.org"].calendar
    assert "SCHOOL-1" not in calendar


def test_the_lab_is_told_of_all_with_the_customers_named_in_its_language(world):
    world.instrument(world.station, "2026-03-05")
    world.instrument(world.school, "2026-02-20")
    run(world)
    mail = mails(world)[LAB_MAIL]
    assert "东站" in mail.body
    assert "第一小学" in mail.body
    assert "已超期" in mail.body
    assert "杭州计量院" in mail.subject
    assert "Overdue" not in mail.body


@pytest.mark.parametrize("status", ["out_of_service", "lost", "scrapped"])
def test_nobody_is_reminded_of_what_is_not_in_use(world, status):
    world.instrument(world.station, "2026-03-05", status=status)
    assert run(world).mails == 0


def test_limited_use_is_use(world):
    world.instrument(world.station, "2026-03-05", status="limited")
    assert run(world).mails == 2


def test_what_is_not_due_within_thirty_days_is_left_in_peace(world):
    world.instrument(world.station, "2026-04-02")  # 31 days
    world.instrument(world.station, None)
    assert run(world).mails == 0
    world.instrument(world.station, "2026-04-01")  # 30 days
    assert run(world).notices == 2


def test_every_stage_once_however_often_the_job_runs(world):
    world.instrument(world.station, "2026-04-15")
    for day in (0, 14, 15, 37, 38, 39, 44, 45, 46, 51, 52, 53, 59, 66, 67):
        world.on((date(2026, 3, 1) + timedelta(days=day)).isoformat())
        run(world)
        run(world)
    assert stages(world, "station@example.org") == [-30, -7, 0, 7, 14, 21]
    assert stages(world, LAB_MAIL) == [-30, -7, 0, 7, 14, 21]


def test_after_a_pause_one_notice_is_sent_not_a_storm(world):
    world.instrument(world.station, "2026-03-05")
    world.on("2026-04-10")
    run(world)
    run(world)
    assert stages(world, "station@example.org") == [35]


def test_a_new_due_date_begins_anew(world):
    id_ = world.instrument(world.station, "2026-03-05")
    run(world)
    world.change(id_, due_on=date(2027, 3, 5))
    assert run(world).notices == 0
    world.on("2027-02-20")
    run(world)
    assert stages(world, "station@example.org") == [-7, -30]


def test_today_is_the_labs_day(database_url):
    world = due_world(database_url, time_zone="America/Los_Angeles")
    world.instrument(world.station, "2026-07-31")
    world.on("2026-07-01", "06:30")  # still 30 June in Los Angeles: 31 days to go
    assert run(world).notices == 0
    world.on("2026-07-01", "07:00")
    assert run(world).notices == 2
    world.engine.dispose()


def test_operators_are_told_in_their_language_and_only_while_they_serve(world):
    world.operator("anna@example.org", world.station, language="zh")
    world.operator("left@example.org", world.station, ends_on=date(2026, 3, 1))
    world.operator("soon@example.org", world.station, starts_on=date(2026, 3, 3))
    world.operator("other@example.org", world.school)
    world.instrument(world.station, "2026-03-05")
    run(world)
    told = mails(world)
    assert set(told) == {LAB_MAIL, "station@example.org", "anna@example.org"}
    assert "即将到期" in told["anna@example.org"].body


def test_one_address_in_two_parts_gets_one_digest(world):
    world.operator(LAB_MAIL, world.station)
    world.instrument(world.station, "2026-03-05")
    world.instrument(world.school, "2026-03-05")
    run(world)
    assert stages(world, LAB_MAIL) == [-7, -7]


def test_a_digest_of_hundreds_says_how_many_it_does_not_list(world, monkeypatch):
    monkeypatch.setattr("calib.reminders.messages.LISTED", 2)
    for n in range(5):
        world.instrument(world.station, f"2026-03-{5 + n:02d}")
    run(world)
    mail = mails(world)["station@example.org"]
    assert "3 more are not listed here" in mail.body
    assert len(list(Calendar.from_ical(mail.calendar).walk("VEVENT"))) == 2
    assert len(stages(world, "station@example.org")) == 5


def test_two_schedulers_at_once_send_each_notice_once(world):
    for n in range(12):
        world.instrument(world.station if n % 2 else world.school, f"2026-03-{3 + n:02d}")
    barrier = threading.Barrier(4)
    failures = []

    def schedule():
        barrier.wait()
        try:
            run(world)
        except Exception as problem:  # noqa: BLE001 -- whatever it is, the test shows it
            failures.append(problem)

    threads = [threading.Thread(target=schedule) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stages(world, "station@example.org")) == 6
    assert len(stages(world, "school@example.org")) == 6
    assert len(stages(world, LAB_MAIL)) == 12
    assert len(mails(world)) == 3


def test_the_database_itself_refuses_a_second_notice(world):
    world.instrument(world.station, "2026-03-05")
    run(world)
    with installation_session(world.engine) as session:
        row = session.scalars(select(Notice)).first()
        twin = {c: getattr(row, c) for c in ("lab_id", "instrument_id", "due_on", "stage")}
        twin |= {"recipient": row.recipient, "mail_id": row.mail_id, "made_at": row.made_at}
    with (
        pytest.raises(Exception, match=r"(?i)unique"),
        installation_session(world.engine) as session,
    ):
        session.add(Notice(**twin))


def test_mail_and_notices_stand_or_fall_together(world, monkeypatch):
    world.instrument(world.station, "2026-03-05")
    monkeypatch.setattr(notices.audit, "append", _broken)
    with pytest.raises(RuntimeError, match="power cut"):
        run(world)
    assert stages(world, LAB_MAIL) == []
    assert len(mails(world)) == 0
    monkeypatch.undo()
    assert run(world).mails == 2


def _broken(*_arguments):
    raise RuntimeError("power cut")


def test_a_failed_run_does_not_count_as_finished(world, monkeypatch):
    world.instrument(world.station, "2026-03-05")
    monkeypatch.setattr(notices.audit, "append", _broken)
    with pytest.raises(RuntimeError):
        run(world)
    with installation_session(world.engine) as session:
        row = session.scalars(select(ScheduleRun)).one()
        assert row.finished_at is None
        assert "1 labs failed" in row.outcome


def test_a_run_leaves_one_line_in_the_trail(world):
    world.instrument(world.station, "2026-03-05")
    run(world)
    run(world)
    with installation_session(world.engine) as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.act == "notice:notices:make"))
        facts = [row.facts for row in rows]
    assert facts == [{"on": "2026-03-02", "mails": 2, "notices": 2}]


def alarm(world):
    with installation_session(world.engine) as session:
        return recall.schedule_alarm(session, world.now)


def test_a_schedule_that_never_ran_raises_an_alarm(world):
    found = alarm(world)
    assert found.code == "schedule-never-ran"
    assert "nobody is being reminded" in found.words("en")
    assert "9600" in found.words("zh")


@pytest.mark.parametrize(("later", "code"), [(26, None), (27, "schedule-silent")])
def test_a_day_without_a_finished_run_raises_an_alarm(world, later, code):
    run(world)
    world.now += timedelta(hours=later)
    found = alarm(world)
    assert (found.code if found else None) == code


def test_the_hour_of_notices_comes_once_a_day_and_a_lost_trigger_is_made_up_for(world):
    def is_time():
        return notices.is_time_for_notices(world.engine, world.now, 6)

    assert is_time()
    run(world)
    assert not is_time()
    world.on("2026-03-03", "05:59")
    assert not is_time()
    world.on("2026-03-03", "06:00")
    assert is_time()
    world.on("2026-03-05", "03:00")
    assert is_time()
    run(world)
    assert not is_time()
    world.on("2026-03-05", "06:10")
    assert is_time()
