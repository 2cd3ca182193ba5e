"""The thread that keeps the log, the status list and the cosignatures up to date while serving.

It looks every two seconds whether the ledger grew, so that a certificate is in a signed head of
the log moments after it was issued, whoever issued it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine

from calib.services import ledger
from calib.services.heads import tell_heads
from calib.services.publishing import Publisher, publish
from instruments.db import is_disk_failure
from instruments.errors import DomainError, Finding
from instruments.tenancy import installation_session

log = logging.getLogger("calib.log")
SECONDS = 2.0
RENEWAL = timedelta(minutes=10)
"""So often it publishes even if nothing was added: the status list must stay current."""


class LogKeeper:
    """Publishes until it is stopped; remembers what failed last."""

    def __init__(self, engine: Engine, publisher: Publisher, clock: Callable[[], datetime]) -> None:
        """Start the thread."""
        self._engine, self._publisher, self._clock = engine, publisher, clock
        self._size = -1
        self._last = datetime.min.replace(tzinfo=clock().tzinfo)
        self.failure: Finding | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._look()
            if self._stopped.wait(SECONDS):
                return

    def _look(self) -> None:
        try:
            with installation_session(self._engine, read_only=True) as session:
                size = ledger.head(session).size
            now = self._clock()
            if size == self._size and self.failure is None and now - self._last < RENEWAL:
                return
            size += tell_heads(self._engine, now)
            done = publish(self._publisher, self._clock)
            self._size, self._last = size, now
            self.failure = done.findings[0] if done.findings else None
        except DomainError as stop:
            if self.failure is None or self.failure.code != stop.code:
                log.warning("the log is not published: %s", stop.code)
            self.failure = Finding(stop.code, stop.message, facts=stop.facts)
        except Exception as problem:
            log.exception("the log is not published; it is tried again")
            if is_disk_failure(problem):  # what was committed cannot be told: start-up finds out
                os._exit(70)
            self.failure = Finding(
                "log-not-published",
                "The log could not be published because of a fault of the program. It is tried "
                "again every two seconds; report the fault.",
            )
