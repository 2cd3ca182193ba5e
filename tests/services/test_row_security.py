"""PostgreSQL keeps labs apart by itself, whatever statement reaches it."""

# ruff: noqa: S608 -- the statements are what is tested

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api import doctor
from api.settings import Settings
from calib.migrations.run import upgrade
from calib.migrations.tables import all_tables
from instruments.db import open_engine
from instruments.errors import Invalid, Refused
from instruments.records.parties import Customer, SignIn
from instruments.row_security import kept_apart
from instruments.services import sessions
from instruments.tenancy import beyond_the_lab, installation_session, lab_session
from tests.support.builders import (
    Installation,
    a_customer,
    a_lab,
    a_person,
    an_order,
    context_for,
    the_catalogue,
)
from tests.support.postgres import Postgres

pytestmark = pytest.mark.pg
ROLE = "calib_app"


def _two_labs(url: str) -> tuple[int, int]:
    engine = open_engine(url)
    labs = a_lab(engine, "HZ"), a_lab(engine, "SH")
    for lab_id in labs:
        place = Installation(engine, the_catalogue(), lab_id, a_person(engine, lab_id))
        with context_for(place) as ctx:
            for number in range(3):
                a_customer(ctx, name_en=f"{lab_id}-{number}")
    engine.dispose()
    return labs


class World:
    """Two labs, a database that belongs to its owner, and the role of the application."""

    def __init__(self, postgres: Postgres, pattern: str, labs: tuple[int, int]) -> None:
        self.postgres = postgres
        self.name = postgres.create(pattern)
        self.url = postgres.url(self.name, ROLE)
        self.labs = labs
        self.engine = create_engine(self.url, pool_size=4, max_overflow=0)


@pytest.fixture(scope="module")
def pattern(postgres: Postgres) -> tuple[str, tuple[int, int]]:
    """Return the name of a database with two labs, filled by the application's role."""
    name = postgres.create()
    owner = open_engine(postgres.url(name))
    upgrade(owner, role=postgres.role(ROLE))
    owner.dispose()
    return name, _two_labs(postgres.url(name, ROLE))


@pytest.fixture
def world(postgres: Postgres, pattern: tuple[str, tuple[int, int]]) -> Iterator[World]:
    """Return two labs behind four connections of the application's role."""
    made = World(postgres, *pattern)
    yield made
    made.engine.dispose()
    postgres.drop(made.name)


def bare(engine: Engine, lab_id: int, statement: str) -> list[int]:
    """Run a statement that no filter of ours sees inside the transaction of a lab."""
    with lab_session(engine, lab_id) as session:
        return list(Session.connection(session).scalars(text(statement)))


def test_a_transaction_that_names_no_lab_gets_an_error(world):
    for table in kept_apart(all_tables().sorted_tables):
        statement = f"INSERT INTO {table.name} (lab_id) VALUES (1)"
        with pytest.raises(DBAPIError, match="named no laboratory"):
            _alone(world.engine, statement)
    for statement in (
        "SELECT * FROM customers",
        "UPDATE customers SET address = ''",
        "DELETE FROM customers",
        "SELECT count(*) FROM audit_events",
    ):
        with pytest.raises(DBAPIError, match="this transaction named no laboratory"):
            _alone(world.engine, statement)


