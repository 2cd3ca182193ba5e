"""Every signature is shown with name, time with offset and meaning, on every form of a paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import CertificateDocument
from calib.certificates.pdf import render
from calib.certificates.reread import reread
from tests.support.dcc_documents import SCHEMAS, WITHOUT_SCHEMAS
from tests.support.documents import digital_certificate, ear_verification, forehead_certificate

NAMES = {"dcc": "https://ptb.de/dcc"}
OFFSETS = ("+08:00", "-03:30", "+00:00")
REAL = {
    "digital": digital_certificate,
    "forehead": lambda: forehead_certificate("zh"),
    "ear": ear_verification,
}


def signed(document, offset="+08:00"):
    persons = tuple(
        replace(p, signed_at=f"2026-03-0{2 + i}T16:3{i}:05{offset}", signed_by="password+code")
        for i, p in enumerate(document.persons)
    )
    return replace(document, persons=persons)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", REAL)
def test_the_xml_names_who_signed_when_and_as_what(name, offset):
    document = signed(REAL[name](), offset)
    root = etree.fromstring(write_dcc(document))
    found = {
        (
            person.findtext("dcc:role", namespaces=NAMES),
            person.findtext("dcc:person/dcc:name/dcc:content", namespaces=NAMES),
            person.findtext(
                "dcc:description/dcc:content[@refType='calib_signedAt']", namespaces=NAMES
            ),
        )
        for person in root.iterfind(".//dcc:respPerson", NAMES)
    }
    assert found == {(p.role, p.name, p.signed_at) for p in document.persons}
    if SCHEMAS.is_dir():
        schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "v3.3.0" / "dcc.xsd")))
        assert schema.validate(root), schema.error_log
    else:
        pytest.skip(WITHOUT_SCHEMAS)


@pytest.mark.parametrize("name", REAL)
def test_the_paper_names_who_signed_when_and_as_what(name):
    document = signed(REAL[name]())
    content = render(document, {})
    assert reread(document, content, {}) == ()
    lost = replace(
        document,
        persons=tuple(
            replace(p, signed_at=p.signed_at.replace("16:3", "17:4")) for p in document.persons
        ),
    )
    said = [str(found.facts) for found in reread(lost, content, {})]
    assert sum("time of a signature" in one for one in said) == len(document.persons)


def test_a_document_from_before_signatures_reads_and_digests_as_it_did():
    document = digital_certificate()
    plain = document.as_dict()
    assert not any("signed_at" in p for p in plain["document"]["persons"])
    assert CertificateDocument.from_dict(plain).digest() == document.digest()
    assert [p.signed_words() for p in document.persons] == ["", "", ""]
