"""Several forehead thermometers at one blackbody, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from calib.services import readings
from tests.support.builders import context_for
from tests.support.served import Served, paste, sign_in
from tests.support.side import an_entry, current, drafts

pytestmark = pytest.mark.browser
POINTS = ("35.0", "37.0", "41.0")


@pytest.fixture
def side(browser: Browser, site: Served) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def open_side(*ids: int) -> Page:
        context = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
        contexts.append(context)
        page = sign_in(context, site, "technician")
        page.goto(address(site, ids))
        expect(page.locator("form[data-ready]")).to_be_attached()
        return page

    yield open_side
    for context in contexts:
        context.close()


def address(site: Served, ids: tuple[int, ...]) -> str:
    return f"{site.address}/calibrations/side?" + "&".join(f"id={id_}" for id_ in ids)


def reference(page: Page, point: str = "35.0", place: int = 0) -> Locator:
    return page.locator(f"[data-key='temperature/as_found/0/{point}/t_ref/{place}']")


def indication(page: Page, item: int, point: str = "35.0", place: int = 0) -> Locator:
    """Return the cell of the first, second ... item."""
    return page.locator(f"[data-key='temperature/as_found/0/{point}/t_ind/{place}']").nth(item)


def saved(page: Page) -> None:
    expect(page.locator("input.dirty")).to_have_count(0, timeout=30_000)
    expect(page.locator("[data-save-state]")).to_contain_text("saved at")


def test_ten_thermometers_at_one_blackbody_with_the_reference_once(side, site) -> None:
    """A reference column and ten columns of thirty readings, pasted as a spreadsheet holds them."""
    ids = drafts(site.world, 10)
    page = side(*ids)
    shown = [[f"{float(p) + i / 100:.2f}" for i in range(10)] for p in POINTS for _ in range(10)]
    paste(reference(page), "\r\n".join(p + "0" for p in POINTS for _ in range(10)))
    paste(indication(page, 0), "\r\n".join("\t".join(row) for row in shown) + "\r\n")
    saved(page)
    for i, id_ in enumerate(ids):
        stands = current(site.world, id_)
        assert len(stands) == 60
        for r, point in enumerate(p for p in POINTS for _ in range(10)):
            assert stands[f"{point}/t_ref/{r % 10}"] == point + "0"
            assert stands[f"{point}/t_ind/{r % 10}"] == shown[r][i]
    heads = page.locator("[data-result$='|temperature/as_found/0/41.0']")
    expect(heads).to_have_count(10)
    for i in range(10):
        expect(heads.nth(i)).to_contain_text("Pass")


def test_enter_goes_down_the_readings_then_to_the_next_item(side, site) -> None:
    ids = drafts(site.world, 2)
    page = side(*ids)
    reference(page, place=9).focus()
    page.keyboard.type("35.00")
    page.keyboard.press("Enter")
    expect(indication(page, 0)).to_be_focused()
    page.keyboard.type("35.1")
    page.keyboard.press("Enter")
    saved(page)
    assert current(site.world, ids[0]) == {"35.0/t_ref/9": "35.00", "35.0/t_ind/0": "35.1"}
    assert current(site.world, ids[1]) == {"35.0/t_ref/9": "35.00"}


def test_a_colleague_at_one_item_is_told_for_that_item_alone(side, site) -> None:
    ids = drafts(site.world, 3)
    page = side(*ids)

    def be_quicker(route: Route) -> None:
        """Let the colleague's reading arrive just before this page's."""
        with context_for(site.world) as ctx:
            readings.enter(ctx, ids[1], [an_entry("35.07")])
        route.continue_()

    page.route("**/calibrations/side/readings*", be_quicker, times=1)
    reference(page).fill("35.00")
    page.keyboard.press("Enter")
    said = page.locator(".cell-problems .conflict")
    expect(said).to_have_count(1, timeout=30_000)
    expect(said).to_contain_text("35.07 meanwhile; you typed 35.00")
    assert current(site.world, ids[0]) == current(site.world, ids[2]) == {"35.0/t_ref/0": "35.00"}
    assert current(site.world, ids[1]) == {"35.0/t_ref/0": "35.07"}
    said.get_by_role("button", name="Take theirs").click()
    expect(page.locator("input.differs")).to_have_count(1)
    expect(page.locator("input.dirty")).to_have_count(0, timeout=30_000)
    assert current(site.world, ids[1]) == {"35.0/t_ref/0": "35.07"}


def test_an_item_that_joins_later_is_given_the_reference_readings_on_request(side, site) -> None:
    ids = drafts(site.world, 2)
    with context_for(site.world) as ctx:
        readings.enter(ctx, ids[0], [an_entry("35.00"), an_entry("35.01", place=1)])
    page = side(*ids)
    expect(page.locator("input.differs")).to_have_count(2)
    page.get_by_role("button", name="Write what is shown to every item").click()
    saved(page)
    assert current(site.world, ids[1]) == {"35.0/t_ref/0": "35.00", "35.0/t_ref/1": "35.01"}


def test_from_the_list_over_circumstances_to_the_review(side, site) -> None:
    ids = drafts(site.world, 3)
    page = side(ids[0])
    page.goto(f"{site.address}/calibrations?state=draft")
    for id_ in ids:
        page.check(f"input[name=id][value='{id_}']")
    page.get_by_role("button", name="Measure the ticked ones side by side").click()
    expect(page.locator("h1")).to_contain_text("3 ×")
    page.fill("#acclimatisation_minutes", "30")
    page.locator("[id='condition/temperature/start']").fill("22.8")
    page.locator("[id='condition/relative_humidity/start']").fill("52")
    page.get_by_role("button", name="Note for all items").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    column = [p for p in POINTS for _ in range(10)]
    paste(reference(page), "\n".join(f"{p}0" for p in column))
    rows = [f"{float(p) + (0.1 if i % 2 else 0):.1f}" for i, p in enumerate(column)]
    for item in (0, 1):
        paste(indication(page, item), "\n".join(rows))
        saved(page)
    states = page.locator(".side-items [data-result$='|state']")
    expect(states.nth(0)).to_contain_text("can be submitted")
    expect(states.nth(2)).to_contain_text("Still to do")
    page.get_by_role("button", name="Submit all for review").click()
    expect(page.get_by_text("2 were submitted.")).to_be_visible()
    expect(page.locator(".note.error")).to_contain_text("Open this record")
    with context_for(site.world, read_only=True) as ctx:
        found = [readings.get_calibration(ctx, id_).state for id_ in ids]
    assert found == ["submitted", "submitted", "draft"]
