"""Digital certificates in XML: wrapped, cut, weakened, disguised, sealed by others."""

from __future__ import annotations

import base64
import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from calib.certificates.dcc import read_verified
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.xml_seal import DS, XADES, seal_xml, verified
from calib.verifier.examine import examine
from instruments.errors import DomainError
from tests.support import forge
from tests.support.forge import FIRST, ROOT, SECOND, a_certificate
from tests.support.refusals import need_refused, step

NUMBER = "RD2026-000101"
DCC = "https://ptb.de/dcc"
NAMES = {"dcc": DCC, "ds": DS, "xades": XADES}
AT = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)


def edited(change):
    """Return an attack that changes the tree of the sealed file."""

    def attack(world):
        root = etree.fromstring(world.first.dcc)
        changed = change(root)
        return etree.tostring(
            root if changed is None else changed, xml_declaration=True, encoding="UTF-8"
        )

    return attack


def replaced(old: bytes, new: bytes, count: int = 1):
    """Return an attack on the text of the sealed file."""

    def attack(world):
        assert old in world.first.dcc, old
        return world.first.dcc.replace(old, new, count)

    return attack


def first(root, path):
    """Return an element of the tree."""
    found = root.find(path, NAMES)
    assert found is not None, path
    return found


def signature(root):
    """Return the seal."""
    return first(root, "ds:Signature")


def forged(root):
    """Return a copy with another number and without a seal."""
    other = copy.deepcopy(root)
    other.remove(signature(other))
    first(other, ".//dcc:uniqueIdentifier").text = "FORGED"
    return other


def _around(root):
    outer = forged(root)
    outer.append(root)
    return outer


def _inside_its_seal(root):
    """Let the seal hold the true certificate, and the file show another."""
    outer = forged(root)
    seal = copy.deepcopy(signature(root))
    holder = etree.SubElement(seal, f"{{{DS}}}Object")
    holder.append(root)
    outer.append(seal)
    return outer


def _beside_by_id(root):
    """Point the seal at a copy with an id, as wrapping attacks do."""
    outer = forged(root)
    seal = copy.deepcopy(signature(root))
    true = copy.deepcopy(root)
    true.remove(signature(true))
    true.set("Id", "x1")
    etree.SubElement(seal, f"{{{DS}}}Object").append(true)
    first(seal, "ds:SignedInfo/ds:Reference").set("URI", "#x1")
    outer.append(seal)
    return outer


def _under(path, place=0):
    def change(root):
        outer = forged(root)
        first(outer, path).insert(place, root)
        return outer

    return change


def _seal_moved(path):
    def change(root):
        first(root, path).append(signature(root))

    return change


def _seal_twice(root):
    root.append(copy.deepcopy(signature(root)))


def _seal_before(root):
    root.insert(0, copy.deepcopy(signature(root)))


def _text(path, new):
    def change(root):
        first(root, path).text = new

    return change


def _set(path, name, new):
    def change(root):
        first(root, path).set(name, new)

    return change


def _dropped(path):
    def change(root):
        found = first(root, path)
        found.getparent().remove(found)

    return change


def _transform(algorithm, inside=""):
    def change(root):
        place = first(signature(root), "ds:SignedInfo/ds:Reference/ds:Transforms")
        new = etree.SubElement(place, f"{{{DS}}}Transform", Algorithm=algorithm)
        new.text = inside

    return change


def _more_reference(root):
    info = first(signature(root), "ds:SignedInfo")
    info.append(copy.deepcopy(first(info, "ds:Reference")))


def _two_infos(root):
    seal = signature(root)
    seal.insert(1, copy.deepcopy(first(seal, "ds:SignedInfo")))


def _certificates(*labs):
    def change(root):
        data = first(signature(root), "ds:KeyInfo/ds:X509Data")
        del data[:]
        for one in labs:
            body = base64.b64encode(one.public_bytes(Encoding.DER)).decode()
            etree.SubElement(data, f"{{{DS}}}X509Certificate").text = body

    return change


