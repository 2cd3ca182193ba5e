"""Sealers: what puts a seal on a certificate, or says in words that it bears none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from calib.services.ports import Form, Sealer, Signer, SigningRequest
from instruments.errors import Refused, Unavailable
from instruments.tenancy import installation_session

if TYPE_CHECKING:
    from cryptography import x509
    from sqlalchemy import Engine

    from calib.certificates.document import CertificateDocument
    from calib.certificates.pdf_seal import TimeAuthority
    from calib.certificates.signing import Linted, Rendered, Sealed


class UnsealedSealer:
    """For an installation without keys: the bytes as they are, which say ``unsigned``."""

    def seal_data(self, linted: Linted, xml: bytes) -> bytes:
        """Return the XML as it is."""
        return xml

    def mark(self, linted: Linted, place: int) -> str:
        """Return nothing: the code holds the address alone."""
        return ""

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the certificate without a seal."""
        from calib.certificates.signing import UNSIGNED, seal_rendered

        return seal_rendered(rendered, rendered.content, UNSIGNED)


class CheckedSealer:
    """Has the XML looked at by its schema, where the schemas are installed, once it is sealed."""

    def __init__(self, inner: Sealer, schemas: Path) -> None:
        """Keep who seals and where the schemas are."""
        self._inner = inner
        self._schemas = schemas

    def seal_data(self, linted: Linted, xml: bytes) -> bytes:
        """Return the sealed XML.

        Raises
        ------
        Refused
            It breaks its schema.
        Unavailable
        """
        from calib.certificates.dcc_schema import is_installed, validate

        sealed = self._inner.seal_data(linted, xml)
        if is_installed(self._schemas):
            found = validate(sealed, self._schemas)
            if found:
                raise Refused(
                    "dcc-breaks-schema",
                    "The XML of certificate {number} breaks its schema at {count} places; the "
                    "first: {first}. Report this with the document.",
                    facts={
                        "number": linted.document.number,
                        "count": len(found),
                        "first": found[0],
                    },
                    findings=found,
                )
        return sealed

    def mark(self, linted: Linted, place: int) -> str:
        """Return what stands behind the # of the code."""
        return self._inner.mark(linted, place)

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the sealed certificate."""
        return self._inner.seal(rendered)


class KeySealer(UnsealedSealer):
    """Seals with the key that was chosen when the number was reserved; without one leaves it be."""

    def __init__(self, engine: Engine, signer: Signer, time: TimeAuthority | None = None) -> None:
        """Keep where the public side of keys is found, who signs, and who stamps times."""
        self._engine = engine
        self._signer = signer
        self._time = time
        self._known: dict[str, tuple[int, tuple[x509.Certificate, ...]]] = {}
        """Fingerprint → key and certificates, which it names for ever; what became of the key the
        signer looks up each time."""

    def seal_data(self, linted: Linted, xml: bytes) -> bytes:
        """Return the XML with an XAdES seal.

        Raises
        ------
        Refused, Unavailable
        """
        document = linted.document
        if document.seal_key is None:
            return xml
        from calib.certificates.xml_seal import seal_xml

        chain, sign = self._key(document, "xml")
        return seal_xml(xml, chain, _sealed_at(document), sign)

    def mark(self, linted: Linted, place: int) -> str:
        """Return the signed mark of the code, where lab and log have their keys.

        Raises
        ------
        Refused, Unavailable
        """
        document = linted.document
        if document.seal_key is None:
            return ""
        from calib.ledger.marks import fragment_of
        from calib.ledger.notes import read_note_key, signed
        from calib.services.key_views import mark_keys
        from calib.verifier.marks import mark_of

        with installation_session(self._engine, read_only=True) as session:
            keys = mark_keys(session, document.token, _sealed_at(document))
        if keys is None:
            return ""
        mark, log = keys
        said = mark_of(document, log.name, place)
        request = SigningRequest(mark.id, "mark", said.text().encode(), document.token)
        signature = signed(read_note_key(mark.public_key), self._signer.sign(request))
        return fragment_of(said, signature)

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the PDF with a PAdES seal.

        Raises
        ------
        Refused, Unavailable
        """
        document = rendered.linted.document
        if document.seal_key is None:
            return super().seal(rendered)
        from calib.certificates.pdf_seal import seal_pdf
        from calib.certificates.signing import seal_rendered

        chain, sign = self._key(document, "pdf")
        content = seal_pdf(rendered.content, chain, _sealed_at(document), sign, self._time)
        return seal_rendered(rendered, content, document.seal_key.fingerprint)

    def _key(
        self, document: CertificateDocument, form: Form
    ) -> tuple[tuple[x509.Certificate, ...], Callable[[bytes], bytes]]:
        """Return the certificates of the document's key, and what signs with it."""
        named = document.seal_key.fingerprint if document.seal_key else ""
        if named not in self._known:
            self._known[named] = self._looked_up(named, document.number)
        key_id, chain = self._known[named]

        def sign(content: bytes) -> bytes:
            request = SigningRequest(key_id, form, content, document.token)
            signature = self._signer.sign(request)
            _need_fit(chain[0], signature, content)
            return signature

        return chain, sign

    def _looked_up(self, named: str, number: str) -> tuple[int, tuple[x509.Certificate, ...]]:
        from calib.services.key_views import key_of_certificate

        with installation_session(self._engine, read_only=True) as session:
            key = key_of_certificate(session, named)
        if key is None:
            raise Refused(
                "seal-key-unknown",
                "Certificate {number} was reserved for the seal {fingerprint}, which is not among "
                "the keys of this installation. Restore the database it was reserved in, or void "
                "it.",
                facts={"number": number, "fingerprint": named},
            )
        return key.id, key.certificates(named)


def _sealed_at(document: CertificateDocument) -> datetime:
    return datetime.fromisoformat(document.issued_at)


def _need_fit(certificate: x509.Certificate, signature: bytes, content: bytes) -> None:
    """Make sure that what came back is a signature by the key of the certificate."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = certificate.public_key()
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidSignature
        key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as problem:
        raise Unavailable(
            "seal-key-other",
            "The signer gave back a signature that is not by the key of the seal. Check where the "
            "private key is kept.",
        ) from problem
