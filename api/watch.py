"""What one process remembers to tell whether its clock jumped and whether its keys open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from instruments.errors import DomainError

KEPT = 5.0
"""Seconds for which it is not asked again whether the keys open: that costs processor time."""


@dataclass
class Watch:
    """Remembers how clock and real time stood, and whether the keys opened a moment ago."""

    began: tuple[datetime, float] | None = None
    keys: tuple[float, str] | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)

    def step(self, now: datetime) -> timedelta:
        """Return how far the clock has jumped since it was first looked at; backwards: below 0."""
        passed = time.monotonic()
        if self.began is None:
            self.began = (now, passed)
        began, at = self.began
        return (now - began) - timedelta(seconds=passed - at)

    def asked(self, probe: Callable[[], None]) -> str:
        """Return what is wrong with the keys, asking at most every few seconds."""
        with self.turn:
            if self.keys is None or time.monotonic() - self.keys[0] > KEPT:
                said = _said_by(probe)
                self.keys = (time.monotonic(), said)  # those who waited take this answer
            return self.keys[1]


def _said_by(probe: Callable[[], None]) -> str:
    try:
        probe()
    except DomainError as problem:
        return problem.code
    except Exception as problem:  # noqa: BLE001 -- readiness reports whatever it is
        return type(problem).__name__
    return "ok"
