"""The first page of a stranger on a poor phone: small, and ready within a second."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support import builders
from tests.support.benched import an_issued
from tests.support.served import Served

pytestmark = pytest.mark.browser
MOST_BYTES, MOST_SECONDS = 100_000, 1.0
PHONE = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
"""Milliseconds of a way there and back, bytes a second: a slow 4G."""
SLOWER = 4
"""A phone of the lower class computes so many times slower than a desk."""
TRIES = 3
"""The best counts: other programs of the machine are no part of the page."""
_TOLD = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const parts = performance.getEntriesByType('resource');
  return {
    ready: page.domContentLoadedEventEnd / 1000,
    painted: (performance.getEntriesByName('first-contentful-paint')[0] ?? {}).startTime / 1000,
    bytes: [page, ...parts].reduce((sum, one) => sum + one.transferSize, 0),
    requests: parts.length + 1,
  };
}"""


@pytest.fixture(scope="module")
def public_page(site: Served) -> str:
    signatory = builders.a_person(site.world.engine, site.world.lab_id, name="Sun")
    return f"/c/{an_issued(site, signatory).token}"


def measured(page: Page, address: str) -> dict[str, Any]:
    page.goto(address, wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    told: dict[str, Any] = page.evaluate(_TOLD)
    return told


def on_a_poor_phone(browser: Browser, address: str) -> dict[str, Any]:
    """Open an address for the first time, on a slow network with a slow processor."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {"offline": False, **PHONE})
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    told = measured(page, address)
    context.close()
    return told


@pytest.mark.parametrize("name", ["sign-in", "certificate", "authenticate"])
def test_the_first_page_is_small_and_soon_ready(
    browser: Browser, site: Served, public_page: str, name: str
) -> None:
    path = {"certificate": public_page}.get(name, f"/{name}")
    tries = [on_a_poor_phone(browser, site.address + path) for _ in range(TRIES)]
    best = min(tries, key=lambda one: one["ready"])
    print(f"{name}: {best}")  # noqa: T201 -- the figures are what is asked for
    assert best["bytes"] < MOST_BYTES
    assert max(best["ready"], best["painted"]) < MOST_SECONDS
