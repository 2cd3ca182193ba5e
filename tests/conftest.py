"""What every test gets: no network, a fixed clock, seeded numbers, a fresh database."""

from __future__ import annotations

import functools
import ipaddress
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

from tests.support.postgres import Postgres
from tests.support.sqlite import SQLiteFiles

Patterns = dict[tuple[object, object], tuple[str, Any]]
Copied = Callable[[Callable[[str], Any]], tuple[Any, str]]

_KEPT = {
    "CALIB_FUZZ_SECONDS",
    "CALIB_REQUIRE_BROWSER",
    "CALIB_REQUIRE_TOOLS",
    "CALIB_SHARED",
}
for _name in [n for n in os.environ if n.startswith("CALIB_") and n not in _KEPT]:
    del os.environ[_name]  # the settings of whoever runs the tests are not the tests' settings
os.environ.update(TZ="UTC", LANG="C.UTF-8", LC_ALL="C.UTF-8")
os.environ.pop("LANGUAGE", None)
time.tzset()

# every commit of a test is synced: 6 ms on a disk, 0.2 ms in memory
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

hypothesis.settings.register_profile(
    "fixed", derandomize=True, database=None, deadline=None, print_blob=True
)
hypothesis.settings.register_profile("search", database=None, deadline=None, max_examples=2000)
hypothesis.settings.load_profile("fixed")


class NetworkUsed(RuntimeError):
    """A test tried to leave this machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _kept_here(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def guarded(self: socket.socket, address: Any) -> Any:
        if not _is_here(address):
            raise NetworkUsed(f"tests stay on this machine, got {address!r}")
        return connect(self, address)

    return guarded


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every connection but loopback and Unix sockets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _kept_here(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _kept_here(socket.socket.connect_ex))
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Let all engines of one kind share what SQLAlchemy has compiled: a quarter of the time.

    Compiled statements belong to a dialect; with an engine per test each would start from nothing.
    """
    from instruments import db

    kept: dict[str, tuple[Any, Any]] = {}
    create_engine = db.create_engine

    def create(url: str, **options: Any) -> Any:
        engine = create_engine(url, **options)
        first = kept.setdefault(engine.dialect.name, (engine.dialect, engine._compiled_cache))
        engine.dialect, engine._compiled_cache = first
        engine.pool._dialect = engine.dialect
        engine.update_execution_options(
            calib_factor_key=lambda make: b"the key of every test".ljust(32)
        )
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "create_engine", create)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords in a millisecond; the real cost is meant for those who guess."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    from instruments.services import secrets

    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "_hasher", lambda: cheap)
        yield


@pytest.fixture
def now() -> datetime:
    """Return the instant at which every test happens."""
    return datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return random numbers that are the same in every run."""
    return np.random.default_rng(20260302)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return the PostgreSQL server of this test process, started when first asked for."""
    server = Postgres(os.environ.get("PYTEST_DEBUG_TEMPROOT"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SQLiteFiles:
    """Return the folder of SQLite files of this test process."""
    return SQLiteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def databases(request: pytest.FixtureRequest) -> SQLiteFiles | Postgres:
    """Return where databases are made, once for SQLite and once for PostgreSQL."""
    kind = {"sqlite": "sqlite", "postgresql": "postgres"}[request.param]
    place: SQLiteFiles | Postgres = request.getfixturevalue(kind)
    return place


@pytest.fixture(scope="session")
def patterns() -> Patterns:
    """Return what was made once to be copied: the name of its database, and what was returned."""
    return {}


def _copier(databases: SQLiteFiles | Postgres, patterns: Patterns) -> Iterator[Copied]:
    names = []

    def copy(make: Callable[[str], Any]) -> tuple[Any, str]:
        if (databases, make) not in patterns:
            name = databases.create()
            patterns[databases, make] = name, make(databases.url(name))
        name, value = patterns[databases, make]
        names.append(databases.create(name))
        return value, databases.url(names[-1])

    yield copy
    for name in names:
        databases.drop(name)


@pytest.fixture
def copied(databases: SQLiteFiles | Postgres, patterns: Patterns) -> Iterator[Copied]:
    """Return ``copied(make)``: what ``make(url)`` returned once, and the address of a copy.

    `make` fills an empty database and must leave no connection open.
    """
    yield from _copier(databases, patterns)


@pytest.fixture
def copied_on_sqlite(sqlite: SQLiteFiles, patterns: Patterns) -> Iterator[Copied]:
    """Return the same on SQLite alone, for what the database has no say in."""
    yield from _copier(sqlite, patterns)


def with_tables(url: str) -> None:
    """Bring an empty database up to the tables of the program."""
    from calib.migrations.run import upgrade
    from instruments.db import open_engine

    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture
def database_url(copied: Copied) -> str:
    """Return the address of a fresh database with all tables, on SQLite and on PostgreSQL."""
    return copied(with_tables)[1]


@pytest.fixture
def empty_database_url(databases: SQLiteFiles | Postgres) -> Iterator[str]:
    """Return the address of a database without tables, on SQLite and on PostgreSQL."""
    name = databases.create()
    yield databases.url(name)
    databases.drop(name)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium; without one, skip, or fail where browser tests must run."""
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found and shutil.which(found):
        return found
    reason = "no Chromium on the path; name one by CHROMIUM"
    if os.environ.get("CALIB_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)
