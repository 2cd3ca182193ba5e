"""What the page that authenticates loads late: it is there when it is needed, or that is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.served import Served

pytestmark = pytest.mark.browser
LATE = {"examine.js", "examining.js", "camera.js", "qr.js"}
FILE = {"name": "x.xml", "mimeType": "text/xml", "buffer": b"<nothing/>"}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page that keeps nothing: each script comes from the server."""
    context = browser.new_context(locale="en-GB", service_workers="block")
    yield context.new_page()
    context.close()


def loaded(page: Page) -> set[str]:
    names = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    return {name.rpartition("/")[2] for name in names}


def test_what_examines_comes_with_the_first_file(page: Page, site: Served) -> None:
    page.goto(f"{site.address}/authenticate")
    expect(page.locator("[data-pins]")).not_to_be_empty()
    assert {"page.js", "working.js"} <= loaded(page)
    assert loaded(page) & LATE == set()
    page.set_input_files("#file", [FILE])  # type: ignore[list-item]
    expect(page.locator("[data-verdict]")).to_be_visible()
    assert loaded(page) & LATE == {"examine.js", "examining.js"}


def test_a_file_chosen_before_any_script_came_is_examined_once_it_did(
    page: Page, site: Served
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/authenticate/page.js", hold)
    page.goto(f"{site.address}/authenticate", wait_until="commit")
    page.set_input_files("#file", [FILE])  # type: ignore[list-item]
    page.wait_for_function("document.readyState !== 'loading'")
    held[0].continue_()
    expect(page.locator("[data-verdict]")).to_have_attribute("data-verdict", "cannot_tell")


@pytest.mark.parametrize("missing", ["working.js", "words.json", "examine.js"])
def test_what_does_not_come_is_said_and_nothing_is_taken_for_checked(
    page: Page, site: Served, missing: str
) -> None:
    page.route(f"**/{missing}", lambda route: route.abort())
    page.goto(f"{site.address}/authenticate")
    page.set_input_files("#file", [FILE])  # type: ignore[list-item]
    expect(page.locator("[data-broken]")).to_contain_text("nothing was checked")
    expect(page.locator("[data-broken]")).to_be_visible()
    expect(page.locator("[data-verdict]")).to_have_count(0)
    expect(page.locator("[data-send]")).to_be_visible()
