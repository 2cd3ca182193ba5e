"""One certificate, four tellings: JSON, PDF, DCC and public page say the same decimals.

Every number is drawn. The PDF is read by pdftotext and the XML by its plain text, so that nothing
of the program's own reading hides what its writing got wrong.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from calib.certificates.dcc_compare import compare
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import CertificateDocument
from calib.certificates.pdf import render
from calib.certificates.reread import read_file
from calib.services import public
from tests.support.builders import NOW
from tests.support.dcc_documents import TYPES, a_drawn_document
from tests.support.seals import need_tool

SHOWN = ("nominal", "reference", "indication", "error", "correction", "U", "k")
ALWAYS, COMPARED = ("U", "k"), ("reference", "indication")
"""What every table says, and what the table of an item says that is compared with a reference."""
OF_PIECES = ("error",)
"""What the paper says of each piece of a lot; of U it says the largest of all pieces."""


def words_of_pdf(pdf: bytes, folder: Path) -> set[str]:
    """Return the words a stranger's reader sees, in lines of the page or in the order of the file.

    By the page alone it takes two numbers for one where a column above stands a little further out.
    """
    tool = need_tool("pdftotext", "poppler-utils")
    place = folder / "certificate.pdf"
    place.write_bytes(pdf)
    words: set[str] = set()
    for order in ("-layout", "-raw"):
        done = subprocess.run([tool, order, place, "-"], capture_output=True, check=True)
        text = done.stdout.decode().replace("\N{MINUS SIGN}", "-")
        words |= set(text.replace("\N{DAGGER}", " ").split())  # the mark of a U raised to the CMC
    return words


def words_of_xml(xml: bytes) -> set[str]:
    return {word for text in etree.fromstring(xml).itertext() for word in text.split()}


def differing(document: CertificateDocument, folder: Path) -> list[str]:
    """Return every number that one of the four does not say."""
    xml, pdf = write_dcc(document), render(document, {})
    said = json.loads(read_file(pdf).attachments["certificate.json"])
    faults = [one.code for one in compare(document, xml)]
    assert CertificateDocument.from_dict(said) == document
    page = public._public(
        document, state="valid", state_on=NOW.date(), successor="", today=NOW.date()
    )
    in_pdf, in_xml = words_of_pdf(pdf, folder), words_of_xml(xml)
    for point, line in zip(document.result.points, page.results, strict=True):
        output = document.measurement.measurand(point.measurand).output
        faults += [
            f"page {field}"
            for field in SHOWN
            if getattr(line, field) != getattr(point.printed, field)
        ]
        compared = COMPARED if output in {"error", "correction"} else ()
        for field in (*ALWAYS, *compared):
            number = getattr(point.printed, field)
            if number not in in_xml:
                faults.append(f"dcc {field} {number}")
        for field in OF_PIECES if point.piece else (*ALWAYS, *compared):
            number = getattr(point.printed, field)
            if number not in in_pdf:
                faults.append(f"pdf {field} {number}")
    return faults


@pytest.mark.slow
@pytest.mark.parametrize(
    "count", [6, pytest.param(500, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_all_tellings_of_a_certificate_say_the_same_decimals(tmp_path, count):
    found = {}
    for seed in range(count):
        type_id = TYPES[seed % len(TYPES)]
        faults = differing(a_drawn_document(type_id, seed), tmp_path)
        if faults:
            found[type_id, seed] = faults[:5]
    assert found == {}


def test_a_digit_that_differs_in_one_of_them_is_noticed(tmp_path, monkeypatch):
    """The check itself."""
    document = a_drawn_document(TYPES[0], 1)
    number = document.result.points[0].printed.U
    whole = write_dcc(document)
    bent = whole.replace(number.encode(), f"{number}7".encode())
    monkeypatch.setattr("tests.durability.test_formats_agree.write_dcc", lambda _document: bent)
    assert differing(document, tmp_path) != []
