"""The same installation behind its three doors: pages, JSON and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import issuing
from tests.support.builders import Installation
from tests.support.door import Door, a_door
from tests.support.terminal import Terminal
from tests.support.web import Browser, a_sign_in, a_world, an_application


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installation]:
    """Return a lab with one of everything."""
    made = a_world(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def app(world: Installation, tmp_path: Path) -> Any:
    """Return the application over the world."""
    return an_application(world, tmp_path / "data")


@pytest.fixture
def browser(app: Any, world: Installation) -> Browser:
    """Return the browser of somebody with every role of the lab's own."""
    return Browser(app, a_sign_in(world))


@contextmanager
def _at_work(folder: Path, url: str = "") -> Iterator[Door]:
    made = a_door(url or f"sqlite+pysqlite:///{folder / 'calib.db'}", folder)
    yield made
    made.bench.engine.dispose()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Return a lab at work behind the JSON doors."""
    with _at_work(tmp_path) as made:
        yield made


@pytest.fixture
def door_on_each(database_url: str, tmp_path: Path) -> Iterator[Door]:
    """Return the same once on each database."""
    with _at_work(tmp_path, database_url) as made:
        yield made


@pytest.fixture(scope="module")
def door_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Return one for all tests of a module, which only ask or are refused."""
    with _at_work(tmp_path_factory.mktemp("door")) as made:
        yield made


@pytest.fixture
def door_at_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """Return one that commands reach as well: its database counts as up to date."""
    with _at_work(tmp_path) as made:
        monkeypatch.setattr("api.bootstrap.is_up_to_date", lambda _engine: True)
        defaults = {"clock": lambda: issuing.NOW, "synced": True}
        monkeypatch.setattr("api.bootstrap.wire.__kwdefaults__", defaults)
        monkeypatch.setenv("CALIB_DATABASE_URL", f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
        yield made


@pytest.fixture
def calib(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Terminal:
    """Return the command line in this process."""
    monkeypatch.setenv("CALIB_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return Terminal(capsysbinary, monkeypatch)
