"""A number of another lab answers like a number nobody has, wherever a request can carry one.

The requests are made from the application's own description: a new route is asked as well.
"""

from __future__ import annotations

import functools
import re
from typing import Any, cast

import pytest

from api.app import create_app
from api.bootstrap import Wiring
from api.declared import declared
from calib.services import problems, weekly
from instruments.services import signin
from tests.support import builders, issuing
from tests.support.builders import context_for
from tests.support.described import body_of, described, example, schema_of
from tests.support.door import Door, a_key
from tests.support.overseen import an_authority

FOREIGN, NOBODYS = "1", "987654"
FIELDS = (
    "id", "lab_id", "lab", "version", "state", "status_", "created_at", "updated_at", "person_id_",
    "role", "roles", "is_active", "is_admin", "token", "token_sha256", "calendar_token", "human",
    "password_hash", "owner_id", "tenant_id", "opened_by", "opened_at", "performed_by",
    "reviewed_by", "authorised_by", "approved_by", "submitted_by", "digest", "input_digest",
    "result_digest", "payload", "payload_digest", "number_", "verdict", "due_on", "issued_at",
    "simulated", "barcode_", "previous", "place", "act", "act_", "facts", "happened_at", "reach",
    "expires_at", "suspended_at", "retention_years", "keeps_competence", "__class__",
)  # fmt: skip


def operations() -> list[tuple[str, str]]:
    return sorted(
        (method, path) for path, found in described()["paths"].items() for method in found
    )


def is_number(parameter: dict[str, Any]) -> bool:
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", ())]
    return any(one.get("type") == "integer" for one in kinds) and parameter["name"].endswith("id")


def slots() -> list[tuple[str, str, str, str]]:
    """Return method, path, place and name of every number that a request can carry."""
    found = []
    for method, path in operations():
        operation = described()["paths"][path][method]
        sent = [*operation.get("parameters", ())]
        for name, schema in body_of(operation).get("properties", {}).items():
            sent.append({"name": name, "in": "body", "schema": schema_of(schema)})
        found += [(method, path, one["in"], one["name"]) for one in sent if is_number(one)]
    return found


@pytest.fixture(scope="module")
def door(door_for_all: Door) -> Door:
    bench = door_for_all.bench
    issuing.opened(bench)  # there is a number 1 of everything
    with an_authority(bench.installation).context() as ctx:
        weekly.hand_in(ctx, weekly.week_named(ctx.today), catalogue=bench.catalogue)
        problems.open_problem(
            ctx, kind="other", finding="A", demand="B", until=ctx.today, lab_code="HZ",
            catalogue=bench.catalogue,
        )  # fmt: skip
    return door_for_all


@pytest.fixture(scope="module")
def stranger(door: Door):
    """Return a client of somebody with every role of another lab."""
    lab_id = builders.a_lab(door.bench.engine, "FAR")
    person_id = builders.a_person(door.bench.engine, lab_id)
    with context_for(door.bench.installation, lab_id=lab_id, person_id=person_id) as ctx:
        token = signin.make_token(ctx, name="far")
    return door.client(token)


@pytest.fixture(scope="module")
def overseer(door: Door):
    """Return a client of another authority, which oversees another district."""
    with an_authority(door.bench.installation, "Nowhere", code="OTHER").context() as ctx:
        return door.client(signin.make_token(ctx, name="other"))


def ask(client: Any, slot: tuple[str, str, str, str], number: str) -> tuple[int, str]:
    method, path, place, name = slot
    operation = described()["paths"][path][method]
    query, body = {}, example(body_of(operation)) if body_of(operation) else None
    if place == "query":
        query[name] = number
        if name == "object_id":  # a number 1 of some kind is everybody's own
            query["object_kind"] = "calibration"
    if place == "body":
        body[name] = int(number)
    path = path.replace("{type_id}", issuing.PROBE).replace("{role}", "pdf")
    if place == "path":
        path = path.replace("{" + name + "}", number)
    path = re.sub(r"\{[a-z_]+\}", NOBODYS, path)
    headers = {**a_key(), "If-Match": '"1"'}
    answer = client.request(method.upper(), path, params=query, json=body, headers=headers)
    text = re.sub(r"\b(1|987654)\b", "N", answer.text)
    return answer.status_code, text


@pytest.mark.parametrize("slot", slots(), ids=" ".join)
def test_a_foreign_number_answers_like_a_missing_one(stranger, overseer, slot):
    client = overseer if "/oversight/" in slot[1] else stranger
    foreign, missing = ask(client, slot, FOREIGN), ask(client, slot, NOBODYS)
    assert foreign == missing
    method, _, place, _ = slot
    if place == "path":
        assert foreign[0] in ({404} if method == "get" else {403, 404, 409, 422}), foreign
    assert foreign[0] < 500


def test_numbers_are_found_in_every_place_they_can_stand():
    places = [place for *_, place, _ in slots()]
    assert places.count("path") >= 40
    assert places.count("query") >= 5
    assert places.count("body") >= 8


@functools.cache
def pages() -> list[str]:
    table = declared(create_app(cast("Wiring", None)))
    return sorted(
        {
            path
            for method, path, _ in table
            if method == "GET" and re.search(r"\{[a-z_]*id\}", path)
            and not path.startswith(("/api/", "/oversight/")) and "{type_id" not in path
        }
    )  # fmt: skip


@pytest.mark.parametrize("path", pages())
def test_a_page_of_a_foreign_number_looks_like_one_of_a_missing_number(stranger, path):
    def look(number: str) -> tuple[int, str]:
        answer = stranger.get(
            re.sub(r"\{[a-z_]*id\}", number, path).replace("{role}", "pdf").replace("{page}", "1")
        )
        return answer.status_code, re.sub(r"\b(1|987654)\b", "N", answer.text)

    assert look(FOREIGN) == look(NOBODYS)
    assert look(FOREIGN)[0] == 404


def writes() -> list[tuple[str, str]]:
    return [
        (method, path)
        for method, path in operations()
        if method != "get" and body_of(described()["paths"][path][method])
    ]


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize(("method", "path"), writes())
def test_a_field_nobody_asked_for_is_refused(door, method, path, half):
    schema = body_of(described()["paths"][path][method])
    more = {name: "1" for name in FIELDS[half::2] if name not in schema.get("properties", {})}
    assert len(FIELDS) == 50
    client = door.as_(door.bench.technician)
    filled = re.sub(r"\{[a-z_]+\}", "1", path.replace("{type_id}", issuing.PROBE))
    headers = {**a_key(), "If-Match": '"1"'}
    answer = client.request(
        method.upper(), filled, json={**example(schema), **more}, headers=headers
    )
    assert answer.status_code in (403, 422), answer.text
    if answer.status_code == 422 and answer.json().get("findings"):
        named = {found["at"].rsplit("/", 1)[-1] for found in answer.json()["findings"]}
        assert set(more) <= named
