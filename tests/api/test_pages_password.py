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
    given = {"token": token, "password": "four words of bath"}
    assert "differ" in browser.post("/password", **given, again="other").words()
    assert browser.post("/password", **given, again="four words of bath").location == "/sign-in"
    signed = browser.post("/sign-in", email=MAIL, password="four words of bath")
    assert signed.status == 303
    assert page.document.xpath("//input[@name='again']")
    for again in (browser.get(f"/password?token={token}"), browser.get("/password")):
        assert "used already" in again.words()
        assert not again.document.xpath("//input[@name='again']")


def test_no_colleague_sets_a_password(app, world, browser):
    assert browser.post("/lab/people/1/password", new_password="x").status in (404, 405)


def test_another_site_asks_for_nobody(app, browser):
    browser.client.headers["origin"] = "https://evil.example"
    assert browser.post("/password/forgotten", email=MAIL).status == 403
    assert mails(app) == []
