"""The pages of a forgotten password: alike for everybody, and a form only behind a good link."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

import pytest

from calib.jobs.tasks import send_mails
from tests.support.builders import PASSWORD, a_person
from tests.support.web import Browser

MAIL = "li@example.org"


@pytest.fixture
def browser(app):
    made = Browser(app)
    made.client.headers["origin"] = "http://testserver"
    return made


def mails(app):
    send_mails(app.state.wiring)
    folder = app.state.wiring.settings.folder / "mail"
    files = sorted(folder.glob("*.eml"))
    return [message_from_bytes(f.read_bytes(), policy=default).get_content() for f in files]


def test_the_answer_is_the_same_for_known_and_unknown(app, world, browser):
    a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)
    known, unknown = (
        browser.post("/password/forgotten", email=mail) for mail in (MAIL, "nobody@example.org")
    )
    assert (known.status, known.text) == (unknown.status, unknown.text)
    assert known.status == 200
    assert len(mails(app)) == 1


def test_from_the_mail_to_the_new_password(app, world, browser):
    a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)
    browser.post("/password/forgotten", email=MAIL)
    token = re.search(r"token=(calib_l_[\w-]+)", mails(app)[0])[1]
    page = browser.get(f"/password?token={token}")
    assert token not in page.text
    given = {"password": "four words of bath"}
    assert "differ" in browser.post("/password", **given, again="other").words()
    assert browser.post("/password", **given, again="four words of bath").location == "/sign-in"
    signed = browser.post("/sign-in", email=MAIL, password="four words of bath")
    assert signed.status == 303
    assert page.document.xpath("//input[@name='again']")
    for again in (browser.get(f"/password?token={token}"), browser.get("/password")):
        assert "used already" in again.words()
        assert not again.document.xpath("//input[@name='again']")


def a_link(app, world, browser):
    a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)
    browser.post("/password/forgotten", email=MAIL)
    return re.search(r"token=(calib_l_[\w-]+)", mails(app)[0])[1]


def test_the_token_leaves_the_address_at_once(app, world, browser):
    token = a_link(app, world, browser)
    first = browser.client.get(f"/password?token={token}")
    assert (first.status_code, first.headers["location"]) == (303, "/password")
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert first.headers["Cache-Control"] == "no-store"
    cookie = first.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=3600"))
    # of a page with no-referrer a browser would send its form with the origin "null"
    assert browser.client.get("/password").headers["Referrer-Policy"] == "same-origin"
    done = browser.post("/password", password="four words of bath", again="four words of bath")
    assert done.location == "/sign-in"
    assert "Max-Age=0" in done.headers["set-cookie"]


def test_who_only_opens_the_link_uses_nothing_up(app, world, browser):
    token = a_link(app, world, browser)
    for _ in range(3):  # a scanner of mails, following what it is told
        scanner = Browser(app)
        assert scanner.get(f"/password?token={token}").document.xpath("//input[@name='again']")
        assert scanner.client.head(f"/password?token={token}").status_code in (303, 405)
    assert browser.get(f"/password?token={token}").document.xpath("//input[@name='again']")
    done = browser.post("/password", password="four words of bath", again="four words of bath")
    assert done.location == "/sign-in"


@pytest.mark.parametrize("other", ["", "calib_l_none", "x" * 3000, "calib_l_\u8bd5", "a;b=c"])
def test_a_link_that_is_none_does_not_open_the_form_of_the_one_before(app, world, browser, other):
    token = a_link(app, world, browser)
    browser.get(f"/password?token={token}")
    assert "used already" in browser.get(f"/password?token={other}").words()
    given = {"password": "four words of bath", "again": "four words of bath"}
    assert "used already" in browser.post("/password", **given).words()


def test_the_form_alone_without_the_link_changes_nothing(app, world, browser):
    token = a_link(app, world, browser)
    stranger = Browser(app)
    stranger.client.headers["origin"] = "http://testserver"
    given = {"password": "four words of bath", "again": "four words of bath"}
    assert "used already" in stranger.post("/password", token=token, **given).words()


def test_no_colleague_sets_a_password(app, world, browser):
    assert browser.post("/lab/people/1/password", new_password="x").status in (404, 405)


def test_another_site_asks_for_nobody(app, browser):
    browser.client.headers["origin"] = "https://evil.example"
    assert browser.post("/password/forgotten", email=MAIL).status == 403
    assert mails(app) == []
