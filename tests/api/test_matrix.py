"""Every cell of docs/operate/matrix.csv is asked of the running application."""

from __future__ import annotations

import re
from typing import Any

import pytest

from api.turnstile import Turnstile
from tests.house import matrix
from tests.house.matrix import ACTORS
from tests.support import issuing
from tests.support.described import body_of, described, example
from tests.support.door import a_key
from tests.support.matrix_world import MISSING, MatrixWorld, a_matrix_world

WORDS = {
    "type_id": issuing.PROBE, "kind": "instruments", "act": "submit", "role": "pdf", "page": "1",
    "path": "0/000", "place": "0",
}  # fmt: skip
TOLD_OTHERWISE = {
    "/sign-in", "/sign-in/passkey", "/sign-in/provider", "/sign-in/provider/back",
    "/sign-in/provider/finish", "/sign-out", "/readyz",
}  # fmt: skip
"""Signing in and out answers by other words for everybody; the test's clock stands still."""
HEADING, *ROWS = matrix.written()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    """Return two labs with one of everything."""
    made = a_matrix_world(tmp_path_factory.mktemp("matrix"))
    yield made
    made.door.bench.engine.dispose()


def filled(path: str, numbers: dict[str, int]) -> str:
    def one(found: re.Match[str]) -> str:
        return WORDS.get(found[1], str(numbers.get(found[1], MISSING)))

    return re.sub(r"\{([a-z_]+)(?::path)?\}", one, path)


def numbers_for(world: MatrixWorld, actor: str, of: str) -> dict[str, int]:
    found = world.of[of or "own"]
    return found | world.mine[actor] if of in ("", "own") else found


def ask(world: MatrixWorld, actor: str, row: dict[str, str], numbers: dict[str, int]) -> Any:
    """Send what passes the door and then changes nothing: of one's own things, no body at all."""
    world.door.app.state.turnstile = Turnstile()  # all ask from one address
    method, path, of = row["method"], row["path"], row["whose"]
    client, address = world.clients[actor], filled(path, numbers)
    if method == "GET":
        return client.get(address)
    if not path.startswith("/api/"):
        return client.request(method, address, data={})
    operation = described()["paths"][path][method.lower()]
    if of in ("", "own"):
        return client.request(method, address, json={} if body_of(operation) else None)
    body = example(body_of(operation)) if body_of(operation) else None
    return client.request(method, address, json=body, headers={**a_key(), "If-Match": '"1"'})


def told(answer: Any) -> tuple[int, str, str]:
    where = answer.headers.get("location", "")
    return (answer.status_code, re.sub(r"\d+", "N", where), re.sub(r"\d+", "N", answer.text))


def seen(world: MatrixWorld, actor: str, row: dict[str, str]) -> str:
    """Return what the answer says, in the words of the table."""
    numbers = numbers_for(world, actor, row["whose"])
    answer = ask(world, actor, row, numbers)
    status = answer.status_code
    if row["method"] != "GET" and status < 400:
        world.put_back()
    if row["path"] in TOLD_OTHERWISE:
        return "allowed"
    to_sign_in = status == 303 and answer.headers["location"].startswith("/sign-in")
    if status == 401 or to_sign_in:
        return "sign in"
    if status == 403:
        return "refused"
    if status == 404:
        return "hidden"
    if status >= 500 or status == 429:
        return f"{status} {answer.text[:200]}"
    if row["whose"] in ("other", "foreign"):
        missing = dict.fromkeys(numbers, MISSING)
        if told(ask(world, actor, row, missing)) == told(answer):
            return "hidden"
    return "allowed"


def test_the_table_is_that_of_the_routes_and_the_policy():
    assert [HEADING, *ROWS] == list(matrix.as_table()), "make docs writes it; review what changed"


@pytest.mark.slow
@pytest.mark.parametrize("actor", ACTORS)
def test_every_cell_is_what_the_application_answers(world, actor):
    wrong = []
    for line in ROWS:
        row = dict(zip(HEADING, line, strict=True))
        found = seen(world, actor, row)
        if found != row[actor]:
            what = (row["method"], row["path"], row["whose"])
            wrong.append(f"{' '.join(what)}: {found}, expected {row[actor]}")
    assert not wrong, "\n".join(wrong)
