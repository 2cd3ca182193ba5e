"""Keys in a key management service: asked for what stays there, and named when it fails."""

from __future__ import annotations

import base64
import hashlib

import pytest

from calib.adapters.signing_kms import TransitVault
from instruments.errors import Unavailable
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
@pytest.mark.parametrize("act", ["make", "sign", "reach"])
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
        "reach": vault.reach,
    }
    if (harm, act) == ("empty", "reach"):
        return  # it answers, and takes the token
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


def test_a_token_that_was_renewed_is_used_at_once(service):
    held = [PASSPHRASE]
    vault = TransitVault(service.address, lambda: held[0])
    reference, public = vault.make("ed25519", "log")
    service.token, held[0] = "renewed by an agent", b"renewed by an agent"
    fits(public, vault.sign(reference, "ed25519", b"x"), b"x")
