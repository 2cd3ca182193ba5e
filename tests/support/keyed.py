"""A lab with keys, in files or in a token, and a certificate that is reserved to be sealed."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from calib.adapters.sealing import KeySealer
from calib.adapters.signing_files import FileVault
from calib.adapters.signing_journal import FileJournal
from calib.adapters.signing_kms import TransitVault
from calib.adapters.signing_pkcs11 import TokenVault
from calib.services import issue, key_views, keys
from calib.services.ports import Signer, SigningRequest, Vault
from calib.services.signing_rule import RuledSigner
from instruments.db import open_engine
from instruments.errors import DomainError
from instruments.tenancy import installation_session
from tests.support import issuing, kms
from tests.support.builders import NOW
from tests.support.issuing import BASE, Bench, Person, version_of
from tests.support.seals import need_tool

PASSPHRASE = b"five words or more it is"
HOUSE = keys.House("calib.example.org", "calib.example.org/log")
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


@dataclass(frozen=True)
class Keyed:
    """The lab, where its keys are, and the number that is reserved."""

    bench: Bench
    vault: Callable[[], Vault]
    """Opens the place of the keys anew, as another process would."""
    folder: Path
    held: issue.Reservation | None = None

    def key(self, purpose: key_views.Purpose) -> key_views.KeyView:
        """Return the key of a purpose."""
        lab = self.bench.lab_id if purpose in ("seal", "mark") else None
        with installation_session(self.bench.engine, read_only=True) as session:
            found = key_views.usable_key(session, purpose, NOW, lab)
        assert found is not None
        return found

    def signer(self, path: Path, **more: Any) -> RuledSigner:
        """Return what signs by the rule, with a journal at the path."""
        given = {"clock": lambda: NOW, **more}
        return RuledSigner(self.bench.engine, self.vault(), FileJournal(path), **given)

    def sealer(self, path: Path) -> KeySealer:
        """Return the sealer of the lab."""
        return KeySealer(self.bench.engine, self.signer(path))


def manager(bench: Bench) -> Person:
    """Return who makes keys."""
    return bench.signatory


def with_keys(bench: Bench, vault: Vault, house: keys.House = HOUSE) -> None:
    """Make every key the lab needs, and one for previews."""
    with bench.as_(manager(bench)) as ctx:
        keys.make_missing(ctx, vault, house, bench.reviewer.id)
        keys.make_key(ctx, vault, house, "preview", bench.reviewer.id)


def reserved(bench: Bench, **more: Any) -> issue.Reservation:
    """Reserve the number of a new authorised record."""
    id_ = issuing.authorised(bench, **more)
    with bench.as_(bench.signatory) as ctx:
        return issue.reserve(
            ctx, id_, version_of(ctx, id_), idempotency_key=f"k{id_}", public_base=BASE
        )


def in_files(url: str) -> Keyed:
    """Return a lab whose keys are in files, closed, to be copied."""
    folder = _beside(url) / "keys"
    return _made(url, lambda: FileVault(folder, lambda: PASSPHRASE), folder)


def in_token(url: str) -> Keyed:
    """Return a lab whose keys are in a token, closed, to be copied."""
    folder = _beside(url) / "token"
    return _made(url, a_token(folder), folder)


def in_service(url: str) -> Keyed:
    """Return a lab whose keys are in a key management service, closed, to be copied."""
    address = _the_service().address
    return _made(url, lambda: TransitVault(address, lambda: PASSPHRASE), _beside(url) / "kms")


@functools.cache
def _the_service() -> kms.Service:
    """Start the one service of this process: copies of a lab find its keys where they were made."""
    serving = kms.a_service(PASSPHRASE)
    atexit.register(serving.__exit__, None, None, None)
    return serving.__enter__()


def a_token(folder: Path) -> Callable[[], TokenVault]:
    """Make a token in software; skip where there is none."""
    tool = need_tool("softhsm2-util", "softhsm2")
    module = next((one for one in MODULES if Path(one).exists()), None)
    if module is None:
        pytest.skip("the library of SoftHSM2 is not where it is looked for")
    folder.mkdir(parents=True, exist_ok=True)
    vault = _the_token(tool, module)
    return lambda: vault


@functools.cache
def _the_token(tool: str, module: str) -> TokenVault:
    """Make the one token of this process: the library looks for tokens, and signs in, once."""
    place = Path(tempfile.mkdtemp(prefix="tokens-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    settings = place / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {place}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    pin = PASSPHRASE.decode()
    made = ["--init-token", "--free", "--label", "calib", "--pin", pin, "--so-pin", pin]
    subprocess.run([tool, *made], check=True, capture_output=True, timeout=60)
    return TokenVault(module, "calib", lambda: PASSPHRASE)


def opened_at(keyed: Keyed, url: str) -> Keyed:
    """Return the same lab in a copy of its database."""
    bench = keyed.bench
    installation = dataclasses.replace(bench.installation, engine=open_engine(url))
    return dataclasses.replace(keyed, bench=dataclasses.replace(bench, installation=installation))


def copied_keys(keyed: Keyed, folder: Path) -> FileVault:
    """Return the keys in a folder of their own, to be harmed."""
    shutil.copytree(keyed.folder, folder)
    return FileVault(folder, lambda: PASSPHRASE)


def _made(url: str, vault: Callable[[], Vault], folder: Path) -> Keyed:
    bench = issuing.a_bench(url)
    with_keys(bench, vault())
    held = reserved(bench)
    bench.engine.dispose()
    return Keyed(bench, vault, folder, held)


def _beside(url: str) -> Path:
    file = Path(url.removeprefix("sqlite+pysqlite:///"))
    return file.with_name(f"{file.name}.made")


def refused(signer: Signer, request: SigningRequest, code: str) -> None:
    """Ask for a signature that must be refused."""
    with pytest.raises(DomainError) as stop:
        signer.sign(request)
    assert stop.value.code == code


def lines_of(journal: Path) -> list[dict[str, Any]]:
    """Return the lines of the journal of a signer."""
    return [json.loads(line) for line in journal.read_text().splitlines()]


def fits(public: bytes, signature: bytes, content: bytes) -> None:
    """Verify a signature by the public side of its key; raises InvalidSignature."""
    key = load_der_public_key(public)
    extra = [ec.ECDSA(hashes.SHA256())] if isinstance(key, ec.EllipticCurvePublicKey) else []
    key.verify(signature, content, *extra)
