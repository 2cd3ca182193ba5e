"""The entry grid in a real browser: keys, paste, autosave, corrections, two people, a lost line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from calib.services import readings
from tests.support.benched import a_draft, a_lot
from tests.support.builders import context_for
from tests.support.served import Served, paste, sign_in

pytestmark = pytest.mark.browser
HEAD = "temperature/as_found/0"


@pytest.fixture
def bench(browser: Browser, site: Served) -> Iterator[Callable[[int], Page]]:
    contexts: list[BrowserContext] = []

    def open_bench(calibration_id: int) -> Page:
        context = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900})
        contexts.append(context)
        page = sign_in(context, site, "technician")
        page.goto(f"{site.address}/calibrations/{calibration_id}")
        return page

    yield open_bench
    for context in contexts:
        context.close()


def cell(page: Page, point: str, name: str = "t_ind", place: int = 0, piece: int = 0) -> Locator:
    return page.locator(f"[data-key='temperature/as_found/{piece}/{point}/{name}/{place}']")


def saved(page: Page) -> None:
    expect(page.locator("input.dirty")).to_have_count(0)
    expect(page.locator("[data-save-state]")).to_contain_text("saved at")


def values(site: Served, calibration_id: int) -> dict[str, str | None]:
    with context_for(site.world, read_only=True) as ctx:
        record = readings.get_calibration(ctx, calibration_id)
    return {
        f"{r.point}/{r.input}/{r.place}" + (f"/{r.piece}" if r.piece else ""): r.value
        for r in (slot.current for slot in record.slots)
    }


def test_typed_with_enter_down_the_column_and_on_to_the_next(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    cell(page, "35.0").focus()
    for value in ("35.1", "37.1", "41.0", "35.2"):
        page.keyboard.type(value)
        page.keyboard.press("Enter")
    saved(page)
    assert values(site, record.id) == {
        "35.0/t_ind/0": "35.1",
        "37.0/t_ind/0": "37.1",
        "41.0/t_ind/0": "41.0",
        "35.0/t_ind/1": "35.2",
    }


def test_arrows_move_between_cells(bench, site) -> None:
    page = bench(a_draft(site.world).id)
    cell(page, "35.0").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, "37.0", place=1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(cell(page, "35.0")).to_be_focused()


def test_a_block_of_a_spreadsheet_lands_row_by_row(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    rows = [[f"{30 + r}.{c}" for c in range(10)] for r in range(3)]
    paste(cell(page, "35.0"), "\r\n".join("\t".join(row) for row in rows) + "\r\n")
    saved(page)
    found = values(site, record.id)
    for row, point in zip(rows, ("35.0", "37.0", "41.0"), strict=True):
        assert [found[f"{point}/t_ind/{i}"] for i in range(10)] == row


def test_a_block_that_does_not_fit_is_told(bench, site) -> None:
    page = bench(a_draft(site.world).id)
    paste(cell(page, "41.0", place=9), "41.0\t41.1")
    expect(page.locator(".cell-problems")).to_contain_text("larger than the grid")


def test_one_refused_value_is_told_until_it_is_mended_and_keeps_no_other_back(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    cell(page, "35.0").fill("35.1 abc 2")
    page.keyboard.press("Tab")
    expect(page.locator(".cell-problems")).to_contain_text("35.1 abc 2")
    cell(page, "37.0").fill("37.1")
    page.keyboard.press("Tab")
    state = page.locator("[data-save-state]")
    expect(cell(page, "37.0")).not_to_have_class("dirty")
    expect(state).to_have_text("not accepted")
    page.get_by_role("button", name="Submit for review").click()
    expect(cell(page, "35.0")).to_be_focused()
    cell(page, "35.0").fill("35.1")
    page.keyboard.press("Tab")
    saved(page)
    assert values(site, record.id) == {"35.0/t_ind/0": "35.1", "37.0/t_ind/0": "37.1"}


def test_submitting_notes_what_was_typed_into_the_circumstances(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    page.fill("[name='condition/temperature/start']", "22.4")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_role("alert")).to_contain_text("Not submitted yet")
    expect(page.locator("[name='condition/temperature/start']")).to_have_value("22.4")
    with context_for(site.world, read_only=True) as ctx:
        noted = readings.get_calibration(ctx, record.id)
    assert [one.value for one in noted.conditions] == ["22.4"]
    assert noted.performed_on == site.clock().date()


def test_circumstances_that_cannot_be_read_are_told_instead_of_submitting(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    page.fill("[name='condition/temperature/start']", "22,4")
    page.get_by_role("button", name="Submit for review").click()
    page.wait_for_url("**/facts")
    expect(page.locator("[name='condition/temperature/start']")).to_have_value("22,4")
    expect(page.locator(".problem").first).to_contain_text("22.4")


def test_a_correction_says_why_and_keeps_the_old_value(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    cell(page, "35.0").fill("35.1")
    page.keyboard.press("Enter")
    saved(page)
    cell(page, "35.0").fill("35.4")
    page.keyboard.press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="read again").click()
    saved(page)
    page.reload()
    row = page.locator("table", has_text="Before").locator("tbody tr")
    expect(row).to_contain_text("35.1")
    expect(row).to_contain_text("35.4")
    expect(row).to_contain_text("read again")
    expect(row).to_contain_text("Technician")


def test_a_correction_without_a_reason_leaves_the_old_value(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    cell(page, "35.0").fill("35.1")
    page.keyboard.press("Enter")
    saved(page)
    cell(page, "35.0").fill("35.4")
    page.keyboard.press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="Keep the old value").click()
    expect(cell(page, "35.0")).to_have_value("35.1")
    assert values(site, record.id) == {"35.0/t_ind/0": "35.1"}


def test_two_people_at_one_cell_are_told_of_each_other(bench, site) -> None:
    record = a_draft(site.world)
    one, other = bench(record.id), bench(record.id)
    cell(one, "35.0").fill("35.1")
    one.keyboard.press("Enter")
    saved(one)
    cell(other, "35.0").fill("35.3")
    other.keyboard.press("Tab")
    said = other.locator(".cell-problems .conflict")
    expect(said).to_contain_text("Technician entered 35.1 meanwhile; you typed 35.3.")
    said.get_by_role("button", name="Take theirs").click()
    expect(cell(other, "35.0")).to_have_value("35.1")
    assert values(site, record.id) == {"35.0/t_ind/0": "35.1"}


def test_who_keeps_the_own_value_says_why(bench, site) -> None:
    record = a_draft(site.world)
    one, other = bench(record.id), bench(record.id)
    cell(one, "35.0").fill("35.1")
    one.keyboard.press("Enter")
    saved(one)
    cell(other, "35.0").fill("35.3")
    other.keyboard.press("Tab")
    other.get_by_role("button", name="Keep mine").click()
    other.get_by_role("dialog").get_by_role("button", name="wrong instrument").click()
    saved(other)
    assert values(site, record.id) == {"35.0/t_ind/0": "35.3"}


def test_what_was_typed_without_a_line_is_sent_when_it_is_back(bench, site) -> None:
    record = a_draft(site.world)
    page = bench(record.id)
    page.context.set_offline(True)
    cell(page, "35.0").fill("35.1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-save-state]")).to_contain_text("does not answer")
    page.context.set_offline(False)
    cell(page, "37.0").fill("37.1")
    page.keyboard.press("Enter")
    saved(page)
    assert values(site, record.id) == {"35.0/t_ind/0": "35.1", "37.0/t_ind/0": "37.1"}


def test_fifty_thermometers_are_read_like_a_column(bench, site) -> None:
    record = a_lot(site.world, 50)
    page = bench(record.id)
    cell(page, "37", "t_ref", piece=1).fill("37.00")
    page.get_by_role("button", name="Copy the first value down").first.click()
    paste(cell(page, "37", piece=1), "\n".join(f"37.{i:02}" for i in range(50)))
    saved(page)
    found = values(site, record.id)
    assert [found[f"37/t_ind/0/{i + 1}"] for i in range(50)] == [f"37.{i:02}" for i in range(50)]
    assert {found[f"37/t_ref/0/{i + 1}"] for i in range(50)} == {"37.00"}