def _key_value(root):
    info = first(signature(root), "ds:KeyInfo")
    del info[:]
    etree.SubElement(info, f"{{{DS}}}KeyName").text = "RD seal 1"


def _retrieval(root):
    info = first(signature(root), "ds:KeyInfo")
    del info[:]
    etree.SubElement(info, f"{{{DS}}}RetrievalMethod", URI="file:///etc/hostname")


def _comment_in_number(root):
    place = first(root, ".//dcc:uniqueIdentifier")
    text = place.text
    place.text = text[:4]
    comment = etree.Comment("x")
    comment.tail = text[4:]
    place.append(comment)


def _instruction_in_number(root):
    place = first(root, ".//dcc:uniqueIdentifier")
    text = place.text
    place.text = text[:4]
    one = etree.ProcessingInstruction("x", "y")
    one.tail = text[4:]
    place.append(one)


def _duplicate_id(root):
    seal_id = next(one.get("Id") for one in signature(root).iter() if one.get("Id"))
    first(root, ".//dcc:coreData").set("Id", seal_id)


def _seal_of(name):
    def attack(world):
        root = etree.fromstring(world.first.dcc)
        other = etree.fromstring(getattr(world, name).dcc)
        root.replace(signature(root), signature(other))
        return etree.tostring(root)

    return attack


def _sealed_by(lab, *, honest=False):
    def attack(world):
        document = world.first.document
        if not honest:
            document = a_certificate(NUMBER, record=forge.a_record(resolution="0.1"))
        xml = write_dcc(document)
        return seal_xml(xml, lab.seal.chain, AT, lab.seal.sign)

    return attack


def _mixed_lines(world):
    return world.first.dcc.replace(b"</dcc:coreData>\n", b"&#13;</dcc:coreData>\r\n", 1)


def _doctype(words: bytes):
    return lambda world: world.first.dcc.replace(b"<dcc:dig", words + b"<dcc:dig", 1)


def _utf16(world):
    text = world.first.dcc.decode().replace("encoding='UTF-8'", "encoding='UTF-16'")
    return text.replace("50.020", "50.000").encode("utf-16")


def test_an_encoding_no_laboratory_writes_is_no_certificate(world):
    need_refused(_utf16(world), world.evidence(world.first), step("file"), step("log"))


def _latin(world):
    return world.first.dcc.replace(b"UTF-8", b"ISO-8859-1", 1)


def _utf7(world):
    return world.first.dcc.replace(b"UTF-8", b"UTF-7", 1)


