"""The migrations give exactly the tables of the program, on both databases, or refuse."""

# ruff: noqa: S608 -- the statements are the test's own

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from calib.migrations import newest, run
from calib.migrations.tables import all_tables
from instruments.catalogue.loader import load_catalogue
from instruments.db import open_engine
from instruments.errors import Refused
from instruments.tenancy import see_all_labs
from tests.support.builders import Installation, a_lab, a_person, an_order, context_for

PG_PARTS = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
        FROM pg_trigger WHERE NOT tgisinternal""",
    "policies": """
        SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check
        FROM pg_policies""",
    "row security": """
        SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace""",
    "functions": """
        SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
}
LITE_COLUMNS = """
    SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
    FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"""


def shape(engine: Engine) -> dict[str, set[tuple[object, ...]]]:
    """Return everything the database knows of its tables but the order of their parts."""
    with engine.connect() as connection:

        def ask(query: str) -> set[tuple[object, ...]]:
            return {tuple(row) for row in connection.execute(text(query))}

        if engine.dialect.name == "postgresql":
            found = {part: ask(query) for part, query in PG_PARTS.items()}
        else:
            found = {"columns": ask(LITE_COLUMNS)}
            sql = ask("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            found |= {"sql": {(t, n, b, *sorted(parts(s))) for t, n, b, s in sql}}
    return {
        part: {row for row in rows if "alembic_version" not in str(row)}
        for part, rows in found.items()
    }


def parts(sql: object) -> list[str]:
    """Return the lines of a CREATE statement without order: columns, constraints, STRICT.

    A column that was added later stands behind the last one before it, on its line.
    """
    lines = re.sub(r", (\w+ (?:TEXT|INTEGER)\b)", r",\n\1", str(sql)).splitlines()
    lines = [line.strip().rstrip(",") for line in lines if line.strip()]
    lines[0] = lines[0].replace('"', "")  # a table that was made anew has its name in quotes
    return lines


def made(url: str) -> Engine:
    engine = open_engine(url)
    all_tables().create_all(engine)
    return engine


@pytest.fixture
def engine(empty_database_url):
    """Return the engine of an empty database."""
    engine = open_engine(empty_database_url)
    yield engine
    engine.dispose()


def test_migrated_sqlite_has_the_tables_of_the_program(tmp_path):
    migrated = open_engine(f"sqlite+pysqlite:///{tmp_path / 'migrated.db'}")
    run.upgrade(migrated)
    expected = made(f"sqlite+pysqlite:///{tmp_path / 'made.db'}")
    assert shape(migrated) == shape(expected)
    assert sum(row[0] == "trigger" for row in shape(migrated)["sql"]) == 64
    migrated.dispose()
    expected.dispose()


@pytest.mark.pg
def test_migrated_postgresql_has_the_tables_of_the_program(postgres):
    names = [postgres.create(), postgres.create()]
    migrated, expected = open_engine(postgres.url(names[0])), made(postgres.url(names[1]))
    run.upgrade(migrated)
    found, wanted = shape(migrated), shape(expected)
    for part in PG_PARTS:
        assert found[part] == wanted[part], part
    for engine, name in zip((migrated, expected), names, strict=True):
        engine.dispose()
        postgres.drop(name)


def test_migrated_database_serves(engine):
    run.upgrade(engine)
    run.check(engine)
    lab_id = a_lab(engine)
    place = Installation(engine, load_catalogue(), lab_id, a_person(engine, lab_id))
    with context_for(place) as ctx:
        assert an_order(ctx, place.catalogue).state == "accepted"


def test_second_upgrade_changes_nothing(engine):
    run.upgrade(engine)
    before = shape(engine)
    run.upgrade(engine)
    assert shape(engine) == before


def test_two_programs_that_start_at_once_agree(engine):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run.upgrade, [engine, engine]))
    run.check(engine)


def set_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def test_older_program_refuses_a_newer_database(engine):
    run.upgrade(engine)
    set_revision(engine, "9999")
    before = shape(engine)
    for act in (run.upgrade, run.check):
        with pytest.raises(Refused) as caught:
            act(engine)
        assert caught.value.code == "database-newer"
        assert "9999" in str(caught.value)
    assert shape(engine) == before


def test_database_not_brought_up_to_date_is_refused(engine):
    with pytest.raises(Refused) as caught:
        run.check(engine)
    assert caught.value.code == "database-older"


def test_tables_without_a_revision_are_not_touched(engine):
    all_tables().create_all(engine)
    with pytest.raises(Refused) as caught:
        run.upgrade(engine)
    assert caught.value.code == "database-without-revision"


def test_failed_step_leaves_nothing_behind(engine, monkeypatch):
    from calib.migrations import steps

    def fail(_table: str) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(steps, "insert_only", fail)
    with pytest.raises(RuntimeError):
        run.upgrade(engine)
    assert not any(shape(engine).values())


def test_what_is_newest_is_told_alike_with_and_without_loading_the_steps():
    assert newest.newest_revision() == run.newest()


def test_a_database_is_up_to_date_once_it_was_upgraded(engine):
    assert not newest.is_up_to_date(engine)
    run.upgrade(engine)
    assert newest.is_up_to_date(engine)
    set_revision(engine, "9999")
    assert not newest.is_up_to_date(engine)


MEMBERSHIP = "id, lab_id, person_id, role, customer_id, starts_on, ends_on"


def test_the_memberships_of_revision_0009_are_all_there_after_0010(engine):
    """SQLite makes the table anew: rows, keys and references stay."""
    to_revision(engine, "0009")
    with engine.begin() as connection:
        add(connection, "labs", "id, code", "1, 'HZ'")
        add(connection, "persons", "id, email", "1, 'a@b'")
        add(connection, "persons", "id, email", "2, 'c@d'")
        add(connection, "customers", "id", "1")
        kept = "1, 1, 1, 'manager', NULL, '2025-01-01', NULL"
        add(connection, "memberships", MEMBERSHIP, kept)
        kept = "2, 1, 2, 'venue_operator', 1, '2025-02-01', '2026-01-01'"
        add(connection, "memberships", MEMBERSHIP, kept)
        asked = text(f"SELECT {MEMBERSHIP} FROM memberships ORDER BY id")
        before = connection.execute(asked).all()
    run.upgrade(engine)
    with engine.begin() as connection:
        see_all_labs(connection)
        assert connection.execute(asked).all() == before
    assert [row.role for row in before] == ["manager", "venue_operator"]
    for number, role in enumerate(("quality_manager", "administrator"), start=3):
        a_membership(engine, f"{number}, 1, 2, '{role}', NULL")
    for refused in ("'emperor', NULL", "'customer', NULL", "'customer', 9"):
        with pytest.raises(IntegrityError):
            a_membership(engine, f"5, 1, 2, {refused}")


def a_membership(engine: Engine, values: str) -> None:
    with engine.begin() as connection:
        see_all_labs(connection)
        add(connection, "memberships", "id, lab_id, person_id, role, customer_id", values)


def add(connection: Connection, table: str, columns: str, values: str) -> None:
    """Add a row by hand; what is not named and must be there is 1 or a word."""
    given = dict(zip(columns.split(", "), values.split(", "), strict=True))
    for each in inspect(connection).get_columns(table):
        if not each["nullable"] and each["default"] is None and each["name"] != "id":
            anything = "1" if str(each["type"]) == "INTEGER" else f"'{each['name']}'"
            given.setdefault(each["name"], anything)
    named, said = ", ".join(given), ", ".join(given.values())
    connection.execute(text(f"INSERT INTO {table} ({named}) VALUES ({said})"))


def to_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        config = run._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
