"""Certificates of simulated readings: unchanged, sealed and logged, and never called valid."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from calib.keeping.export import Proofs, prove
from calib.verifier import standalone
from calib.verifier.evidence import Evidence
from calib.verifier.examine import examine
from calib.verifier.marks import mark_of
from tests.support import forge
from tests.support.forge import FIRST, NOW, ORIGIN, TRUST

NUMBER = "RD2026-000801"


def certificate(**changes) -> forge.Made:
    """Return a sealed certificate of readings by the generator."""
    record = replace(forge.a_record(), simulated=True)
    given = {"simulated": True, **changes}
    return forge.made(forge.a_certificate(NUMBER, record=record, **given), record=record)


@pytest.fixture(scope="module")
def tried() -> forge.Made:
    return certificate()


def proved(world, one: forge.Made, **changes) -> Evidence:
    """Return all there is, with a line of this certificate in the log."""
    subject = forge.subject_of(one, FIRST.code, **changes)
    book = replace(world.book, lines=list(world.book.lines))
    return world.evidence(proof=book.proof(book.note(subject), subject).text().encode())


def need_simulated(report) -> None:
    """Make sure that a report says so, once, and says nothing else against it."""
    against = [one.id for one in report.steps if one.state == "contradicted"]
    assert against == ["simulated"], report.as_dict()
    assert report.verdict == "simulated"
    assert "no certificate of an instrument" in report.step("simulated").text()


@pytest.mark.parametrize("line", [{}, {"simulated": True}], ids=["old line", "line that says so"])
def test_the_pdf_is_said_to_be_of_simulated_readings(world, tried, line):
    assert tried.document.simulated
    report = examine(tried.pdf, proved(world, tried, **line))
    need_simulated(report)
    assert report.step("seal").state == report.step("log").state == "established"


@pytest.mark.parametrize("line", [{}, {"simulated": True}], ids=["old line", "line that says so"])
def test_its_dcc_alone_is_said_to_be_of_simulated_readings(world, tried, line):
    need_simulated(examine(tried.dcc, proved(world, tried, **line)))
    report = examine(tried.dcc, Evidence(NOW))
    assert report.step("simulated").state == "contradicted"


def test_its_code_says_it_without_any_file(world, tried):
    assert mark_of(tried.document, ORIGIN, 3).verdict == "simulated"
    report = examine(tried.code.encode(), world.evidence())
    need_simulated(report)
    assert report.says["verdict"] == "simulated"
    with pytest.raises(standalone.Wrong, match="simulated"):
        standalone.check_mark(_plain(), tried.code, NOW)


def test_the_file_that_stands_alone_reads_it_in_the_line(world, tried):
    evidence = proved(world, tried, simulated=True)
    with pytest.raises(standalone.Wrong, match="simulated"):
        standalone.check_log(_plain(), evidence.proof, tried.pdf, NOW)


def test_an_export_counts_it_apart_from_what_does_not_verify(world, tried):
    proof = proved(world, tried, simulated=True).proof
    files = {"trust.json": TRUST.canonical(), "a.pdf": tried.pdf, "a.tlog-proof": proof}
    assert prove(files.__getitem__, list(files)) == Proofs((), ("a.tlog-proof",))
    files["a.pdf"] += b"x"
    assert prove(files.__getitem__, list(files)) == Proofs(("a.tlog-proof",), ())


def test_a_certificate_that_hides_it_is_invalid(world):
    one = certificate(simulated=False)
    assert not one.document.simulated
    report = examine(one.pdf, proved(world, one))
    assert report.verdict == "invalid"
    assert "does not say so" in report.step("recomputation").text()


def test_real_readings_are_not_called_simulated(world):
    for content in (world.first.pdf, world.first.dcc, world.first.code.encode()):
        assert examine(content, world.evidence(world.first)).step("simulated") is None
    assert "simulated" not in forge.subject_of(world.first, "RD")


def _plain():
    return json.loads(TRUST.canonical())
