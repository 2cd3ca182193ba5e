"""From a sealed certificate to a stranger's verdict, and what becomes of every forgery."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from calib.certificates.reread import read_file
from calib.ledger.marks import read_fragment
from calib.services import issue, readings, review
from calib.services.publishing import publish
from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from tests.support import issuing
from tests.support.sealed import a_sealed_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    there = a_sealed_lab(tmp_path_factory.mktemp("sealed"))
    yield there
    there.bench.engine.dispose()


@pytest.fixture(scope="module")
def first(lab):
    return lab.issued()


def states(report):
    return {step.id: step.state for step in report.steps}


def test_a_genuine_certificate_is_established_at_every_step(lab, first):
    report = lab.examined(first)
    assert report.verdict == "valid", [step.text() for step in report.steps]
    known = states(report)
    assert known.pop("witnesses") == "not_established"  # nobody cosigns here
    assert set(known.values()) == {"established"}
    assert set(known) >= {
        "file", "seal", "dcc", "text", "rendering", "log", "recomputation", "mark", "status",
    }  # fmt: skip
    assert report.says["number"] == first.number


def test_without_proof_or_list_or_trust_it_says_so(lab, first):
    pdf, evidence = lab.file(first), lab.evidence(first)
    no_proof = examine(pdf, Evidence(lab.now, evidence.trust, None, evidence.status))
    assert (no_proof.verdict, states(no_proof)["log"]) == ("valid", "not_established")
    no_list = examine(pdf, Evidence(lab.now, evidence.trust, evidence.proof, None))
    assert (no_list.verdict, states(no_list)["status"]) == ("cannot_tell", "not_established")
    nothing = examine(pdf, Evidence(lab.now))
    assert nothing.verdict == "cannot_tell"
    stale = examine(pdf, Evidence(lab.now + timedelta(days=2), *list_of(evidence)))
    assert (stale.verdict, states(stale)["status"]) == ("cannot_tell", "not_established")


def list_of(evidence):
    return evidence.trust, evidence.proof, evidence.status


def test_the_digital_certificate_alone_is_examined(lab, first):
    report = examine(lab.file(first, "dcc"), lab.evidence(first))
    known = states(report)
    assert (known["seal"], known["log"]) == ("established", "established")
    assert report.verdict == "valid"  # its line in the log says under which code its status is kept


def test_the_code_speaks_without_any_server(lab, first):
    fragment = read_file(lab.file(first)).attachments["mark.txt"].decode()
    mark = read_fragment(fragment).mark
    assert mark.number == first.number
    address = f"https://{lab.trust().host}/c/{first.token}"
    report = examine(f"{address}#{fragment}".encode(), lab.evidence())
    assert report.verdict == "valid"
    cloned = examine(
        f"https://calib-example.org/c/{first.token}#{fragment}".encode(), lab.evidence()
    )
    assert (cloned.verdict, states(cloned)["mark"]) == ("invalid", "contradicted")
    other = a_changed_mark(fragment)
    assert examine(f"{address}#{other}".encode(), lab.evidence()).verdict == "invalid"


def a_changed_mark(fragment):
    """Return the fragment with another serial number and the signature it had."""
    import base64

    body, _, tail = fragment.partition(".")
    text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    changed = text.replace(text.split("\n")[7], "SN-OTHER").encode()
    return base64.urlsafe_b64encode(changed).decode().rstrip("=") + "." + tail


def test_a_withdrawn_and_a_replaced_certificate_are_told(lab):
    withdrawn, replaced = lab.issued(), lab.issued()
    bench = lab.bench
    with bench.as_(bench.signatory) as ctx:
        issue.withdraw(ctx, withdrawn.certificate_id, "standard was wrong", bench.reviewer.id)
    with bench.as_(bench.technician) as ctx:
        copy = issue.amend(ctx, replaced.certificate_id, "remark forgotten")
        readings.set_facts(ctx, copy.id, copy.version, remark="bath of oil")
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    issuing.approve(bench, copy.id)
    successor = lab.issue(copy.id)
    lab.now += timedelta(seconds=1)
    publish(lab.publisher, lab.clock)
    assert lab.examined(withdrawn).verdict == "withdrawn"
    assert lab.examined(replaced).verdict == "superseded"
    assert lab.examined(successor).verdict == "valid"


def test_a_proof_of_another_certificate_is_refused(lab, first):
    second = lab.issued()
    mixed = Evidence(lab.now, lab.trust(), lab.proof(second), lab.evidence().status)
    report = examine(lab.file(first), mixed)
    assert (report.verdict, states(report)["log"]) == ("invalid", "contradicted")
    assert lab.examined(second).verdict == "valid"


def test_every_flipped_byte_of_a_certificate_is_noticed(lab, first):
    """A byte at 60 places over the whole file: never valid."""
    pdf, evidence = lab.file(first), lab.evidence(first)
    stood = []
    for n in range(60):
        bent = bytearray(pdf)
        bent[len(bent) * n // 60 + 7] ^= 1
        report = examine(bytes(bent), evidence)
        stood += [n] if report.verdict != "invalid" else []
    assert stood == []


def test_the_report_is_plain(lab, first):
    plain = json.loads(json.dumps(lab.examined(first).as_dict()))
    assert plain["verdict"] == "valid"
    assert [step["step"] for step in plain["steps"]][:2] == ["file", "seal"]


def test_a_key_given_up_later_still_stands_for_what_was_logged_before(lab, first):
    """The bundle says from when and from which line of the log on nothing is believed."""
    from dataclasses import replace

    evidence = lab.evidence(first)
    place = lab.examined(first).step("log").facts["place"]
    given_up = lab.now - timedelta(seconds=1)

    def seal_with(size, proof, at=given_up):
        seals = tuple(
            replace(
                key,
                compromised_at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                compromised_size=str(size or ""),
            )
            for key in evidence.trust.seals
        )
        trust = replace(evidence.trust, seals=seals)
        brought = Evidence(lab.now, trust, proof, evidence.status)
        return states(examine(lab.file(first), brought))["seal"]

    assert seal_with(place + 1, evidence.proof) == "established"
    assert seal_with(place, evidence.proof) == "contradicted"
    assert seal_with(place + 1, None) == "contradicted"
    after = lab.now + timedelta(seconds=1)
    assert seal_with(0, None, after) == "not_established"
    assert seal_with(0, evidence.proof, after) == "established"
