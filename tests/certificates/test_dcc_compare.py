"""The comparison of a DCC with its document finds every number that was changed."""

from __future__ import annotations

import random
import re

import pytest
from lxml import etree

from calib.certificates.dcc_compare import compare
from calib.certificates.dcc_numbers import RULES
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.signing import Drafted, pass_lints, write_data
from instruments.errors import Refused
from tests.support import documents
from tests.support.dcc_documents import TYPES, a_drawn_document

NAMES = {"dcc": "https://ptb.de/dcc", "si": "https://ptb.de/si"}
WORDS = ("conformityXMLList", "conformity", "charsXMLList", "validXMLList", "date", "convention")
MARKS = (
    "uniqueIdentifier", "receiptDate", "beginPerformanceDate", "endPerformanceDate", "issueDate",
    "value", "model", "referralID", "norm", "role", "eMail", "phone", "performanceLocation",
    "replacedUniqueIdentifier", "calibrationLaboratoryCode", "cryptElectronicSeal",
)  # fmt: skip


def leaves(root):
    """Yield every element that holds a number, a unit, a conclusion or a mark."""
    for element in root.iter("*"):
        name = etree.QName(element)
        if len(element) or not element.text or name.localname == "distributionXMLList":
            continue
        if name.namespace == NAMES["si"] or name.localname in WORDS:
            yield element
        in_statement = any(etree.QName(a).localname == "statement" for a in element.iterancestors())
        in_hash = etree.QName(element.getparent()).localname == "certificate"
        if (
            name.localname in MARKS
            and not in_statement
            and not (in_hash and name.localname == "value")
        ):
            yield element


def changed(text: str) -> str:
    """Return the text with its last digit another, or with a letter more."""
    if re.search(r"\d", text):
        place = max(i for i, c in enumerate(text) if c.isdigit())
        return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    return text + "x"


def test_every_changed_number_unit_and_mark_is_found():
    documents_ = [documents.digital_certificate(), documents.ear_verification(shift="1")]
    documents_ += [a_drawn_document(type_id, 7) for type_id in TYPES[::6]]
    tried = 0
    for document in documents_:
        xml = write_dcc(document)
        count = len(list(leaves(etree.fromstring(xml))))
        draw = random.Random(count)  # noqa: S311 -- the same places in every run
        for place in draw.sample(range(count), min(count, 60)):
            root = etree.fromstring(xml)
            leaf = list(leaves(root))[place]
            leaf.text = changed(leaf.text)
            found = compare(document, etree.tostring(root))
            assert found, (leaf.tag, leaf.text)
            assert {f.code for f in found} <= set(RULES)
            tried += 1
    assert tried > 300


def test_lost_row_and_extra_number_are_found():
    document = documents.digital_certificate()
    root = etree.fromstring(write_dcc(document))
    for values in root.iterfind(".//si:valueXMLList", NAMES):
        values.text = " ".join((values.text or "").split()[:-1]) or "1"
    assert "dcc-number-differs" in {f.code for f in compare(document, etree.tostring(root))}
    root = etree.fromstring(write_dcc(document))
    table = root.find(".//dcc:data/dcc:list", NAMES)
    table.append(etree.fromstring(etree.tostring(table[-1])))
    found = {f.code for f in compare(document, etree.tostring(root))}
    assert found & {"dcc-number-unexpected", "dcc-number-differs"}
    root = etree.fromstring(write_dcc(document))
    table = root.find(".//dcc:data/dcc:list", NAMES)
    table.getparent().remove(table)
    assert "dcc-table-missing" in {f.code for f in compare(document, etree.tostring(root))}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"RD2026-000123", b"RD2026-000124"),
        (b"Riverside", b"Riverslde"),
        (b"ZC-0815", b"ZC-0816"),
        (b"C-2025-17", b"C-2025-71"),
        (b">23.1<", b">32.1<"),
        (b"\\degreecelsius", b"\\kelvin"),
        (b">2.00 ", b">2.01 "),
        (b"0.95 ", b"0.99 "),
    ],
)
def test_each_kind_of_change_is_found(old, new):
    document = documents.digital_certificate()
    xml = write_dcc(document)
    assert old in xml
    assert compare(document, xml.replace(old, new, 1))


def test_file_that_is_no_dcc_is_one_finding():
    found = compare(documents.digital_certificate(), b"<a/>")
    assert [f.code for f in found] == ["dcc-file-unreadable"]


def test_what_comes_back_from_a_seal_with_another_number_is_refused():
    linted = pass_lints(Drafted(documents.forehead_certificate()))
    assert write_data(linted, lambda _, xml: xml) == write_dcc(linted.document)
    with pytest.raises(Refused) as caught:
        write_data(linted, lambda _, xml: xml.replace(b"RD2026", b"RD2027"))
    assert caught.value.code == "certificate-refused"
