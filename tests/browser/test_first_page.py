"""The first page of a stranger on a poor phone: small, and ready within a second."""

from __future__ import annotations

import os
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from tests.support import builders
from tests.support.benched import an_issued
from tests.support.served import Served

pytestmark = pytest.mark.browser
MOST_BYTES, MOST_SECONDS = 100_000, 1.0
ROUND_TRIP, BYTES_A_SECOND = 0.150, 200_000
"""A slow 4G: 150 ms there and back, 1.6 Mbit/s."""
SLOWER = 4
"""A phone of the lower class computes so many times slower than a desk."""
TRIES = 3
"""The best counts: other programs of the machine are no part of the page."""
_TOLD = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const parts = performance.getEntriesByType('resource');
  const waited = parts.filter((one) => one.renderBlockingStatus === 'blocking');
  const named = parts.filter((one) => [...document.scripts].some(({ src }) => src === one.name));
  const sum = (some) => some.reduce((all, one) => all + one.transferSize, 0);
  return {
    bytes: sum([page, ...parts]), waited: sum([page, ...waited]), blocking: waited.length,
    scripts: sum(named),
    nested: waited.filter((one) => one.initiatorType === 'css').length,
    painted: performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000,
  };
}"""


@pytest.fixture(scope="module")
def public_page(site: Served) -> str:
    signatory = builders.a_person(site.world.engine, site.world.lab_id, name="Sun")
    return f"/c/{an_issued(site, signatory).token}"


def on_a_poor_phone(browser: Browser, address: str) -> dict[str, Any]:
    """Open an address for the first time and return what it cost.

    The seconds are reckoned from round trips, bytes and the processor's own time, as Lighthouse
    does, since a clock on the wall would time the neighbours as well.
    """
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(devtools)
    page.goto(address, wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    cost: dict[str, Any] = page.evaluate(_TOLD)
    cost["processor"] = _busy(devtools) - before
    if page.locator("[data-kept]").count():  # the page that authenticates says last if it is kept
        expect(page.locator("[data-kept]")).not_to_be_empty()
    cost["bytes"] = page.evaluate(_TOLD)["bytes"]  # with what its script asked for afterwards
    context.close()
    # a connection and the page; then the style on it, and what else is waited for on a new one
    trips = 2 + min(cost["blocking"], 2) + cost["nested"]
    cost["ready"] = trips * ROUND_TRIP + cost["waited"] / BYTES_A_SECOND
    cost["ready"] += SLOWER * cost["processor"]
    # a script comes beside the style, on a connection of its own
    cost["answering"] = cost["ready"] + ROUND_TRIP + cost["scripts"] / BYTES_A_SECOND
    return cost


def _busy(devtools: CDPSession) -> float:
    """Return how long the processor worked for the page so far."""
    told = devtools.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in told if one["name"] == "TaskDuration")


def throttled(browser: Browser, address: str) -> float:
    """Return after how many seconds something was seen on such a phone, by the clock."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    speed = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND / 2}
    network = {"offline": False, "latency": ROUND_TRIP * 1000, **speed}
    devtools.send("Network.emulateNetworkConditions", network)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address, wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    painted: float = page.evaluate(_TOLD)["painted"]
    context.close()
    return painted


@pytest.mark.parametrize("name", ["sign-in", "certificate", "authenticate"])
def test_the_first_page_is_small_and_soon_ready(
    browser: Browser, site: Served, public_page: str, name: str
) -> None:
    address = site.address + (public_page if name == "certificate" else f"/{name}")
    costs = [on_a_poor_phone(browser, address) for _ in range(TRIES)]
    best = min(costs, key=lambda cost: cost["ready"])
    seen = min(throttled(browser, address) for _ in range(TRIES))
    print(f"{name}: {best}, seen after {seen:.2f} s by the clock")  # noqa: T201 -- the figures
    assert best["bytes"] < MOST_BYTES
    assert best["nested"] == 0
    assert best["ready"] < MOST_SECONDS
    assert best["answering"] < MOST_SECONDS + ROUND_TRIP
    is_calm = os.getloadavg()[0] < (os.cpu_count() or 1)
    assert seen < MOST_SECONDS or not is_calm
