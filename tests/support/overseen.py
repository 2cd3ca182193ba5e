"""An authority beside laboratories: districts, mandates, and who oversees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from calib.services import problems, weekly
from instruments.context import Actor, Context
from instruments.records.mandates import EVERYWHERE
from instruments.services import mandates, people, signin
from instruments.services.mandates import valid_mandates
from instruments.tenancy import installation_session, lab_session
from tests.support import builders
from tests.support.builders import NOW, SHANGHAI, Installation, a_lab
from tests.support.door import Door
from tests.support.issuing import Bench
from tests.support.web import TestClient


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


def client_of(door: Door, authority: Authority, *reach: str) -> TestClient:
    """Return a client that acts for the person of an authority."""
    with authority.context() as ctx:
        return door.client(signin.make_token(ctx, name="door", reach=reach))


def a_token_with_work(door: Door) -> str:
    """Return the token of an authority with a report handed in and a problem opened."""
    authority = an_authority(door.bench.installation)
    with authority.context() as ctx:
        weekly.hand_in(ctx, weekly.week_named(ctx.today), catalogue=door.bench.catalogue)
        problems.open_problem(
            ctx, kind="other", finding="A", demand="B", until=ctx.today, lab_code="HZ",
            catalogue=door.bench.catalogue,
        )  # fmt: skip
    with authority.context() as ctx:
        return signin.make_token(ctx, name="work")


def put_in_districts(bench: Bench, *districts: str) -> None:
    """Give the customer of a bench a site with an instrument in each district."""
    with builders.context_for(bench.installation) as ctx:
        for district in districts:
            site = builders.a_site(ctx, bench.customer_id, district=district)
            builders.an_instrument(
                ctx, bench.catalogue, customer_id=bench.customer_id, site_id=site.id
            )
