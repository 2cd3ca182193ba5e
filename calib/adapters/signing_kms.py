"""Private keys in a key management service: the transit engine of OpenBao or HashiCorp Vault.

They are made there, marked so that they cannot be taken out, and signed with by name and first
version. The token stands where the passphrase of key files would, and is read anew at each use, so
that whoever renews it need not tell this program.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from calib.adapters.http import SECONDS, ask
from calib.services.ports import Algorithm
from instruments.errors import Unavailable

_NAME = re.compile(r"kms:([a-z]+(-[A-Z0-9]+)?-[0-9a-f]{16})")
_TOKEN = re.compile(rb"[!-~]([ -~]*[!-~])?")
_SIGNATURE = "vault:v1:"
"""OpenBao says `vault` as well."""
SOON = 2.0
"""Seconds within which a service answers whoever only asks whether it is there."""


class TransitVault:
    """Keys behind one mount of the engine, such as https://bao.example:8200/v1/transit."""

    def __init__(self, address: str, token: Callable[[], bytes]) -> None:
        """Keep the address and who knows the token; nobody is asked yet."""
        self._address = address.rstrip("/")
        self._root = self._address[: self._address.index("/v1/")]
        self._token = token

    def make(self, algorithm: Algorithm, label: str) -> tuple[str, bytes]:
        """Make a key in the service; return its reference and its public side (DER).

        Raises
        ------
        Unavailable
            The service is away, does not take this token, or cannot make such a key.
        Refused
            The file of the token is unfit.
        """
        name = f"{label}-{secrets.token_hex(8)}"
        wanted = {"type": algorithm, "exportable": False, "allow_plaintext_backup": False}
        self._told(f"keys/{name}", wanted)
        try:
            kept = self._told(f"keys/{name}")
            return f"kms:{name}", _public_bytes(kept["keys"]["1"]["public_key"])
        except (KeyError, TypeError, ValueError, UnsupportedAlgorithm) as problem:
            raise self._failed("what it says of the new key is no public key") from problem

    def sign(self, reference: str, algorithm: Algorithm, content: bytes) -> bytes:
        """Return the signature; of what ECDSA signs only the digest is sent.

        Raises
        ------
        Unavailable
            The service is away, does not take this token, or has no such key.
        Refused
            The file of the token is unfit.
        """
        found = _NAME.fullmatch(reference)
        if found is None:
            raise _missing(reference)
        asked: dict[str, object] = {"key_version": 1, "marshaling_algorithm": "asn1"}
        if algorithm == "ecdsa-p256":
            content = hashlib.sha256(content).digest()
            asked |= {"prehashed": True, "hash_algorithm": "sha2-256"}
        asked["input"] = base64.b64encode(content).decode()
        said = self._told(f"sign/{found[1]}", asked, reference)
        try:
            words = str(said["signature"])
            return base64.b64decode(words.removeprefix(_SIGNATURE), validate=True)
        except (KeyError, ValueError) as problem:
            raise self._failed("what it answers is no signature") from problem

    def check(self) -> None:
        """Find out soon whether the service answers and takes the token, without signing.

        Raises
        ------
        Unavailable, Refused
        """
        self._asked(f"{self._root}/v1/auth/token/lookup-self", None, seconds=SOON)

    def _told(
        self, path: str, body: Mapping[str, object] | None = None, reference: str = ""
    ) -> Mapping[str, Any]:
        return self._asked(f"{self._address}/{path}", body, reference)

    def _asked(
        self,
        address: str,
        body: Mapping[str, object] | None,
        reference: str = "",
        seconds: float = SECONDS,
    ) -> Mapping[str, Any]:
        headers = {
            "X-Vault-Token": self._plain_token(),
            "X-Vault-Request": "true",
            "Content-Type": "application/json",
        }
        sent = None if body is None else json.dumps(body).encode()
        status, content = ask(address, sent, headers, seconds)
        if status == 204:
            return {}
        try:
            answer = json.loads(content)
            if status == 200:
                return dict(answer["data"] or {})
            reasons = "; ".join(map(str, answer["errors"])) or str(status)
        except (ValueError, KeyError, TypeError):
            reasons = f"status {status}, an answer that cannot be read"
        if reference and status == 400 and "signing key not found" in reasons:
            raise _missing(reference)
        raise self._failed(reasons)

    def _plain_token(self) -> str:
        token = self._token()
        if not _TOKEN.fullmatch(token):  # an error of the header would quote it
            raise self._failed("the token is not one line of plain characters")
        return token.decode("ascii")

    def _failed(self, reason: str) -> Unavailable:
        return Unavailable(
            "kms-unavailable",
            "The key management service {address} did not do as asked ({reason}). Check that it "
            "is unsealed, and that the token is in date and may make keys and sign with them.",
            facts={"address": self._address, "reason": reason},
        )


def _missing(reference: str) -> Unavailable:
    return Unavailable(
        "key-missing",
        "The private key {reference} is not here. Bring it back from the backup of keys, or give "
        "it up and make another.",
        facts={"reference": reference},
    )


def _public_bytes(told: object) -> bytes:
    """Return DER from PEM, or from the 32 bytes that are told of Ed25519."""
    if not isinstance(told, str):
        raise TypeError
    if told.startswith("-----BEGIN"):
        key = load_pem_public_key(told.encode())
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raw = base64.b64decode(told, validate=True)
    made = Ed25519PublicKey.from_public_bytes(raw)
    return made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
