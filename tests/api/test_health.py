"""Liveness and readiness: red when the work cannot be done, and alive all the while."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from api import readiness
from api.watch import Watch
from calib.services import issue
from instruments.db import open_engine
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.door import Door


@pytest.fixture
def door(door_on_each: Door) -> Door:
    return door_on_each


def rewired(door: Door, **changes) -> None:
    door.app.state.wiring = dataclasses.replace(door.app.state.wiring, **changes)


def ready(door: Door) -> tuple[int, dict]:
    answer = door.client().get("/readyz")
    return answer.status_code, answer.json()["checks"]


def test_an_installation_that_works_is_ready(door):
    status, checks = ready(door)
    assert status == 200
    assert (checks["database"], checks["disk"], checks["schedule"]) == ("ok", "ok", "ok")
    assert ("journal" in checks) == (door.bench.engine.dialect.name == "sqlite")


def test_without_its_database_it_is_alive_and_not_ready(door, tmp_path):
    nowhere = open_engine(f"sqlite+pysqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    rewired(door, engine=nowhere)
    status, checks = ready(door)
    assert (status, checks["database"]) == (503, "OperationalError")
    assert str(tmp_path) not in str(checks)
    assert door.client().get("/livez").json() == {"status": "alive"}


def test_a_disk_that_is_nearly_full_is_told(door, monkeypatch):
    monkeypatch.setattr(readiness, "LEAST_FREE", 2**62)
    status, checks = ready(door)
    assert status == 503
    assert checks["disk"].endswith("bytes free")


def test_a_schedule_that_fell_silent_is_told_and_does_not_stop_the_work(door):
    rewired(door, clock=lambda: NOW + timedelta(days=3))
    status, checks = ready(door)
    assert status == 200
    assert "reminded" in checks["schedule"]


def test_a_certificate_that_stays_reserved_is_counted_and_does_not_stop_the_work(door):
    id_ = issuing.authorised(door.bench)
    with door.bench.as_(door.bench.signatory) as ctx:
        version = issuing.version_of(ctx, id_)
        held = issue.reserve(ctx, id_, version, idempotency_key="k", public_base=issuing.BASE)
    assert ready(door)[1]["certificates"] == "ok"
    rewired(door, clock=lambda: NOW + timedelta(hours=1), watch=Watch())
    status, checks = ready(door)
    assert (status, checks["certificates"][:14]) == (200, "1 certificates")
    assert held.number not in str(checks)
    answer = door.client().get("/readyz", headers={"Accept-Language": "zh-CN"})
    assert "1 份证书" in answer.json()["checks"]["certificates"]
