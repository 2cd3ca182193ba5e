"""An authority beside laboratories: districts, mandates, and who oversees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from instruments.context import Actor, Context
from instruments.records.mandates import EVERYWHERE
from instruments.services import mandates, people
from instruments.services.mandates import valid_mandates
from instruments.tenancy import installation_session, lab_session
from tests.support.builders import NOW, SHANGHAI, Installation, a_lab


@dataclass(frozen=True)
class Authority:
    """An authority with one person who oversees."""

    installation: Installation
    lab_id: int
    person_id: int

    @contextmanager
    def context(self, *, now: datetime = NOW, read_only: bool = False) -> Iterator[Context]:
        """Open a transaction as the person, with the mandates of that day."""
        engine = self.installation.engine
        with installation_session(engine, read_only=True) as session:
            day = now.astimezone(SHANGHAI).date()
            held = valid_mandates(session, self.person_id, self.lab_id, day)
        office = "regulator" if held else None
        actor = Actor(self.person_id, "Inspector Qin", frozenset(), office=office, districts=held)
        with lab_session(engine, self.lab_id, read_only=read_only) as session:
            yield Context(session, self.lab_id, actor, now, SHANGHAI)


def an_authority(
    installation: Installation,
    *districts: str,
    code: str = "AMR",
    ends_on: date | None = None,
    now: datetime = NOW,
    password: str | None = None,
) -> Authority:
    """Return an authority whose person oversees the districts, every one unless named."""
    lab_id = a_lab(installation.engine, code, kind="authority")
    with installation_session(installation.engine) as session:
        person_id = people.register_person(
            session, email=f"inspector@{code.lower()}.example.org", name="Inspector Qin",
            password=password, now=now,
        )  # fmt: skip
        for district in districts or (EVERYWHERE,):
            mandates.grant_mandate(
                session, code=code, person_id=person_id, district=district, now=now,
                purpose="Thermometers for fever", ends_on=ends_on,
            )  # fmt: skip
    return Authority(installation, lab_id, person_id)
