"""The catalogue through the JSON doors."""

from __future__ import annotations

import pytest

from tests.support.door import problem_of

ELECTRONIC = "thermometer.medical_electronic"
PATH = f"/api/v1/catalogue/{ELECTRONIC}"


@pytest.fixture
def client(door):
    return door.as_(door.bench.signatory)


def a_figure(client):
    found = client.get(PATH).json()["limits"]
    return next(one for one in found if one["confirmation"] is None)


def sent(one, **changes):
    given = {
        "measurand": one["measurand"],
        "figure": one["figure"],
        "document": one["limit"]["document"],
        "clause": "Table 1",
        "confirmed_on": "2026-02-27",
    }
    return given | changes


def test_types_with_figures_by_tag(client, door):
    rows = client.get("/api/v1/catalogue").json()
    assert len(rows) == len(door.bench.catalogue)
    (row,) = [row for row in rows if row["id"] == ELECTRONIC]
    whole = client.get(PATH).json()
    assert len(whole["entries"]) == sum(row["figures"].values())
    assert row["open"] == len(whole["limits"]) > 0


def test_a_limit_is_confirmed_once_and_revoked(client):
    one = a_figure(client)
    made = client.post(f"{PATH}/confirmations", json=sent(one))
    assert made.status_code == 201
    assert (made.json()["person_name"], made.json()["document"]) == ("Sun", "GB/T 21416-2008")
    again = client.post(f"{PATH}/confirmations", json=sent(one))
    problem_of(again, 409, "figure-confirmed")
    path = f"{PATH}/confirmations/{one['figure']}/revoke"
    problem_of(client.post(path, json={"reason": " "}), 422, "field-empty")
    after = client.post(path, json={"reason": "the wrong table"}).json()
    assert one in after
    problem_of(client.post(path, json={"reason": "again"}), 404, "figure-not-confirmed")


def test_what_is_refused(client, door):
    one = a_figure(client)
    other = client.post(f"{PATH}/confirmations", json=sent(one, document="GB/T 21416-2024"))
    assert problem_of(other, 409, "figure-other-edition")["at"] == "/document"
    ahead = client.post(f"{PATH}/confirmations", json=sent(one, confirmed_on="2026-03-03"))
    assert problem_of(ahead, 422, "confirmed-ahead")["at"] == "/confirmed_on"
    wrong = client.post(f"{PATH}/confirmations", json=sent(one, figure="0" * 64))
    problem_of(wrong, 404, "figure-unknown")
    technician = door.as_(door.bench.technician)
    problem_of(technician.post(f"{PATH}/confirmations", json=sent(one)), 403, "role-missing")


def test_what_a_version_says_otherwise(client):
    version = client.get(PATH).json()["version"]
    assert client.get(f"{PATH}/differences", params={"old": version}).json() == []
    none = client.get(f"{PATH}/differences", params={"old": "0.0.1"})
    problem_of(none, 404, "type-version-unknown")
