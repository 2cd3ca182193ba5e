"""SIGKILL while issuing: nothing half, nothing twice, no gap, nothing acknowledged is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from calib.adapters.files import DirectoryStore
from tests.support import issuing
from tests.support.crash_check import check_everything
from tests.support.issuing import Bench

ROOT = Path(__file__).parents[2]


def run_issuer(bench: Bench, url: str, folder: Path, records: Sequence, **task) -> int:
    """Run the issuing program and return its exit code."""
    given = {
        "url": url,
        "store": str(folder / "files"),
        "acks": str(folder / "acks"),
        "lab_id": bench.lab_id,
        "person_id": bench.signatory.id,
        "records": list(records[:-1]),
        "spare": records[-1],  # for the rehearsal, which is never committed
        **task,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.issuer"],
        cwd=ROOT,
        input=json.dumps(given),
        text=True,
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return int(done.stdout or 0)


def _kill(url: str, folder: Path, kills: int, batches: int) -> int:
    bench = issuing.a_bench(url)
    records = issuing.many_authorised(bench, kills + kills // 4)
    store = DirectoryStore(folder / "files")
    killed = 0
    for seed in range(batches):
        killed += run_issuer(
            bench, url, folder, records, do="kill", kills=kills // batches, seed=seed, longest=0.4
        )
        found = check_everything(bench.engine, store, folder / "acks")
        assert found.faults == []
        assert set(found.states) == {"issued"}  # the last child finished what was reserved
    bench.engine.dispose()
    assert (folder / "acks").read_text().count("\n") > kills // 10  # some came through
    return killed


@pytest.mark.kill
def test_two_hundred_kills_while_issuing_leave_nothing_half(tmp_path):
    assert _kill(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path, 200, 5) == 200


@pytest.mark.kill
@pytest.mark.pg
def test_kills_while_issuing_leave_nothing_half_on_postgresql(postgres, tmp_path):
    name = postgres.create()
    assert _kill(postgres.url(name), tmp_path, 30, 2) == 30
    postgres.drop(name)
