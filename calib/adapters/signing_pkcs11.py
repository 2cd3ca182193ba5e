"""Private keys in a token that speaks PKCS#11: a smart card, a security module, SoftHSM.

They are made inside and marked so that they cannot be taken out. python-pkcs11 is imported when a
token is used; an installation that keeps its keys in files does not need it.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from calib.services.ports import Algorithm
from instruments.errors import Unavailable

_ED25519 = bytes.fromhex("06032b6570")
"""Object identifier of the curve (RFC 8410), as the parameters of a key."""


class TokenVault:
    """Keys of one token, used in one session that stays open."""

    def __init__(self, module: str, token: str, pin: Callable[[], bytes]) -> None:
        """Keep the library, the label of the token and who knows its PIN; nothing is opened yet."""
        self._module = module
        self._token = token
        self._pin = pin
        self._session: Any = None
        self._turn = threading.Lock()

    def make(self, algorithm: Algorithm, label: str) -> tuple[str, bytes]:
        """Make a key in the token; return its reference and its public side.

        Raises
        ------
        Unavailable
            The token is away, its PIN is wrong, or it cannot make such a key.
        """
        name = f"{label}-{secrets.token_hex(8)}"
        with self._opened() as session:
            public, _ = _pair(session, algorithm, name)
            return f"pkcs11:{name}", _public_bytes(public, algorithm)

    def sign(self, reference: str, algorithm: Algorithm, content: bytes) -> bytes:
        """Return the signature.

        Raises
        ------
        Unavailable
            The token is away, or has no such key.
        """
        import pkcs11

        with self._opened() as session:
            try:
                key = session.get_key(
                    object_class=pkcs11.ObjectClass.PRIVATE_KEY,
                    label=reference.removeprefix("pkcs11:"),
                )
            except pkcs11.NoSuchKey as problem:
                raise Unavailable(
                    "key-missing",
                    "The private key {reference} is not here. Bring it back from the backup of "
                    "keys, or give it up and make another.",
                    facts={"reference": reference},
                ) from problem
            if algorithm == "ed25519":
                return bytes(key.sign(content, mechanism=pkcs11.Mechanism.EDDSA))
            hashed = hashlib.sha256(content).digest()
            both = bytes(key.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA))
            half = len(both) // 2
            r, s = (int.from_bytes(part, "big") for part in (both[:half], both[half:]))
            return utils.encode_dss_signature(r, s)

    def check(self) -> None:
        """Ask nothing: a token that is asked for its PIN again and again locks itself."""

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Give the session, one user at a time; a token that failed is opened anew next time."""
        import pkcs11

        with self._turn:
            try:
                if self._session is None:
                    token = pkcs11.lib(self._module).get_token(token_label=self._token)
                    self._session = token.open(rw=True, user_pin=self._pin().decode())
                yield self._session
            except pkcs11.PKCS11Error as problem:
                self._session = None
                raise Unavailable(
                    "token-unavailable",
                    "The token {token} did not answer as asked ({reason}). Check that it is "
                    "connected, its name and its PIN.",
                    facts={"token": self._token, "reason": type(problem).__name__},
                ) from problem


def _pair(session: Any, algorithm: Algorithm, name: str) -> Any:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    kept = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
    if algorithm == "ed25519":
        curve = _ED25519
        kind, mechanism = pkcs11.KeyType.EC_EDWARDS, pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
    else:
        curve = encode_named_curve_parameters("secp256r1")
        kind, mechanism = pkcs11.KeyType.EC, pkcs11.Mechanism.EC_KEY_PAIR_GEN
    domain = session.create_domain_parameters(kind, {pkcs11.Attribute.EC_PARAMS: curve}, local=True)
    return domain.generate_keypair(
        mechanism=mechanism,
        store=True,
        label=name,
        capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
        private_template=kept,
    )


def _public_bytes(public: Any, algorithm: Algorithm) -> bytes:
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key

    if algorithm == "ed25519":
        # the token wraps the point into an OCTET STRING; its last 32 bytes are the key
        raw = bytes(public[pkcs11.Attribute.EC_POINT])[-32:]
        made = Ed25519PublicKey.from_public_bytes(raw)
        return made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bytes(encode_ec_public_key(public))
