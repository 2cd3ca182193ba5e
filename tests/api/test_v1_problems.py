"""The ledger of problems through the JSON doors: two sides, versions, keys, and nobody else."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from instruments.services import signin
from tests.support import builders
from tests.support.builders import NOW, context_for
from tests.support.door import a_door, a_key, problem_of, seen
from tests.support.overseen import an_authority, client_of, put_in_districts
from tests.support.web import TestClient, a_sign_in

UNTIL = (NOW + timedelta(days=10)).date().isoformat()
GIVEN: dict[str, Any] = {
    "kind": "laboratory", "finding": "No scope.", "demand": "Enter it.", "until": UNTIL,
    "lab_code": "HZ",
}  # fmt: skip
LEDGER, OURS = "/api/v1/oversight/problems", "/api/v1/problems"


@pytest.fixture
def door(database_url, tmp_path):
    """Return a lab with one instrument in Uptown and one in Harbour."""
    made = a_door(database_url, tmp_path)
    put_in_districts(made.bench, "Uptown", "Harbour")
    yield made
    made.bench.engine.dispose()


@pytest.fixture
def overseer(door) -> TestClient:
    return client_of(door, an_authority(door.bench.installation, "Uptown"))


@pytest.fixture
def lab(door) -> TestClient:
    return door.client(a_sign_in(door.bench.installation, "quality_manager"))


def opened(overseer: TestClient, **more: Any) -> Any:
    answer = overseer.post(LEDGER, json=GIVEN | more, headers=a_key())
    assert answer.status_code == 201, answer.text
    return answer


def said(client: TestClient, path: str, words: str, version: Any) -> Any:
    return client.post(path, json={"words": words}, headers=seen(version))


def test_a_problem_goes_to_the_laboratory_and_back_until_it_is_closed(overseer, lab):
    made = opened(overseer)
    id_ = made.json()["id"]
    assert made.headers["ETag"] == '"1"'
    (found,) = lab.get(OURS).json()
    assert (found["finding"], found["demand"], found["state"]) == ("No scope.", "Enter it.", "open")
    there = lab.get(f"{OURS}/{id_}")
    answered = said(lab, f"{OURS}/{id_}/answer", "Entered.", there)
    assert (answered.status_code, answered.json()["state"]) == (200, "answered")
    back = said(overseer, f"{LEDGER}/{id_}/return", "Which?", overseer.get(f"{LEDGER}/{id_}"))
    assert back.json()["state"] == "open"
    again = said(lab, f"{OURS}/{id_}/answer", "Of JJF 1107.", lab.get(f"{OURS}/{id_}"))
    closed = said(overseer, f"{LEDGER}/{id_}/close", "Seen.", again)
    assert closed.json()["state"] == "closed"
    assert [one["step"] for one in closed.json()["steps"]] == [
        "opened", "answered", "returned", "answered", "closed",
    ]  # fmt: skip
    late = said(lab, f"{OURS}/{id_}/answer", "More.", closed)
    problem_of(late, 409, "problem-closed")


def test_neither_side_learns_who_wrote_on_the_other(overseer, lab):
    made = opened(overseer)
    id_ = made.json()["id"]
    said(lab, f"{OURS}/{id_}/answer", "Entered.", made)
    theirs = [one["person"] for one in overseer.get(f"{LEDGER}/{id_}").json()["steps"]]
    ours = [one["person"] for one in lab.get(f"{OURS}/{id_}").json()["steps"]]
    assert theirs == ["Inspector Qin", ""]
    assert ours == ["", "Zhou Min"]


def test_nobody_writes_on_a_version_that_the_other_side_has_passed(overseer, lab):
    made = opened(overseer)
    id_ = made.json()["id"]
    said(lab, f"{OURS}/{id_}/answer", "Entered.", made)
    problem_of(said(overseer, f"{LEDGER}/{id_}/close", "Silence.", made), 412, "changed-meanwhile")
    problem_of(said(lab, f"{OURS}/{id_}/answer", "Entered.", made), 412, "changed-meanwhile")
    bare = lab.post(f"{OURS}/{id_}/answer", json={"words": "x"})
    problem_of(bare, 428, "if-match-missing")
    assert len(lab.get(f"{OURS}/{id_}").json()["steps"]) == 2


def test_of_two_sides_that_write_at_once_one_is_kept_and_the_other_told(overseer, lab):
    """Eight races: an answer against a close, three of each on the same version."""
    for _ in range(8):
        made = opened(overseer)
        id_, start = made.json()["id"], threading.Barrier(6)

        def write(client, path, words, made=made, start=start):
            start.wait()
            return said(client, path, words, made).status_code

        with ThreadPoolExecutor(6) as pool:
            acts = [(lab, f"{OURS}/{id_}/answer"), (overseer, f"{LEDGER}/{id_}/close")] * 3
            asked = [pool.submit(write, *act, f"Writer {n}.") for n, act in enumerate(acts)]
        codes = Counter(one.result() for one in asked)
        assert codes[200] == 1
        assert codes.keys() <= {200, 409, 412}
        assert len(overseer.get(f"{LEDGER}/{id_}").json()["steps"]) == 2


def test_the_same_sent_twice_is_one_problem(overseer):
    problem_of(overseer.post(LEDGER, json=GIVEN), 400, "idempotency-key-missing")
    key = a_key()
    first = overseer.post(LEDGER, json=GIVEN, headers=key)
    second = overseer.post(LEDGER, json=GIVEN, headers=key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert len(overseer.get(LEDGER).json()) == 1
    other = overseer.post(LEDGER, json=GIVEN | {"finding": "Else."}, headers=key)
    problem_of(other, 422, "idempotency-key-reused")


def test_a_problem_is_opened_with_an_instrument_of_the_mandate_only(overseer):
    named = {name: value for name, value in GIVEN.items() if name != "lab_code"}
    inside = overseer.post(LEDGER, json=named | {"instrument_id": 1}, headers=a_key())
    assert inside.json()["place"].startswith("Uptown · ")
    told = []
    for number in (2, 987654):
        answer = overseer.post(LEDGER, json=named | {"instrument_id": number}, headers=a_key())
        found = problem_of(answer, 404, "not-found")
        assert found["at"] == "/instrument_id"
        told.append(found["detail"].replace(str(number), "N"))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"lab_code": ""}, 422, "problem-concerns-one"),
        ({"instrument_id": 1}, 422, "problem-concerns-one"),
        ({"lab_code": "AMR"}, 404, "not-found"),
        ({"until": "2026-01-01"}, 422, "problem-until-past"),
        ({"until": "soon"}, 422, "request-invalid"),
        ({"kind": "taste"}, 422, "field-unknown-choice"),
        ({"finding": " "}, 422, "field-empty"),
        ({"demand": "x" * 2001}, 422, "field-too-long"),
        ({"number": 7}, 422, "request-invalid"),
    ],
)
def test_a_problem_that_says_nothing_is_not_written(overseer, more, status, code):
    problem_of(overseer.post(LEDGER, json=GIVEN | more, headers=a_key()), status, code)
    assert overseer.get(LEDGER).json() == []


def test_what_was_not_answered_is_not_returned(overseer):
    made = opened(overseer)
    answer = said(overseer, f"{LEDGER}/{made.json()['id']}/return", "No.", made)
    problem_of(answer, 409, "problem-not-answered")


def test_the_ledger_is_read_by_state_and_a_page_at_a_time(overseer, lab):
    ids = [opened(overseer, finding=f"{n}").json()["id"] for n in range(4)]
    said(overseer, f"{LEDGER}/{ids[1]}/close", "Seen.", overseer.get(f"{LEDGER}/{ids[1]}"))
    for client, path in ((overseer, LEDGER), (lab, OURS)):

        def listed(**asked: Any) -> list[int]:
            return [one["id"] for one in client.get(path, params=asked).json()]  # noqa: B023

        assert listed() == ids
        assert listed(state="closed") == [ids[1]]
        assert listed(limit=2) == ids[:2]
        assert listed(limit=2, after=ids[1]) == ids[2:]
        assert listed(state="open", limit=2) == [ids[0], ids[2]]
        assert listed(state="open", limit=2, after=ids[2]) == [ids[3]]
        problem_of(client.get(path, params={"state": "lost"}), 422, "request-invalid")


def test_a_page_of_one_ledger_is_not_filled_with_anothers(door, overseer):
    other = client_of(door, an_authority(door.bench.installation, code="OTHER"))
    theirs = opened(other).json()["id"]
    mine = opened(overseer).json()["id"]
    assert theirs < mine
    assert [one["id"] for one in overseer.get(LEDGER, params={"limit": 1}).json()] == [mine]


@pytest.fixture
def far(door) -> TestClient:
    """Return somebody with every role of a laboratory that no problem names."""
    lab_id = builders.a_lab(door.bench.engine, "FAR")
    person_id = builders.a_person(door.bench.engine, lab_id)
    with context_for(door.bench.installation, lab_id=lab_id, person_id=person_id) as ctx:
        return door.client(signin.make_token(ctx, name="far"))


def test_a_problem_of_others_looks_like_a_missing_one(door, overseer, lab, far):
    made = opened(overseer)
    id_ = made.json()["id"]
    other = client_of(door, an_authority(door.bench.installation, code="OTHER"))
    for client, path, acts in ((far, OURS, ("answer",)), (other, LEDGER, ("return", "close"))):
        assert client.get(path).json() == []
        for number in (id_, 987654):
            problem_of(client.get(f"{path}/{number}"), 404, "not-found")
            for act in acts:
                answer = said(client, f"{path}/{number}/{act}", "Mine now.", made)
                problem_of(answer, 404, "not-found")
    assert len(lab.get(f"{OURS}/{id_}").json()["steps"]) == 1


def test_each_side_has_its_own_doors(door, overseer, lab):
    made = opened(overseer)
    id_ = made.json()["id"]
    problem_of(said(overseer, f"{OURS}/{id_}/answer", "x", made), 403, "role-missing")
    problem_of(overseer.get(OURS), 403, "role-missing")
    problem_of(lab.post(LEDGER, json=GIVEN, headers=a_key()), 403, "office-missing")
    problem_of(said(lab, f"{LEDGER}/{id_}/close", "x", made), 403, "office-missing")
    technician = door.as_(door.bench.technician)
    assert technician.get(f"{OURS}/{id_}").status_code == 200
    problem_of(said(technician, f"{OURS}/{id_}/answer", "x", made), 403, "role-missing")
    for role in ("customer", "venue_operator"):
        owner = door.client(
            a_sign_in(door.bench.installation, role, customer_id=door.bench.customer_id)
        )
        problem_of(owner.get(OURS), 403, "role-missing")


def test_the_laboratory_reads_who_oversees_it_and_what_for(door, overseer, lab):
    an_authority(door.bench.installation, "Elsewhere", code="OTHER")
    (one,) = lab.get("/api/v1/overseen-by").json()
    assert (one["district"], one["purpose"]) == ("Uptown", "Thermometers for fever")
    assert one["authority"]["en"] == "Laboratory AMR"
    problem_of(overseer.get("/api/v1/overseen-by"), 403, "role-missing")
