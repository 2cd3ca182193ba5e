"""Cookies over HTTPS: the prefix is always there, and one without it is nobody's sign-in."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from tests.support.builders import NOW, PASSWORD, a_person
from tests.support.web import TestClient

HTTPS = "https://calib.example.org"
MAIL = "song@example.org"


@pytest.fixture
def client(app, world):
    a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)
    wired = app.state.wiring
    settings = dataclasses.replace(wired.settings, public_url=HTTPS)
    app.state.wiring = dataclasses.replace(wired, settings=settings)
    yield TestClient(app, base_url=HTTPS, follow_redirects=False, headers={"origin": HTTPS})
    app.state.wiring = wired


def entered(client):
    answer = client.post("/sign-in", data={"email": MAIL, "password": PASSWORD})
    assert answer.status_code == 303
    return answer


def test_every_cookie_is_of_this_host_and_hidden_from_scripts(client):
    answers = [
        entered(client),
        client.post("/language", data={"language": "zh"}),
        client.post("/sign-in/passkey/begin"),
        client.post("/sign-out"),
    ]
    said = [line for one in answers for line in one.headers.get_list("set-cookie")]
    assert len(said) == 4
    for line in said:
        parts = [part.strip().lower() for part in line.split(";")]
        assert line.startswith("__Host-calib_")
        assert {"secure", "httponly", "path=/"} <= set(parts)
        assert any(part.startswith("samesite=") for part in parts)
        assert not any(part.startswith("domain=") for part in parts)
        assert len(line.partition(";")[0]) < 4096


def test_a_cookie_another_host_could_have_set_opens_nothing(client):
    entered(client)
    assert client.get("/orders").status_code == 200
    token = client.cookies["__Host-calib_session"]
    client.cookies.clear()
    client.cookies.set("calib_session", token)
    assert client.get("/orders").status_code == 303
    client.cookies.set("__Host-calib_session", token)
    assert client.get("/orders").status_code == 200


def test_who_signs_in_anew_ends_the_sign_in_of_before(client):
    entered(client)
    before = client.cookies["__Host-calib_session"]
    entered(client)
    after = client.cookies["__Host-calib_session"]
    assert after != before
    client.cookies.set("__Host-calib_session", before)
    assert client.get("/orders").status_code == 303


def test_a_page_that_is_used_keeps_its_sign_in(client, app):
    entered(client)
    wired = app.state.wiring
    for minutes, status in ((50, 200), (100, 200), (150, 200), (211, 303)):
        now = NOW + timedelta(minutes=minutes)
        app.state.wiring = dataclasses.replace(wired, clock=lambda now=now: now)
        assert client.get("/orders").status_code == status, minutes


def test_who_signs_out_leaves_nothing_in_the_cache(client):
    entered(client)
    answer = client.post("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert answer.headers["Cache-Control"] == "no-store"
