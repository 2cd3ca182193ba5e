"""Thirty amendments and fifty withdrawals: what ended is told at once, everywhere, for ever.

Each is told on the public page in the same moment, in the signed list with the next publication,
and to whoever is offline only as long as the list may be believed.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from datetime import timedelta

import pytest

from calib.certificates.reread import read_file
from calib.ledger.notes import read_note
from calib.ledger.statuses import read_status
from calib.services import issue, public, readings, review
from calib.services.publishing import publish
from calib.verifier import standalone
from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from instruments.errors import Refused
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support.sealed import Sealed, a_sealed_lab, faults
from tests.support.web import ORIGIN, TestClient, an_application

pytestmark = pytest.mark.slow
AMENDED, WITHDRAWN = 30, 50


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Sealed:
    there = a_sealed_lab(tmp_path_factory.mktemp("lab"))
    yield there
    there.bench.engine.dispose()


@pytest.fixture(scope="module")
def originals(lab):
    """Return certificates that were issued and published together."""
    made = issuing.many_authorised(lab.bench, AMENDED)
    views = [lab.issue(id_) for id_, _version in made]
    publish(lab.publisher, lab.clock)
    return views


def publish_later(lab) -> None:
    lab.now += timedelta(seconds=1)
    publish(lab.publisher, lab.clock)


def shown(lab, view) -> public.PublicCertificate:
    with installation_session(lab.bench.engine, read_only=True) as session:
        found = public.public_certificate(session, view.token, lab.now)
    assert found is not None
    return found


def amended(lab, view):
    """Amend a certificate by the way every certificate goes; return its successor."""
    bench = lab.bench
    with bench.as_(bench.colleague) as ctx:
        copy = issue.amend(ctx, view.certificate_id, "remark forgotten")
        readings.set_facts(ctx, copy.id, copy.version, remark="bath of oil")
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    with bench.as_(bench.colleague) as ctx, pytest.raises(Refused):
        review.review(ctx, copy.id, issuing.version_of(ctx, copy.id))  # the same hand
    issuing.approve(bench, copy.id)
    return lab.issue(copy.id)


def listed(lab, view) -> str:
    found = read_status(read_note(lab.publisher.status_files.read("list")))
    entry = found.entry(view.token)
    return entry.state if entry else "valid"


@pytest.fixture(scope="module")
def successors(lab, originals):
    before = {view.number: dict(view.files) for view in originals}
    made = [amended(lab, view) for view in originals]
    publish_later(lab)
    assert before == {view.number: dict(view.files) for view in originals}
    return made


def test_an_amendment_is_a_new_number_tied_both_ways_and_the_old_stays_as_it_was(
    lab, originals, successors
):
    numbers = {view.number for view in (*originals, *successors)}
    assert len(numbers) == 2 * AMENDED
    for old, new in zip(originals, successors, strict=True):
        assert (shown(lab, old).state, shown(lab, old).successor) == ("superseded", new.number)
        assert shown(lab, new).replaces == old.number
        content = lab.file(old)
        assert hashlib.sha256(content).hexdigest() == old.files["pdf"]
        said = json.loads(read_file(lab.file(new)).attachments["certificate.json"])["document"]
        assert said["amendment"] == {"replaces": old.number, "reason": "remark forgotten"}
        assert listed(lab, old) == "superseded"
    evidence = Evidence(
        lab.now, lab.trust(), lab.proof(originals[0]), lab.publisher.status_files.read("list")
    )
    assert examine(lab.file(originals[0]), evidence).verdict == "superseded"


def test_fifty_withdrawals_are_told_at_once_and_a_stale_list_never_says_valid(
    lab, originals, successors
):
    bench = lab.bench
    more = [lab.issue(id_) for id_, _ in issuing.many_authorised(bench, WITHDRAWN - AMENDED)]
    publish_later(lab)
    stale_list = lab.publisher.status_files.read("list")
    stale_at = lab.now + timedelta(days=2)
    for view in (*successors, *more):
        assert shown(lab, view).state == "valid"
        with bench.as_(bench.signatory) as ctx:
            issue.withdraw(ctx, view.certificate_id, "bath was wrong", bench.reviewer.id)
        assert shown(lab, view).state == "withdrawn"  # the very next look
    publish_later(lab)
    assert [listed(lab, view) for view in (*successors, *more)] == ["withdrawn"] * WITHDRAWN
    for view in (successors[0], more[0], more[-1]):
        proof = lab.proof(view)
        old = Evidence(stale_at, lab.trust(), proof, stale_list)
        assert examine(lab.file(view), old).verdict == "cannot_tell"
        now = Evidence(lab.now, lab.trust(), proof, lab.publisher.status_files.read("list"))
        assert examine(lab.file(view), now).verdict == "withdrawn"
    assert faults(lab) == []


def test_the_file_standing_alone_ends_with_two_for_a_stale_list(lab, tmp_path):
    """Run as its users run it: 0 is never said by a list whose time has passed."""
    view = lab.issue(issuing.authorised(lab.bench))
    publish_later(lab)
    names = {
        "trust.json": lab.trust().canonical(),
        "certificate.pdf": lab.file(view),
        "certificate.tlog-proof": lab.proof(view),
        "status.txt": lab.publisher.status_files.read("list"),
    }
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    said = []
    for days in (0, 2, 400):
        at = (lab.now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = subprocess.run(
            [
                sys.executable, "-I", standalone.__file__, "trust.json", "certificate.pdf",
                "certificate.tlog-proof", "--status", "status.txt", "--at", at,
            ],
            cwd=tmp_path, capture_output=True, check=False,
        )  # fmt: skip
        said.append(done.returncode)
    assert said == [0, 2, 2]


def test_no_cache_may_keep_a_status_longer_than_a_minute(lab, originals, tmp_path):
    """Everything that says whether a certificate stands, over HTTP."""
    app = an_application(lab.bench.installation, lab.folder)
    client = TestClient(app, base_url=ORIGIN)
    view = originals[0]
    ages = {}
    for path in (f"/c/{view.token}", f"/api/v1/public/certificates/{view.token}", "/status/list",
                 "/log/checkpoint", f"/c/{view.token}/proof"):  # fmt: skip
        answer = client.get(path)
        kept = answer.headers.get("Cache-Control", "")
        found = re.search(r"max-age=(\d+)", kept)
        ages[path] = 0 if "no-store" in kept else int(found[1]) if found else 10**9
    assert max(ages.values()) <= 60, ages
