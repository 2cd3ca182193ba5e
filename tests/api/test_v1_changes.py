"""Two at once at the door: versions, keys of acts, and the other technician's value."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from calib.records.certificates import Certificate
from instruments.records.instruments import Instrument
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import a_customer, an_instrument, an_order, context_for
from tests.support.dcc_files import document
from tests.support.door import Door, a_key, problem_of, seen

CSV = b"serial,maker,model,customer\n"


@pytest.fixture
def door(door_on_each: Door) -> Door:
    return door_on_each


def rows_of(door: Door, table) -> int:
    with installation_session(door.bench.engine, read_only=True) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_change_without_a_version_is_refused(door):
    client = door.as_(door.bench.signatory)
    path = f"/api/v1/customers/{door.bench.customer_id}"
    problem_of(client.patch(path, json={"phone": "1"}), 428, "if-match-missing")
    assert client.get(path).json()["phone"] != "1"


def test_a_version_that_cannot_be_read_is_refused(door):
    client, path = door.as_(door.bench.signatory), f"/api/v1/customers/{door.bench.customer_id}"
    for version in ("", "abc", '"1', "*", "1.0", "-1", "９", '"1", "2"', "1" * 30):
        answer = client.patch(path, json={"phone": "1"}, headers={"If-Match": version.encode()})
        problem_of(answer, 422, "if-match-invalid")


def test_the_second_of_two_changes_on_one_version_is_refused(door):
    path = f"/api/v1/customers/{door.bench.customer_id}"
    first, second = door.as_(door.bench.signatory), door.as_(door.bench.signatory)
    version = seen(first.get(path))
    assert second.patch(path, json={"phone": "first"}, headers=version).status_code == 200
    problem_of(
        first.patch(path, json={"phone": "second"}, headers=version), 412, "changed-meanwhile"
    )
    assert first.get(path).json()["phone"] == "first"


def test_every_change_gives_the_version_for_the_next(door):
    client = door.as_(door.bench.signatory)
    path = f"/api/v1/customers/{door.bench.customer_id}"
    answer = client.get(path)
    for phone in ("1", "2", "3"):
        answer = client.patch(path, json={"phone": phone}, headers=seen(answer))
        assert (answer.status_code, answer.json()["phone"]) == (200, phone)


def test_of_two_technicians_the_second_is_told_the_value_of_the_first(door):
    record = issuing.opened(door.bench).id
    path = f"/api/v1/calibrations/{record}/readings"
    entry = {
        "measurand": "temperature",
        "stage": "as_found",
        "point": "50",
        "input": "t_ref",
        "place": 0,
        "revision": 0,
    }
    one = {"entries": [entry | {"value": "50.02"}]}
    other = {"entries": [entry | {"value": "50.03"}]}
    assert door.as_(door.bench.technician).post(path, json=one).status_code == 200
    found = problem_of(
        door.as_(door.bench.colleague).post(path, json=other), 409, "reading-changed-meanwhile"
    )
    assert "Tang" in found["detail"]
    assert "50.02" in found["detail"]
    assert found["at"] == "/entries/0/revision"


def test_an_act_that_must_happen_once_needs_a_key(door):
    record = issuing.authorised(door.bench)
    client = door.as_(door.bench.signatory)
    version = seen(client.get(f"/api/v1/calibrations/{record}"))
    for key in ({}, *({"Idempotency-Key": key} for key in ("", "short", "x" * 201))):
        answer = client.post(f"/api/v1/calibrations/{record}/certificate", headers=version | key)
        problem_of(answer, 400, "idempotency-key-missing")
    assert rows_of(door, Certificate) == 0


def test_the_same_key_gives_the_same_certificate(door):
    record = issuing.authorised(door.bench)
    client = door.as_(door.bench.signatory)
    headers = seen(client.get(f"/api/v1/calibrations/{record}")) | a_key()
    path = f"/api/v1/calibrations/{record}/certificate"
    first = client.post(path, headers=headers)
    assert first.status_code == 201, first.text
    assert client.post(path, headers=headers).json() == first.json()
    assert rows_of(door, Certificate) == 1


def test_a_key_used_for_another_request_is_refused(door):
    records = [issuing.authorised(door.bench) for _ in range(2)]
    client = door.as_(door.bench.signatory)
    key = a_key()
    answers = []
    for record in records:
        headers = seen(client.get(f"/api/v1/calibrations/{record}")) | key
        answers.append(client.post(f"/api/v1/calibrations/{record}/certificate", headers=headers))
    assert answers[0].status_code == 201
    problem_of(answers[1], 422, "idempotency-key-reused")
    assert rows_of(door, Certificate) == 1


def issued(door: Door) -> int:
    return issuing.issued(door.bench, door.store, issuing.authorised(door.bench)).certificate_id


def test_amending_twice_with_one_key_opens_one_draft(door):
    id_ = issued(door)
    client, key = door.as_(door.bench.technician), a_key()
    path = f"/api/v1/certificates/{id_}/amend"
    problem_of(client.post(path, json={"reason": "typing"}), 400, "idempotency-key-missing")
    first = client.post(path, json={"reason": "typing"}, headers=key)
    assert first.status_code == 201, first.text
    again = client.post(path, json={"reason": "typing"}, headers=key)
    assert again.json() == first.json()
    drafts = client.get("/api/v1/calibrations", params={"state": "draft"}).json()
    assert [draft["id"] for draft in drafts] == [first.json()["id"]]


def test_withdrawing_twice_with_one_key_withdraws_once(door):
    id_ = issued(door)
    client, key = door.as_(door.bench.signatory), a_key()
    sent = {"reason": "wrong customer", "second_person_id": door.bench.reviewer.id}
    path = f"/api/v1/certificates/{id_}/withdraw"
    first = client.post(path, json=sent, headers=key)
    assert first.json()["state"] == "withdrawn", first.text
    assert client.post(path, json=sent, headers=key).json() == first.json()
    problem_of(client.post(path, json=sent, headers=a_key()), 409, "certificate-state")


def a_table(door: Door, count: int) -> bytes:
    with context_for(door.bench.installation) as ctx:
        customer = a_customer(ctx, name_en="North Hospital")
        known = an_instrument(ctx, door.bench.catalogue, customer_id=customer.id)
    line = f",{known.maker},{known.model},{customer.name.en}\n"
    return CSV + "".join(f"N{i}{line}" for i in range(count)).encode()


def test_an_import_is_a_dry_run_unless_told_otherwise_and_then_needs_a_key(door):
    client, table = door.as_(door.bench.technician), {"file": ("a.csv", a_table(door, 3))}
    before = rows_of(door, Instrument)
    tried = client.post("/api/v1/instruments/import", files=table)
    assert (tried.json()["rows"], tried.json()["created"]) == (3, 0), tried.text
    path = "/api/v1/instruments/import?dry_run=false"
    problem_of(client.post(path, files=table), 400, "idempotency-key-missing")
    assert rows_of(door, Instrument) == before
    key = a_key()
    done = client.post(path, files=table, headers=key)
    assert done.json()["created"] == 3, done.text
    assert client.post(path, files=table, headers=key).json() == done.json()
    assert rows_of(door, Instrument) == before + 3


def test_an_import_with_the_key_of_another_file_is_refused(door):
    client, key = door.as_(door.bench.technician), a_key()
    path = "/api/v1/instruments/import?dry_run=false"
    table = a_table(door, 2)
    assert client.post(path, files={"file": ("a.csv", table)}, headers=key).status_code == 200
    other = client.post(path, files={"file": ("a.csv", table + b"M,x,y,z\n")}, headers=key)
    problem_of(other, 422, "idempotency-key-reused")


def test_a_dcc_is_entered_with_the_end_of_validity_the_lab_gives_it(door):
    client = door.as_(door.bench.signatory)
    path = f"/api/v1/standards/{door.bench.standard.id}/certificates/dcc"
    files = {"file": ("n1.xml", document(), "application/xml")}
    key = a_key()
    given = {"valid_until": "2027-01-31"}
    answer = client.post(path, params=given, files=files, headers=key)
    assert answer.status_code == 201, answer.text
    problem_of(
        client.post(path, files=files, headers=key), 422, "idempotency-key-reused"
    )  # without the date it is another request
    kept = client.get(f"/api/v1/standards/{door.bench.standard.id}").json()["certificates"]
    entered = [c for c in kept if c["origin"] == "dcc"]
    assert [c["valid_until"] for c in entered] == ["2027-01-31"]


def test_a_standard_is_taken_out_of_service_and_a_row_of_the_scope_ends(door):
    client = door.as_(door.bench.signatory)
    path = f"/api/v1/standards/{door.bench.standard.id}"
    version = seen(client.get(path))
    answer = client.patch(path, json={"status": "out_of_service"}, headers=version)
    assert (answer.status_code, answer.json()["status"]) == (200, "out_of_service")
    row = {
        "type_id": issuing.PROBE, "measurand": "temperature", "document": "CNAS L0001",
        "low": "0", "high": "100", "expanded_uncertainty": "0.02", "starts_on": "2026-01-01",
    }  # fmt: skip
    made = client.post("/api/v1/scope", json=row).json()
    ending = f"/api/v1/scope/{made['id']}/end"
    assert client.post(ending, json={"ends_on": "2026-06-30"}).status_code == 204
    assert client.get("/api/v1/scope").json()[0]["entry"]["ends_on"] == "2026-06-30"
    other = door.as_(door.bench.technician)
    problem_of(other.post(ending, json={"ends_on": "2026-07-01"}), 403, "role-missing")


def test_an_order_is_finished_and_a_record_opens_under_its_own_order_only(door):
    with context_for(door.bench.installation) as ctx:
        given = {"model_id": door.bench.model_id, "customer_id": door.bench.customer_id}
        items = [an_instrument(ctx, door.bench.catalogue, **given).id for _ in range(2)]
        first, second = (
            an_order(ctx, door.bench.catalogue, item, decision_rule="none") for item in items
        )
    client = door.as_(door.bench.signatory)
    foreign = f"/api/v1/orders/{first.id}/lines/{second.lines[0].id}/calibrations"
    problem_of(client.post(foreign), 404, "not-found")
    path = f"/api/v1/orders/{first.id}"
    answer = client.post(f"{path}/finish", headers=seen(client.get(path)))
    assert (answer.status_code, answer.json()["state"]) == (200, "done")
