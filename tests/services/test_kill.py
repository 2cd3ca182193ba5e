"""SIGKILL while issuing: nothing half, nothing twice, no gap, nothing acknowledged is missing.

Certificates are sealed, their lines logged, heads anchored and the status list signed meanwhile.
"""

from __future__ import annotations

import pytest

from tests.support import issuing
from tests.support.crash_check import check_lab
from tests.support.harmed import run_issuer
from tests.support.sealed import a_sealed_lab


def _kill(url: str, folder, kills: int, batches: int) -> int:
    lab = a_sealed_lab(folder, url)
    records = issuing.many_authorised(lab.bench, kills + kills // 4)
    killed = 0
    for seed in range(batches):
        task = {"do": "kill", "kills": kills // batches, "seed": seed, "longest": 0.5}
        killed += run_issuer(lab, url, records, **task)
        found = check_lab(lab)
        assert found.faults == []
        assert set(found.states) == {"issued"}  # the last child finished what was reserved
    lab.bench.engine.dispose()
    assert (folder / "acks").read_text().count("\n") > kills // 10  # some came through
    return killed


@pytest.mark.kill
@pytest.mark.parametrize(
    "kills", [60, pytest.param(200, marks=pytest.mark.nightly)], ids=["some", "two hundred"]
)
def test_kills_while_issuing_leave_nothing_half(tmp_path, kills):
    assert _kill(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path, kills, 5) == kills


@pytest.mark.kill
@pytest.mark.nightly
def test_a_thousand_kills_leave_nothing_half(tmp_path):
    assert _kill(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path, 1000, 20) == 1000


@pytest.mark.kill
@pytest.mark.pg
def test_kills_while_issuing_leave_nothing_half_on_postgresql(postgres, tmp_path):
    name = postgres.create()
    assert _kill(postgres.url(name), tmp_path, 16, 2) == 16
    postgres.drop(name)
