"""What is typed or pasted, and how it is taken: shown while typing, asked where it is in doubt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.benched import a_draft
from tests.support.served import Served, paste, sign_in
from tests.support.side import current

pytestmark = pytest.mark.browser
UNITS = {"degC": ["°C", "degC", "℃", "C", "度", "摄氏度"], "degF": ["°F", "℉", "F"], "K": ["K"]}

READ = {
    "36.5": ("plain", "36.5"),
    " -0.10 ": ("plain", "-0.10"),
    "1e-3": ("plain", "1e-3"),
    "３６．５０": ("read", "36.50"),
    "36。5": ("read", "36.5"),
    "36,5": ("read", "36.5"),
    "３６，５ ℃": ("read", "36.5"),
    "36.5°C": ("read", "36.5"),
    "36.5 摄氏度": ("read", "36.5"),
    "\u22120.25": ("read", "-0.25"),
    "－１２．３": ("read", "-12.3"),
    "0,125": ("read", "0.125"),
    "1 234,5": ("read", "1234.5"),
    "1\u00a0234.5": ("read", "1234.5"),
    "1,234.50": ("read", "1234.50"),
    "1.234,50": ("read", "1234.50"),
    "1,234,567": ("read", "1234567"),
    "36.5\u3000": ("plain", "36.5"),
    "97.7 °F": ("unit", "degF"),
    "36 5": ("bad", None),
    "36.5.1": ("bad", None),
    "12,34,5": ("bad", None),
    "36.5²": ("bad", None),
    "about 36": ("bad", None),
    "": ("empty", ""),
}
ASKED = {
    ("1,234", False): ["1234", "1.234"],
    ("1,234", True): ["1.234", "1234"],
    ("-36,500 ℃", False): ["-36500", "-36.500"],
    ("1.234", True): ["1.234", "1234"],
}
BLOCKS = {
    "35.1\t35.2\r\n35.3\t35.4\r\n": [[["35.1", "35.2"], ["35.3", "35.4"]]],
    '"35.1"\t"a ""b""\tc"\n': [[["35.1", 'a "b"\tc']]],
    '"35,1","35,2"\n"35,3","35,4"': [[["35,1", "35,2"], ["35,3", "35,4"]]],
    "35.1,35.2,35.3": [[["35.1", "35.2", "35.3"]]],
    "35,1;35,2\n35,3;35,4": [[["35,1", "35,2"], ["35,3", "35,4"]]],
    "35,1": [[["35,1"]]],
    "35,1\n35,2": [[["35,1"], ["35,2"]], [["35", "1"], ["35", "2"]]],
    "35.1\n\n35.3": [[["35.1"], [""], ["35.3"]]],
}


@pytest.fixture
def open_bench(browser: Browser, site: Served) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def enter(path: str, locale: str = "en-GB") -> Page:
        context = browser.new_context(locale=locale, viewport={"width": 1360, "height": 900})
        contexts.append(context)
        page = sign_in(context, site, "technician")
        page.goto(f"{site.address}{path}")
        return page

    yield enter
    for context in contexts:
        context.close()


def cell(page: Page, point: str = "35.0", name: str = "t_ind", place: int = 0) -> Locator:
    return page.locator(f"[data-key='temperature/as_found/0/{point}/{name}/{place}']")


def saved(page: Page) -> None:
    expect(page.locator("input.dirty")).to_have_count(0)
    expect(page.locator("[data-save-state]")).to_contain_text("saved at")


def said(page: Page, script: str, given: object) -> object:
    return page.evaluate(
        "async ([given, units]) => { const m = await import('/static/bench/typed.js'); "
        f"return {script}; }}",
        [given, UNITS],
    )


def test_every_way_of_writing_a_reading_is_taken_as_it_is_meant_or_asked(open_bench) -> None:
    page = open_bench("/calibrations")
    how = "m.interpret({}, {{unit: 'degC', units, comma: {}}})"
    for text, (kind, value) in READ.items():
        found = said(page, how.format("given", "false"), text)
        assert (found["kind"], found.get("value", found.get("unit"))) == (kind, value), text
    for (text, comma), choices in ASKED.items():
        found = said(page, how.format("given", json.dumps(comma)), text)
        assert (found["kind"], found.get("choices")) == ("ask", choices), (text, comma)


def test_blocks_of_spreadsheets_and_files_are_parted_where_they_were_joined(open_bench) -> None:
    page = open_bench("/calibrations")
    for text, ways in BLOCKS.items():
        assert said(page, "m.block(given).ways", text) == ways, text


def test_the_way_it_is_taken_stands_beside_the_cell_while_typing(open_bench, site) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    cell(page).focus()
    page.keyboard.type("３５，１ ℃")
    expect(page.locator("output.reads")).to_have_text("→ 35.1 °C")
    page.keyboard.press("Enter")
    expect(cell(page)).to_have_value("35.1")
    expect(cell(page)).to_have_attribute("title", "typed: ３５，１ ℃")
    expect(page.locator("output.reads")).to_be_hidden()
    saved(page)
    assert current(site.world, record.id) == {"35.0/t_ind/0": "35.1"}


def test_what_can_mean_two_numbers_is_asked_and_nothing_sent_before(open_bench, site) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    cell(page).fill("35,100")
    page.keyboard.press("Enter")
    asked = page.locator(".cell-problems .question")
    expect(asked).to_contain_text("can mean two numbers")
    cell(page, "37.0").fill("37.1")
    page.keyboard.press("Enter")
    expect(page.locator("input.dirty")).to_have_count(1)
    assert current(site.world, record.id) == {"37.0/t_ind/0": "37.1"}
    asked.get_by_role("button", name="35.100", exact=True).click()
    saved(page)
    assert current(site.world, record.id)["35.0/t_ind/0"] == "35.100"


def test_another_unit_is_never_converted(open_bench, site) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    cell(page).fill("95.2 °F")
    page.keyboard.press("Enter")
    expect(page.locator(".cell-problems")).to_contain_text("this column is in °C")
    assert current(site.world, record.id) == {}


def test_a_pasted_block_with_commas_is_told_as_it_is_taken(open_bench, site) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    rows = [[f"{30 + r},{c}" for c in range(10)] for r in range(3)]
    paste(cell(page), "\r\n".join("\t".join(row) for row in rows) + "\r\n")
    told = page.locator(".cell-problems .said")
    expect(told).to_contain_text("30 of the pasted values are written otherwise")
    expect(told).to_contain_text("30,0 as 30.0")
    saved(page)
    found = current(site.world, record.id)
    for row, point in zip(rows, ("35.0", "37.0", "41.0"), strict=True):
        read = [found[f"{point}/t_ind/{i}"] for i in range(10)]
        assert read == [text.replace(",", ".") for text in row]


def test_a_block_that_can_mean_two_things_is_asked_once_for_all(open_bench, site) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    paste(cell(page), "35,101\t35,102\t35,103")
    asked = page.locator(".cell-problems .question")
    expect(asked).to_have_count(1)
    expect(asked).to_contain_text("3 values like")
    assert current(site.world, record.id) == {}
    asked.get_by_role("button", name="All like 35.101").click()
    saved(page)
    assert list(current(site.world, record.id).values()) == ["35.101", "35.102", "35.103"]


def test_a_column_of_decimal_commas_or_pairs_is_asked_before_anything_is_taken(
    open_bench, site
) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    paste(cell(page), "35,1\n37,2\n41,0")
    page.get_by_role("button", name="One a line: 35.1").click()
    saved(page)
    assert current(site.world, record.id) == {
        "35.0/t_ind/0": "35.1",
        "37.0/t_ind/0": "37.2",
        "41.0/t_ind/0": "41.0",
    }


def test_a_paste_is_undone_before_it_is_sent(open_bench, site) -> None:
    record = a_draft(site.world)
    page = open_bench(f"/calibrations/{record.id}")
    page.route("**/readings", lambda route: route.abort())
    paste(cell(page), "35,1\t35,2")
    page.get_by_role("button", name="Undo the paste").click()
    expect(cell(page)).to_have_value("")
    expect(page.locator("input.dirty")).to_have_count(0)
