"""A lab whose instruments fall due, made once per database and copied for every test."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from calib.adapters import pkcs8
from calib.adapters.files import DirectoryStore
from instruments.db import open_engine
from tests.support import issuing, kms
from tests.support import keyed as keyed_labs
from tests.support.due_world import DueWorld, due_world
from tests.support.issuing import Bench
from tests.support.keyed import Keyed
from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def sqlite_pattern(tmp_path_factory) -> tuple[Path, DueWorld]:
    """Return the file of a finished world and the world."""
    path = tmp_path_factory.mktemp("world") / "calib.db"
    world = due_world(f"sqlite+pysqlite:///{path}")
    world.engine.dispose()
    return path, world


@pytest.fixture(scope="session")
def postgres_pattern(postgres: Postgres) -> tuple[str, DueWorld]:
    """Return the name of a database that holds a finished world, and the world."""
    name = postgres.create()
    world = due_world(postgres.url(name))
    world.engine.dispose()
    return name, world


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DueWorld]:
    """Return a lab with two customers, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        pattern, world = request.getfixturevalue("sqlite_pattern")
        shutil.copy(pattern, tmp_path / "calib.db")
        copy = _copied(world, f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
        yield copy
        copy.engine.dispose()
        return
    server: Postgres = request.getfixturevalue("postgres")
    pattern, world = request.getfixturevalue("postgres_pattern")
    name = server.create(pattern)
    copy = _copied(world, server.url(name))
    yield copy
    copy.engine.dispose()
    server.drop(name)


def _copied(world: DueWorld, url: str) -> DueWorld:
    return dataclasses.replace(world, engine=open_engine(url), sites=dict(world.sites))


@pytest.fixture
def bench_on_each(copied) -> Iterator[Bench]:
    """Return a lab ready to measure, once on each database."""
    bench = issuing.opened_at(*copied(issuing.a_closed_bench))
    yield bench
    bench.engine.dispose()


@pytest.fixture
def bench_on_sqlite(copied_on_sqlite) -> Iterator[Bench]:
    """Return a lab ready to measure on SQLite alone, where the database has no say."""
    bench = issuing.opened_at(*copied_on_sqlite(issuing.a_closed_bench))
    yield bench
    bench.engine.dispose()


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """Return where files are kept."""
    return DirectoryStore(tmp_path / "files")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return where a signer writes down what it did."""
    return tmp_path / "journal.jsonl"


@pytest.fixture(scope="session")
def cheap_scrypt() -> Iterator[None]:
    """Encrypt keys in a millisecond; the real cost is meant for those who guess."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pkcs8, "_COST", 2**4)
        patch.setattr(pkcs8, "_LANES", 1)
        yield


@pytest.fixture(params=["file", "token", "service"])
def keyed(request: pytest.FixtureRequest, copied_on_sqlite, cheap_scrypt) -> Iterator[Keyed]:
    """Return a lab with keys and a reserved number, once for each place keys are kept in."""
    make = {
        "file": keyed_labs.in_files,
        "token": keyed_labs.in_token,
        "service": keyed_labs.in_service,
    }[request.param]
    found = keyed_labs.opened_at(*copied_on_sqlite(make))
    yield found
    found.bench.engine.dispose()


@pytest.fixture
def keyed_files(copied_on_sqlite, cheap_scrypt) -> Iterator[Keyed]:
    """Return a lab whose keys are in files, where the place of keys has no say."""
    found = keyed_labs.opened_at(*copied_on_sqlite(keyed_labs.in_files))
    yield found
    found.bench.engine.dispose()


@pytest.fixture
def service() -> Iterator[kms.Service]:
    """Serve a key management service that takes the passphrase of the tests for its token."""
    with kms.a_service(keyed_labs.PASSPHRASE) as made:
        yield made
