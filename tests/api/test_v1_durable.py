"""What is acknowledged is durable: the transaction ends before the first byte of the answer."""

from __future__ import annotations

import asyncio
import json
import sqlite3

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from instruments.tenancy import see_all_labs
from tests.support import issuing
from tests.support.builders import PASSWORD, a_person
from tests.support.door import Door, a_key, seen


@pytest.fixture
def door(door_on_each: Door) -> Door:
    return door_on_each


def rows(url: str, statement: str) -> int:
    """Count as somebody else would: over a connection of their own."""
    engine = create_engine(url)
    with engine.connect() as connection:
        see_all_labs(connection)
        found = connection.scalar(text(statement))
    engine.dispose()
    return int(found)


def ask(door: Door, url: str, counting: str, method: str, path: str, headers, body: bytes):
    """Send a request and count rows at the very moment the answer's first message is sent."""
    seen_at_start: list[tuple[int, int]] = []

    async def send(message) -> None:
        if message["type"] == "http.response.start":
            count = await asyncio.to_thread(rows, url, counting)
            seen_at_start.append((message["status"], count))

    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
        "headers": [
            (k.lower().encode(), v.encode())
            for k, v in {"host": "testserver", "content-length": str(len(body)), **headers}.items()
        ],
        "app": door.app,
    }
    asyncio.run(door.app(scope, receive, send))
    return seen_at_start


def test_a_new_record_is_committed_before_the_answer_begins(door, database_url):
    headers = {
        "authorization": f"Bearer {door.token(door.bench.signatory)}",
        "content-type": "application/json",
    }
    body = json.dumps({"name_en": "Committed first"}).encode()
    counting = "SELECT count(*) FROM customers WHERE name_en = 'Committed first'"
    assert rows(database_url, counting) == 0
    answered = ask(door, database_url, counting, "POST", "/api/v1/customers", headers, body)
    assert answered == [(201, 1)]


def test_a_certificate_is_committed_before_the_answer_begins(door, database_url):
    record = issuing.authorised(door.bench)
    version = seen(door.as_(door.bench.signatory).get(f"/api/v1/calibrations/{record}"))
    token = door.token(door.bench.signatory)
    headers = {"authorization": f"Bearer {token}", **version, **a_key()}
    counting = "SELECT count(*) FROM certificate_events WHERE event = 'issued'"
    path = f"/api/v1/calibrations/{record}/certificate"
    assert ask(door, database_url, counting, "POST", path, headers, b"") == [(201, 1)]


def test_a_sign_in_is_committed_before_its_cookie_is_sent(door, database_url):
    a_person(door.bench.engine, door.bench.lab_id, email="door@example.org", password=PASSWORD)
    body = f"email=door@example.org&password={PASSWORD.replace(' ', '+')}".encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "origin": "http://testserver",
    }
    counting = "SELECT count(*) FROM sign_ins"
    assert ask(door, database_url, counting, "POST", "/sign-in", headers, body) == [(303, 1)]


def test_what_cannot_be_committed_is_not_acknowledged(door):
    client = door.as_(door.bench.signatory)

    def fail(_connection) -> None:
        raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    event.listen(door.bench.engine, "commit", fail)
    try:
        answer = client.post("/api/v1/customers", json={"name_en": "Never"})
    finally:
        event.remove(door.bench.engine, "commit", fail)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    names = [c["name"]["en"] for c in client.get("/api/v1/customers").json()]
    assert "Never" not in names


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_finds_no_connection_is_told_to_come_again(door, method):
    """Readers and writers alike; it is no failure of the program (500)."""
    client, pool = door.as_(door.bench.signatory), door.bench.engine.pool

    def none_left(*_given):
        raise PoolTimeout("QueuePool limit of size 20 overflow 40 reached")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(pool), "_do_get", none_left)
        answer = client.request(method, "/api/v1/customers", json={"name_en": "Never"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database-busy")
    assert "QueuePool" not in answer.text
    names = [c["name"]["en"] for c in client.get("/api/v1/customers").json()]
    assert "Never" not in names


def test_a_refused_change_leaves_nothing_of_its_transaction(door):
    record = issuing.opened(door.bench).id
    good = issuing.an_entry()
    entries = [
        {"measurand": "temperature", "stage": "as_found", "point": point, "input": "t_ref",
         "place": 0, "value": "50.02", "revision": 0}
        for point in (good.point, "51")
    ]  # fmt: skip
    client = door.as_(door.bench.technician)
    answer = client.post(f"/api/v1/calibrations/{record}/readings", json={"entries": entries})
    assert answer.status_code == 422, answer.text
    assert client.get(f"/api/v1/calibrations/{record}").json()["slots"] == []


def test_a_failing_disk_ends_the_process(door, monkeypatch):
    client, ended = door.as_(door.bench.signatory), []
    monkeypatch.setattr("api.app.os._exit", ended.append)

    def fail(_connection) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    event.listen(door.bench.engine, "commit", fail)
    try:
        client.post("/api/v1/customers", json={"name_en": "Perhaps"})
    finally:
        event.remove(door.bench.engine, "commit", fail)
    assert 70 in ended


def test_a_text_no_database_keeps_is_found_nowhere_or_refused(door):
    client = door.as_(door.bench.technician)
    answer = client.get("/api/v1/instruments", params={"text": "a\0b"})
    if answer.status_code == 200:
        assert answer.json() == []
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "text-unreadable")
