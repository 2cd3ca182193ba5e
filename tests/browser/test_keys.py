"""Shortcuts of every page, the list of them, and how many keys the entry of readings takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from calib.services import readings
from tests.support.benched import a_draft, fill
from tests.support.builders import context_for
from tests.support.looks import faults_on
from tests.support.served import Served, sign_in
from tests.support.side import current

pytestmark = pytest.mark.browser
READ = {
    "35.0": ("35.1", "35.0", "35.2", "35.1", "35.1", "35.0", "35.1", "35.2", "35.1", "35.1"),
    "37.0": ("37.1", "37.1", "37.0", "37.2", "37.1", "37.1", "37.0", "37.1", "37.1", "37.2"),
    "41.0": ("40.9", "41.0", "40.9", "40.9", "41.0", "40.9", "40.8", "40.9", "41.0", "40.9"),
}
LIVE_MS = 100
"""Within which the results of what is typed stand on the page, on a machine that is idle."""
BUSY = 5
"""The times a machine that runs other tests besides may take longer."""


@pytest.fixture
def as_technician(browser: Browser, site: Served) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def enter(path: str, *, phone: bool = False, locale: str = "en-GB") -> Page:
        size = {"width": 360, "height": 740} if phone else {"width": 1360, "height": 900}
        context = browser.new_context(locale=locale, viewport=size)
        contexts.append(context)
        page = sign_in(context, site, "technician")
        page.goto(f"{site.address}{path}")
        return page

    yield enter
    for context in contexts:
        context.close()


def test_the_list_opens_by_key_and_button_and_closes_by_escape(as_technician, site) -> None:
    page = as_technician(f"/calibrations/{a_draft(site.world).id}")
    listed = page.locator("dialog[data-keys]")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(listed).to_be_visible()
    expect(listed).to_contain_text("At the bench")
    assert faults_on(page, "keys", has_cells=True) == []
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").first.click()
    expect(listed).to_be_visible()


def test_the_list_is_reached_by_touch_in_chinese(as_technician) -> None:
    page = as_technician("/orders", phone=True, locale="zh-CN")
    page.locator("details.menu > summary").click()
    page.locator("details.menu [data-open-keys]").click()
    listed = page.locator("dialog[data-keys]")
    expect(listed).to_contain_text("键盘快捷键")
    expect(listed).not_to_contain_text("检测台上")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_keys_lead_to_another_room_and_single_ones_rest_in_fields(as_technician, site) -> None:
    page = as_technician("/orders")
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url(f"{site.address}/calibrations")
    page.keyboard.press("/")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("gb?n")
    expect(page.locator("#text")).to_have_value("gb?n")
    expect(page.locator("dialog[data-keys]")).to_be_hidden()
    page.keyboard.press("Control+/")
    expect(page.locator("dialog[data-keys]")).to_be_visible()


def test_control_and_enter_submits_from_within_a_cell_after_saving(as_technician, site) -> None:
    record = a_draft(site.world)
    with context_for(site.world) as ctx:
        fill(ctx, record.id)
    page = as_technician(f"/calibrations/{record.id}?extra=1")
    cell = page.locator("[data-key='temperature/as_found/0/35.0/t_ind/10']")
    cell.fill("35.1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Submitted. A colleague reviews it now.")).to_be_visible()
    assert current(site.world, record.id)["35.0/t_ind/10"] == "35.1"


def test_alt_and_arrows_go_from_point_to_point(as_technician, site) -> None:
    page = as_technician(f"/calibrations/{a_draft(site.world).id}")
    page.locator("[data-key='temperature/as_found/0/35.0/t_ref/3']").focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("[data-key='temperature/as_found/0/35.0/t_ind/3']")).to_be_focused()


def test_thirty_readings_take_no_more_keys_than_in_a_spreadsheet(
    as_technician, site, capsys
) -> None:
    """Three points of ten readings, typed column by column; the keys are counted by the page."""
    record = a_draft(site.world)
    page = as_technician(f"/calibrations/{record.id}")
    page.evaluate(
        "window.pressed = 0; document.addEventListener('keydown', () => { pressed += 1; }, true)"
    )
    page.locator("[data-key='temperature/as_found/0/35.0/t_ind/0']").focus()
    columns = list(zip(*READ.values(), strict=True))
    began = time.perf_counter()
    for column in columns:
        for value in column:
            page.keyboard.type(value)
            page.keyboard.press("Enter")
    typed = time.perf_counter() - began
    expect(page.locator("input.dirty")).to_have_count(0, timeout=30_000)
    whole = time.perf_counter() - began
    pressed = page.evaluate("pressed")
    sheet = sum(len(value) + 1 for values in READ.values() for value in values)
    with capsys.disabled():
        sys.stdout.write(
            f"\n30 readings: {pressed} keys here, {sheet} in a spreadsheet (digits and Enter); "
            f"typed by a program in {typed:.1f} s, saved after {whole:.1f} s\n"
        )
    assert pressed <= sheet
    stands = current(site.world, record.id)
    for point, values in READ.items():
        assert [stands[f"{point}/t_ind/{i}"] for i in range(10)] == list(values)


def test_results_follow_the_keys(as_technician, site, capsys) -> None:
    """A reading corrected forty times: each time the results of what stands there come back."""
    record = a_draft(site.world)
    with context_for(site.world) as ctx:
        fill(ctx, record.id)
    page = as_technician(f"/calibrations/{record.id}")
    cell = page.locator("[data-key='temperature/as_found/0/35.0/t_ind/0']")
    for number in range(40):
        cell.fill(f"35.{number:02}")
        page.wait_for_function(
            "count => performance.getEntriesByName('live').length > count", arg=number
        )
    took = sorted(page.evaluate("performance.getEntriesByName('live').map((one) => one.duration)"))
    p95 = took[int(len(took) * 0.95) - 1]
    with capsys.disabled():
        sys.stdout.write(f"\nlive: median {took[len(took) // 2]:.0f} ms, p95 {p95:.0f} ms\n")
    assert p95 < LIVE_MS * BUSY
    with context_for(site.world, read_only=True) as ctx:
        slots = readings.get_calibration(ctx, record.id).slots
    assert {slot.current.revision for slot in slots} == {1}  # nothing of it was saved


def test_a_file_dropped_on_the_grid_shows_what_would_be_taken_first(as_technician, site) -> None:
    record = a_draft(site.world)
    page = as_technician(f"/calibrations/{record.id}")
    rows = "point,reference,indication\n35.0,35.00,35.1\n35.0,35.01,35.2\n"
    with page.expect_navigation():
        page.locator("form[data-grid]").evaluate(
            """(form, text) => {
              const dataTransfer = new DataTransfer();
              dataTransfer.items.add(new File([text], "readings.csv", { type: "text/csv" }));
              const how = { dataTransfer, bubbles: true, cancelable: true };
              form.dispatchEvent(new DragEvent("drop", how));
            }""",
            rows,
        )
    shown = page.get_by_role("region", name="What would be taken")
    expect(shown).to_contain_text("35.1 · 35.2")
    assert current(site.world, record.id) == {}
    page.get_by_role("button", name="Import 2 rows").click()
    page.wait_for_url("**done=imported")
    assert current(site.world, record.id)["35.0/t_ref/1"] == "35.01"
