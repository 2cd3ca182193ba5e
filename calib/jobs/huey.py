"""The queue: huey on an SQLite file of its own, and a consumer that lives in this process.

The queue only pulls triggers. Losing the file loses nothing: what must happen stands in rows, and
each task sweeps them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

from huey import SqliteHuey  # type: ignore[import-untyped]
from huey.consumer import Consumer, ConsumerStopped  # type: ignore[import-untyped]

from instruments.db import SQLITE_WAL_SAFE

PATIENCE = 20
"""Seconds a task that runs may take to end when the process stops."""


def open_queue(folder: Path) -> SqliteHuey:
    """Return the queue kept in ``queue.db`` of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    safe = sqlite3.sqlite_version_info >= SQLITE_WAL_SAFE
    return SqliteHuey(
        "calib",
        filename=str(folder / "queue.db"),
        journal_mode="wal" if safe else "delete",
        results=False,
        timeout=30,
    )


class _Consumer(Consumer):  # type: ignore[misc]  # huey has no types
    """A consumer that leaves the process's signals to whoever runs the process."""

    def _set_signal_handlers(self) -> None:
        """Do nothing: handlers belong to the main thread, which is not ours."""


class Consuming:
    """A consumer that runs in threads of this process until it is stopped."""

    def __init__(self, queue: SqliteHuey) -> None:
        """Start one worker, the scheduler and a thread that looks after both."""
        self._queue = queue
        self._consumer = _Consumer(queue, workers=1, max_delay=2.0, shutdown_timeout=PATIENCE)
        self._consumer.start()
        self._thread = threading.Thread(target=self._look_after, name="jobs", daemon=True)
        self._thread.start()

    def _look_after(self) -> None:
        """Put threads that died in place again until the consumer is stopped."""
        checked = time.monotonic()
        with contextlib.suppress(ConsumerStopped):
            while True:
                checked = self._consumer.loop(checked)

    @property
    def is_alive(self) -> bool:
        """Answer whether the consumer runs."""
        return self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the consumer ends."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """End the consumer; a task that runs is let finish."""
        self._consumer.stop(graceful=True)
        self._thread.join(PATIENCE)
        self._queue.storage.close()
