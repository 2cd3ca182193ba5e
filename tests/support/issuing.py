"""A lab at work: records opened, filled, reviewed and authorised, one or many, through services."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select

from calib.adapters.files import DirectoryStore
from calib.adapters.sealing import UnsealedSealer
from calib.records.calibrations import Calibration
from calib.services import issue, readings, review
from calib.services.calibration_views import CalibrationView
from calib.services.readings import ConditionEntry, ReadingEntry
from instruments.catalogue.loader import Catalogue
from instruments.context import Actor, Context
from instruments.db import open_engine
from instruments.policy import Role
from instruments.services import labs, orders, standards
from instruments.tenancy import lab_session
from tests.support import builders
from tests.support.builders import NOW, SHANGHAI, Installation

PROBE = "thermometer.digital_probe"
BASE = "https://calib.example.org"
ROWS = (("0", "0.010", "0.01"), ("50", "50.020", "50.04"), ("100", "100.000", "100.05"))
"""Point, reference, indication of a usual thermometer with probe."""


@dataclass(frozen=True)
class Person:
    """Somebody of the lab."""

    id: int
    name: str
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Bench:
    """A lab with its people, a standard and a customer's model to calibrate."""

    installation: Installation
    technician: Person
    colleague: Person
    reviewer: Person
    signatory: Person
    customer_id: int
    model_id: int
    standard: standards.StandardView

    @property
    def catalogue(self) -> Catalogue:
        """Return the types."""
        return self.installation.catalogue

    @property
    def engine(self):
        """Return the engine."""
        return self.installation.engine

    @property
    def lab_id(self) -> int:
        """Return the lab."""
        return self.installation.lab_id

    @contextmanager
    def as_(
        self, person: Person, *, now: datetime = NOW, read_only: bool = False
    ) -> Iterator[Context]:
        """Open a transaction as a person of the lab."""
        with lab_session(self.engine, self.lab_id, read_only=read_only) as session:
            actor = Actor(person.id, person.name, frozenset(person.roles))
            yield Context(session, self.lab_id, actor, now, SHANGHAI)


def a_bench(
    url: str,
    catalogue: Catalogue | None = None,
    type_id: str = PROBE,
    *,
    resolution: str = "0.01",
    code: str = "HZ",
) -> Bench:
    """Return a lab ready to measure, on a new database or beside the labs of another."""
    world = builders.an_installation(url, code)
    if catalogue is not None:
        world = Installation(world.engine, catalogue, world.lab_id, world.person_id)
    return bench_in(world, type_id, resolution=resolution)


def bench_in(
    world: Installation,
    type_id: str = PROBE,
    *,
    resolution: str = "0.01",
    standard: str = "S-014",
) -> Bench:
    """Return a lab that is there, ready to measure, with more people and one more standard."""
    people = [
        _a_person(world, name, roles)
        for name, roles in (
            ("Tang", ("technician",)),
            ("Cao", ("technician", "reviewer")),
            ("Ren", ("reviewer",)),
            ("Sun", ("signatory", "reviewer", "manager", "technician")),
        )
    ]
    with builders.context_for(world) as ctx:
        _give_address(ctx)
        customer = builders.a_customer(ctx, address="1 Station Square", contact="Ms He")
        model = builders.a_model(
            ctx,
            world.catalogue,
            type_id=type_id,
            resolution={"temperature": resolution},
            calibration_mode=None,
        )
        found = builders.a_standard(ctx, a_wide_certificate(), code=standard)
    return Bench(world, *people, customer.id, model.id, found)


def a_closed_bench(url: str) -> Bench:
    """Return a lab ready to measure, to be copied and opened with `opened_at`."""
    bench = a_bench(url)
    bench.engine.dispose()
    return bench


def opened_at(bench: Bench, url: str) -> Bench:
    """Return the same lab in a copy of its database."""
    installation = dataclasses.replace(bench.installation, engine=open_engine(url))
    return dataclasses.replace(bench, installation=installation)


def a_wide_certificate(**more: Any) -> standards.CertificateEntry:
    """Return the certificate of a standard thermometer from -40 to 330 degC."""
    given = {
        "values": (standards.CertificateLine("20", "20", "0.010", "2"),),
        "low": "-40",
        "high": "330",
    }
    return builders.a_certificate(**(given | more))


def _a_person(world: Installation, name: str, roles: tuple[Role, ...]) -> Person:
    id_ = builders.a_person(world.engine, world.lab_id, roles, name=name)
    return Person(id_, name, roles)


def _give_address(ctx: Context) -> None:
    labs.update_lab(ctx, address_en="1 Measure Road, Hangzhou", address_zh="杭州市计量路1号")


def a_draft(
    bench: Bench,
    ctx: Context,
    *,
    points: Sequence[str] = ("0", "50", "100"),
    instrument: dict[str, Any] | None = None,
    line: dict[str, Any] | None = None,
    **order: Any,
) -> CalibrationView:
    """Return an open record of a new instrument, received in order; `ctx` needs every role."""
    item = builders.an_instrument(
        ctx,
        bench.catalogue,
        **{"model_id": bench.model_id, "customer_id": bench.customer_id, **(instrument or {})},
    )
    asked = {
        "lines": (
            orders.LineRequest(
                instrument_id=item.id, **{"points": {"temperature": tuple(points)}, **(line or {})}
            ),
        ),
        "decision_rule": "none",
        "interval_months": 12,
        **order,
    }
    found = builders.an_order(ctx, bench.catalogue, item.id, **asked)
    return readings.open_calibration(ctx, found.lines[0].id, catalogue=bench.catalogue)


