"""Jobs in this process: what is due happens after a start, whatever the queue remembers."""

from __future__ import annotations

import signal
import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from calib.adapters.http import post
from calib.adapters.log_files import FileAnchor, LogFolder
from calib.adapters.mail import SMTPMailer
from calib.jobs import tasks
from calib.jobs.huey import open_queue
from calib.records.work import Mail, ScheduleRun
from calib.services import notices
from calib.services.publishing import Publisher
from instruments.tenancy import installation_session
from tests.support.due_world import DueWorld
from tests.support.mail_server import mail_server
from tests.support.web import NoKeys

LONG = 30
"""Seconds until a job that should have run is taken for lost."""


@dataclass
class Telling:
    """A mailer that tells when a mail has gone out."""

    inner: SMTPMailer
    count: int
    done: threading.Event = field(default_factory=threading.Event)

    def send(self, **parts) -> None:
        self.inner.send(**parts)
        self.count -= 1
        if not self.count:
            self.done.set()


@dataclass
class Wired:
    """What the worker is wired with."""

    world: DueWorld
    mailer: object
    folder: Path
    recovered: threading.Event = field(default_factory=threading.Event)
    store: object = None
    sealer: object = None

    @property
    def engine(self):
        return self.world.engine

    @property
    def clock(self):
        return self.world.clock

    @property
    def publisher(self):
        log, status = LogFolder(self.folder / "log"), LogFolder(self.folder / "status")
        anchor = FileAnchor(self.folder / "anchor" / "checkpoint")
        return Publisher(self.engine, NoKeys(), log, status, anchor, post)

    @property
    def settings(self):
        return SimpleNamespace(
            folder=self.folder, public_url="https://calib.example", notice_hour="6"
        )


@pytest.fixture
def wired(world, tmp_path, monkeypatch):
    world.instrument(world.station, "2026-03-05")
    with mail_server() as server:
        mailer = Telling(SMTPMailer(host="127.0.0.1", port=server.port, sender="a@b.example"), 2)
        wired = Wired(world, mailer, tmp_path / "data")
        monkeypatch.setattr(tasks.recovery, "sweep", lambda *_arguments: wired.recovered.set())
        wired.server = server
        yield wired
        tasks.stop_worker()


def states(wired):
    with installation_session(wired.engine) as session:
        return session.scalars(select(Mail.state)).all()


def test_after_a_start_everything_that_waits_is_done(wired):
    tasks.start_worker(wired)
    assert wired.mailer.done.wait(LONG)
    tasks.stop_worker()
    assert wired.recovered.is_set()
    assert states(wired) == ["sent", "sent"]
    assert len(wired.server.received) == 2
    with installation_session(wired.engine) as session:
        assert session.scalars(select(ScheduleRun)).one().finished_at == wired.world.now


def test_a_restart_with_a_lost_queue_sends_what_was_left(wired):
    notices.make_notices(wired.engine, wired.clock)  # and then the machine went down
    wired.folder.mkdir()
    (wired.folder / "queue.db").unlink(missing_ok=True)
    tasks.start_worker(wired)
    assert wired.mailer.done.wait(LONG)
    tasks.stop_worker()
    assert states(wired) == ["sent", "sent"]


def test_two_workers_one_after_the_other_send_nothing_twice(wired):
    tasks.start_worker(wired)
    assert wired.mailer.done.wait(LONG)
    tasks.stop_worker()
    wired.recovered.clear()
    wired.mailer.done.clear()
    worker = tasks.start_worker(wired)
    assert wired.recovered.wait(LONG)
    worker.stop()
    assert len(wired.server.received) == 2


def test_a_job_that_fails_takes_no_other_with_it(wired, monkeypatch, caplog):
    def broken(*_arguments):
        raise RuntimeError("the file store is gone")

    monkeypatch.setattr(tasks.recovery, "sweep", broken)
    worker = tasks.start_worker(wired)
    assert wired.mailer.done.wait(LONG)
    assert worker.is_alive
    tasks.stop_worker()
    assert "sweep_reserved failed" in caplog.text


def test_a_job_can_be_asked_for_before_its_minute(wired):
    wired.mailer.count = 3
    worker = tasks.start_worker(wired)
    with installation_session(wired.engine) as session:
        session.add(
            Mail(
                lab_id=wired.world.lab_id,
                recipient="late@example.org",
                subject="s",
                body="b",
                calendar=None,
                message_id="<late@calib.example>",
                made_at=wired.world.now,
                next_try_at=wired.world.now,
            )
        )
    worker.trigger(tasks.send_mails)
    assert wired.mailer.done.wait(LONG)
    tasks.stop_worker()
    assert set(states(wired)) == {"sent"}


def test_the_worker_leaves_the_signals_alone_and_starts_once(wired):
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    worker = tasks.start_worker(wired)
    assert tasks.start_worker(wired) is worker
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    tasks.stop_worker()
    tasks.stop_worker()
    assert not worker.is_alive


def test_a_worker_stopped_at_once_stops(wired):
    worker = tasks.start_worker(wired)
    tasks.stop_worker()
    worker.wait(LONG)
    assert not worker.is_alive


def test_every_job_has_its_minute(tmp_path):
    queue = open_queue(tmp_path)
    for job, minutes in tasks.SCHEDULE:
        tasks._task(queue, job, None, minutes)
    hour = [datetime(2026, 3, 2, 6) + timedelta(minutes=n) for n in range(60)]  # noqa: DTZ001
    runs = [task.name for at in hour for task in queue.read_periodic(at)]
    assert {name: runs.count(name) for name in runs} == {
        "sweep_reserved": 12,
        "make_due_notices": 6,
        "send_mails": 60,
        "send_webhooks": 60,
        "tell_refusals": 6,
    }
    queue.storage.close()


def test_a_failing_disk_ends_the_process_of_the_jobs(wired, monkeypatch, caplog):
    ended = threading.Event()

    def broken(*_arguments):
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(tasks.os, "_exit", lambda _code: ended.set())
    monkeypatch.setattr(tasks.recovery, "sweep", broken)
    tasks.start_worker(wired)
    assert ended.wait(LONG)
