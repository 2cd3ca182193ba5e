"""What has been built of the demo world so far, and how its people open transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.bootstrap import Wiring
from instruments.context import Actor, Context
from instruments.tenancy import lab_session

ZONE = ZoneInfo("Asia/Shanghai")
MANIFEST = "world.json"
"""What the finished world holds: accounts and certificates; its presence says it is whole."""
Told = Callable[[str, float], None]
"""Is told what is being done and which part of the whole is done (0 to 1)."""


@dataclass
class World:
    """What has been built so far, by the keys of the cast."""

    wired: Wiring
    today: date
    lab_ids: dict[str, int] = field(default_factory=dict)
    people: dict[tuple[str, str], Actor] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    certificates: dict[str, int] = field(default_factory=dict)
    """The standard's certificate, by its code."""
    instruments: dict[str, int] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)

    def at(self, days_ago: int, hour: int = 2) -> datetime:
        """Return an instant of a working day; 2 in the morning UTC is 10 in Linjiang."""
        day = datetime.combine(self.today - timedelta(days=days_ago), time(hour, 0), UTC)
        return min(day, self.wired.clock())

    @contextmanager
    def as_(self, lab: str, person: str, now: datetime) -> Iterator[Context]:
        """Open a transaction as somebody of the cast."""
        lab_id = self.lab_ids[lab]
        with lab_session(self.wired.engine, lab_id) as session:
            yield Context(session, lab_id, self.people[lab, person], now, ZONE, "zh", "demo")
