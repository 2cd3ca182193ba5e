"""Who writes next to a SQLite file: one at a time, in the order they came.

SQLite lets those who wait try again after ever longer sleeps, so that of many one may be too late
every time. Within a process nobody needs to be so unlucky. This is courtesy only: SQLite itself
keeps two from writing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque

PATIENCE = 30.0
"""Seconds that a writer waits, for its turn and for SQLite together."""


class Turns:
    """A queue of connections that want to write."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._lock = threading.Lock()
        self._holder: object | None = None
        self._waiting: deque[tuple[object, threading.Event]] = deque()

    def take(self, who: object, patience: float = PATIENCE) -> float:
        """Wait for the turn of `who`, or until patience has run out; return what is left of it."""
        with self._lock:
            if self._holder is None or self._holder is who:
                self._holder = who
                return patience
            place = (who, threading.Event())
            self._waiting.append(place)
        began = time.monotonic()
        try:
            place[1].wait(patience)
        except BaseException:
            self._leave(place)
            self.give(who)  # it may have been called while it was interrupted
            raise
        self._leave(place)
        return max(0.0, patience - (time.monotonic() - began))

    def _leave(self, place: tuple[object, threading.Event]) -> None:
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)

    def give(self, who: object) -> None:
        """Hand the turn of `who` to the one who waits longest; nothing when it is another's."""
        with self._lock:
            if self._holder is not who:
                return
            self._holder = None
            if self._waiting:
                self._holder, called = self._waiting.popleft()
                called.set()


def connection_of(turns: Turns) -> type[sqlite3.Connection]:
    """Return the class of connections that give their turn back when a transaction ends."""

    class InTurn(sqlite3.Connection):
        def commit(self) -> None:
            try:
                super().commit()  # house: commit -- this is what a session's commit calls
            finally:
                self._give()

        def rollback(self) -> None:
            try:
                super().rollback()
            finally:
                self._give()

        def close(self) -> None:
            try:
                super().close()
            finally:
                turns.give(self)

        def _give(self) -> None:
            if not self.in_transaction:  # a commit that failed is rolled back next
                turns.give(self)

    return InTurn
