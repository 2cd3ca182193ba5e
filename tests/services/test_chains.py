"""A standard that the laboratory calibrated itself: the chain goes on, or nothing is issued."""

from __future__ import annotations

import json
from datetime import date

import pytest

from calib.adapters.files import DirectoryStore
from calib.certificates.document import CertificateDocument
from calib.certificates.reread import read_file
from calib.services import issue
from instruments.errors import Refused
from tests.support import builders, issuing


@pytest.fixture
def bench(copied_on_sqlite):
    bench = issuing.opened_at(*copied_on_sqlite(issuing.a_closed_bench))
    yield bench
    bench.engine.dispose()


def with_own_standard(bench, number):
    """Register a standard, the newest of all, whose certificate the laboratory issued itself."""
    entry = issuing.a_wide_certificate(
        number=number, issuer="Laboratory  HZ", calibrated_on=date(2026, 2, 1)
    )
    with bench.as_(issuing.everybody(bench)) as ctx:
        builders.a_standard(ctx, entry, code="S-020")


def test_a_chain_goes_on_through_a_certificate_of_our_own_until_it_is_withdrawn(bench, tmp_path):
    store = DirectoryStore(tmp_path)
    first = issuing.issued(bench, store, issuing.authorised(bench))
    with_own_standard(bench, first.number)
    second = issuing.issued(bench, store, issuing.authorised(bench))
    attached = read_file(store.get(second.files["pdf"])).attachments["certificate.json"]
    said = CertificateDocument.from_dict(json.loads(attached)).measurement
    assert said.standards[0].key == "S-020"
    assert [(one.of, one.issuer) for one in said.chain] == [(first.number, "National Institute")]
    with bench.as_(bench.signatory) as ctx:
        issue.withdraw(ctx, first.certificate_id, "wrong bath", bench.reviewer.id)
    with pytest.raises(Refused) as caught:
        issuing.issued(bench, store, issuing.authorised(bench))
    assert [f.code for f in caught.value.findings if f.severity == "error"] == [
        "traceability-inside"
    ]


def test_a_certificate_of_our_own_that_nobody_knows_leads_nowhere(bench, tmp_path):
    with_own_standard(bench, "HZ-JZ-1999-000001")
    with pytest.raises(Refused) as caught:
        issuing.issued(bench, DirectoryStore(tmp_path), issuing.authorised(bench))
    assert caught.value.facts["first"].code == "traceability-inside"
