"""X.509 certificates of seals: made, read, and followed to a root that is trusted.

Keys stay outside: what is to be signed is handed to a function that signs it. Only P-256 with
SHA-256 is made; what is read may also be a larger curve or RSA of 2048 bits and more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from asn1crypto import csr as asn1_csr  # type: ignore[import-untyped]
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from asn1crypto.algos import SignedDigestAlgorithm  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from instruments.errors import Invalid, Refused

Sign = Callable[[bytes], bytes]
"""Returns the DER signature (ECDSA with SHA-256) of what it is given."""
Roots = Sequence[x509.Certificate]
LONGEST_CHAIN = 4
_LONGEST_NAME = 64
_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def make_root(
    name: str, public_key: ec.EllipticCurvePublicKey, starts: datetime, ends: datetime, sign: Sign
) -> x509.Certificate:
    """Return the certificate of a root, signed by itself; it vouches for seals and nothing else."""
    subject = _subject(name, name)
    built = _builder(subject, subject, public_key, starts, ends, public_key)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(built.add_extension(_usage(is_root=True), critical=True), sign)


def make_seal_certificate(
    name: str,
    organisation: str,
    code: str,
    public_key: ec.EllipticCurvePublicKey,
    root: x509.Certificate,
    starts: datetime,
    ends: datetime,
    sign: Sign,
) -> x509.Certificate:
    """Return the certificate of a seal under a root; `code` is the lab's."""
    issuer_key = root.public_key()
    if not isinstance(issuer_key, ec.EllipticCurvePublicKey):
        raise TypeError("the root of an installation is a P-256 key")
    subject = _subject(name, organisation, code)
    ends = min(ends, root.not_valid_after_utc)
    built = _builder(subject, root.subject, public_key, starts, ends, issuer_key)
    built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return _signed(built.add_extension(_usage(is_root=False), critical=True), sign)


def make_alone(  # a certificate nobody trusts: for previews and trials
    name: str, public_key: ec.EllipticCurvePublicKey, starts: datetime, ends: datetime, sign: Sign
) -> x509.Certificate:
    """Return a certificate signed by its own key, which is no root and under none."""
    subject = _subject(name, name)
    built = _builder(subject, subject, public_key, starts, ends, public_key)
    built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return _signed(built.add_extension(_usage(is_root=False), critical=True), sign)


def make_request(
    name: str, organisation: str, code: str, public_key: ec.EllipticCurvePublicKey, sign: Sign
) -> bytes:
    """Return a certificate signing request (PEM), for a lab that is certified elsewhere."""
    subject = _subject(name, organisation, code)
    to_sign = asn1_csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1_x509.Name.load(subject.public_bytes()),
            "subject_pk_info": asn1_keys.PublicKeyInfo.load(spki(public_key)),
            "attributes": asn1_csr.CRIAttributes([]),
        }
    )
    request = asn1_csr.CertificationRequest(
        {
            "certification_request_info": to_sign,
            "signature_algorithm": SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": sign(to_sign.dump()),
        }
    )
    loaded = x509.load_der_x509_csr(request.dump())
    return loaded.public_bytes(serialization.Encoding.PEM)


def spki(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the DER of a public key."""
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def pem_of(chain: Sequence[x509.Certificate]) -> str:
    """Return certificates as PEM, one after another."""
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain)


def read_chain(pem: str) -> tuple[x509.Certificate, ...]:
    """Read certificates, the one of the key first.

    Raises
    ------
    Invalid
        There is none, or one cannot be read.
    """
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem.encode()))
        for one in chain:
            _ = (one.public_key(), one.extensions, one.not_valid_before_utc)
    except (ValueError, x509.DuplicateExtension) as problem:
        raise Invalid(
            "certificate-chain-unreadable",
            "These are no X.509 certificates in PEM form: {reason}. Send the file as the "
            "certification authority gave it.",
            facts={"reason": str(problem)[:200]},
        ) from problem
    return chain


def organisation_of(certificate: x509.Certificate) -> str:
    """Return the organisation a certificate was made out to; empty: none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""


def name_of(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate; empty: none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def trusted(chain: Sequence[x509.Certificate], roots: Roots, at: datetime) -> x509.Certificate:
    """Follow a chain from the certificate of a key to a trusted root; return that of the key.

    A certificate that is itself among the roots is trusted without one above it.

    Raises
    ------
    Refused
        No trusted root is reached, a link does not fit, is out of date at `at`, may not vouch for
        others, or uses what is too weak.
    """
    if not 0 < len(chain) <= LONGEST_CHAIN:
        raise _untrusted("it comes without certificates, or with too many")
    leaf, above = chain[0], {fingerprint(root): root for root in roots}
    _fit_for_seal(leaf)
    here, rest = leaf, list(chain[1:])
    for _ in range(LONGEST_CHAIN):
        _need_strong(here, at)
        if fingerprint(here) in above:
            return leaf
        issuer = _issuer(here, [*above.values(), *rest])
        if issuer is None:
            raise _untrusted("none of the trusted roots stands above it")
        rest = [one for one in rest if one != issuer]
        here = issuer
    raise _untrusted("its chain is too long")


def _issuer(
    certificate: x509.Certificate, candidates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    for issuer in candidates:
        if issuer == certificate or not _may_vouch(issuer):
            continue
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return issuer
    return None


def _may_vouch(certificate: x509.Certificate) -> bool:
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return basic.ca and usage.key_cert_sign


def _fit_for_seal(leaf: x509.Certificate) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise _untrusted("its certificate is not made for signatures")


def _need_strong(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Refused(
            "seal-certificate-out-of-date",
            "The certificate of {name} was valid from {starts} to {ends}, but the seal is of {at}. "
            "Ask the laboratory for a certificate with a valid seal.",
            facts={
                "name": name_of(certificate),
                "starts": certificate.not_valid_before_utc.isoformat(),
                "ends": certificate.not_valid_after_utc.isoformat(),
                "at": at.isoformat(),
            },
        )
    key = certificate.public_key()
    is_strong_key = (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048
    )
    if not is_strong_key or not isinstance(certificate.signature_hash_algorithm, _STRONG):
        raise too_weak(f"the certificate of {name_of(certificate)}")


def too_weak(what: str) -> Refused:
    """Return the refusal of a seal that rests on what can be forged."""
    return Refused(
        "seal-too-weak",
        "The seal rests on {what}, which can be forged. Ask the laboratory for a certificate "
        "sealed with ECDSA P-256, or RSA of 2048 bits and more, and SHA-256.",
        facts={"what": what},
    )


def _untrusted(reason: str) -> Refused:
    return Refused(
        "seal-untrusted",
        "The seal leads to no key this installation vouches for: {reason}. Anybody can make a seal "
        "that bears the name of a laboratory; do not rely on it.",
        facts={"reason": reason},
    )


def _subject(name: str, organisation: str, code: str = "") -> x509.Name:
    parts = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:_LONGEST_NAME]),
        x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_NAME]),
    ]
    if code:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, code))
    return x509.Name(parts)


def _usage(*, is_root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=not is_root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    starts: datetime,
    ends: datetime,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _signed(built: x509.CertificateBuilder, sign: Sign) -> x509.Certificate:
    """Have the real key sign what a key of the moment was used to put together."""
    draft = built.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    whole = asn1_x509.Certificate.load(draft.public_bytes(serialization.Encoding.DER))
    whole["signature_value"] = sign(draft.tbs_certificate_bytes)
    return x509.load_der_x509_certificate(whole.dump(force=True))
