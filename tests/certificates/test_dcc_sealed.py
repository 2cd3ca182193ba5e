"""A sealed DCC: valid, the same as its document, and read from the signed element alone."""

from __future__ import annotations

import copy

import pytest
from lxml import etree

from calib.certificates.dcc import read_dcc, read_verified
from calib.certificates.dcc_compare import compare
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.xml_seal import DS, seal_xml, verified
from instruments.errors import DomainError
from tests.support.dcc_documents import SCHEMAS, WITHOUT_SCHEMAS
from tests.support.documents import digital_certificate
from tests.support.seals import AT, the_seal

DCC = "https://ptb.de/dcc"
NAMES = {"dcc": DCC, "si": "https://ptb.de/si", "ds": DS}


@pytest.fixture(scope="module")
def sealed() -> bytes:
    seal = the_seal()
    return seal_xml(write_dcc(digital_certificate()), seal.chain, AT, seal.sign)


def opened(content: bytes):
    """Return what a reader believes: the reading of what the seal covers."""
    return read_verified(verified(content, [the_seal().root], AT))


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=WITHOUT_SCHEMAS)
def test_a_seal_leaves_the_file_valid(sealed):
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "v3.3.0" / "dcc.xsd")))
    assert schema.validate(etree.fromstring(sealed)), schema.error_log


def test_a_sealed_file_says_what_its_document_says(sealed):
    assert compare(digital_certificate(), sealed) == ()
    found, loose = opened(sealed), read_dcc(sealed)
    assert (found.is_authentic, loose.is_authentic) == (True, False)
    assert (found.tables, found.number, found.items) == (loose.tables, loose.number, loose.items)
    assert loose.notes[0].code == "dcc-signature-unchecked"


def _forged(root):
    """Return a certificate with another number, without a seal."""
    other = copy.deepcopy(root)
    for signature in other.findall(f"{{{DS}}}Signature"):
        other.remove(signature)
    other.find(".//dcc:uniqueIdentifier", NAMES).text = "FORGED-1"
    return other


def _into(path: str, place: int):
    def wrap(root):
        forged = _forged(root)
        parent = forged if path == "." else forged.find(path, NAMES)
        parent.insert(place, root)
        return forged

    return wrap


def _around(tag: str, order: str):
    def wrap(root):
        outer = etree.Element(tag, schemaVersion="3.3.0")
        for part in order:
            outer.append(_forged(root) if part == "f" else copy.deepcopy(root))
        return outer

    return wrap


def _signature_moved(path: str):
    def wrap(root):
        forged = _forged(root)
        signature = copy.deepcopy(root.find("ds:Signature", NAMES))
        holder = etree.SubElement(signature, f"{{{DS}}}Object")
        holder.append(copy.deepcopy(root))
        (forged if path == "." else forged.find(path, NAMES)).append(signature)
        return forged

    return wrap


def _number_only(root):
    root.find(".//dcc:uniqueIdentifier", NAMES).text = "FORGED-1"
    return root


def _second_number(root):
    number = root.find(".//dcc:uniqueIdentifier", NAMES)
    twin = copy.deepcopy(number)
    twin.text = "FORGED-1"
    number.addprevious(twin)
    return root


def _in_the_seal(root):
    holder = etree.SubElement(root.find("ds:Signature", NAMES), f"{{{DS}}}Object")
    holder.append(_forged(root))
    return root


ROOT = f"{{{DCC}}}digitalCalibrationCertificate"
WRAPS = {
    "sealed as last part": _into(".", 99),
    "sealed as first part": _into(".", 0),
    "sealed in the statements": _into(".//dcc:statements", 0),
    "sealed in the results": _into(".//dcc:measurementResults", 0),
    "sealed in the core data": _into(".//dcc:coreData", 0),
    "sealed in an item": _into(".//dcc:item", 0),
    "envelope, sealed first": _around("envelope", "sf"),
    "envelope, forged first": _around("envelope", "fs"),
    "root of the same name, sealed first": _around(ROOT, "sf"),
    "root of the same name, forged first": _around(ROOT, "fs"),
    "seal with the sealed inside, at the end": _signature_moved("."),
    "seal with the sealed inside, in the core data": _signature_moved(".//dcc:coreData"),
    "number changed": _number_only,
    "second number": _second_number,
    "forged in the seal": _in_the_seal,
}


@pytest.mark.parametrize("name", WRAPS)
def test_wrapped_forgery_is_never_authentic(sealed, name):
    content = etree.tostring(WRAPS[name](etree.fromstring(sealed)))
    assert b"FORGED-1" in content
    with pytest.raises(DomainError):
        opened(content)
