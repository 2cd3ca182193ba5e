"""Private keys in files: PKCS#8, encrypted with a passphrase through scrypt, mode 600.

`openssl pkcs8` opens the same files, so that a key can be recovered without this program.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from calib.adapters.files import sync_folder
from calib.adapters.passphrase import read_private
from calib.adapters.pkcs8 import encrypted
from calib.services.ports import Algorithm
from instruments.errors import Unavailable

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_NAME = re.compile(r"file:([a-z]+(-[A-Z0-9]+)?-[0-9a-f]{16}\.pem)")


class FileVault:
    """Keys in the files of one folder, opened when first needed and kept open in memory."""

    def __init__(self, folder: Path, passphrase: Callable[[], bytes]) -> None:
        """Keep where the keys are and who knows the passphrase; nothing is read yet."""
        self._folder = folder
        self._passphrase = passphrase
        self._open: dict[str, Key] = {}
        self._turn = threading.Lock()

    def make(self, algorithm: Algorithm, label: str) -> tuple[str, bytes]:
        """Make a key; return its reference and its public side.

        Raises
        ------
        Unavailable
            The keys that are there have another passphrase, or the disk did not take the file.
        """
        self._need_same_passphrase()
        key: Key = (
            ed25519.Ed25519PrivateKey.generate()
            if algorithm == "ed25519"
            else ec.generate_private_key(ec.SECP256R1())
        )
        plain = key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        name = f"{label}-{secrets.token_hex(8)}.pem"
        _write(self._folder / name, encrypted(plain, self._passphrase()))
        reference = f"file:{name}"
        self._open[reference] = key
        return reference, key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, reference: str, algorithm: Algorithm, content: bytes) -> bytes:
        """Return the signature; ECDSA draws nothing by chance (RFC 6979).

        Raises
        ------
        Unavailable
            The key is missing or locked.
        Refused
            Its file is open to others.
        """
        key = self._opened(reference)
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(content)
        return key.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def check(self) -> None:
        """Open every key now, so that a wrong passphrase is told at once.

        Raises
        ------
        Unavailable, Refused
        """
        for reference in self._kept():
            self._opened(reference)

    def _kept(self) -> list[str]:
        names = sorted(path.name for path in self._folder.glob("*.pem"))
        return [f"file:{name}" for name in names if _NAME.fullmatch(f"file:{name}")]

    def _opened(self, reference: str) -> Key:
        with self._turn:
            if reference not in self._open:
                self._open[reference] = self._read(reference)
            return self._open[reference]

    def _read(self, reference: str) -> Key:
        found = _NAME.fullmatch(reference)
        path = self._folder / (found[1] if found else "-")
        if found is None or not path.exists():
            raise Unavailable(
                "key-missing",
                "The private key {reference} is not here. Bring it back from the backup of keys, "
                "or give it up and make another.",
                facts={"reference": reference},
            )
        try:
            key = serialization.load_pem_private_key(read_private(path), self._passphrase())
        except (ValueError, TypeError) as problem:
            raise Unavailable(
                "key-locked",
                "The private key {reference} does not open with this passphrase, or its file is "
                "damaged.",
                facts={"reference": reference},
            ) from problem
        return cast("Key", key)

    def _need_same_passphrase(self) -> None:
        """Open one key that is there: two keys must not need two passphrases."""
        for reference in self._kept()[:1]:
            self._opened(reference)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 -- made with its mode, not changed to it
            file.write(content)
            file.flush()
            os.fsync(handle)
        sync_folder(path.parent)
    except OSError as problem:
        raise Unavailable(
            "key-not-kept",
            "The new key could not be written to {path} ({problem}). Nothing was made.",
            facts={"path": str(path), "problem": problem.strerror or str(problem)},
        ) from problem
