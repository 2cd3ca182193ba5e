"""On site without a connection: typed, closed, opened again, sent when the line is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, expect

from calib.services import readings, review
from instruments.services import customers, instruments, orders
from tests.support.benched import a_draft, fill
from tests.support.builders import PASSWORD, context_for
from tests.support.line import Line, a_line
from tests.support.looks import faults_on
from tests.support.served import Served, sign_in
from tests.support.side import an_entry, current, drafts

pytestmark = pytest.mark.browser


@pytest.fixture
def line(site: Served) -> Iterator[Line]:
    with a_line(int(site.address.rpartition(":")[2])) as one:
        yield one


@pytest.fixture
def at_site(browser: Browser, site: Served, line: Line) -> Iterator[Callable[[str], Page]]:
    contexts: list[BrowserContext] = []

    def enter(path: str) -> Page:
        context = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
        contexts.append(context)
        page = sign_in(context, through(site, line), "technician")
        page.goto(f"{through(site, line).address}{path}")
        expect(page.locator("html[data-at-hand]")).to_be_attached(timeout=30_000)
        return page

    yield enter
    for context in contexts:
        context.close()


def through(site: Served, line: Line) -> Served:
    return replace(site, address=f"http://127.0.0.1:{line.port}")


def cell(page: Page, point: str = "35.0", name: str = "t_ind", place: int = 0) -> Locator:
    return page.locator(f"[data-key='temperature/as_found/0/{point}/{name}/{place}']")


def typed(page: Page, values: dict[str, str]) -> None:
    for point, value in values.items():
        cell(page, point).fill(value)
        page.keyboard.press("Enter")


def waits(page: Page, count: int) -> None:
    sign = page.locator("[data-offline]")
    expect(sign).to_be_visible()
    expect(sign).to_contain_text(f"{count} values wait in this browser")


def saved(page: Page) -> None:
    expect(page.locator("input.dirty")).to_have_count(0, timeout=30_000)
    expect(page.locator("[data-save-state]")).to_contain_text("saved at")
    expect(page.locator("[data-offline]")).to_be_hidden()


def test_what_is_typed_without_a_line_outlives_the_page_and_is_sent_on_return(
    at_site, line, site
) -> None:
    record = a_draft(site.world)
    page = at_site(f"/calibrations/{record.id}")
    cell(page, "41.0").fill("41.1")  # saved before the line is cut, after the page was kept
    page.keyboard.press("Enter")
    saved(page)
    line.cut()
    typed(page, {"35.0": "35.1", "37.0": "37.2"})
    waits(page, 2)
    page.reload()
    expect(cell(page, "35.0")).to_have_value("35.1")
    expect(cell(page, "37.0")).to_have_value("37.2")
    expect(cell(page, "41.0")).to_have_value("41.1")
    waits(page, 2)
    address = page.url
    page.close()
    again = page.context.new_page()
    again.goto(address)
    typed(again, {"35.0": "35.15"})
    waits(again, 2)
    assert current(site.world, record.id) == {"41.0/t_ind/0": "41.1"}
    line.mend()
    saved(again)
    assert current(site.world, record.id) == {
        "35.0/t_ind/0": "35.15",
        "37.0/t_ind/0": "37.2",
        "41.0/t_ind/0": "41.1",
    }
    again.reload()
    expect(cell(again, "35.0")).to_have_value("35.15")
    expect(again.locator("input.dirty")).to_have_count(0)


def test_what_a_colleague_entered_meanwhile_is_a_conflict_and_not_written_over(
    at_site, line, site
) -> None:
    record = a_draft(site.world)
    page = at_site(f"/calibrations/{record.id}")
    line.cut()
    typed(page, {"35.0": "35.1", "37.0": "37.2"})
    waits(page, 2)
    page.reload()
    waits(page, 2)
    with context_for(site.world) as ctx:
        readings.enter(ctx, record.id, [an_entry("35.4", "t_ind")])
    line.mend()
    said = page.locator(".cell-problems .conflict")
    expect(said).to_contain_text("entered 35.4 meanwhile; you typed 35.1", timeout=30_000)
    said.get_by_role("button", name="Take theirs").click()
    saved(page)
    assert current(site.world, record.id) == {"35.0/t_ind/0": "35.4", "37.0/t_ind/0": "37.2"}


def test_items_side_by_side_go_on_without_a_line(at_site, line, site) -> None:
    ids = drafts(site.world, 3)
    page = at_site("/calibrations/side?" + "&".join(f"id={id_}" for id_ in ids))
    line.cut()
    cell(page, name="t_ref").fill("35.00")
    page.keyboard.press("Enter")
    waits(page, 1)
    page.reload()
    expect(cell(page, name="t_ref")).to_have_value("35.00")
    line.mend()
    saved(page)
    assert [current(site.world, id_) for id_ in ids] == [{"35.0/t_ref/0": "35.00"}] * 3


def test_signing_out_asks_before_it_deletes_what_waits(at_site, line, site) -> None:
    record = a_draft(site.world)
    page = at_site(f"/calibrations/{record.id}")
    page.route("**/readings", lambda route: route.abort())
    typed(page, {"35.0": "35.1"})
    waits(page, 1)
    page.get_by_role("button", name="Sign out").click()
    asked = page.locator("dialog[data-leaving]")
    expect(asked).to_contain_text("1 values wait")
    asked.get_by_role("button", name="Stay signed in").click()
    expect(cell(page)).to_have_value("35.1")
    page.get_by_role("button", name="Sign out").click()
    asked.get_by_role("button", name="Delete them and sign out").click()
    page.wait_for_url("**/sign-in")
    assert kept(page) == [[], []]
    line.cut()
    with pytest.raises(Error, match="ERR_"):
        page.goto(f"{through(site, line).address}/calibrations/{record.id}")


LYING = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    const pages = await caches.open(name);
    for (const one of await pages.keys()) {
      const isPage = new URL(one.url).pathname.startsWith("/calibrations/");
      if (isPage) found.push(await (await pages.match(one)).text());
    }
  }
  const open = await new Promise((done) => {
    const asked = indexedDB.open("calib-bench"); asked.onsuccess = () => done(asked.result);
  });
  for (const name of open.objectStoreNames) {
    found.push(JSON.stringify(await new Promise((done) => {
      const asked = open.transaction(name).objectStore(name).getAll();
      asked.onsuccess = () => done(asked.result);
    })));
  }
  return found;
}"""


