"""The seal of an XML certificate: verified by others, and read by nothing but what it covers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from calib.certificates import xml_seal
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.seal_chain import pem_of
from calib.certificates.seal_forms import is_seal_of
from calib.certificates.xml_seal import DS, open_xml, seal_xml, verified
from instruments.errors import DomainError, Invalid, Refused
from tests.support.documents import digital_certificate
from tests.support.seals import AT, ENDS, STARTS, a_seal, need_tool, the_seal

_DS = f"{{{DS}}}"
DCC = "{https://ptb.de/dcc}"


@pytest.fixture(scope="module")
def plain() -> bytes:
    return write_dcc(digital_certificate())


@pytest.fixture(scope="module")
def sealed(plain) -> bytes:
    seal = the_seal()
    return seal_xml(plain, seal.chain, AT, seal.sign)


def test_what_is_verified_is_the_document_and_nothing_else(plain, sealed):
    seal = the_seal()
    found = open_xml(sealed, [seal.root])
    assert found.element == etree.tostring(etree.fromstring(plain), method="c14n")
    assert (found.signer, found.signed_at) == (seal.chain[0], AT)
    assert verified(sealed, [seal.root], AT) == found.element


def test_the_same_time_and_key_give_the_same_bytes(plain, sealed):
    seal = the_seal()
    assert seal_xml(plain, seal.chain, AT, seal.sign) == sealed
    assert seal_xml(plain, seal.chain, AT + timedelta(seconds=1), seal.sign) != sealed


def test_what_is_signed_is_known_as_the_seal_of_its_document_alone(plain):
    asked: list[bytes] = []
    seal = the_seal()

    def sign(content: bytes) -> bytes:
        asked.append(content)
        return seal.sign(content)

    document = digital_certificate()
    seal_xml(plain, seal.chain, AT, sign)
    (content,) = asked
    assert is_seal_of(document, content)
    assert not is_seal_of(digital_certificate("en"), content)
    for other in (b"", b"<x/>", b"<!DOCTYPE x><x/>", content[:-1], b"calib-mark/1\n"):
        assert not is_seal_of(document, other)


def test_xmlsec_verifies_the_seal_under_its_root_and_under_no_other(sealed, tmp_path):
    xmlsec = need_tool("xmlsec1", "xmlsec1")
    (tmp_path / "dcc.xml").write_bytes(sealed)
    for name, root in (("own", the_seal().root), ("other", a_seal().root)):
        (tmp_path / name).write_text(pem_of([root]))
        done = subprocess.run(
            [
                xmlsec, "--verify", "--trusted-pem", str(tmp_path / name),
                "--verification-time", "2026-03-03 09:00:00",
                "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
                str(tmp_path / "dcc.xml"),
            ],
            capture_output=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode == 0) == (name == "own"), done.stderr


# ------------------------------------------------------------------------------ forged documents


def _changed(sealed: bytes, change) -> bytes:
    root = etree.fromstring(sealed)
    signature = root.find(f"{_DS}Signature")
    made = change(root, signature)
    return etree.tostring(root if made is None else made)


def _wrap(tag: str, *, inside: bool):
    """Put the signed document where the seal still finds it, and another where readers look."""

    def change(root, signature):
        forged = etree.fromstring(etree.tostring(root))
        forged.remove(forged.find(f"{_DS}Signature"))
        forged.set("schemaVersion", "9.9.9")
        holder = etree.SubElement(forged, tag)
        if inside:
            holder.append(root)
        else:
            holder.append(signature)
            holder.append(root)
        return forged

    return change


def _set(path: str, name: str, value: str):
    def change(root, signature):
        signature.find(path, {"ds": DS}).set(name, value)

    return change


def _second_reference(root, signature):
    info = signature.find(f"{_DS}SignedInfo")
    info.append(etree.fromstring(etree.tostring(info.find(f"{_DS}Reference"))))


def _same_id(root, signature):
    root.set("Id", signature.get("Id"))


def _xpath(root, signature):
    transforms = signature.find(f"{_DS}SignedInfo/{_DS}Reference/{_DS}Transforms")
    one = etree.SubElement(
        transforms, f"{_DS}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"
    )
    etree.SubElement(one, f"{_DS}XPath").text = "not(ancestor-or-self::forged)"


def _xslt(root, signature):
    transforms = signature.find(f"{_DS}SignedInfo/{_DS}Reference/{_DS}Transforms")
    etree.SubElement(
        transforms, f"{_DS}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"
    )


def _text(tag: str, text: str):
    def change(root, signature):
        next(root.iter(f"{DCC}{tag}")).text = text

    return change


def _twice(root, signature):
    root.append(etree.fromstring(etree.tostring(signature)))


def _nested(root, signature):
    etree.SubElement(signature, f"{_DS}Object").append(etree.fromstring(etree.tostring(signature)))


def _moved(root, signature):
    root[0].append(signature)


def _empty_transforms(root, signature):
    signature.find(f"{_DS}SignedInfo/{_DS}Reference").remove(
        signature.find(f"{_DS}SignedInfo/{_DS}Reference/{_DS}Transforms")
    )


def _no_certificates(root, signature):
    signature.find(f"{_DS}KeyInfo").remove(signature.find(f"{_DS}KeyInfo/{_DS}X509Data"))


def _other_info(root, signature):
    signature.append(etree.fromstring(etree.tostring(signature.find(f"{_DS}SignedInfo"))))


def _no_seal(root, signature):
    root.remove(signature)


def _added(root, signature):
    etree.SubElement(root, f"{DCC}comment").text = "U = 0.001"


_METHOD = "ds:SignedInfo/ds:SignatureMethod"
_DIGEST = "ds:SignedInfo/ds:Reference/ds:DigestMethod"
FORGERIES = {
    "wrapped-in-an-object": _wrap(f"{_DS}Object", inside=True),
    "wrapped-beside-the-seal": _wrap(f"{_DS}Object", inside=False),
    "wrapped-in-a-comment-element": _wrap(f"{DCC}comment", inside=True),
    "wrapped-in-a-foreign-element": _wrap("{urn:x}holder", inside=True),
    "second-reference": _second_reference,
    "second-seal": _twice,
    "seal-in-seal": _nested,
    "seal-moved-inward": _moved,
    "seal-taken-away": _no_seal,
    "same-id-twice": _same_id,
    "xpath-transform": _xpath,
    "xslt-transform": _xslt,
    "no-transform": _empty_transforms,
    "second-signed-info": _other_info,
    "no-certificates": _no_certificates,
    "number-changed": _text("uniqueIdentifier", "RD2026-000124"),
    "date-changed": _text("endPerformanceDate", "2027-03-02"),
    "element-added": _added,
    "sha1-signature": _set(_METHOD, "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"),
    "rsa-sha1-signature": _set(_METHOD, "Algorithm", f"{DS}rsa-sha1"),
    "md5-signature": _set(_METHOD, "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
    "hmac-signature": _set(_METHOD, "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    "hmac-sha1-signature": _set(_METHOD, "Algorithm", f"{DS}hmac-sha1"),
    "dsa-signature": _set(_METHOD, "Algorithm", f"{DS}dsa-sha1"),
    "unknown-signature": _set(_METHOD, "Algorithm", "urn:x"),
    "sha1-digest": _set(_DIGEST, "Algorithm", f"{DS}sha1"),
    "md5-digest": _set(_DIGEST, "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5"),
    "other-canonical-form": _set(
        "ds:SignedInfo/ds:CanonicalizationMethod", "Algorithm",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    ),
    "reference-to-another-place": _set("ds:SignedInfo/ds:Reference", "URI", "#xpointer(/)"),
    "reference-to-a-file": _set("ds:SignedInfo/ds:Reference", "URI", "file:///etc/hostname"),
    "properties-not-signed": _set("ds:SignedInfo/ds:Reference[2]", "Type", "urn:x"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_document_is_refused(sealed, name):
    forged = _changed(sealed, FORGERIES[name])
    assert forged != sealed
    with pytest.raises(DomainError):
        verified(forged, [the_seal().root], AT)


def test_every_bit_of_the_signature_value_counts(sealed):
    root = etree.fromstring(sealed)
    value = root.find(f"{_DS}Signature/{_DS}SignatureValue")
    original = base64.b64decode(value.text)
    for place in range(0, 512, 7):
        flipped = bytearray(original)
        flipped[place // 8] ^= 1 << place % 8
        value.text = base64.b64encode(flipped).decode()
        with pytest.raises(Refused, match="does not fit"):
            verified(etree.tostring(root), [the_seal().root], AT)


def test_a_comment_inside_a_number_changes_no_number(sealed):
    inside = sealed.replace(b"RD2026-000123<", b"RD2026<!-- -->-000123<", 1)
    assert inside != sealed
    element = etree.fromstring(verified(inside, [the_seal().root], AT))
    assert element.find(f".//{DCC}uniqueIdentifier").text == "RD2026-000123"


@pytest.mark.parametrize(
    "start",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]>',
        b'<!DOCTYPE x SYSTEM "file:///etc/hostname">',
        b"<!DOCTYPE x>",
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused_whatever_it_says(sealed, start):
    head, _, rest = sealed.partition(b"?>")
    with pytest.raises(Invalid):
        verified(head + b"?>" + start + rest, [the_seal().root], AT)


@pytest.mark.parametrize("content", [b"", b"x", b"<a", b"\0", b"<a/>" + b"x" * 100])
def test_what_is_no_xml_is_said_to_be_none(content):
    with pytest.raises(Invalid):
        verified(content, [the_seal().root], AT)


def test_what_is_sealed_already_is_not_sealed_again(sealed):
    seal = the_seal()
    with pytest.raises(Invalid, match="a seal already"):
        seal_xml(sealed, seal.chain, AT, seal.sign)


def test_a_larger_file_than_any_certificate_is_not_read(monkeypatch, sealed):
    monkeypatch.setattr(xml_seal, "LARGEST", len(sealed) - 1)
    with pytest.raises(Invalid):
        verified(sealed, [the_seal().root], AT)


def test_a_mac_by_the_public_key_is_no_signature(sealed):
    root = etree.fromstring(sealed)
    signature = root.find(f"{_DS}Signature")
    info = signature.find(f"{_DS}SignedInfo")
    hmac_method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    info.find(f"{_DS}SignatureMethod").set("Algorithm", hmac_method)
    known = the_seal().chain[0].public_bytes(xml_seal_encoding())
    mac = hmac.new(known, etree.tostring(info, method="c14n"), hashlib.sha256).digest()
    signature.find(f"{_DS}SignatureValue").text = base64.b64encode(mac).decode()
    with pytest.raises(Refused) as stop:
        verified(etree.tostring(root), [the_seal().root], AT)
    assert stop.value.code == "seal-too-weak"


def xml_seal_encoding():
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.PEM


@pytest.mark.parametrize("bits", [1024, 1536])
def test_a_short_rsa_key_is_refused_whatever_stands_above_it(sealed, bits):
    weak = rsa.generate_private_key(65537, bits)
    root = etree.fromstring(sealed)
    signature = root.find(f"{_DS}Signature")
    certificate = _rsa_certificate(weak)
    place = signature.find(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate")
    place.text = "".join(pem_of([certificate]).splitlines()[1:-1])
    info = signature.find(f"{_DS}SignedInfo")
    info.find(f"{_DS}SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    )
    made = weak.sign(etree.tostring(info, method="c14n"), padding.PKCS1v15(), hashes.SHA256())
    signature.find(f"{_DS}SignatureValue").text = base64.b64encode(made).decode()
    with pytest.raises(Refused) as stop:
        verified(etree.tostring(root), [certificate], AT)
    assert stop.value.code == "seal-too-weak"


def _rsa_certificate(key):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HZ seal 1")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    built = built.public_key(key.public_key()).serial_number(7)
    return built.not_valid_before(STARTS).not_valid_after(ENDS).sign(key, hashes.SHA256())
