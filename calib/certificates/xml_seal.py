"""The seal of an XML certificate: XAdES, enveloped, inclusive canonical form, ECDSA P-256, SHA-256.

The key stays outside: the bytes to be signed are handed to a function that signs them. Nothing is
read from a sealed document but the one signed element, which `verified` returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.xades.xades import (
    XAdESDataObjectFormat,
    XAdESSignatureConfiguration,
    XAdESSigner,
    XAdESVerifier,
)

from calib.certificates.seal_chain import Roots, Sign, too_weak, trusted
from instruments.errors import DomainError, Invalid, Refused

LARGEST = 25 * 1024 * 1024
MOST_PARTS = 500_000
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
_SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"
_ENVELOPED: Final = f"{DS}enveloped-signature"
_CANONICAL: Final = frozenset(
    {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    }
)
_METHODS: Final = frozenset(
    {
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
    }
)
_DIGESTS: Final = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)
_PROPERTIES: Final = f"{{{DS}}}Object/{{{XADES}}}QualifyingProperties/{{{XADES}}}SignedProperties"
_IDS: Final = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")


@dataclass(frozen=True, slots=True)
class SealedXML:
    """What the seal of an XML document covers, and who set it."""

    element: bytes
    """The signed element without the seal, in its canonical form: nothing else may be read."""
    signer: x509.Certificate
    signed_at: datetime
    """As the signer claims it."""


class _Outside:
    """Stands where signxml wants a private key: has what it asks of one, and no key."""

    key_size = 256

    def __init__(self, sign: Sign) -> None:
        self._sign = sign

    def sign(self, data: bytes, signature_algorithm: object) -> bytes:
        return self._sign(data)


class _Steady(XAdESSigner):
    """Signs with the time it is told and numbers instead of chance, so that a retry is alike."""

    def __init__(self, signed_at: datetime) -> None:
        super().__init__(
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
            data_object_format=XAdESDataObjectFormat("Calibration certificate", "application/xml"),
        )
        self._signed_at = signed_at
        self._given = 0

    def _get_token(self, length: int = 4) -> str:  # signxml draws it by chance
        self._given += 1
        return f"-{self._given}"

    def add_signing_time(
        self, signed_signature_properties: Any, sig_root: Any, signing_settings: Any
    ) -> None:
        place = etree.SubElement(signed_signature_properties, f"{{{XADES}}}SigningTime")
        place.text = self._signed_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def seal_xml(
    content: bytes, chain: Sequence[x509.Certificate], signed_at: datetime, sign: Sign
) -> bytes:
    """Return the document with a seal as its last element; `signed_at` is a UTC instant.

    Raises
    ------
    Invalid
        The document cannot be read, or bears a seal already.
    """
    root = _parsed(content)
    if next(root.iter(f"{{{DS}}}Signature"), None) is not None:
        raise _unreadable("it bears a seal already")
    signer = _Steady(signed_at)
    key = cast("ec.EllipticCurvePrivateKey", _Outside(sign))
    sealed = signer.sign(root, key=key, cert=list(chain), always_add_key_value=False)
    return etree.tostring(sealed, xml_declaration=True, encoding="UTF-8")


def verified(content: bytes, roots: Roots, at: datetime) -> bytes:
    """Return the one signed element of a sealed document; the rest of the file is not to be read.

    Raises
    ------
    Invalid
        The document cannot be read, or bears no seal.
    Refused
        The seal does not fit, is too weak, or leads to no trusted root at `at`.
    """
    return open_xml(content, roots, at).element


def open_xml(content: bytes, roots: Roots, at: datetime | None = None) -> SealedXML:
    """Return what the seal covers and who set it; without `at` the time of the seal itself counts.

    Raises as `verified` does.
    """
    root = _parsed(content)
    signature = _only_signature(root)
    _need_unique_ids(root)
    count = _need_plain_references(root, signature)
    signed_at = _signed_at(signature)
    try:
        leaf = trusted(_chain_in(signature), roots, at or signed_at)
        results = XAdESVerifier().verify(
            root, x509_cert=leaf, expect_config=_config(count, at or signed_at)
        )
    except (DomainError, MemoryError):
        raise
    except Exception as problem:  # whatever a parser stumbles over: the file is a stranger's
        raise Refused(
            "xml-seal-wrong",
            "The seal does not fit the XML document ({reason}): document or seal was changed. Do "
            "not rely on it; ask the laboratory for the original file.",
            facts={"reason": str(problem)[:200]},
        ) from problem
    return SealedXML(results[0].signed_data, leaf, signed_at)


def _config(references: int, at: datetime) -> XAdESSignatureConfiguration:
    return XAdESSignatureConfiguration(
        expect_references=references,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        location="./",
        verification_time=at,
    )


def _parsed(content: bytes) -> etree._Element:
    if len(content) > LARGEST:
        raise _unreadable("it is larger than 25 MB")
    if content.count(b"<") > MOST_PARTS:
        raise _unreadable("it has more parts than any certificate")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise _unreadable(str(problem)) from problem
    if root.getroottree().docinfo.internalDTD is not None or b"<!DOCTYPE" in content:
        raise _unreadable("it declares a document type, which no certificate needs")
    return root


def _only_signature(root: etree._Element) -> etree._Element:
    found = list(root.iter(f"{{{DS}}}Signature"))
    if not found:
        raise Invalid(
            "xml-seal-missing",
            "The XML document bears no seal. Ask the laboratory for a sealed file.",
        )
    if len(found) > 1 or found[0].getparent() is not root:
        raise _suspicious("it holds several seals, or one that is wrapped into something else")
    return found[0]


def _need_unique_ids(root: etree._Element) -> None:
    named = Counter(
        element.get(name)
        for element in root.iter(etree.Element)
        for name in _IDS
        if element.get(name) is not None
    )
    twice = [id_ for id_, count in named.items() if count > 1]
    if twice:
        raise _suspicious(f"two elements bear the same id {str(twice[0])[:60]}")


def _need_plain_references(root: etree._Element, signature: etree._Element) -> int:
    """Make sure that the seal covers the whole document once, and itself; return the count."""
    infos = signature.findall(f"{{{DS}}}SignedInfo")
    if len(infos) != 1 or len(signature.findall(f"{{{DS}}}KeyInfo")) != 1:
        raise _suspicious("the seal holds a part twice, or lacks one")
    info = infos[0]
    _need_method(info, "CanonicalizationMethod", _CANONICAL)
    _need_method(info, "SignatureMethod", frozenset(one.value for one in _METHODS))
    references = info.findall(f"{{{DS}}}Reference")
    if not 2 <= len(references) <= 3:
        raise _suspicious("it does not cover exactly one document and its own properties")
    for place, reference in enumerate(references):
        _need_method(reference, "DigestMethod", frozenset(one.value for one in _DIGESTS))
        covered = _covered(root, signature, reference)
        transforms = [
            one.get("Algorithm", "")
            for one in reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
        ]
        wanted = {_ENVELOPED} if place == 0 else set[str]()
        if (covered is root) != (place == 0) or not wanted <= set(transforms):
            raise _suspicious("it does not cover exactly one document and its own properties")
        if not set(transforms) <= wanted | _CANONICAL:
            raise too_weak("a transform that can leave parts of the document out")
    types = [reference.get("Type", "") for reference in references[1:]]
    if types.count(_SIGNED_PROPERTIES) != 1:
        raise _suspicious("its own properties are not signed")
    return len(references)


def _covered(
    root: etree._Element, signature: etree._Element, reference: etree._Element
) -> etree._Element | None:
    """Return the element a reference names: the document, or a part of the seal itself."""
    uri = reference.get("URI")
    if uri is None:
        return None
    if uri == "" or uri in {f"#{root.get(name)}" for name in _IDS if root.get(name)}:
        return root
    key = signature.find(f"{{{DS}}}KeyInfo")
    properties = signature.find(_PROPERTIES)
    is_properties = reference.get("Type", "") == _SIGNED_PROPERTIES
    inside = properties if is_properties else key
    if inside is None or uri != f"#{inside.get('Id')}":
        raise _suspicious("it covers something that is neither the document nor part of the seal")
    return inside


def _need_method(inside: etree._Element, name: str, allowed: frozenset[str]) -> None:
    found = inside.findall(f"{{{DS}}}{name}")
    algorithm = found[0].get("Algorithm", "") if len(found) == 1 else ""
    if algorithm not in allowed:
        raise too_weak(algorithm[:80] or f"no {name}")


def _chain_in(signature: etree._Element) -> list[x509.Certificate]:
    places = signature.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    try:
        return [
            x509.load_pem_x509_certificate(
                f"-----BEGIN CERTIFICATE-----\n{(one.text or '').strip()}\n"
                "-----END CERTIFICATE-----\n".encode()
            )
            for one in places
        ]
    except ValueError as problem:
        raise _unreadable(f"a certificate in it: {problem}") from problem


def _signed_at(signature: etree._Element) -> datetime:
    found = signature.findall(
        f"{_PROPERTIES}/{{{XADES}}}SignedSignatureProperties/{{{XADES}}}SigningTime"
    )
    try:
        (one,) = found
        signed_at = datetime.fromisoformat(one.text or "")
    except ValueError as problem:
        raise _suspicious("it does not say once when it was set") from problem
    if signed_at.tzinfo is None:
        raise _suspicious("the time of the seal has no zone")
    return signed_at


def _unreadable(reason: str) -> Invalid:
    return Invalid(
        "sealed-xml-unreadable",
        "The XML document cannot be read as a sealed certificate: {reason}. Ask for the original "
        "file.",
        facts={"reason": reason[:200]},
    )


def _suspicious(reason: str) -> Refused:
    return Refused(
        "xml-seal-suspicious",
        "The XML document is built as forgeries are: {reason}. Do not rely on it; ask the "
        "laboratory for the original file.",
        facts={"reason": reason},
    )