def test_what_lies_in_the_browser_names_no_customer_no_instrument_and_nobody(
    at_site, line, site
) -> None:
    record = a_draft(site.world)
    with context_for(site.world) as ctx:
        order = orders.get_order(ctx, record.order_id)
        customer = customers.get_customer(ctx, order.customer_id)
        item = instruments.get_instrument(ctx, record.instrument_id)
    page = at_site(f"/calibrations/{record.id}")
    for word in (customer.name.en, item.maker, item.model, item.serial, order.number):
        expect(page.locator("main")).to_contain_text(word)  # online it says so
    line.cut()
    typed(page, {"35.0": "35.9"})
    waits(page, 1)
    page.reload()
    expect(page.locator("h1")).to_have_text(item.barcode)
    expect(page.locator("[data-bare]")).to_be_visible()
    assert faults_on(page, "the page without a connection", has_cells=True) == []
    lying = page.evaluate(LYING)
    assert len(lying) == 3
    names = (customer.name.en, customer.name.zh, customer.address, item.maker, item.model,
             item.serial, order.number, "Technician", "Li Wei", "Laboratory HZ")  # fmt: skip
    assert [(word, text[:80]) for word in names for text in lying if word in text] == []
    assert any('"value":"35.9"' in text for text in lying)


def test_the_end_of_a_session_and_three_days_take_what_lies_there(at_site, line, site) -> None:
    record = a_draft(site.world)
    page = at_site(f"/calibrations/{record.id}")
    assert len(kept(page)[1]) == 1
    page.clock.install()
    page.clock.fast_forward(73 * 3600 * 1000)
    page.goto(f"{through(site, line).address}/account")
    page.wait_for_function(f"async () => (await ({LYING})()).join('') === '[][]'")
    page.context.clear_cookies()
    page.goto(f"{through(site, line).address}/calibrations/{record.id}")
    expect(page.locator("#email")).to_be_visible()
    page.wait_for_function("async () => (await caches.keys()).length === 0")


def test_another_person_of_the_same_browser_sees_and_sends_nothing(at_site, line, site) -> None:
    record = a_draft(site.world)
    page = at_site(f"/calibrations/{record.id}")
    line.cut()
    typed(page, {"35.0": "35.1"})
    waits(page, 1)
    page.context.clear_cookies()  # the session is over; nobody signed out
    line.mend()
    page.goto(f"{through(site, line).address}/sign-in")
    enter(page, "reviewer", site, line)
    expect(page.locator("[data-keys]")).to_be_attached()
    page.goto(f"{through(site, line).address}/calibrations/{record.id}")
    expect(cell(page)).to_have_value("")
    page.wait_for_load_state("networkidle")
    waiting, pages = kept(page)
    assert [one["value"] for one in waiting] == ["35.1"]  # locked until its person is back
    assert pages == []
    assert current(site.world, record.id) == {}


def test_readings_for_a_record_that_was_handed_over_are_shown_not_lost(at_site, line, site) -> None:
    record = a_draft(site.world)
    page = at_site(f"/calibrations/{record.id}")
    line.cut()
    typed(page, {"35.0": "35.1"})
    waits(page, 1)
    context = page.context
    page.close()
    hand_over(site, record.id)
    page = context.new_page()
    line.mend()
    page.goto(f"{through(site, line).address}/calibrations/{record.id}")
    told = page.locator("[data-left]")
    expect(told).to_contain_text("35.1")
    told.get_by_role("button", name="Delete these values").click()
    expect(told).to_be_hidden()
    assert kept(page)[0] == []


def hand_over(site: Served, calibration_id: int) -> None:
    with context_for(site.world) as ctx:
        fill(ctx, calibration_id)
        version = readings.get_calibration(ctx, calibration_id).version
        review.submit(ctx, calibration_id, version)


def enter(page: Page, role: str, site: Served, line: Line) -> None:
    page.fill("#email", site.people[role])
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.wait_for_url(f"{through(site, line).address}/")


def kept(page: Page) -> list[list]:
    """Return what waits in the browser, and the pages at hand."""
    return page.evaluate(
        """async () => {
          const db = await new Promise((done) => {
            const asked = indexedDB.open("calib-bench", 1);
            asked.onsuccess = () => done(asked.result);
          });
          const waiting = await new Promise((done) => {
            const asked = db.transaction("waiting").objectStore("waiting").getAll();
            asked.onsuccess = () => done(asked.result);
          });
          db.close();
          return [waiting, await caches.keys()];
        }"""
    )
