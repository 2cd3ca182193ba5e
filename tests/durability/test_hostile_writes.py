"""Every writing door, with the ids of an issued certificate and whatever bodies: it stays as it is.

Requests are drawn by a generator with a fixed seed from the program's own description of itself, as
somebody who holds every role of the lab. New things may come of it (a record that amends, an
event); what was written before is the same byte for byte afterwards.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import text

from calib.adapters.sealing import UnsealedSealer
from calib.services import issue
from instruments.tenancy import see_all_labs
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.door import a_door

FROZEN = {
    "certificates": "id", "certificate_events": "id", "certificate_files": "id",
    "evaluations": "id", "ledger_leaves": "place", "audit_events": "id", "review_marks": "id",
    "readings": "id", "conditions": "id",
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, 1, 2, -1, 10**12, "", "x", "1", "issued", "draft", "void", "2026-03-02",
    "20.05", [], [1], {}, {"id": 1}, "' OR 1=1 --", "\u202e", "9" * 400, ["temperature"],
)  # fmt: skip


def rows(engine) -> dict[str, dict[Any, tuple[Any, ...]]]:
    """Return every row that may not change, by table and key."""
    found: dict[str, dict[Any, tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        see_all_labs(connection)
        for table, key in FROZEN.items():
            read = connection.execute(text(f"SELECT * FROM {table} ORDER BY {key}"))  # noqa: S608
            names = list(read.keys())
            found[table] = {row[names.index(key)]: tuple(row) for row in read}
    return found


def changed(before, after) -> list[str]:
    return [
        f"{table} {key}"
        for table, held in before.items()
        for key, row in held.items()
        if after[table].get(key) != row
    ]


def operations(app) -> list[tuple[str, str, dict[str, Any]]]:
    """Return every writing operation of the API: method, path, its body's schema."""
    described = app.openapi()
    schemas = described["components"]["schemas"]
    found = []
    for path, methods in described["paths"].items():
        for method, said in methods.items():
            if method in {"post", "put", "patch", "delete"}:
                body = said.get("requestBody", {}).get("content", {})
                schema = body.get("application/json", {}).get("schema", {})
                name = schema.get("$ref", "").rsplit("/", 1)[-1]
                found.append((method, path, schemas.get(name, schema)))
    return found


def a_body(schema: dict[str, Any], rng: random.Random) -> Any:
    """Return a body with the fields that are asked for, some of them nonsense, some too many."""
    fields = list(schema.get("properties", {})) or ["reason", "second_person_id", "payload"]
    body = {name: rng.choice(VALUES) for name in fields if rng.random() < 0.8}
    if rng.random() < 0.2:
        body |= {rng.choice(("number", "state", "payload", "token", "issued_on", "lab_id")): 1}
    if "reason" in body and rng.random() < 0.8:
        body["reason"] = "typing error"
    return body


@pytest.mark.parametrize(
    "count", [300, pytest.param(10_000, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_no_door_changes_what_was_issued(database_url, tmp_path, count):
    door = a_door(database_url, tmp_path)
    bench = door.bench
    view = issuing.issued(bench, door.store, issuing.authorised(bench))
    before, contents = rows(bench.engine), {d: door.store.get(d) for d in view.files.values()}
    client = door.as_(issuing.everybody(bench))
    rng = random.Random(20260302)  # noqa: S311
    doors, statuses = operations(door.app), []
    assert len(doors) > 40
    for n in range(count):
        method, path, schema = doors[n % len(doors)]
        ids = {"id": "1", "token": view.token, "number": view.number, "key": "S-014"}
        for part in path.split("/"):
            if part.startswith("{"):
                name = part.strip("{}")
                drawn = rng.choice(("1", "1", "1", "2", "-1", "0"))
                path = path.replace(part, ids.get(name, drawn))
        headers = {"Idempotency-Key": f"hostile-{n:08d}"}
        if rng.random() < 0.8:
            headers["If-Match"] = f'"{rng.randint(1, 9)}"'
        answer = client.request(method, path, json=a_body(schema, rng), headers=headers)
        statuses.append(answer.status_code)
    assert changed(before, rows(bench.engine)) == []
    assert {d: door.store.get(d) for d in view.files.values()} == contents
    assert {s for s in statuses if s >= 500} <= {503}
    assert sum(status < 300 for status in statuses) > 0  # not every door was shut at once
    assert issue.recover(bench.engine, door.store, UnsealedSealer(), lambda: NOW).numbers == ()
    bench.engine.dispose()
