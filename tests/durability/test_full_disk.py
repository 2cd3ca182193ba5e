"""A disk that is full: a clear word, nothing half, and on with it when there is room again.

A small file system in memory is filled to a few pages short of what is needed, again and again.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from api import readiness
from calib.services import issue
from calib.services.publishing import publish
from instruments.errors import DomainError
from tests.support import issuing
from tests.support.sealed import a_sealed_lab, faults, moved
from tests.support.web import ORIGIN, TestClient, an_application

CLEAR = {"store-unavailable", "log-unavailable", "journal-unavailable", "database-full"}


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    lab = a_sealed_lab(tmp_path_factory.mktemp("pattern"))
    lab.issued()
    lab.bench.engine.dispose()
    return lab


@pytest.fixture
def small(tmp_path):
    """Return a folder on a file system of its own; skip where none may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)],
        capture_output=True, check=False,
    )  # fmt: skip
    if not done or done.returncode:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, left: int) -> None:
    """Leave so many bytes free."""
    ballast = place / "ballast"
    ballast.unlink(missing_ok=True)
    free = shutil.disk_usage(place).free
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free - left)))


def attempt(lab, id_: int, version: int) -> str:
    """Try to issue and publish; return the code of the error, empty when all went well."""
    try:
        lab.issue(id_, version)
        publish(lab.publisher, lab.clock)
    except DomainError as stop:
        return stop.code
    except OperationalError as problem:
        assert "full" in str(problem.orig), problem  # noqa: PT017 -- what the doors make words of
        return "database-full"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "count", [25, pytest.param(200, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_attempts_on_a_full_disk_leave_nothing_half(pattern, small, count):
    rng = random.Random(3)  # noqa: S311
    lab = moved(pattern, small / "lab")
    records = issuing.many_authorised(lab.bench, 30)
    codes: Counter[str] = Counter()
    for n in range(count):
        fill(small, rng.choice((0, 4096, 16384, 65536, 131072, 262144, 524288)))
        codes[attempt(lab, *records[n % len(records)])] += 1
        if n % 5 == 4:  # room again, without a restart
            (small / "ballast").unlink()
            issue.recover(lab.bench.engine, lab.store, lab.sealer, lab.clock)
            assert attempt(lab, *records[n % len(records)]) == ""
            assert [one.text() for one in faults(lab)] == []
    assert set(codes) <= CLEAR | {""}
    assert sum(codes[code] for code in CLEAR) > count // 5
    lab.bench.engine.dispose()


def test_a_full_disk_is_told_over_http_and_forgotten_when_there_is_room(
    pattern, small, monkeypatch
):
    monkeypatch.setattr(readiness, "LEAST_FREE", 2**20)
    lab = moved(pattern, small / "lab")
    app = an_application(lab.bench.installation, lab.folder)
    client = TestClient(app, base_url=ORIGIN)
    assert client.get("/readyz").status_code == 200
    fill(small, 0)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["disk"] == "ok") == (503, False)
    assert client.get("/livez").status_code == 200
    (small / "ballast").unlink()
    assert client.get("/readyz").status_code == 200
    lab.bench.engine.dispose()
