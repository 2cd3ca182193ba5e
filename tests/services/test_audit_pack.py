"""The pack of a certificate: the same bytes for the same state, and it verifies anywhere."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest

from calib.keeping.audit_pack import PackSource, make_pack
from calib.services import issue, readings, review
from calib.services.publishing import publish
from instruments.errors import NotAllowed, NotFound, Refused
from tests.support import issuing
from tests.support.sealed import a_sealed_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    made = a_sealed_lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.bench.engine.dispose()


def a_corrected_one(lab):
    """Issue a certificate one of whose readings was corrected with a reason."""
    record = issuing.opened(lab.bench)
    with lab.bench.as_(lab.bench.technician) as ctx:
        issuing.fill(ctx, record.id)
        again = issuing.an_entry("50", "50.021", revision=1, reason="misread")
        readings.enter(ctx, record.id, [again])
        review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    issuing.approve(lab.bench, record.id)
    view = lab.issue(record.id)
    publish(lab.publisher, lab.clock)
    return view


def packed(lab, certificate_id, person=None):
    source = PackSource(
        lab.store,
        lab.publisher.log(lab.now),
        lab.publisher.status_files,
        lab.trust(),
    )
    with lab.bench.as_(person or lab.bench.signatory, now=lab.now, read_only=True) as ctx:
        return make_pack(ctx, source, certificate_id)


def test_everything_behind_a_certificate_is_in_it_and_verifies_elsewhere(lab, tmp_path):
    view = a_corrected_one(lab)
    pack = packed(lab, view.certificate_id)
    assert pack == packed(lab, view.certificate_id)
    assert pack.name == f"{view.number}-audit-pack.zip"
    with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
        archive.extractall(tmp_path)
        names = set(archive.namelist())
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert {one["path"] for one in manifest["files"]} == names - {"manifest.json"}
    for one in manifest["files"]:
        content = (tmp_path / one["path"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (one["sha256"], one["size"])
    command = [
        sys.executable, "-I", "verify.py", "trust.json", "certificate/certificate.pdf",
        "certificate/certificate.tlog-proof", "--status", "status.txt", "--at",
        lab.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = tmp_path / "certificate" / "certificate.pdf"
    changed.write_bytes(changed.read_bytes() + b"\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1

    def read(name):
        return json.loads((tmp_path / name).read_bytes())

    told = [(row["value"], row["revision"], row["reason"]) for row in read("record/readings.json")]
    assert ("50.020", 1, "") in told
    assert ("50.021", 2, "misread") in told
    assert [row["act"] for row in read("record/reviews.json")] == [
        "submitted", "reviewed", "authorised",
    ]  # fmt: skip
    acts = [row["act"] for row in read("audit.json")]
    assert {"calibration:readings:enter", "certificate:certificate:issued"} <= set(acts)
    assert {"registry:order:request", "registry:standard:register"} <= set(acts)
    people = {person["name"]: person["roles"] for person in read("people.json")}
    assert {"Tang", "Ren", "Sun"} <= set(people)
    assert all(people["Tang"])
    standards = [name for name in names if name.startswith("standards/")]
    assert len(standards) == 1
    (certificate,) = read(standards[0])["certificates"]
    assert certificate["values"]
    assert "核验" in (tmp_path / "README.txt").read_text("utf-8")
    assert not [name for name in names if "token_sha256" in (tmp_path / name).read_text("latin-1")]


def test_a_pack_is_for_whoever_may_export_the_trail_and_of_what_was_issued(lab):
    view = lab.issued()
    with pytest.raises(NotAllowed):
        packed(lab, view.certificate_id, lab.bench.technician)
    with pytest.raises(NotFound):
        packed(lab, 10**6)
    id_ = issuing.authorised(lab.bench)
    with lab.bench.as_(lab.bench.signatory) as ctx:
        held = issue.reserve(
            ctx, id_, issuing.version_of(ctx, id_), idempotency_key="held-pack",
            public_base=issuing.BASE,
        )  # fmt: skip
    with pytest.raises(Refused, match="never issued"):
        packed(lab, held.certificate_id)
