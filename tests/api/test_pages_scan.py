"""A label that was scanned or typed: to one's own instrument, or plain words about what it is."""

from __future__ import annotations

import pytest

from tests.support.builders import a_customer, an_instrument, context_for
from tests.support.web import ORIGIN, Browser, a_sign_in


@pytest.fixture
def operator(app, world):
    return Browser(app, a_sign_in(world, "venue_operator", customer_id=1))


def scanned(browser, code):
    return browser.client.get("/scan", params={"code": code})


@pytest.fixture
def items(world):
    """Return one of the operator and one of somebody else."""
    with context_for(world) as ctx:
        other = a_customer(ctx, name_en="Elsewhere", name_zh="别处")
        mine = an_instrument(ctx, world.catalogue, customer_id=1, asset_number="A-7")
        return mine, an_instrument(ctx, world.catalogue, customer_id=other.id)


def test_the_label_of_an_instrument_leads_there(operator, items):
    mine = items[0]
    address = f"{ORIGIN}/instruments?text={mine.barcode}"
    for code in (address, mine.barcode, mine.serial, f" {mine.barcode} ", "A-7"):
        answer = scanned(operator, code)
        assert answer.headers["location"] == f"/instruments/{mine.id}", code


def test_the_label_of_another_is_none_of_theirs(operator, items):
    theirs = items[1]
    page = scanned(operator, f"{ORIGIN}/instruments?text={theirs.barcode}")
    assert page.status_code == 200
    assert "No instrument of yours has this number" in page.text
    assert theirs.serial not in page.text


@pytest.mark.parametrize(
    "code", ["https://elsewhere.example/c/AAAAAAAAAAAAAAAAAAAAAA", "http://[", "https://x@y/"]
)
def test_a_code_of_somebody_else_is_not_followed(operator, code):
    page = scanned(operator, code)
    assert page.status_code == 200
    assert "This is no label of ours" in page.text


def test_the_page_alone_may_ask_for_the_camera(operator):
    assert "camera=(self)" in operator.get("/scan").headers["permissions-policy"]
    assert "camera=()" in operator.get("/board").headers["permissions-policy"]


def test_a_code_of_a_certificate_nobody_knows(operator):
    page = scanned(operator, f"{ORIGIN}/c/AAAAAAAAAAAAAAAAAAAAAA")
    assert "not on one of your instruments" in page.text
    assert "/c/AAAAAAAAAAAAAAAAAAAAAA" in page.text


def test_one_number_of_two_instruments_is_asked_about(operator, world, items):
    with context_for(world) as ctx:
        an_instrument(ctx, world.catalogue, customer_id=1, asset_number="A-7")
    page = scanned(operator, "A-7")
    assert "Several of your instruments" in page.text
    assert page.text.count('href="/instruments/') == 2
