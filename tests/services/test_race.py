"""Several processes issue at once while rendering fails now and then: every number is explained."""

from __future__ import annotations

import pytest

from calib.adapters.files import DirectoryStore
from calib.adapters.sealing import UnsealedSealer
from calib.records.certificates import Certificate
from calib.services import certificate_rows, issue
from instruments.tenancy import installation_session
from tests.services.test_kill import run_issuer
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.crash_check import check_everything


@pytest.mark.kill
def test_every_number_is_issued_or_void_with_a_reason(database_url, tmp_path):
    bench = issuing.a_bench(database_url)
    records = issuing.many_authorised(bench, 33)
    store = DirectoryStore(tmp_path / "files")
    run_issuer(bench, database_url, tmp_path, records, do="race", children=4, failing=0.1)
    found = check_everything(bench.engine, store, tmp_path / "acks")
    assert found.faults == []
    assert found.states["issued"] + found.states["reserved"] == 32
    held = _reserved(bench)
    assert len(held) == found.states["reserved"] > 0
    with bench.as_(bench.signatory) as ctx:
        issue.void(ctx, held[0], "the sealer did not answer", bench.reviewer.id)
    assert len(issue.recover(bench.engine, store, UnsealedSealer(), lambda: NOW).numbers) == (
        len(held) - 1
    )
    found = check_everything(bench.engine, store, tmp_path / "acks")
    assert found.faults == []
    assert found.states == {"issued": 31, "void": 1}
    bench.engine.dispose()


def _reserved(bench) -> list[int]:
    with installation_session(bench.engine) as session:
        return [
            id_
            for (id_,) in session.query(Certificate.id).order_by(Certificate.id)
            if certificate_rows.state_of(certificate_rows.events_of(session, id_)) == "reserved"
        ]
