"""What a seal is asked to sign, looked at before it is signed.

A seal over XML signs a list of references, a seal over PDF a set of attributes: nothing else is
ever signed with such a key, and the XML must be the one that follows from the frozen document.
"""

from __future__ import annotations

import base64
import hashlib

from asn1crypto import cms  # type: ignore[import-untyped]
from lxml import etree

from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import CertificateDocument
from calib.certificates.xml_seal import DS

_LARGEST = 64 * 1024
_ATTRIBUTES = {
    "content_type",
    "message_digest",
    "signing_certificate_v2",
    "cms_algorithm_protection",
}


def is_seal_of(document: CertificateDocument, content: bytes, digest: str | None = None) -> bool:
    """Answer whether this is what a seal signs over the XML that follows from the document.

    `digest` is that of the document where it is known already.
    """
    info = _signed_info(content)
    if info is None:
        return False
    first = info.find(f"{{{DS}}}Reference[@URI='']/{{{DS}}}DigestValue")
    wanted = hashlib.sha256(_canonical(write_dcc(document, digest))).digest()
    return first is not None and first.text == base64.b64encode(wanted).decode()


def is_seal_of_pdf(content: bytes, certificate_digest: str) -> bool:
    """Answer whether this is what a seal signs over a PDF, in the name of that certificate."""
    try:
        attributes = cms.CMSAttributes.load(content, strict=True)
        found = {one["type"].native: one["values"] for one in attributes}
        if len(found) != len(attributes) or not set(found) <= _ATTRIBUTES:
            return False
        digest = found["message_digest"][0].native
        named = found["signing_certificate_v2"][0]["certs"][0]["cert_hash"].native
        kind = found["content_type"][0].native
    except (ValueError, KeyError, IndexError, TypeError):
        return False
    is_whole = len(content) <= _LARGEST and attributes.dump() == content
    return is_whole and kind == "data" and len(digest) == 32 and named.hex() == certificate_digest


def _signed_info(content: bytes) -> etree._Element | None:
    if len(content) > _LARGEST or b"<!DOCTYPE" in content:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root.tag == f"{{{DS}}}SignedInfo" else None


def _canonical(xml: bytes) -> bytes:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.tostring(etree.fromstring(xml, parser), method="c14n")
