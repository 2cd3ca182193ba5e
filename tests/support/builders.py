"""A lab and what it needs, made through the services with defaults that a test may override."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, inspect
from sqlalchemy.orm import Session

from calib.migrations.tables import all_tables
from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.context import Actor, Context
from instruments.db import open_engine
from instruments.policy import STAFF, Role
from instruments.records.audit import AuditEvent
from instruments.services import (
    audit,
    customers,
    instruments,
    models,
    orders,
    people,
    sites,
    standards,
)
from instruments.tenancy import installation_session, lab_session

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PASSWORD = "warm bath of water"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Installation:
    """A database with all tables, and one person holding every role of one lab."""

    engine: Engine
    catalogue: Catalogue
    lab_id: int
    person_id: int


def an_installation(url: str, code: str = "HZ") -> Installation:
    """Return a new database at `url` with one lab."""
    engine = open_engine(url)
    if not inspect(engine).has_table("labs"):  # what `database_url` gives has its tables already
        all_tables().create_all(engine)
    lab_id = a_lab(engine, code)
    person_id = a_person(engine, lab_id)
    return Installation(engine, the_catalogue(), lab_id, person_id)


@functools.cache
def the_catalogue() -> Catalogue:
    """Return the instrument types, read once."""
    return load_catalogue()


def a_lab(engine: Engine, code: str = "HZ", **more: Any) -> int:
    """Return the id of a new lab."""
    with installation_session(engine) as session:
        names = {"name_en": f"Laboratory {code}", "name_zh": f"{code} 计量所"}
        return people.create_lab(session, code=code, now=NOW, **(names | more)).id


def a_person(engine: Engine, lab_id: int, roles: tuple[Role, ...] = (), **more: Any) -> int:
    """Return the id of a new person with `roles` in the lab, all of the lab's own by default."""
    given = {"email": f"person{next(_numbers)}@example.org", "name": "Li Wei", "password": None}
    with installation_session(engine) as session:
        person_id = people.register_person(session, now=NOW, **(given | more))
        for role in roles or sorted(STAFF):
            people.appoint(session, lab_id=lab_id, person_id=person_id, role=role, now=NOW)
    return person_id


def told(session: Session, now: datetime = NOW) -> None:
    """Tell the trail of rows that a test writes by hand: without a row none is kept."""
    event = AuditEvent(
        lab_id=session.info["lab_id"],
        happened_at=now,
        person_id=None,
        act="test:row:write",
        object_kind="row",
        object_id=None,
        facts={},
    )
    audit.append(session, event)


@contextmanager
def context_for(
    installation: Installation,
    *roles: Role,
    lab_id: int | None = None,
    person_id: int | None = None,
    customer_id: int | None = None,
    now: datetime = NOW,
    read_only: bool = False,
) -> Iterator[Context]:
    """Open a transaction as a person with `roles`, all of the lab's own by default."""
    lab = lab_id or installation.lab_id
    held = frozenset(roles or sorted(STAFF))
    actor = Actor(person_id or installation.person_id, "Li Wei", held, customer_id)
    with lab_session(installation.engine, lab, read_only=read_only) as session:
        yield Context(session, lab, actor, now, SHANGHAI)


def a_customer(ctx: Context, **more: Any) -> customers.CustomerView:
    """Return a new customer."""
    given = {"name_en": "East Railway Station", "name_zh": "火车东站", "kind": "transport"}
    return customers.create_customer(ctx, **(given | more))


def a_site(ctx: Context, customer_id: int, **more: Any) -> sites.SiteView:
    """Return a new site of a customer."""
    given = {"name_en": "Hall 1", "name_zh": "一号厅", "venue_type": "railway_station"}
    return sites.create_site(ctx, customer_id=customer_id, **(given | more))


def a_model(ctx: Context, catalogue: Catalogue, **more: Any) -> models.ModelView:
    """Return a new model, an infrared forehead thermometer by default."""
    given = {
        "type_id": "thermometer.infrared_forehead",
        "maker": "Maker",
        "model": f"F-{next(_numbers)}",
        "calibration_mode": "hold SCAN and MODE for 3 s",
        "resolution": {"temperature": "0.1"},
    }
    return models.create_model(ctx, catalogue=catalogue, **(given | more))


def an_instrument(ctx: Context, catalogue: Catalogue, **more: Any) -> instruments.InstrumentView:
    """Return a new instrument, with a model and a customer of its own unless they are given."""
    if "model_id" not in more:
        more["model_id"] = a_model(ctx, catalogue).id
    if "customer_id" not in more:
        more["customer_id"] = a_customer(ctx).id
    return instruments.register_instrument(ctx, **({"serial": f"SN{next(_numbers)}"} | more))


def a_certificate(**more: Any) -> standards.CertificateEntry:
    """Return the certificate of a blackbody as it is typed in."""
    lines = (("35.0", "35.02"), ("37.0", "37.01"), ("41.0", "40.98"))
    given: dict[str, Any] = {
        "number": f"C-{next(_numbers)}",
        "issuer": "National Institute",
        "calibrated_on": date(2025, 9, 1),
        "valid_until": date(2026, 8, 31),
        "values": tuple(standards.CertificateLine(i, r, "0.06", "2") for i, r in lines),
        "low": "34.0",
        "high": "42.0",
    }
    return standards.CertificateEntry(**(given | more))


def a_standard(
    ctx: Context, certificate: standards.CertificateEntry | None = None, **more: Any
) -> standards.StandardView:
    """Return a new standard with one certificate in force, a blackbody by default."""
    given = {
        "code": f"B-{next(_numbers):03d}",  # never S-014 and the like, which a world names itself
        "name_en": "Blackbody source",
        "name_zh": "黑体辐射源",
        "serial": f"BB{next(_numbers)}",
        "quantity": "temperature",
        "unit": "degC",
    }
    standard = standards.register_standard(ctx, **(given | more))
    standards.enter_certificate(ctx, standard.id, certificate or a_certificate())
    return standards.get_standard(ctx, standard.id)


def an_order(
    ctx: Context, catalogue: Catalogue, *instrument_ids: int, **more: Any
) -> orders.OrderView:
    """Return an order over the instruments, accepted and received; one of its own if none given."""
    ids = instrument_ids or (an_instrument(ctx, catalogue).id,)
    asked = a_request(ctx, *ids, **more)
    order = orders.request(ctx, asked, catalogue=catalogue)
    order = orders.accept(ctx, order.id, order.version)
    for line in order.lines:
        orders.receive(ctx, order.id, line.id, "undamaged, battery charged")
    return orders.get_order(ctx, order.id)


def a_request(ctx: Context, *instrument_ids: int, **more: Any) -> orders.OrderRequest:
    """Return a request to calibrate the instruments."""
    given: dict[str, Any] = {
        "customer_id": instruments.get_instrument(ctx, instrument_ids[0]).customer_id,
        "kind": "calibration",
        "decision_rule": "simple",
        "lines": tuple(orders.LineRequest(instrument_id=i) for i in instrument_ids),
    }
    return orders.OrderRequest(**(given | more))
