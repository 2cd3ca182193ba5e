"""The scheduled jobs: thin tasks from a name to a use case, and the worker that runs them.

Each task sweeps rows, so a trigger that is lost, doubled or late changes nothing but the hour.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from huey import SqliteHuey, crontab  # type: ignore[import-untyped]
from sqlalchemy import Engine

from calib.jobs.huey import Consuming, open_queue
from calib.jobs.publishing import LogKeeper
from calib.services import recovery
from calib.services.letters import send_letters
from calib.services.notices import is_time_for_notices, make_notices
from calib.services.outbox import send_waiting
from calib.services.ports import Courier, FileStore, Mailer, Sealer
from calib.services.publishing import Publisher
from calib.services.webhook_outbox import send_deliveries
from instruments.db import is_disk_failure
from instruments.errors import Finding
from instruments.services import denials

log = logging.getLogger("calib.jobs")


class WorkSettings(Protocol):
    """The settings the jobs need."""

    @property
    def folder(self) -> Path:
        """Return the folder of the queue."""

    @property
    def public_url(self) -> str:
        """Return the address people reach the installation at."""

    @property
    def notice_hour(self) -> str:
        """Return the hour (UTC) from which the notices of a day are made."""


class Wired(Protocol):
    """What the jobs work with, wired once per process."""

    @property
    def settings(self) -> WorkSettings:
        """Return the settings."""

    @property
    def engine(self) -> Engine:
        """Return the database."""

    @property
    def store(self) -> FileStore:
        """Return the file store."""

    @property
    def sealer(self) -> Sealer:
        """Return what seals certificates."""

    @property
    def mailer(self) -> Mailer:
        """Return what sends mails."""

    @property
    def courier(self) -> Courier:
        """Return what brings messages to addresses outside."""

    @property
    def publisher(self) -> Publisher:
        """Return what publishes the log."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """Return what tells the instant."""


def sweep_reserved(wired: Wired) -> None:
    """Finish every certificate whose number is reserved."""
    recovery.sweep(wired.engine, wired.store, wired.sealer, wired.clock)


def make_due_notices(wired: Wired) -> None:
    """Make the notices of the day, if nobody has since the hour at which they are due."""
    if is_time_for_notices(wired.engine, wired.clock(), int(wired.settings.notice_hour)):
        make_notices(wired.engine, wired.clock, public_url=wired.settings.public_url)


def send_mails(wired: Wired) -> None:
    """Hand waiting mails to the mail server, those about accounts first: people wait for them."""
    send_letters(wired.engine, wired.mailer, wired.clock, wired.settings.public_url)
    send_waiting(wired.engine, wired.mailer, wired.clock)


def send_webhooks(wired: Wired) -> None:
    """Bring what waits to the addresses that labs have told."""
    send_deliveries(wired.engine, wired.courier, wired.clock, public_url=wired.settings.public_url)


def tell_refusals(wired: Wired) -> None:
    """Tell the trails how many refusals were counted only."""
    denials.sweep(wired.engine, wired.clock())


SCHEDULE: tuple[tuple[Callable[[Wired], None], str], ...] = (
    (sweep_reserved, "*/5"),
    (make_due_notices, "*/10"),
    (send_mails, "*"),
    (send_webhooks, "*"),
    (tell_refusals, "*/10"),
)
"""Each job and the minutes at which it is triggered, in the order they run at the start."""


class Worker:
    """Runs the scheduled jobs in this process until it is stopped."""

    def __init__(self, wired: Wired) -> None:
        """Register the jobs, pull every trigger once, then run."""
        self._queue = open_queue(wired.settings.folder)
        self._queue.flush()  # triggers of an earlier process: every job is triggered below
        self._tasks = {job.__name__: _task(self._queue, job, wired, m) for job, m in SCHEDULE}
        for task in self._tasks.values():
            task()
        self._consuming = Consuming(self._queue)
        self._keeper = LogKeeper(wired.engine, wired.publisher, wired.clock)

    @property
    def is_alive(self) -> bool:
        """Answer whether the worker runs."""
        return self._consuming.is_alive

    @property
    def log_failure(self) -> Finding | None:
        """Return why the log is not published; None: it is."""
        return self._keeper.failure

    def trigger(self, job: Callable[[Wired], None]) -> None:
        """Run a job soon instead of at its next minute."""
        self._tasks[job.__name__]()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the worker ends."""
        self._consuming.wait(seconds)

    def stop(self) -> None:
        """End the worker; the job that runs is let finish."""
        self._keeper.stop()
        self._consuming.stop()


def _task(
    queue: SqliteHuey, job: Callable[[Wired], None], wired: Wired, minutes: str
) -> Callable[[], object]:
    def run() -> None:
        try:
            job(wired)
        except Exception as problem:
            log.exception("job %s failed; it is tried again at its next time", job.__name__)
            if is_disk_failure(problem):  # what was committed cannot be told: start-up finds out
                os._exit(70)

    task: Callable[[], object] = queue.periodic_task(crontab(minute=minutes), name=job.__name__)(
        run
    )
    return task


_running: list[Worker] = []
_lock = threading.Lock()


def start_worker(wired: Wired) -> Worker:
    """Start the worker of this process; a second call returns the one that runs."""
    with _lock:
        if not _running:
            _running.append(Worker(wired))
        return _running[0]


def log_failure() -> Finding | None:
    """Return why the worker of this process could not publish the log; None: it could."""
    return _running[0].log_failure if _running else None


def stop_worker() -> None:
    """Stop the worker of this process, if one runs."""
    with _lock:
        if _running:
            _running.pop().stop()
