"""One lab with one person, on each database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from instruments.db import open_engine
from tests.conftest import Copied
from tests.support.builders import Installation, an_installation


def _closed(url: str) -> Installation:
    installation = an_installation(url)
    installation.engine.dispose()
    return installation


@pytest.fixture
def place(copied: Copied) -> Iterator[Installation]:
    """Return a new installation with the lab HZ."""
    pattern, url = copied(_closed)
    installation = dataclasses.replace(pattern, engine=open_engine(url))
    yield installation
    installation.engine.dispose()
