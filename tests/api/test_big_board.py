"""A board of a thousand instruments in forty venues: few statements, pages, filters, orders."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from tests.support.big_board import EACH, VENUES, a_big_board
from tests.support.web import Browser, a_sign_in, an_application

MOST = 12
"""Queries of a page, with those that find out who asks."""


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    folder = tmp_path_factory.mktemp("big")
    made = a_big_board(folder)
    app = an_application(made, folder / "data")
    yield made, app, Browser(app, a_sign_in(made, "venue_operator", customer_id=2))
    made.engine.dispose()


def shown(page):
    return page.document.xpath("//ul[@class='board']/li")


def lights(page):
    return [int(n.text) for n in page.document.xpath("//nav[@class='lights']//strong")]


@pytest.mark.parametrize(
    "path", ["/board", "/board?sort=due&page=3", "/board/wall", "/instruments"]
)
def test_a_thousand_cost_few_statements(big, path):
    made, _app, operator = big
    seen: list[str] = []

    def listen(_c, _cursor, statement, *_more):
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(made.engine, "before_cursor_execute", listen)
    assert operator.client.get(path).status_code == 200
    event.remove(made.engine, "before_cursor_execute", listen)
    assert len(seen) <= MOST, seen


def test_every_instrument_is_counted_and_a_hundred_are_shown(big):
    page = big[2].get("/board")
    assert sum(lights(page)) == VENUES * EACH
    assert len(shown(page)) == 100
    assert len(page.document.xpath("//details[@class='venues']//tbody/tr")) == VENUES
    met = set()
    for number in range(1, 11):
        found = (
            big[2]
            .get(f"/board?page={number}")
            .document.xpath("//ul[@class='board']//p[@class='name']/a/@href")
        )
        met.update(found)
    assert len(met) == VENUES * EACH


def test_colour_venue_and_date_narrow_it(big):
    everything = big[2].get("/board")
    red = lights(everything)[0]
    page = big[2].get("/board?colour=red")
    assert {item.get("class") for item in shown(page)} == {"red"}
    assert f"{red} instruments" in page.words()
    first = everything.document.xpath("//details[@class='venues']//tbody//a/@href")[0]
    venue = big[2].get(f"/board{first}")
    assert sum(lights(venue)) == EACH == len(shown(venue))
    overdue = big[2].get("/board?due=overdue")
    assert all(
        "Overdue since" in li.text_content() or li.get("class") == "red" for li in shown(overdue)
    )
    assert shown(big[2].get("/board?due=soon"))


def test_orders_are_links_and_told_to_screen_readers(big):
    page = big[2].get("/board?sort=-red")
    heads = page.document.xpath("//details[@class='venues']//th[@aria-sort]")
    assert [one.get("aria-sort") for one in heads] == ["descending"]
    counts = [
        int(td.text) for td in page.document.xpath("//details[@class='venues']//tbody/tr/td[2]")
    ]
    assert counts == sorted(counts, reverse=True)
    turned = heads[0].xpath("./a/@href")[0]
    assert turned == "?sort=red"
    due = big[2].get("/board?sort=due").document.xpath("//ul[@class='board']/li")
    assert due[0].get("class") == "red"


def test_what_nobody_offers_is_passed_over(big):
    page = big[2].get("/board?sort=nothing&page=99999&colour=blue&due=x&site_id=z")
    assert page.status == 200
    assert shown(page)
