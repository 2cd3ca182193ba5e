"""Guessing at the sign-in, ids of sessions, and what a first start has open: nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from api.bootstrap import wire
from api.deps import COOKIE
from api.settings import Settings
from calib.adapters.passphrase import need_long
from instruments.errors import Invalid, NotAllowed, Refused
from instruments.records.parties import Person
from instruments.services import entrance, signin, totp
from instruments.services.secrets import hash_password
from instruments.tenancy import installation_session
from tests.support.builders import NOW, PASSWORD, a_person, context_for
from tests.support.web import ORIGIN, Browser

MAIL, OTHER = "li@example.org", "other@example.org"


@pytest.fixture
def li(world):
    """Return the id of a technician who can sign in."""
    return a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)


def try_to_enter(world, email, password, origin, now):
    """Return the code of the refusal; empty for whoever got in."""
    try:
        entrance.enter(
            world.engine,
            email=email,
            password=password,
            lab_code=None,
            origin=origin,
            clock=lambda: now,
        )
    except NotAllowed as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("tries", [120, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_at_most_a_hundred_guesses_an_hour_are_looked_at_and_others_get_in(world, li, tries):
    a_person(world.engine, world.lab_id, ("technician",), email=OTHER, password=PASSWORD)
    codes = []
    for n in range(tries):
        now = NOW + timedelta(hours=1) * n / tries
        codes.append(try_to_enter(world, MAIL, f"guess {n}", f"192.0.2.{n % 250}", now))
        if n % (tries // 8) == 0:
            assert try_to_enter(world, OTHER, PASSWORD, "198.51.100.1", now) == ""
    assert set(codes) == {"sign-in-failed", "sign-in-paused"}
    assert 10 <= codes.count("sign-in-failed") <= 100


def a_browser(app):
    made = Browser(app)
    made.client.headers["origin"] = ORIGIN
    return made


def test_an_account_that_exists_and_one_that_does_not_answer_in_the_same_words(app, li):
    def answers(mail):
        tried = (a_browser(app).post("/sign-in", email=mail, password=f"x{n}") for n in range(11))
        return [(page.status, page.text.replace(mail, "mail")) for page in tried]

    assert answers(MAIL) == answers("nobody@example.org")


def test_a_session_id_that_was_planted_opens_nothing_and_changes_at_the_sign_in(app, li):
    planted = "calib_s_planted-by-somebody-else"
    browser = a_browser(app)
    browser.client.cookies.set(COOKIE, planted)
    done = browser.client.post("/sign-in", data={"email": MAIL, "password": PASSWORD})
    assert done.cookies[COOKIE] != planted
    assert Browser(app, planted).client.get("/account").status_code == 303
    first = done.cookies[COOKIE]
    again = Browser(app, first)
    again.client.headers["origin"] = ORIGIN
    second = again.client.post("/sign-in", data={"email": MAIL, "password": PASSWORD})
    assert second.cookies[COOKIE] != first
    assert Browser(app, first).client.get("/account").status_code == 303  # ended


def test_before_the_second_factor_there_is_no_session_and_signing_out_ends_it(app, li):
    browser = a_browser(app)
    browser.post("/sign-in", email=MAIL, password=PASSWORD)
    browser.post("/account/prove", proof_password=PASSWORD)
    secret = browser.post("/account/factor/begin").document.xpath("//code[@class='break']")[0].text
    browser.post("/account/factor/confirm", code=totp.code_at(secret, totp.step_of(NOW)))
    half = a_browser(app)
    assert half.post("/sign-in", email=MAIL, password=PASSWORD).status == 401
    assert COOKIE not in half.client.cookies
    code = totp.code_at(secret, totp.step_of(NOW) + 1)
    done = half.client.post("/sign-in", data={"email": MAIL, "password": PASSWORD, "code": code})
    token = done.cookies[COOKIE]
    assert Browser(app, token).client.get("/account").status_code == 200
    half.post("/sign-out")
    assert Browser(app, token).client.get("/account").status_code == 303


def test_refused_attempts_are_shown_to_whose_account_it_is_alone(app, world, li):
    a_person(world.engine, world.lab_id, ("technician",), email=OTHER, password=PASSWORD)
    a_browser(app).post("/sign-in", email=MAIL, password="wrong")
    for mail, shown in ((MAIL, True), (OTHER, False)):
        browser = a_browser(app)
        browser.post("/sign-in", email=mail, password=PASSWORD)
        assert ("Refused attempts" in browser.get("/account").words()) is shown


def test_a_first_start_has_no_account_no_manual_of_the_routes_and_takes_no_weak_secret(
    app, tmp_path
):
    wired = wire(Settings(data=str(tmp_path / "new")))
    try:
        with installation_session(wired.engine, read_only=True) as session:
            assert session.scalar(select(func.count(Person.id))) == 0
    finally:
        wired.engine.dispose()
    assert app.debug is False
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert Browser(app).client.get(path).status_code == 404
    for weak in ("short", "aaaaaaaaaaaa"):
        with pytest.raises(Invalid):
            hash_password(weak)
    with pytest.raises(Refused):
        need_long(b"short")


def test_a_token_ends_with_the_password_that_made_it(app, world, li):
    from instruments.services import links

    with context_for(world, "technician", person_id=li) as ctx:
        token = signin.make_token(ctx, name="program")
    with installation_session(world.engine) as session:
        links.ask(session, "reset", MAIL, origin="", now=NOW)
        due = links.claim(session, NOW)
        links.choose_password(session, due.token, "four words of bath", now=NOW)
    with installation_session(world.engine, read_only=True) as session:
        assert signin.resolve(session, token, NOW) is None
