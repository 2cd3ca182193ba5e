"""Several processes issue at once while rendering fails now and then: every number is explained."""

from __future__ import annotations

import pytest

from calib.records.certificates import Certificate
from calib.services import certificate_rows, issue
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.builders import NOW
from tests.support.crash_check import check_lab
from tests.support.harmed import run_issuer
from tests.support.sealed import a_sealed_lab


def _race(url, folder, children: int, count: int) -> None:
    lab = a_sealed_lab(folder / "lab", url)
    records = issuing.many_authorised(lab.bench, count + 1)
    run_issuer(lab, url, records, do="race", children=children, failing=0.1)
    found = check_lab(lab)
    assert found.faults == []
    assert found.states["issued"] + found.states["reserved"] == count
    held = _reserved(lab.bench)
    assert len(held) == found.states["reserved"] > 0
    with lab.bench.as_(lab.bench.signatory) as ctx:
        issue.void(ctx, held[0], "the sealer did not answer", lab.bench.reviewer.id)
    recovered = issue.recover(lab.bench.engine, lab.store, lab.sealer, lambda: NOW)
    assert len(recovered.numbers) == len(held) - 1
    found = check_lab(lab)
    assert found.faults == []
    assert found.states == {"issued": count - 1, "void": 1}
    lab.bench.engine.dispose()


@pytest.mark.kill
def test_every_number_is_issued_or_void_with_a_reason(database_url, tmp_path):
    _race(database_url, tmp_path, 4, 32)


@pytest.mark.kill
@pytest.mark.nightly
def test_a_thousand_numbers_are_issued_or_void_with_a_reason(database_url, tmp_path):
    _race(database_url, tmp_path, 8, 1000)


def _reserved(bench) -> list[int]:
    with installation_session(bench.engine) as session:
        return [
            id_
            for (id_,) in session.query(Certificate.id).order_by(Certificate.id)
            if certificate_rows.state_of(certificate_rows.events_of(session, id_)) == "reserved"
        ]
