"""How often one network address may ask for work that costs seconds, and how much is done at once.

Counts in memory only: nothing of who asked is written down, and a restart forgets it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from api.problems import AskedTooOften
from instruments.errors import Unavailable

WINDOW = timedelta(minutes=10)
MOST = 30
"""From one address within the window; a whole institute may come from one."""
ADDRESSES = 10_000
"""Remembered at once; who asked longest ago is forgotten first."""
MOST_MISSES = 60
"""Codes that open nothing, asked for from one address within the window."""
AT_ONCE = 2
PATIENCE = 30
"""Seconds until somebody who waits is told to come again."""


class Recent:
    """How often something happened from an address within the window."""

    def __init__(self, most: int) -> None:
        """Begin with nobody."""
        self._most = most
        self._asked: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def is_full(self, origin: str, now: datetime) -> bool:
        """Answer whether it happened as often as it may."""
        with self._lock:
            return len(self._of(origin, now)) >= self._most

    def note(self, origin: str, now: datetime) -> bool:
        """Count it once more; answer no, and count nothing, when it happened as often as it may."""
        with self._lock:
            asked = self._of(origin, now)
            if len(asked) >= self._most:
                return False
            asked.append(now)
            while len(self._asked) > ADDRESSES:
                self._asked.popitem(last=False)
            return True

    def _of(self, origin: str, now: datetime) -> deque[datetime]:
        asked = self._asked.setdefault(origin, deque())
        self._asked.move_to_end(origin)
        while asked and asked[0] <= now - WINDOW:
            asked.popleft()
        return asked


class Misses(Recent):
    """Codes that opened nothing: whoever tries many is told to wait."""

    def __init__(self) -> None:
        """Begin with nobody."""
        super().__init__(MOST_MISSES)

    def need_calm(self, origin: str, now: datetime) -> None:
        """Refuse an address that asked for too many; raises AskedTooOften."""
        if self.is_full(origin, now):
            raise AskedTooOften(
                "codes-paused",
                "From your network {most} codes were asked for that open nothing. Wait "
                "{minutes} minutes, then scan the code again or type it as it is printed.",
                facts={"most": MOST_MISSES, "minutes": WINDOW // timedelta(minutes=1)},
            )


class Turnstile:
    """Lets so many through from an address, and so many at once from all."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._asked = Recent(MOST)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def through(self, origin: str, now: datetime) -> Iterator[None]:
        """Do the work within; it begins when there is a place.

        Raises
        ------
        AskedTooOften, Unavailable
            The address asked too often, or others keep every place.
        """
        self._count(origin, now)
        if not self._places.acquire(timeout=PATIENCE):
            raise Unavailable(
                "examination-busy",
                "Others are having certificates examined. Nothing was looked at: try again in a "
                "minute.",
            )
        try:
            yield
        finally:
            self._places.release()

    def _count(self, origin: str, now: datetime) -> None:
        if not self._asked.note(origin, now):
            raise AskedTooOften(
                "examination-paused",
                "From your network {most} examinations were asked for within {minutes} "
                "minutes. Wait a little, or have the page check in your browser: that is not "
                "counted.",
                facts={"most": MOST, "minutes": WINDOW // timedelta(minutes=1)},
            )
