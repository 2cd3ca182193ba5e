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
AT_ONCE = 2
PATIENCE = 30
"""Seconds until somebody who waits is told to come again."""


class Turnstile:
    """Lets so many through from an address, and so many at once from all."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._asked: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()
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
        with self._lock:
            asked = self._asked.setdefault(origin, deque())
            self._asked.move_to_end(origin)
            while asked and asked[0] <= now - WINDOW:
                asked.popleft()
            if len(asked) >= MOST:
                raise AskedTooOften(
                    "examination-paused",
                    "From your network {most} examinations were asked for within {minutes} "
                    "minutes. Wait a little, or have the page check in your browser: that is not "
                    "counted.",
                    facts={"most": MOST, "minutes": WINDOW // timedelta(minutes=1)},
                )
            asked.append(now)
            while len(self._asked) > ADDRESSES:
                self._asked.popitem(last=False)
