"""The form of the sign-in: what a failed, a paused and a foreign attempt get."""

from __future__ import annotations

import pytest

from instruments.services import throttle
from tests.support.builders import PASSWORD, a_person
from tests.support.web import ORIGIN, TestClient, a_world, an_application

MAIL = "li@example.org"


@pytest.fixture
def client(tmp_path) -> TestClient:
    world = a_world(tmp_path)
    a_person(world.engine, world.lab_id, ("technician",), email=MAIL, password=PASSWORD)
    app = an_application(world, tmp_path / "data")
    yield TestClient(app, base_url=ORIGIN, follow_redirects=False)
    world.engine.dispose()


def send(client, password=PASSWORD, mail=MAIL, **headers):
    return client.post("/sign-in", data={"email": mail, "password": password}, headers=headers)


def test_failures_are_told_alike_and_then_pause_the_account(client, monkeypatch):
    monkeypatch.setattr(throttle, "MOST_BY_ACCOUNT", 2)
    for mail in (MAIL, "nobody@example.org"):
        assert [send(client, "wrong", mail).status_code for _ in range(3)] == [401, 401, 429]
    paused = send(client)
    assert paused.status_code == 429
    assert "Wait 15 minutes" in paused.text
    assert "calib_session" not in paused.headers.get("set-cookie", "")


def test_another_site_cannot_sign_anybody_in(client):
    assert send(client, Origin="https://evil.example").status_code == 403
    assert send(client).status_code == 303
