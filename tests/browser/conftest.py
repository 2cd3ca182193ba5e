"""One browser and one application for all browser tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.served import Served, a_browser, served


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with a_browser(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("site")) as running:
        yield running
