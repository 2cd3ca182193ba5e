"""One lab with one person, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.builders import Installation, an_installation


@pytest.fixture
def place(database_url: str) -> Iterator[Installation]:
    """Return a new installation with the lab HZ."""
    installation = an_installation(database_url)
    yield installation
    installation.engine.dispose()
