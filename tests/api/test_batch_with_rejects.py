"""A lot of which some pieces failed never reads as a bare "Pass", wherever it shows."""

from __future__ import annotations

import dataclasses
import re

import pypdfium2
import pytest

from calib.services import board, lookup
from calib.services.public import VERDICT_WORDS
from calib.services.standing import certificate_lines
from calib.simulation.simulate import Wanted
from calib.verifier.marks import is_mark_of, mark_of
from tests.support import issuing
from tests.support.door import a_door
from tests.support.web import Browser, a_sign_in
from tests.support.whole import ready_of, taken

PIECES = 5


@pytest.fixture(scope="module")
def lot(tmp_path_factory):
    """Return the door to a lab that certified a lot in which some pieces failed."""
    folder = tmp_path_factory.mktemp("lot")
    made = a_door(f"sqlite+pysqlite:///{folder / 'calib.db'}", folder)
    definition = made.bench.catalogue.get("thermometer.glass_clinical")
    ready = ready_of(definition, pieces=PIECES)
    done = taken(made.bench, folder / "files", ready, number=2, wanted=Wanted())
    with made.bench.as_(issuing.everybody(made.bench)) as ctx:
        document = lookup.certificate_document(ctx, done.issued.certificate_id)
    yield made, done.issued.certificate_id, document
    made.bench.engine.dispose()


@pytest.fixture
def said(lot):
    """Return what must be said of the lot: here none of the words is a constant."""
    _, _, document = lot
    verdicts = [piece.verdict for piece in document.result.pieces]
    passed = verdicts.count("pass")
    assert document.result.verdict == "pass"
    assert 0 < passed < PIECES
    return f"{passed} of {PIECES} pieces pass"


def the_browser(lot) -> Browser:
    made, _, _ = lot
    return Browser(made.app, a_sign_in(made.bench.installation))


@pytest.mark.parametrize(
    "path", ["/certificates", "/certificates/{id}", "/c/{token}", "/certificates/labels?id={id}"]
)
def test_every_page_counts_the_pieces(lot, said, path):
    _, id_, document = lot
    page = the_browser(lot).get(path.format(id=id_, token=document.token))

    assert page.status == 200
    assert said in page.words()
    # a point in a table of results may well pass
    green = page.document.xpath("//main//*[contains(@class, 'badge green')][not(ancestor::table)]")
    listed = page.document.xpath(
        "//table[contains(@class, 'pick')]//*[contains(@class, 'badge green')]"
    )
    assert "Pass" not in {one.text_content() for one in (*green, *listed)}
    told = [one.text_content() for one in page.document.xpath("//main//dd")]
    assert not [words for words in told if VERDICT_WORDS["pass"] in words or words == "Pass"]


def test_the_json_of_certificates_counts_the_pieces(lot, said):
    made, id_, _ = lot
    client = made.as_(made.bench.technician)
    counted = [int(said.split()[0]), PIECES]

    assert client.get(f"/api/v1/certificates/{id_}").json()["passed_of"] == counted
    assert [c["passed_of"] for c in client.get("/api/v1/certificates").json()] == [counted]


def test_the_label_is_no_pass_label_and_counts_the_pieces(lot, said):
    _, id_, _ = lot
    browser = the_browser(lot)
    pdf = browser.client.get(f"/certificates/labels.pdf?id={id_}&sheet=single").content
    opened = pypdfium2.PdfDocument(pdf)
    text = re.sub(r"\s+", "", opened[0].get_textpage().get_text_bounded())
    opened.close()

    assert said.replace(" ", "") in text
    assert "FITFORUSE" not in text


def test_the_board_shows_it_yellow_and_counts_the_pieces(lot, said):
    made, _, _ = lot
    with made.bench.as_(issuing.everybody(made.bench)) as ctx:
        (line,) = [one for one in certificate_lines(ctx.session) if one.passed_of]
        sites = board.board(ctx, catalogue=made.bench.catalogue).sites
    shown = [item.judgement for site in sites for item in site.items]
    assert line.passed_of == (int(said.split()[0]), PIECES)
    assert "pieces-failed" in {one.code for one in shown}
    assert {one.colour for one in shown if one.code == "pieces-failed"} == {"yellow"}


def test_the_printed_code_says_that_some_do_not_pass(lot):
    document = dataclasses.replace(lot[2], simulated=False)  # else the code says that alone
    mark = mark_of(document, "log.example", 3)

    assert mark.verdict == "pass_of_rest"
    assert mark.text()
    assert is_mark_of(mark, document)
    for other in ("pass", "fail"):
        assert not is_mark_of(dataclasses.replace(mark, verdict=other), document)
