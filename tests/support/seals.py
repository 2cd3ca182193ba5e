"""Keys, roots and seals of the moment, made in memory for tests of what reads them."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from calib.certificates import seal_chain

AT = datetime(2026, 3, 3, 8, 15, tzinfo=UTC)
STARTS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2029, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seal:
    """A key with its certificates, and what signs with it."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]

    @property
    def root(self) -> x509.Certificate:
        """Return the root above it."""
        return self.chain[-1]

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        """Return what signs, alike every time."""
        return signing(self.key)


def signing(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    """Return what signs with a key."""
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    return lambda content: key.sign(content, algorithm)


def a_seal(code: str = "HZ", organisation: str = "Riverside Institute", **more: datetime) -> Seal:
    """Return a new seal under a root of its own."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    starts, ends = more.get("starts", STARTS), more.get("ends", ENDS)
    root = seal_chain.make_root(
        "calib.example.org root 1",
        root_key.public_key(),
        STARTS - timedelta(days=1),
        ENDS + timedelta(days=7000),
        signing(root_key),
    )
    own = seal_chain.make_seal_certificate(
        f"{code} seal 1", organisation, code, key.public_key(), root, starts, ends,
        signing(root_key),
    )  # fmt: skip
    return Seal(key, (own, root))


@functools.cache
def the_seal() -> Seal:
    """Return one seal, the same for every test of a process."""
    return a_seal()


def need_tool(name: str, package: str) -> str:
    """Return the path of a program; skip without it, or fail where all must be there."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not installed (package {package})"
        if os.environ.get("CALIB_REQUIRE_TOOLS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