def _alone(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_what_was_named_is_forgotten_with_the_transaction(world):
    with world.engine.connect() as connection:
        for name in (lambda s: lab_session(s, world.labs[0]), installation_session):
            with name(world.engine) as session:
                session.scalars(select(Customer)).all()
        with pytest.raises(DBAPIError, match="named no laboratory"):
            connection.execute(text("SELECT * FROM customers"))


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_alternating_requests_over_four_connections_see_no_foreign_row(world, count):
    order = random.Random(8).choices(world.labs, k=count)  # noqa: S311 -- no secret

    def ask(lab_id: int) -> tuple[int, list[int], list[int]]:
        with lab_session(world.engine, lab_id, read_only=True) as session:
            filtered = [row.lab_id for row in session.scalars(select(Customer))]
        return lab_id, filtered, bare(world.engine, lab_id, "SELECT lab_id FROM customers")

    with ThreadPoolExecutor(4) as pool:
        for lab_id, filtered, unfiltered in pool.map(ask, order):
            assert filtered == unfiltered == [lab_id] * 3


def test_statements_past_the_filter_reach_own_rows_only(world):
    own, other = world.labs
    assert set(bare(world.engine, own, "SELECT lab_id FROM audit_events")) == {own}
    assert bare(world.engine, own, "SELECT count(*) FROM customers") == [3]
    named = "UPDATE customers SET address = 'x' RETURNING lab_id"
    assert bare(world.engine, own, named) == [own] * 3
    assert bare(world.engine, other, "SELECT id FROM customers WHERE address = 'x'") == []
    assert (
        bare(world.engine, own, f"DELETE FROM memberships WHERE lab_id = {other} RETURNING 1") == []
    )
    for statement in (
        f"UPDATE customers SET lab_id = {other}",
        (
            "INSERT INTO number_series (lab_id, name, template, period, last) "
            f"VALUES ({other}, 'x', '', '', 0)"
        ),
    ):
        with pytest.raises(DBAPIError, match="row-level security"):
            bare(world.engine, own, statement + " RETURNING 1")


def test_the_role_of_the_application_changes_no_table_and_no_kept_row(world):
    refused = [
        "ALTER TABLE customers DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_lab ON customers",
        "DROP TRIGGER keep_audit_events ON audit_events",
        "CREATE TABLE more (id integer)",
        "TRUNCATE customers",
        "UPDATE alembic_version SET version_num = '0'",
    ]
    for table in all_tables().sorted_tables:
        if table.info.get("insert_only"):
            refused += [f"DELETE FROM {table.name}", f"UPDATE {table.name} SET id = 1"]
    for statement in refused:
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner|does not exist"):
            bare(world.engine, world.labs[0], statement)


def test_the_role_of_the_application_can_do_its_work(world):
    lab_id = world.labs[0]
    place = Installation(world.engine, the_catalogue(), lab_id, a_person(world.engine, lab_id))
    with context_for(place) as ctx:
        assert an_order(ctx, place.catalogue).state == "accepted"


def test_what_one_lab_shares_with_others_is_narrow_again_at_once(world):
    own = world.labs[0]
    with lab_session(world.engine, own) as session:
        with beyond_the_lab(session) as wide:
            assert len(wide.scalars(select(Customer)).all()) == 6
        connection = Session.connection(session)
        assert len(connection.execute(text("SELECT * FROM customers")).all()) == 3
        with pytest.raises(RuntimeError), beyond_the_lab(session):
            raise RuntimeError
        assert len(connection.execute(text("SELECT * FROM customers")).all()) == 3


def test_a_person_sees_and_ends_sign_ins_in_every_lab(world, now):
    person_id = a_person(world.engine, world.labs[0])
    with installation_session(world.engine) as session:
        for number, lab_id in enumerate(world.labs):
            session.add(
                SignIn(
                    person_id=person_id,
                    lab_id=lab_id,
                    token_sha256=str(number),
                    created_at=now,
                    expires_at=now.replace(year=2027),
                    ended_at=None,
                )
            )
    place = Installation(world.engine, the_catalogue(), world.labs[0], person_id)
    with context_for(place) as ctx:
        assert {one.lab_code for one in sessions.list_sessions(ctx)} == {"HZ", "SH"}
        assert sessions.end_others(ctx, "") == 2
        assert not any(one.is_open for one in sessions.list_sessions(ctx))


def test_a_role_that_row_security_does_not_hold_is_refused(world):
    owner = open_engine(world.postgres.url(world.name))
    for role in ("postgres", "nobody_of_that_name"):
        with pytest.raises(Invalid) as caught:
            upgrade(owner, role=role)
        assert caught.value.code == "database-role-unfit"
    owner.dispose()


def test_the_application_does_not_bring_the_tables_of_another_up_to_date(world):
    owner = open_engine(world.postgres.url(world.name))
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    owner.dispose()
    with pytest.raises(Refused) as caught:
        upgrade(world.engine)
    assert caught.value.code == "database-not-owner"


def test_the_doctor_says_who_is_connected(world, tmp_path):
    said = {
        role: doctor.examine(
            Settings(data=str(tmp_path), database_url=world.postgres.url(world.name, role))
        )["checks"][1]["words"]
        for role in (ROLE, "calib_owner", "postgres")
    }
    assert said[ROLE].endswith("connected as calib_app: row security keeps laboratories apart")
    assert "the owner of the tables" in said["calib_owner"]
    assert "a superuser" in said["postgres"]
    owner = open_engine(world.postgres.url(world.name))
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE sites NO FORCE ROW LEVEL SECURITY"))
    owner.dispose()
    found = doctor.examine(Settings(data=str(tmp_path), database_url=world.url))["checks"][1]
    assert not found["good"]
    assert "no row security on sites" in found["words"]
