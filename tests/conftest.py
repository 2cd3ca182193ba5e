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

_KEPT = {"CALIB_SHARED", "CALIB_REQUIRE_BROWSER"}
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
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with the tables of the program, to be copied."""
    path = tmp_path_factory.mktemp("template") / "calib.db"
    _make_tables(f"sqlite+pysqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """Return the name of a PostgreSQL database with the tables of the program, to be copied."""
    name = postgres.create()
    _make_tables(postgres.url(name))
    return name


def _make_tables(url: str) -> None:
    from calib.migrations.run import upgrade
    from instruments.db import open_engine

    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a fresh database with all tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "calib.db")
        yield f"sqlite+pysqlite:///{tmp_path / 'calib.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database without tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite+pysqlite:///{tmp_path / 'calib.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


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
