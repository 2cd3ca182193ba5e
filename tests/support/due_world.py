"""A lab with two customers whose instruments fall due, on an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event

from calib.migrations.tables import all_tables
from instruments.context import Actor, Context
from instruments.db import open_engine
from instruments.policy import Role
from instruments.records.instruments import Instrument
from instruments.services import customers, models, people, sites
from instruments.services.instruments import register_instrument, set_status
from instruments.tenancy import installation_session, lab_session
from tests.support.builders import the_catalogue, told

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
LAB_MAIL = "lab@example.org"


@dataclass
class DueWorld:
    """One lab: a station with a school beside it, each a customer with its own mail."""

    engine: Engine
    now: datetime = NOW
    lab_id: int = 0
    manager_id: int = 0
    model_id: int = 0
    station: int = 0
    school: int = 0
    sites: dict[int, int] = field(default_factory=dict)
    count: int = 0

    def clock(self) -> datetime:
        """Return the world's instant; tests move it by hand."""
        return self.now

    def on(self, day: str, time: str = "08:30") -> DueWorld:
        """Move the clock to a UTC time of day."""
        self.now = datetime.fromisoformat(f"{day}T{time}+00:00")
        return self

    def context(
        self,
        session,
        *,
        customer_id: int | None = None,
        role: Role = "venue_operator",
        language: str = "en",
    ) -> Context:
        """Return the context of the lab's manager, or of somebody of a customer."""
        roles: set[Role] = {"manager", "technician"} if customer_id is None else {role}
        return Context(
            session=session,
            lab_id=self.lab_id,
            actor=Actor(self.manager_id, "Meng", frozenset(roles), customer_id),
            now=self.now,
            zone=ZoneInfo("Asia/Shanghai"),
            language=language,
        )

    def instrument(
        self, customer: int, due_on: str | date | None, *, status: str = "in_service", **marks
    ) -> int:
        """Register an instrument that is due on a date."""
        self.count += 1
        with lab_session(self.engine, self.lab_id) as session:
            ctx = self.context(session)
            id_ = register_instrument(
                ctx,
                model_id=marks.pop("model_id", self.model_id),
                customer_id=customer,
                site_id=self.sites[customer],
                serial=marks.pop("serial", f"SN-{self.count:04d}"),
                **marks,
            ).id
            if status != "in_service":
                set_status(ctx, id_, status, "as the test says")
            day = date.fromisoformat(due_on) if isinstance(due_on, str) else due_on
            session.get(Instrument, id_).due_on = day
        return id_

    def change(self, instrument_id: int, **values) -> None:
        """Set columns of an instrument, as issuing a certificate does."""
        with lab_session(self.engine, self.lab_id) as session:
            row = session.get(Instrument, instrument_id)
            for name, value in values.items():
                setattr(row, name, value)
            told(session)

    def operator(self, email: str, customer: int, *, language: str = "en", **period) -> int:
        """Register a venue operator of a customer."""
        with installation_session(self.engine) as session:
            id_ = people.register_person(
                session, email=email, name="Ou", password=None, now=self.now, language=language
            )
        with lab_session(self.engine, self.lab_id) as session:
            people.grant(
                self.context(session),
                person_id=id_,
                role="venue_operator",
                customer_id=customer,
                starts_on=period.get("starts_on", date(2026, 1, 1)),
                ends_on=period.get("ends_on"),
            )
        return id_


def due_world(url: str, **lab: str) -> DueWorld:
    """Return a new world on the database at `url`."""
    world = DueWorld(open_engine(url))
    all_tables().create_all(world.engine)
    with installation_session(world.engine) as session:
        fields = {"email": LAB_MAIL, "language": "zh", "phone": "0571-000", **lab}
        world.lab_id = people.create_lab(
            session,
            code="HZ",
            name_en="Hangzhou Institute of Metrology",
            name_zh="杭州计量院",
            now=world.now - timedelta(days=400),
            **fields,
        ).id
        world.manager_id = people.register_person(
            session, email="meng@example.org", name="Meng", password=None, now=world.now
        )
    with lab_session(world.engine, world.lab_id) as session:
        ctx = world.context(session)
        world.model_id = a_model(ctx)
        world.station = customers.create_customer(
            ctx, name_en="East Station", name_zh="东站", email="station@example.org", language="en"
        ).id
        world.school = customers.create_customer(
            ctx, name_zh="第一小学", email="school@example.org", language="zh"
        ).id
        for customer, venue in ((world.station, "railway_station"), (world.school, "school")):
            name = "Hall A" if customer == world.station else "Gate"
            world.sites[customer] = sites.create_site(
                ctx, customer_id=customer, name_en=name, name_zh="入口", venue_type=venue
            ).id
    return world


def a_model(ctx: Context, **given) -> int:
    """Register a clinical forehead thermometer and return its id."""
    values = {
        "type_id": "thermometer.infrared_forehead",
        "maker": "Braun",
        "model": "BST200",
        "use": "clinical",
        "calibration_mode": "hold MODE 8 s",
        "calibration_mode_source": "manual",
        "attributes": {},
        "resolution": {"temperature": "0.1"},
        **given,
    }
    return models.create_model(ctx, catalogue=the_catalogue(), **values).id


@contextmanager
def ctx_of(world: DueWorld, **who: Any) -> Iterator[Context]:
    """Act in the world as its manager, or as the operator of a customer."""
    with lab_session(world.engine, world.lab_id) as session:
        yield world.context(session, **who)


@contextmanager
def counted(world: DueWorld) -> Iterator[list[str]]:
    """Count the statements that reach the database."""
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(world.engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(world.engine, "before_cursor_execute", count)
