"""Bad input at the doors: each kind is refused with its place, and nothing of it stays.

NaN, Infinity, 1e400, true, decimal comma, full-width digits and duplicate keys stand in
tests/api/test_v1_reading.py; two technicians on one record in tests/api/test_v1_changes.py; a
reviewer who measured in tests/api/test_v1_refusals.py; a broken type file in
tests/instruments/test_catalogue_broken.py.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from instruments.records.instruments import Instrument
from instruments.services import customers, models
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import a_standard, context_for
from tests.support.door import Door, a_door, a_key, problem_of, seen
from tests.support.issuing import ROWS
from tests.support.journey import as_table, brought_in

DAY = date(2026, 3, 1)


@pytest.fixture
def door(tmp_path) -> Door:
    made = a_door(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path)
    yield made
    made.bench.engine.dispose()


def submitted(door: Door, record: int) -> Any:
    client = door.as_(door.bench.technician)
    path = f"/api/v1/calibrations/{record}"
    return client.post(f"{path}/submit", headers=seen(client.get(path)))


def codes(found: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in found["findings"]}


def test_an_unknown_unit_is_refused_by_name(door):
    record = issuing.opened(door.bench).id
    entry = {
        "measurand": "temperature", "stage": "as_found", "point": "50", "input": "t_ref",
        "place": 0, "value": "50.02", "revision": 0, "unit": "furlong",
    }  # fmt: skip
    path = f"/api/v1/calibrations/{record}"
    client = door.as_(door.bench.technician)
    answer = client.post(f"{path}/readings", json={"entries": [entry]})
    assert answer.status_code == 422, answer.text
    assert "furlong" in answer.json()["detail"]
    assert client.get(path).json()["slots"] == []


def test_a_missing_point_is_named_and_nothing_is_submitted(door):
    record = issuing.opened(door.bench).id
    brought_in(door, record, as_table(ROWS[:2]))
    found = problem_of(submitted(door, record), 409, "record-has-errors")
    assert codes(found) == {"readings-missing"}
    assert all("at 100 degC" in finding["message"] for finding in found["findings"])
    state = door.as_(door.bench.technician).get(f"/api/v1/calibrations/{record}").json()["state"]
    assert state == "draft"


def with_standard(door: Door, **certificate: Any) -> int:
    """Return a record planned on a standard whose certificate is given."""
    with context_for(door.bench.installation) as ctx:
        standard = a_standard(ctx, issuing.a_wide_certificate(**certificate))
    record = issuing.opened(door.bench).id
    client = door.as_(door.bench.technician)
    path = f"/api/v1/calibrations/{record}"
    plan = {"standards": {"temperature": [standard.certificates[0].id]}}
    answer = client.put(f"{path}/plan", json=plan, headers=seen(client.get(path)))
    assert answer.status_code == 200, answer.text
    brought_in(door, record, as_table(ROWS))
    return record


def test_an_expired_standard_stops_the_record(door):
    record = with_standard(door, calibrated_on=DAY.replace(2024), valid_until=DAY.replace(2025))
    found = problem_of(submitted(door, record), 409, "record-has-errors")
    assert "standard-out-of-date" in codes(found), found


def test_a_standard_out_of_its_range_stops_the_record(door):
    record = with_standard(door, low="-40", high="60")
    found = problem_of(submitted(door, record), 409, "record-has-errors")
    assert "standard-out-of-range" in codes(found), found


def test_an_unknown_instrument_type_is_refused_by_name(door):
    client = door.as_(door.bench.signatory)
    sent = {"type_id": "thermometer.crystal_ball", "maker": "M", "model": "X"}
    answer = client.post("/api/v1/models", json=sent)
    assert answer.status_code in (404, 422), answer.text
    assert "thermometer.crystal_ball" in answer.json()["detail"]


def a_large_table(door: Door) -> bytes:
    with context_for(door.bench.installation) as ctx:
        model = models.get_model(ctx, door.bench.model_id)
        customer = customers.get_customer(ctx, door.bench.customer_id)
    tail = f",{model.maker},{model.model},{customer.name.en}"
    rows = [f"L{i}{tail}" for i in range(100_000)]
    rows[17] = f"{tail}"
    rows[50_000] = f"L17x,{model.maker},no such model,{customer.name.en}"
    rows[99_999] = f"L5{tail}"
    return "\n".join(["serial,maker,model,customer", *rows, ""]).encode()


@pytest.mark.slow
def test_of_100_000_rows_three_bad_ones_are_named_and_nothing_is_written(door):
    client = door.as_(door.bench.technician)
    table = {"file": ("many.csv", a_large_table(door))}
    path = "/api/v1/instruments/import?dry_run=false"
    answer = client.post(path, files=table, headers=a_key())
    assert answer.status_code == 200, answer.text[:500]
    report = answer.json()
    assert (report["rows"], report["created"]) == (100_000, 0)
    assert [f["at"].split("/")[2] for f in report["findings"]] == ["19", "50002", "100001"]
    partial = client.post(f"{path}&partial=true", files=table, headers=a_key())
    assert partial.json()["created"] == 99_997
    with installation_session(door.bench.engine, read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Instrument)) == 99_997
