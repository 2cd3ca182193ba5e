"""The page of the account: a second factor set up, asked for and taken away; sign-ins ended."""

from __future__ import annotations

import dataclasses
import re

import pytest

from instruments.services import approval_rules, throttle, totp
from tests.support.builders import NOW, PASSWORD, a_person, context_for
from tests.support.web import ORIGIN, Browser, TestClient

MAIL = "tang@example.org"


@pytest.fixture
def tang(world):
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def signed_in(app, code: str = ""):
    """Return a client with the cookie of a sign-in, and how the sign-in was answered."""
    client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    answer = client.post(
        "/sign-in",
        data={"email": MAIL, "password": PASSWORD, "code": code},
        headers={"origin": ORIGIN, "user-agent": "Test/1"},
    )
    return client, answer


def browser_of(client) -> Browser:
    browser = Browser.__new__(Browser)
    browser.client = client
    client.headers["origin"] = ORIGIN
    return browser


def test_a_second_factor_from_the_picture_to_the_sign_in_with_it(app, tang):
    client, _ = signed_in(app)
    browser = browser_of(client)
    page = browser.post("/account/factor/begin")
    assert "Show first who you are" in page.words()
    page = browser.post("/account/prove", proof_password="wrong")
    assert "The password or the code is not right" in page.words()
    assert browser.post("/account/prove", proof_password=PASSWORD).status == 303
    page = browser.post("/account/factor/begin")
    assert page.document.xpath("//img[starts-with(@src, 'data:image/svg+xml')]/@alt")
    secret = next(
        c for c in page.document.xpath("//code/text()") if re.fullmatch("[A-Z2-7]{32}", c)
    )
    page = browser.post("/account/factor/confirm", code="000000")
    assert "The code is not right" in page.words()
    code = totp.code_at(secret, totp.step_of(NOW))
    page = browser.post("/account/factor/confirm", code=code)
    recovery = [c for c in page.document.xpath("//code/text()") if c.count("-") == 3]
    assert len(recovery) == 8
    assert secret not in browser.get("/account").text

    _, answer = signed_in(app)
    assert answer.status_code == 401
    assert "This account has a second factor" in answer.text
    _, answer = signed_in(app, code)  # it was used to set it up
    assert "The code is not right" in answer.text
    other, answer = signed_in(app, recovery[0])
    assert answer.status_code == 303
    assert "7 recovery codes left" in browser_of(other).get("/account").words()
    later = browser_of(other)
    assert later.post("/account/prove", proof_password=PASSWORD).status == 422
    assert later.post("/account/factor/end").status == 422
    given = {"proof_password": PASSWORD, "proof_code": recovery[1]}
    assert later.post("/account/prove", **given).status == 303
    assert later.post("/account/factor/end").status == 303
    _, answer = signed_in(app)
    assert answer.status_code == 303


def test_a_lab_that_demands_it_lets_nobody_work_without(app, tang, world):
    client, _ = signed_in(app)
    browser = browser_of(client)
    assert client.get("/orders").status_code == 200
    with context_for(world, "manager") as ctx:
        held = approval_rules.rules(ctx)
        approval_rules.set_rules(ctx, dataclasses.replace(held, demands_second_factor=True))
    assert client.get("/orders").headers["location"].startswith("/account")
    assert client.get("/api/v1/orders").status_code == 403
    assert client.post("/orders/1/accept").status_code == 403
    browser.post("/account/prove", proof_password=PASSWORD)
    page = browser.post("/account/factor/begin")
    secret = next(
        c for c in page.document.xpath("//code/text()") if re.fullmatch("[A-Z2-7]{32}", c)
    )
    browser.post("/account/factor/confirm", code=totp.code_at(secret, totp.step_of(NOW)))
    assert client.get("/orders").status_code == 200


def test_guessing_inside_an_account_is_slowed_down(app, tang, monkeypatch):
    monkeypatch.setattr(throttle, "MOST_BY_ACCOUNT", 3)
    client, _ = signed_in(app)
    browser = browser_of(client)
    for _ in range(3):
        assert browser.post("/account/prove", proof_password="wrong").status == 422
    page = browser.post("/account/prove", proof_password=PASSWORD)
    assert "Too many attempts" in page.words()
    assert browser.post("/account/factor/confirm", code="123456").status in (403, 422)


def test_the_sign_ins_are_told_and_the_others_ended(app, tang):
    here, _ = signed_in(app)
    there, _ = signed_in(app)
    page = browser_of(here).get("/account")
    assert page.words().count("Test/1") >= 2
    assert page.document.xpath("//*[@title='Test/1']")
    assert "this one" in page.words()
    assert browser_of(here).post("/account/sessions/end-others").status == 422
    assert there.get("/orders").status_code == 200
    assert browser_of(here).post("/account/prove", proof_password=PASSWORD).status == 303
    assert browser_of(here).post("/account/sessions/end-others").status == 303
    assert there.get("/orders").status_code == 303  # to the sign-in
    assert here.get("/orders").status_code == 200
