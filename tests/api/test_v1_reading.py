"""JSON at the door means exactly what it says, or is refused with its place."""

from __future__ import annotations

import pytest

from tests.support import issuing
from tests.support.door import Door, problem_of, seen


@pytest.fixture(scope="module")
def door(door_for_all: Door) -> Door:
    return door_for_all


@pytest.fixture(scope="module")
def record(door: Door) -> int:
    return issuing.opened(door.bench).id


ENTRY = (
    '{"measurand": "temperature", "stage": "as_found", "point": "50", "input": "t_ref", '
    '"place": 0, "value": %s, "revision": 0}'
)


def send(door: Door, record: int, value: str):
    return door.as_(door.bench.technician).post(
        f"/api/v1/calibrations/{record}/readings",
        content='{"entries": [' + ENTRY % value + "]}",
        headers={"Content-Type": "application/json"},
    )


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_a_number_that_is_not_finite_is_refused(door, record, value):
    found = problem_of(send(door, record, value), 422, "number-not-finite")
    assert value in found["detail"]


@pytest.mark.parametrize("value", ["true", "false", "50.02", "50", "[]", "{}"])
def test_a_reading_is_decimal_text_and_nothing_else(door, record, value):
    found = problem_of(send(door, record, value), 422, "request-invalid")
    assert found["at"] == "/entries/0/value"


@pytest.mark.parametrize(
    "value",
    ['"50,02"', '"５０.０２"', '"5 0"', '""', '"0x32"', '"1_000"', '"NaN"', '"1e400"', '"--5"'],
)
def test_text_that_is_no_plain_decimal_is_refused_at_its_place(door, record, value):
    answer = send(door, record, value)
    assert answer.status_code == 422, answer.text
    assert answer.json()["at"] == "/entries/0/value"


def test_a_refused_reading_leaves_nothing(door, record):
    for value in ("NaN", "true", '"50,02"'):
        send(door, record, value)
    kept = door.as_(door.bench.technician).get(f"/api/v1/calibrations/{record}").json()
    assert kept["slots"] == []


def test_a_key_given_twice_is_refused_by_name(door):
    answer = door.as_(door.bench.signatory).post(
        "/api/v1/customers",
        content='{"name_en": "A", "name_en": "B"}',
        headers={"Content-Type": "application/json"},
    )
    assert "'name_en'" in problem_of(answer, 422, "json-duplicate-key")["detail"]


def test_an_unknown_field_is_refused_by_name(door):
    answer = door.as_(door.bench.signatory).post(
        "/api/v1/customers", json={"name_en": "A", "lab_id": 2, "version": 9}
    )
    found = problem_of(answer, 422, "request-invalid")
    assert [f["at"] for f in found["findings"]] == ["/lab_id", "/version"]


@pytest.mark.parametrize(
    "change",
    [
        {"pieces": True},
        {"pieces": "1"},
        {"pieces": 1.0},
        {"model_id": "1"},
        {"serial": 17},
        {"serial": None},
        {"interval_months": "12"},
    ],
)
def test_a_value_of_another_type_is_not_converted(door, change):
    sent = {"model_id": 1, "customer_id": 1, "serial": "A"} | change
    answer = door.as_(door.bench.technician).post("/api/v1/instruments", json=sent)
    found = problem_of(answer, 422, "request-invalid")
    assert found["at"] == f"/{next(iter(change))}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"text"',
        b"\xff\xfe",
        b'{"name_en": "\\ud800"}',
        b'{"name_en": "A",}',
        b"[" * 100_000,
        b'{"name_en": ' + b"1" * 5000 + b"}",
        b'{"name_en": "A\\u0000B"}',
    ],
    ids=["empty", "cut", "list", "text", "bytes", "half", "comma", "deep", "digits", "nul"],
)
def test_a_body_that_cannot_be_read_is_refused(door, body):
    answer = door.as_(door.bench.signatory).post(
        "/api/v1/customers", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "day", ["2026-02-30", "02.03.2026", "20260302", 20260303, True, "2026-W10"]
)
def test_a_date_is_a_day_of_the_calendar(door, record, day):
    client = door.as_(door.bench.technician)
    version = seen(client.get(f"/api/v1/calibrations/{record}"))
    answer = client.patch(
        f"/api/v1/calibrations/{record}/facts", json={"performed_on": day}, headers=version
    )
    assert problem_of(answer, 422, "request-invalid")["at"] == "/performed_on"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_sent_as_something_else_is_not_read(door, media_type):
    answer = door.as_(door.bench.signatory).post(
        "/api/v1/customers",
        content='{"name_en": "Sent as text"}',
        headers={"Content-Type": media_type},
    )
    assert answer.status_code == 422, answer.text
    kept = door.as_(door.bench.signatory).get("/api/v1/customers").json()
    assert "Sent as text" not in [customer["name"]["en"] for customer in kept]


def test_a_reading_keeps_every_digit_as_it_was_sent(door):
    record = issuing.opened(door.bench).id
    client = door.as_(door.bench.technician)
    assert send(door, record, '"50.020"').status_code == 200
    answer = client.get(f"/api/v1/calibrations/{record}").json()
    assert [slot["current"]["value"] for slot in answer["slots"]] == ["50.020"]


@pytest.mark.parametrize(
    "found", [{"passed": True, "rejected_pieces": 1}, {"passed": True, "remarks": "lost"}, {}]
)
def test_an_examination_is_read_strictly(door, record, found):
    client = door.as_(door.bench.technician)
    version = seen(client.get(f"/api/v1/calibrations/{record}"))
    answer = client.patch(
        f"/api/v1/calibrations/{record}/facts",
        json={"examinations": {"appearance": found}},
        headers=version,
    )
    at = problem_of(answer, 422, "request-invalid")["at"]
    assert at.startswith("/examinations/appearance/")
