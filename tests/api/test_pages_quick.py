"""A request in two taps, from the board: what would be agreed is shown, then it is sent, once."""

from __future__ import annotations

import pytest

from instruments.services import orders
from tests.support.builders import a_customer, a_request, an_instrument, context_for
from tests.support.web import Browser, a_sign_in


@pytest.fixture
def overdue(world):
    with context_for(world) as ctx:
        return an_instrument(ctx, world.catalogue, customer_id=1, site_id=1, location="Gate 3")


@pytest.fixture
def operator(app, world):
    return Browser(app, a_sign_in(world, "venue_operator", customer_id=1))


def newest(world):
    with context_for(world) as ctx:
        return orders.list_orders(ctx)[0]


def asked_of(page, item):
    found = page.document.xpath(f"//ul[@class='board']//a[@href='/orders/quick?chosen={item.id}']")
    return found[0].get("href") if found else ""


def test_two_taps_from_the_board_to_an_order(operator, world, overdue):
    first = asked_of(operator.get("/board"), overdue)
    page = operator.get(first)
    assert "Gate 3" in page.words()
    assert "Hall 1" in page.words()
    sent = operator.send(page)
    assert sent.status == 303
    told = operator.get(sent.location)
    assert "The request was sent to the laboratory" in told.words()
    assert "What happens next" in told.words()
    made = newest(world)
    assert [line.instrument.id for line in made.lines] == [overdue.id]
    board = operator.get("/board")
    assert asked_of(board, overdue) == ""
    assert board.document.xpath(f"//ul[@class='board']//a[@href='/orders/{made.id}']")


def test_the_last_order_says_how_it_is_judged(operator, world, overdue):
    with context_for(world) as ctx:
        one = an_instrument(ctx, world.catalogue, customer_id=1)
        asked = a_request(
            ctx, one.id, customer_id=1, decision_rule="guard_rU", decision_parameter="1.5",
            language="zh", interval_months=6, print_due=True,
        )  # fmt: skip
        orders.request(ctx, asked, catalogue=world.catalogue)
    operator.send(operator.get(f"/orders/quick?chosen={overdue.id}"))
    made = newest(world)
    assert (made.decision_rule, made.decision_parameter) == ("guard_rU", "1.5")
    assert (made.language, made.interval_months, made.print_due) == ("zh", 6, True)
    assert made.requested_by == "Zhou Min"


def test_a_first_order_agrees_on_no_rule(app, world):
    with context_for(world) as ctx:
        owner = a_customer(ctx, name_en="New", name_zh="新客户")
        item = an_instrument(ctx, world.catalogue, customer_id=owner.id)
    new = Browser(app, a_sign_in(world, "venue_operator", customer_id=owner.id))
    assert new.send(new.get(f"/orders/quick?chosen={item.id}")).status == 303
    assert newest(world).decision_rule == "none"


def test_pressed_twice_it_is_one_order(operator, world, overdue):
    page = operator.get(f"/orders/quick?chosen={overdue.id}")
    first, second = operator.send(page), operator.send(page)
    assert first.location == second.location
    with context_for(world) as ctx:
        assert len(orders.list_orders(ctx)) == 2


def test_nobody_requests_for_another(operator, world):
    with context_for(world) as ctx:
        owner = a_customer(ctx, name_en="New", name_zh="新客户")
        item = an_instrument(ctx, world.catalogue, customer_id=owner.id)
    assert operator.get(f"/orders/quick?chosen={item.id}").status == 404
    assert operator.post("/orders/quick", chosen=str(item.id), key="k").status == 404