def opened(bench: Bench, **more: Any) -> CalibrationView:
    """Return a new draft."""
    with bench.as_(everybody(bench)) as ctx:
        return a_draft(bench, ctx, **more)


def everybody(bench: Bench) -> Person:
    """Return the builder of the world, who may do everything and measures nothing."""
    roles: tuple[Role, ...] = ("technician", "reviewer", "signatory", "manager")
    return Person(bench.installation.person_id, "Li Wei", roles)


def an_entry(point: str = "50", value: str | None = "50.02", **more: Any) -> ReadingEntry:
    """Return the first reading of the standard at a point."""
    given = {
        "measurand": "temperature",
        "stage": "as_found",
        "piece": 0,
        "input": "t_ref",
        "place": 0,
        "revision": 0,
    }
    return ReadingEntry(point=point, value=value, **(given | more))


def some_entries(
    rows: Sequence[tuple[str, str, str]] = ROWS, times: int = 4, **more: Any
) -> list[ReadingEntry]:
    """Return the readings of rows of (point, reference, indication), each taken `times`."""
    return [
        an_entry(point, value, input=name, place=place, **more)
        for point, reference, indication in rows
        for name, value in (("t_ref", reference), ("t_ind", indication))
        for place in range(times)
    ]


def fill(ctx: Context, calibration_id: int, rows: Sequence[tuple[str, str, str]] = ROWS) -> None:
    """Enter readings, room temperature and date of a record."""
    readings.enter(ctx, calibration_id, some_entries(rows))
    note_circumstances(ctx, calibration_id)


def note_circumstances(ctx: Context, calibration_id: int) -> None:
    """Enter the room temperature and the date of the work."""
    entry = ConditionEntry("temperature", "start", "21.3", "degC", 0)
    readings.enter_condition(ctx, calibration_id, entry)
    version = version_of(ctx, calibration_id)
    readings.set_facts(ctx, calibration_id, version, performed_on=date(2026, 3, 2))


def version_of(ctx: Context, calibration_id: int) -> int:
    """Return the version of a record as it is now."""
    return ctx.session.scalars(
        select(Calibration.version).where(Calibration.id == calibration_id)
    ).one()


def filled(bench: Bench, **more: Any) -> int:
    """Return a draft that can be submitted."""
    record = opened(bench, **more)
    with bench.as_(bench.technician) as ctx:
        fill(ctx, record.id)
    return record.id


def submitted(bench: Bench, **more: Any) -> int:
    """Return a record handed over for review."""
    id_ = filled(bench, **more)
    with bench.as_(bench.technician) as ctx:
        review.submit(ctx, id_, version_of(ctx, id_))
    return id_


def authorised(bench: Bench, **more: Any) -> int:
    """Return a record ready to be issued."""
    id_ = submitted(bench, **more)
    approve(bench, id_)
    return id_


def approve(bench: Bench, id_: int, now: datetime = NOW) -> None:
    """Review and authorise a submitted record."""
    with bench.as_(bench.reviewer, now=now) as ctx:
        review.review(ctx, id_, version_of(ctx, id_))
    with bench.as_(bench.signatory, now=now) as ctx:
        review.authorise(ctx, id_, version_of(ctx, id_), "agreed")


def many_authorised(bench: Bench, count: int) -> list[tuple[int, int]]:
    """Return (record, version) of many records ready to be issued, made in four transactions."""
    with bench.as_(everybody(bench)) as ctx:
        ids = [id_ for start in range(0, count, 10) for id_ in _ten(bench, ctx, count - start)]
    count_rows(bench.engine)
    with bench.as_(bench.technician) as ctx:
        for id_ in ids:
            fill(ctx, id_)
            review.submit(ctx, id_, version_of(ctx, id_))
    with bench.as_(bench.reviewer) as ctx:
        for id_ in ids:
            review.review(ctx, id_, version_of(ctx, id_))
    with bench.as_(bench.signatory) as ctx:
        for id_ in ids:
            review.authorise(ctx, id_, version_of(ctx, id_))
        return [(id_, version_of(ctx, id_)) for id_ in ids]


def count_rows(engine: Engine) -> None:
    """Let PostgreSQL know how many rows there are, as its housekeeping does; tests run without."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def _ten(bench: Bench, ctx: Context, wanted: int) -> list[int]:
    """Open records of up to ten instruments of one order."""
    given = {"model_id": bench.model_id, "customer_id": bench.customer_id}
    items = [
        builders.an_instrument(ctx, bench.catalogue, **given).id for _ in range(min(10, wanted))
    ]
    lines = tuple(
        orders.LineRequest(instrument_id=id_, points={"temperature": ("0", "50", "100")})
        for id_ in items
    )
    order = builders.an_order(
        ctx, bench.catalogue, *items, lines=lines, decision_rule="none", interval_months=12
    )
    return [
        readings.open_calibration(ctx, line.id, catalogue=bench.catalogue).id
        for line in order.lines
    ]


def issued(bench: Bench, store: DirectoryStore, id_: int, key: str = "k") -> issue.IssuedView:
    """Issue an authorised record as the signatory does."""
    with bench.as_(bench.signatory) as ctx:
        version = version_of(ctx, id_)
    return issue.issue_certificate(
        bench.engine,
        store,
        UnsealedSealer(),
        lambda: bench.as_(bench.signatory),
        id_,
        version,
        f"{key}-{id_}",
        public_base=BASE,
        clock=lambda: NOW,
    )
