"""The form of an encrypted private key: PKCS#8 with a key drawn from a passphrase by scrypt."""

from __future__ import annotations

import base64
import hashlib
import secrets
import textwrap
from typing import Any, ClassVar

from asn1crypto import core  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

_COST, _BLOCK, _LANES = 2**14, 8, 5
"""Cost of one guess: about a tenth of a second and 16 MB, and what openssl still opens."""


class _Algorithm(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [("algorithm", core.ObjectIdentifier), ("parameters", core.Any)]


class _Scrypt(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [
        ("salt", core.OctetString),
        ("cost", core.Integer),
        ("block", core.Integer),
        ("lanes", core.Integer),
        ("length", core.Integer),
    ]


class _Pbes2(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [("derivation", _Algorithm), ("encryption", _Algorithm)]


class _Encrypted(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [("algorithm", _Algorithm), ("content", core.OctetString)]


def encrypted(plain: bytes, passphrase: bytes) -> bytes:
    """Return the key as PEM (RFC 5958, PBES2 with scrypt of RFC 7914 and AES-256-CBC)."""
    salt, start = secrets.token_bytes(16), secrets.token_bytes(16)
    secret = hashlib.scrypt(
        passphrase, salt=salt, n=_COST, r=_BLOCK, p=_LANES, dklen=32, maxmem=2**26
    )
    padder = PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    cipher = Cipher(algorithms.AES256(secret), modes.CBC(start)).encryptor()
    derivation = _Scrypt(
        {"salt": salt, "cost": _COST, "block": _BLOCK, "lanes": _LANES, "length": 32}
    )
    parameters = _Pbes2(
        {
            "derivation": {"algorithm": "1.3.6.1.4.1.11591.4.11", "parameters": derivation},
            "encryption": {
                "algorithm": "2.16.840.1.101.3.4.1.42",
                "parameters": core.OctetString(start),
            },
        }
    )
    whole = _Encrypted(
        {
            "algorithm": {"algorithm": "1.2.840.113549.1.5.13", "parameters": parameters},
            "content": cipher.update(padded) + cipher.finalize(),
        }
    )
    body = "\n".join(textwrap.wrap(base64.b64encode(whole.dump()).decode(), 64))
    name = "ENCRYPTED PRIVATE KEY"
    return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----\n".encode()
