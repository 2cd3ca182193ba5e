"""Keys in a key management service: asked for what stays there, and named when it fails."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import threading
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from calib.adapters.signing_kms import TransitVault
from instruments.errors import Unavailable
from tests.support.builders import NOW
from tests.support.keyed import PASSPHRASE, fits


def test_the_service_is_asked_for_a_key_that_stays_and_sees_no_content(service):
    vault = TransitVault(service.address, lambda: PASSPHRASE)
    reference, public = vault.make("ecdsa-p256", "seal-HZ")
    content = b"what a certificate says" * 1000
    fits(public, vault.sign(reference, "ecdsa-p256", content), content)
    (_, made), _, (path, asked) = service.asked
    assert made == {"type": "ecdsa-p256", "exportable": False, "allow_plaintext_backup": False}
    assert path == f"/v1/transit/sign/{reference.removeprefix('kms:')}"
    assert base64.b64decode(asked["input"]) == hashlib.sha256(content).digest()
    assert asked["key_version"] == 1


@pytest.mark.parametrize("harm", ["sealed", "other-token", "nonsense", "empty", "away"])
@pytest.mark.parametrize("act", ["make", "sign", "check"])
def test_a_service_that_does_not_do_as_asked_is_named(service, harm, act):
    vault = TransitVault(service.address, lambda: PASSPHRASE)
    reference, _ = vault.make("ed25519", "log")
    service.sealed = harm == "sealed"
    service.token = "another" if harm == "other-token" else service.token
    service.said = {"nonsense": b"<html>", "empty": b'{"data": null}'}.get(harm)
    if harm == "away":
        vault = TransitVault("http://127.0.0.1:9/v1/transit", lambda: PASSPHRASE)
    acts = {
        "make": lambda: vault.make("ed25519", "log"),
        "sign": lambda: vault.sign(reference, "ed25519", b"x"),
        "check": vault.check,
    }
    if (harm, act) == ("empty", "check"):
        vault.check()  # it answers, and takes the token
        return
    with pytest.raises(Unavailable) as stop:
        acts[act]()
    assert stop.value.code == ("address-silent" if harm == "away" else "kms-unavailable")
    assert PASSPHRASE.decode() not in str(stop.value.facts)


@pytest.mark.parametrize(
    "reference", ["kms:seal-HZ-0123456789abcdef", "kms:../../sys/seal", "kms:"]
)
def test_a_key_the_service_does_not_have_is_missing_and_leads_nowhere_else(service, reference):
    with pytest.raises(Unavailable) as stop:
        TransitVault(service.address, lambda: PASSPHRASE).sign(reference, "ed25519", b"x")
    assert stop.value.code == "key-missing"
    assert all(path.startswith("/v1/transit/sign/seal-HZ-") for path, _ in service.asked)


def test_a_mount_that_is_not_there_makes_no_key_missing(service):
    """People who mistyped an address are not told to give their keys up."""
    reference, _ = TransitVault(service.address, lambda: PASSPHRASE).make("ed25519", "log")
    other = TransitVault(service.address + "s", lambda: PASSPHRASE)
    with pytest.raises(Unavailable, match="no handler for route") as stop:
        other.sign(reference, "ed25519", b"x")
    assert stop.value.code == "kms-unavailable"


@pytest.mark.parametrize("token", [b"two\nlines", b" a token", b"\xff" * 20, b"token\n", b""])
def test_a_token_that_is_none_is_sent_nowhere_and_quoted_nowhere(service, token):
    with pytest.raises(Unavailable) as stop:
        TransitVault(service.address, lambda: token).check()
    assert stop.value.code == "kms-unavailable"
    assert "plain characters" in stop.value.facts["reason"]
    assert repr(token)[2:-1] not in str(stop.value.facts) or not token


@pytest.mark.parametrize("said", [b'{"data": {"keys": {"1": {"public_key": 7}}}}', b"[]", b"{}"])
def test_what_is_no_public_key_is_no_key(service, said):
    service.said = said
    with pytest.raises(Unavailable) as stop:
        TransitVault(service.address, lambda: PASSPHRASE).make("ed25519", "log")
    assert stop.value.code == "kms-unavailable"


def test_a_port_that_speaks_no_http_is_named_and_no_proxy_is_asked(monkeypatch, service):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    TransitVault(service.address, lambda: PASSPHRASE).check()
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet():
            asking, _ = other.accept()
            with asking:
                asking.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        address = f"http://127.0.0.1:{other.getsockname()[1]}/v1/transit"
        with pytest.raises(Unavailable) as stop:
            TransitVault(address, lambda: PASSPHRASE).check()
        thread.join()
    assert stop.value.code == "address-silent"


def test_a_certificate_nobody_vouches_for_ends_it_before_the_token_is_sent(service, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    built = built.public_key(key.public_key()).serial_number(1)
    made = built.not_valid_before(NOW).not_valid_after(NOW + timedelta(9999))
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "both.pem").write_bytes(pem)
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(tmp_path / "both.pem")
    service.socket = settings.wrap_socket(service.socket, server_side=True)
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        TransitVault(service.address.replace("http:", "https:"), lambda: PASSPHRASE).make(
            "ed25519", "log"
        )
    assert service.asked == []


def test_a_token_that_was_renewed_is_used_at_once(service):
    held = [PASSPHRASE]
    vault = TransitVault(service.address, lambda: held[0])
    reference, public = vault.make("ed25519", "log")
    service.token, held[0] = "renewed by an agent", b"renewed by an agent"
    fits(public, vault.sign(reference, "ed25519", b"x"), b"x")