STRANGE = replace(
    FIRST, seal=forge.a_seal_under(forge.a_root("Evil CA"), "RD", FIRST.words.name.en, "x")
)
UNKNOWN = replace(FIRST, seal=forge.a_seal_under(ROOT, "RD", FIRST.words.name.en, "unknown"))
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
INFO = ".//ds:SignedInfo/"
ATTACKS = {
    "true certificate under a forged one": edited(_around),
    "true certificate inside its seal": edited(_inside_its_seal),
    "true certificate found by an id": edited(_beside_by_id),
    "true certificate among the data": edited(_under(".//dcc:coreData")),
    "true certificate among the results": edited(_under("dcc:measurementResults")),
    "true certificate in a list of items": edited(_under("dcc:administrativeData/dcc:items")),
    "seal moved among the data": edited(_seal_moved("dcc:administrativeData")),
    "seal moved among the results": edited(_seal_moved("dcc:measurementResults")),
    "seal twice": edited(_seal_twice),
    "seal before and behind": edited(_seal_before),
    "seal taken away": edited(_dropped("ds:Signature")),
    "seal of another certificate": _seal_of("second"),
    "seal of another laboratory": _seal_of("foreign"),
    "same id twice": edited(_duplicate_id),
    "number changed": edited(_text(".//dcc:uniqueIdentifier", "RD2026-000999")),
    "value changed": replaced(b"50.020", b"50.000"),
    "trailing zero taken away": replaced(b"50.020", b"50.02"),
    "zero in full width": replaced(b"50.020", "50.02０".encode()),
    "space of no width in a value": replaced(b"50.020", "50.0\u200b20".encode()),
    "instruction in a number": edited(_instruction_in_number),
    "comment in a value, with another digit": replaced(b"50.020", b"50.02<!-- -->1"),
    "space behind a value": replaced(b"50.020", b"50.020 "),
    "value as an entity of itself, changed": replaced(b"50.020", b"&#53;1.020"),
    "transform that runs a program": edited(_transform(XSLT)),
    "transform that chooses": edited(_transform(XPATH, "not(ancestor::x)")),
    "transform that decodes": edited(_transform(f"{DS}base64")),
    "transform of nobody": edited(_transform("urn:x")),
    "enveloped twice": edited(_transform(f"{DS}enveloped-signature")),
    "reference to a file": edited(_set(INFO + "ds:Reference", "URI", "file:///etc/hostname")),
    "reference to the web": edited(_set(INFO + "ds:Reference", "URI", "https://evil.example/a")),
    "reference by a pointer": edited(_set(INFO + "ds:Reference", "URI", "#xpointer(/)")),
    "reference to nothing": edited(_set(INFO + "ds:Reference", "URI", "#none")),
    "third reference": edited(_more_reference),
    "two lists of references": edited(_two_infos),
    "no reference to its own properties": edited(
        _dropped(INFO + "ds:Reference[@Type='http://uri.etsi.org/01903#SignedProperties']")
    ),
    "properties taken away": edited(_dropped(".//xades:SignedProperties")),
    "time changed": edited(_text(".//xades:SigningTime", "2026-03-04T02:15:00Z")),
    "time without a zone": edited(_text(".//xades:SigningTime", "2026-03-03T02:15:00")),
    "MD5": edited(_set(INFO + "ds:Reference/ds:DigestMethod", "Algorithm",
                       "http://www.w3.org/2001/04/xmldsig-more#md5")),
    "SHA-1": edited(_set(INFO + "ds:Reference/ds:DigestMethod", "Algorithm", f"{DS}sha1")),
    "RSA with SHA-1": edited(_set(INFO + "ds:SignatureMethod", "Algorithm", f"{DS}rsa-sha1")),
    "DSA": edited(_set(INFO + "ds:SignatureMethod", "Algorithm", f"{DS}dsa-sha1")),
    "MAC": edited(_set(INFO + "ds:SignatureMethod", "Algorithm",
                       "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")),
    "no method": edited(_dropped(INFO + "ds:SignatureMethod")),
    "canonical form of nobody": edited(
        _set(INFO + "ds:CanonicalizationMethod", "Algorithm", "urn:x")
    ),
    "no key": edited(_dropped(".//ds:KeyInfo")),
    "key by its name alone": edited(_key_value),
    "key to be fetched": edited(_retrieval),
    "certificate of another laboratory": edited(_certificates(*SECOND.seal.chain)),
    "certificate of another laboratory beside": edited(
        _certificates(*SECOND.seal.chain, *FIRST.seal.chain)
    ),
    "certificate of the root alone": edited(_certificates(*ROOT.chain)),
    "no certificate": edited(_certificates()),
    "five certificates": edited(_certificates(*(ROOT.chain * 5))),
    "value of the seal emptied": edited(_text(".//ds:SignatureValue", "")),
    "value of the seal zero": edited(_text(".//ds:SignatureValue", "AAAA" * 22)),
    "value of the seal doubled": replaced(b"</ds:SignatureValue>", b"AAAA</ds:SignatureValue>"),
    "digest emptied": edited(_text(INFO + "ds:Reference/ds:DigestValue", "")),
    "sealed by the other laboratory": _sealed_by(SECOND, honest=True),
    "forged and sealed by the other laboratory": _sealed_by(SECOND),
    "forged, sealed under a root of one's own": _sealed_by(STRANGE),
    "forged, sealed by a key nobody pinned": _sealed_by(UNKNOWN),
    "another namespace": replaced(b"https://ptb.de/dcc", b"https://ptb.de/dcx", 9),
    "another namespace of the seal": replaced(b"/2000/09/xmldsig#", b"/2000/09/xmldsig", 99),
    "default namespace turned": replaced(b"<dcc:coreData>", b"<dcc:coreData xmlns:dcc='urn:x'>"),
    "base elsewhere": replaced(b"<dcc:coreData>", b"<dcc:coreData xml:base='https://evil.x/'>"),
    "inclusion": replaced(
        b"<dcc:coreData>",
        b"<dcc:coreData><xi:include href='/etc/hostname' "
        b"xmlns:xi='http://www.w3.org/2001/XInclude'/>",
    ),
    "document type": _doctype(b"<!DOCTYPE a>"),
    "document type with an entity": _doctype(b"<!DOCTYPE a [<!ENTITY x '50.000'>]>"),
    "document type elsewhere": _doctype(b"<!DOCTYPE a SYSTEM 'https://evil.example/a.dtd'>"),
    "document type with a default": _doctype(
        b"<!DOCTYPE a [<!ATTLIST dcc:coreData Id ID 'x'>]>"
    ),
    "the same bytes in Latin letters": _latin,
    "the same bytes in seven bits": _utf7,
    "line ends mixed": _mixed_lines,
    "cut in the middle": lambda world: world.first.dcc[: len(world.first.dcc) // 2],
    "another behind it": lambda world: world.first.dcc + world.second.dcc,
    "web page": lambda world: b"<!doctype html><html></html>",
    "zero inside": replaced(b"50.020", b"50.\x00020"),
}  # fmt: skip


# what nobody can read as a DCC: the proof in hand tells that it was changed
NO_DCC = ("another namespace", "the same bytes in seven bits", "cut in the middle",
          "another behind it", "web page", "zero inside")  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_a_changed_digital_certificate_is_told(world, name):
    content = ATTACKS[name](world)
    assert content != world.first.dcc, "the attack changed nothing"
    expected = (step("file"), step("log")) if name in NO_DCC else (step("seal"),)
    report = need_refused(content, world.evidence(world.first), *expected)
    assert report.verdict == "invalid"
    assert examine(content, replace(world.evidence(world.first), proof=None)).verdict != "valid"
    try:
        element = verified(content, list(ROOT.chain), AT)
    except DomainError:
        return
    assert read_verified(element).number == world.first.document.number


OUTSIDE = {
    "byte order mark": lambda world: b"\xef\xbb\xbf" + world.first.dcc,
    "style sheet": replaced(b"<dcc:dig", b"<?xml-stylesheet href='https://evil.example/a'?><dcc:dig"),
    "comment before it": replaced(b"<dcc:dig", b"<!-- genuine --><dcc:dig"),
    "another encoding": lambda world: world.first.dcc.decode().encode("utf-16-le"),
    "comment behind it": lambda world: world.first.dcc + b"<!-- genuine -->",
    "line ends of another system": lambda world: world.first.dcc.replace(b"\n", b"\r\n"),
    "comment in a value": replaced(b"50.020", b"50.<!-- -->020"),
    "comment in a number": edited(_comment_in_number),
    "value as an entity of itself": replaced(b"50.020", b"&#53;0.020"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_the_seal_cannot_see_the_log_does_and_no_value_changes(world, name):
    """The canonical form leaves these out: the signed element is the same, the file is not."""
    content = OUTSIDE[name](world)
    need_refused(content, world.evidence(world.first), step("log"))
    genuine = verified(world.first.dcc, list(ROOT.chain), AT)
    assert verified(content, list(ROOT.chain), AT) == genuine
    assert b"evil" not in genuine
