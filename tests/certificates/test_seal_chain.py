"""Certificates of seals: a name is worth nothing, a chain to a trusted root is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from calib.certificates.dcc_writing import write_dcc
from calib.certificates.seal_chain import (
    make_alone,
    make_request,
    make_root,
    make_seal_certificate,
    pem_of,
    read_chain,
    trusted,
)
from calib.certificates.xml_seal import seal_xml, verified
from instruments.errors import Invalid, Refused
from tests.support.documents import digital_certificate
from tests.support.seals import AT, ENDS, STARTS, Seal, a_seal, signing, the_seal

GENUINE = the_seal()


def _key():
    return ec.generate_private_key(ec.SECP256R1())


def _under(seal: Seal, **more) -> Seal:
    """Return a key that the certificate of a seal, which may vouch for nobody, vouches for."""
    key = _key()
    own = make_seal_certificate(
        "HZ seal 1", "Riverside Institute", "HZ", key.public_key(), seal.chain[0], STARTS, ENDS,
        seal.sign,
    )  # fmt: skip
    return Seal(key, (own, *seal.chain))


def _alone(name: str) -> Seal:
    key = _key()
    return Seal(key, (make_alone(name, key.public_key(), STARTS, ENDS, signing(key)),))


def _same_names() -> dict[str, Seal]:
    """Return twenty keys that bear the genuine names, one way or another."""
    forged = {f"own-root-{i}": a_seal() for i in range(8)}
    forged |= {f"alone-{i}": _alone("HZ seal 1") for i in range(3)}
    forged["under-a-seal"] = _under(GENUINE)
    other = a_seal()
    forged["genuine-root-shown"] = Seal(other.key, (other.chain[0], GENUINE.root))
    forged["both-roots-shown"] = Seal(other.key, (*other.chain, GENUINE.root))
    forged["genuine-certificate-other-key"] = Seal(_key(), GENUINE.chain)
    forged["genuine-certificate-behind"] = Seal(other.key, (other.chain[0], *GENUINE.chain))
    forged["late"] = a_seal(starts=ENDS, ends=ENDS + timedelta(days=9))
    forged["name-of-the-root"] = _alone("calib.example.org root 1")
    forged["too-long"] = Seal(other.key, (*other.chain, *other.chain, *other.chain))
    forged["another-lab"] = a_seal("NB", "Riverside Institute")
    return forged


FORGED = _same_names()


@pytest.mark.parametrize("name", FORGED)
def test_a_key_of_the_same_name_is_not_the_key(name):
    forged = FORGED[name]
    sealed = seal_xml(write_dcc(digital_certificate()), forged.chain, AT, forged.sign)
    with pytest.raises(Refused):
        verified(sealed, [GENUINE.root], AT)


def test_twenty_keys_of_the_same_name_were_tried():
    assert len(FORGED) == 20


def test_the_genuine_chain_leads_to_its_root_with_or_without_it():
    for chain in (GENUINE.chain, GENUINE.chain[:1]):
        assert trusted(chain, [GENUINE.root], AT) == GENUINE.chain[0]


def test_a_certificate_may_be_trusted_without_the_one_above_it():
    assert trusted(GENUINE.chain[:1], [GENUINE.chain[0]], AT) == GENUINE.chain[0]


@pytest.mark.parametrize(
    ("at", "good"),
    [
        (STARTS - timedelta(seconds=1), False),
        (STARTS, True),
        (ENDS, True),
        (ENDS + timedelta(seconds=1), False),
    ],
)
def test_the_first_and_the_last_second_of_a_certificate_count(at, good):
    if good:
        assert trusted(GENUINE.chain, [GENUINE.root], at)
    else:
        with pytest.raises(Refused) as stop:
            trusted(GENUINE.chain, [GENUINE.root], at)
        assert stop.value.code == "seal-certificate-out-of-date"


def test_nothing_is_trusted_without_roots_and_nothing_without_certificates():
    for chain, roots in ((GENUINE.chain, []), ((), [GENUINE.root])):
        with pytest.raises(Refused):
            trusted(chain, roots, AT)


def test_a_seal_does_not_outlive_its_root():
    root_key, key = _key(), _key()
    root = make_root("r", root_key.public_key(), STARTS, ENDS, signing(root_key))
    late = ENDS + timedelta(days=1)
    own = make_seal_certificate(
        "s", "o", "HZ", key.public_key(), root, STARTS, late, signing(root_key)
    )
    assert own.not_valid_after_utc == ENDS


def _weak_certificate(curve=None, algorithm=None):
    key = ec.generate_private_key(curve or ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "HZ seal 1")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    built = built.public_key(key.public_key()).serial_number(1)
    built = built.not_valid_before(STARTS).not_valid_after(ENDS)
    return built.sign(key, algorithm or hashes.SHA256())


@pytest.mark.parametrize(
    "certificate",
    [
        _weak_certificate(ec.SECP192R1()),
        _weak_certificate(ec.SECP224R1()),
        _weak_certificate(algorithm=hashes.SHA224()),
    ],
)
def test_a_weak_certificate_is_refused_although_it_is_pinned(certificate):
    with pytest.raises(Refused) as stop:
        trusted([certificate], [certificate], AT)
    assert stop.value.code == "seal-too-weak"


def test_a_request_names_the_lab_and_proves_the_key():
    key = _key()
    pem = make_request("HZ seal 1", "滨江院", "HZ", key.public_key(), signing(key))
    request = x509.load_pem_x509_csr(pem)
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    assert "滨江院" in request.subject.rfc4514_string()


def test_chains_are_read_back_as_they_were_written():
    assert read_chain(pem_of(GENUINE.chain)) == GENUINE.chain


@pytest.mark.parametrize(
    "pem", ["", "x", pem_of(GENUINE.chain)[:200], "-----BEGIN CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_said_to_be_none(pem):
    with pytest.raises(Invalid):
        read_chain(pem)


def test_a_time_of_another_zone_is_the_same_instant():
    from zoneinfo import ZoneInfo

    at = datetime(2026, 3, 3, 16, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert at == datetime(2026, 3, 3, 8, 15, tzinfo=UTC)
    assert trusted(GENUINE.chain, [GENUINE.root], at)
