"""The seal of a PDF certificate: PAdES, certifying the whole file, no later change allowed.

The key stays outside: the bytes to be signed are handed to a function that signs them. The field
is invisible, so that PDF/A-3 and PDF/UA stay; what the page says of the seal was drawn before.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from asn1crypto.algos import SignedDigestAlgorithm  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from calib.certificates.seal_chain import Sign
from calib.certificates.waiting import finished
from instruments.errors import Unavailable

Level = Literal["B-T", "B-LT", "B-LTA"]
FIELD = "Seal"
TIME_FIELD = "SealTime"
_RESERVED = 16 * 1024
"""Hexadecimal digits kept free for the signature; with a time stamp twice as many."""
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """Where times are stamped (RFC 3161), and how much evidence is kept with the seal."""

    url: str
    roots: tuple[x509.Certificate, ...]
    """Roots of the authority: evidence is collected (B-LT, B-LTA) for chains that reach them."""
    level: Level = "B-T"

    def stamper(self) -> TimeStamper:
        """Return what asks the authority."""
        return HTTPTimeStamper(self.url, timeout=_PATIENCE)


class _Outside(signers.Signer):
    """A signer of pyHanko whose key is elsewhere."""

    def __init__(self, chain: Sequence[x509.Certificate], sign: Sign) -> None:
        certificates = [asn1(one) for one in chain]
        super().__init__(
            signing_cert=certificates[0],
            cert_registry=SimpleCertificateStore.from_certs(certificates[1:]),  # type: ignore[no-untyped-call]
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            embed_roots=False,
        )
        self._sign = sign

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002
    ) -> bytes:
        return bytes(72) if dry_run else self._sign(data)


class _Steady(IncrementalPdfFileWriter):
    """Appends the seal and nothing that is drawn by chance or read from a clock."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        before, _ = self._document_id
        drawn = hashlib.sha256(content).digest()[:16]
        self._document_id = generic.ArrayObject([before, generic.ByteStringObject(drawn)])
        self.trailer["/ID"] = self._document_id

    def _update_meta(self) -> None:
        """Leave the metadata: the file says itself when and how it was made."""


def seal_pdf(
    content: bytes,
    chain: Sequence[x509.Certificate],
    signed_at: datetime,
    sign: Sign,
    time: TimeAuthority | None = None,
) -> bytes:
    """Return the file with the seal appended; the same time and signature give the same bytes.

    Raises
    ------
    Unavailable
        The timestamp authority did not answer.
    """
    sealing = functools.partial(_sealed, content, chain, signed_at, sign, time)
    return finished(sealing, asks=time is not None)


async def _sealed(
    content: bytes,
    chain: Sequence[x509.Certificate],
    signed_at: datetime,
    sign: Sign,
    time: TimeAuthority | None,
) -> bytes:
    signer = signers.PdfSigner(
        _metadata(chain, time),
        _Outside(chain, sign),
        timestamper=time.stamper() if time else None,
        new_field_spec=SigFieldSpec(FIELD),
    )
    session = signer.init_signing_session(_Steady(content))
    session.system_time = signed_at
    try:
        checked = await session.perform_presign_validation(session.pdf_out)
        prepared = session.prepare_tbs_document(checked, _RESERVED * (2 if time else 1))
        digest, output = prepared.digest_tbs_document()
        after = await prepared.perform_signature(
            document_digest=digest.document_digest,
            pdf_cms_signed_attrs=PdfCMSSignedAttributes(signing_time=signed_at),
        )
        await after.post_signature_processing(output)
    except Exception as problem:
        if time is None or not _is_about_time(problem):
            raise
        raise Unavailable(
            "timestamp-unavailable",
            "The timestamp authority {url} did not stamp the seal ({reason}). The certificate "
            "stays reserved and is finished when the authority answers.",
            facts={"url": time.url, "reason": str(problem)[:200]},
        ) from problem
    output.seek(0)
    sealed: bytes = output.read()
    return sealed


def _metadata(
    chain: Sequence[x509.Certificate], time: TimeAuthority | None
) -> signers.PdfSignatureMetadata:
    given: dict[str, Any] = {
        "field_name": FIELD,
        "md_algorithm": "sha256",
        "subfilter": SigSeedSubFilter.PADES,
        "certify": True,
        "docmdp_permissions": MDPPerm.NO_CHANGES,
    }
    if time is not None and time.level != "B-T":
        roots = [asn1(one) for one in (chain[-1], *time.roots)]
        given |= {
            "embed_validation_info": True,
            "use_pades_lta": time.level == "B-LTA",
            "timestamp_field_name": TIME_FIELD,
            "validation_context": ValidationContext(
                trust_roots=roots,
                other_certs=[asn1(one) for one in chain[1:]],
                allow_fetching=False,
                revocation_mode="soft-fail",
            ),
            # evidence in the same revision as the seal: nothing but a time stamp comes after it
            "dss_settings": DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
        }
    return signers.PdfSignatureMetadata(**given)


def asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return a certificate as pyHanko knows it."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _is_about_time(problem: Exception) -> bool:
    from pyhanko.sign.timestamps import TimestampRequestError

    return isinstance(problem, TimestampRequestError | OSError)
