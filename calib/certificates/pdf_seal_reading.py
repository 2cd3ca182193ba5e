"""What the seal of a PDF certificate proves: who sealed every byte of the file, and when.

One seal over the whole file, no later change allowed or made; the only thing that may follow it is
one time stamp over everything before. Knows no log and no status: a seal that fits says that these
bytes were sealed, not that they still stand.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.general import UnacceptableSignerError
from pyhanko.sign.validation import (
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
    read_certification_data,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from calib.certificates.pdf_seal import asn1
from calib.certificates.seal_chain import Roots, too_weak, trusted
from calib.certificates.waiting import finished
from instruments.errors import DomainError, Invalid, Refused

_END = re.compile(rb"%%EOF(\r\n|\r|\n)?\Z")
_MECHANISMS = ("sha256_ecdsa", "sha384_ecdsa", "sha512_ecdsa")
_RSA = ("sha256_rsa", "sha384_rsa", "sha512_rsa", "rsassa_pkcs1v15", "rsassa_pss")
_DIGESTS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class SealedPDF:
    """Who sealed the file, and when."""

    signer: x509.Certificate
    signed_at: datetime
    """As the signer claims it."""
    stamped_at: datetime | None = None
    """As a trusted timestamp authority states it; None: no such stamp."""
    stamped_by: str = ""
    """Name of the authority in the stamp, trusted or not; empty: there is no stamp."""


def verified_pdf(
    content: bytes, roots: Roots, at: datetime | None = None, time_roots: Roots = ()
) -> SealedPDF:
    """Return who sealed the file; without `at` the time of the seal itself counts.

    Raises
    ------
    Invalid
        The file is no PDF, or bears no seal.
    Refused
        The seal does not fit, does not cover every byte, allows changes, is too weak, or leads to
        no trusted root.
    """
    if _END.search(content[-16:]) is None:
        raise _changed("something stands behind its end")
    with _of_a_stranger():
        reader = PdfFileReader(io.BytesIO(content), strict=True)
        signatures = reader.embedded_regular_signatures
        stamps = reader.embedded_timestamp_signatures
        certified = read_certification_data(reader)
    if not signatures:
        raise Invalid(
            "pdf-seal-missing",
            "The PDF bears no seal. Ask the laboratory for a sealed file.",
        )
    if len(signatures) > 1 or len(stamps) > 1:
        raise _changed("it bears more than one seal")
    if certified is None or certified.permission != MDPPerm.NO_CHANGES:
        raise _changed("its seal allows changes")
    with _of_a_stranger():
        for one in (*signatures, *stamps):
            _need_plain_hole(content, one)
        proving = functools.partial(_proved, signatures[0], stamps, roots, at, time_roots)
        return finished(proving, asks=False)


@contextmanager
def _of_a_stranger() -> Iterator[None]:
    """Turn whatever a parser stumbles over into a refusal: the file may be made to that end."""
    try:
        yield
    except (DomainError, MemoryError):
        raise
    except (SignatureValidationError, UnacceptableSignerError) as problem:
        raise _changed(str(problem)) from problem
    except Exception as problem:
        raise _unreadable(problem) from problem


def _need_plain_hole(content: bytes, signature: Any) -> None:
    """Make sure that the one part no seal covers, its own place, holds the seal and zeros alone."""
    _, start, end, _ = (int(one) for one in signature.byte_range)
    kept: bytes = signature.pkcs7_content
    first = cms.ContentInfo.load(kept).dump()
    if content[start:end] != b"<" + kept.hex().upper().encode() + b">" or (
        not kept.startswith(first) or any(kept[len(first) :])
    ):
        raise _changed("something stands in the place of the seal beside it")


async def _proved(
    signature: Any, stamps: list[Any], roots: Roots, at: datetime | None, time_roots: Roots
) -> SealedPDF:
    _need_strong(signature)
    chain = _chain_of(signature)
    signed_at = signature.self_reported_timestamp
    if signed_at is None or signed_at.tzinfo is None:
        raise _changed("it does not say when it was sealed")
    leaf = trusted(chain, roots, at or signed_at)
    own = _stamps_in(signature)
    if len(own) > 1:
        raise _changed("it bears more than one time stamp")
    status = await async_validate_pdf_signature(
        signature,
        signer_validation_context=_context([leaf], at or signed_at),
        ts_validation_context=_context(time_roots, _time_in(own[0]) if own else None),
    )
    if not (status.intact and status.valid):
        raise _changed("the seal does not fit its bytes")
    last = stamps[0] if stamps else signature
    if last is not signature:
        times = _context(time_roots, _time_in(last.signed_data))
        stamp = await async_validate_pdf_timestamp(last, times)
        later_is_fine = stamp.intact and stamp.valid and status.docmdp_ok
        if not later_is_fine or signature.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
            raise _changed("something other than a time stamp follows the seal")
    if last.evaluate_signature_coverage() != SignatureCoverageLevel.ENTIRE_FILE:
        raise _changed("the seal does not cover every byte")
    return SealedPDF(leaf, signed_at, *_stamped(status))


def _stamps_in(signature: Any) -> list[Any]:
    """Return the time stamps inside a seal."""
    attributes = signature.signer_info["unsigned_attrs"]
    return [
        token["content"]
        for attribute in attributes
        if attribute["type"].native == "signature_time_stamp_token"
        for token in attribute["values"]
    ]


def _time_in(stamp: Any) -> datetime:
    """Return the time in a stamp: the certificate of its authority is judged as it was then.

    Otherwise no stamp would outlive that certificate, and it is to show what was long ago.
    """
    stamped_at: datetime = stamp["encap_content_info"]["content"].parsed["gen_time"].native
    return stamped_at


def _stamped(status: Any) -> tuple[datetime | None, str]:
    """Return the time of the stamp inside the seal, where its authority is trusted, and whose."""
    stamp = status.timestamp_validity
    if stamp is None:
        return None, ""
    if not (stamp.intact and stamp.valid):
        raise _changed("its time stamp is of something else")
    by = str(stamp.signing_cert.subject.native.get("common_name", "?"))
    return (stamp.timestamp if stamp.trusted else None), by


def _context(roots: Roots, at: datetime | None = None) -> ValidationContext:
    return ValidationContext(
        trust_roots=[asn1(root) for root in roots],
        moment=at,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )


def _chain_of(signature: Any) -> list[x509.Certificate]:
    first = signature.signer_cert
    others = [one for one in signature.other_embedded_certs if one.dump() != first.dump()]
    return [x509.load_der_x509_certificate(one.dump()) for one in (first, *others)]


def _need_strong(signature: Any) -> None:
    info = signature.signer_info
    mechanism = info["signature_algorithm"]["algorithm"].native
    digest = info["digest_algorithm"]["algorithm"].native
    if mechanism not in _MECHANISMS + _RSA or digest not in _DIGESTS:
        raise too_weak(f"{mechanism}, {digest}")


def _changed(reason: str) -> Refused:
    return Refused(
        "pdf-seal-wrong",
        "The seal of the PDF does not stand for the whole file ({reason}): file or seal was "
        "changed. Do not rely on it; ask the laboratory for the original file.",
        facts={"reason": reason[:200]},
    )


def _unreadable(problem: Exception) -> Invalid:
    return Invalid(
        "sealed-pdf-unreadable",
        "The file cannot be read as a sealed PDF ({reason}). Ask for the original file.",
        facts={"reason": str(problem)[:200] or type(problem).__name__},
    )
