"""Where private keys are kept: closed to others, opened by a passphrase that shows nowhere."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from calib.adapters import signer_socket
from calib.adapters.passphrase import CREDENTIAL, read_passphrase
from calib.adapters.signer_socket import SignerServer, SocketSigner
from calib.adapters.signing_files import FileVault
from calib.adapters.signing_kms import TransitVault
from calib.migrations.newest import newest_revision
from calib.services.ports import SigningRequest
from instruments.errors import Conflict, Invalid, Refused, Unavailable
from tests.support import keyed as labs
from tests.support.keyed import PASSPHRASE, fits

WRONG = b"another five words or more"


@pytest.fixture(params=["file", "token", "service"])
def vault(request, tmp_path_factory, cheap_scrypt):
    """Return a new, empty place for keys."""
    if request.param == "file":
        folder = tmp_path_factory.mktemp("vault") / "keys"
        return FileVault(folder, lambda: PASSPHRASE)
    if request.param == "service":
        return TransitVault(request.getfixturevalue("service").address, lambda: PASSPHRASE)
    return request.getfixturevalue("token")


@pytest.fixture(scope="session")
def token(tmp_path_factory):
    return labs.a_token(tmp_path_factory.mktemp("token"))()


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256"])
@pytest.mark.parametrize("content", [b"", b"x", b"x" * 100_000])
def test_what_a_key_signs_its_public_side_verifies(vault, algorithm, content):
    reference, public = vault.make(algorithm, "seal-HZ")
    fits(public, vault.sign(reference, algorithm, content), content)


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256"])
def test_two_keys_are_two(vault, algorithm):
    one, other = vault.make(algorithm, "log"), vault.make(algorithm, "log")
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_the_public_side_tells_nothing_of_the_private(vault):
    reference, public = vault.make("ecdsa-p256", "seal-HZ")
    assert len(public) == 91
    assert not isinstance(reference, bytes)
    assert len(reference) < 64


@pytest.mark.parametrize("reference", ["file:seal-HZ-0123456789abcdef.pem", "pkcs11:none", ""])
def test_a_key_that_is_not_there_is_said_to_be_missing(vault, reference):
    with pytest.raises(Unavailable) as stop:
        vault.sign(reference, "ed25519", b"x")
    assert stop.value.code in ("key-missing", "token-unavailable")


def test_many_ask_at_once(vault):
    reference, public = vault.make("ecdsa-p256", "seal-HZ")
    contents = [bytes([i]) * 8 for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda c: vault.sign(reference, "ecdsa-p256", c), contents))
    for content, signature in zip(contents, made, strict=True):
        fits(public, signature, content)


# ------------------------------------------------------------------------------------------ files


@pytest.fixture
def folder(tmp_path, cheap_scrypt):
    return tmp_path / "keys"


def _kept(folder) -> tuple[Path, str, bytes]:
    reference, public = FileVault(folder, lambda: PASSPHRASE).make("ecdsa-p256", "seal-HZ")
    return folder / reference.removeprefix("file:"), reference, public


def test_a_key_file_is_encrypted_and_open_to_its_owner_alone(folder):
    path, reference, public = _kept(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE" + " KEY-----")
    again = FileVault(folder, lambda: PASSPHRASE)
    fits(public, again.sign(reference, "ecdsa-p256", b"x"), b"x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o666])
def test_a_key_file_that_others_may_open_is_refused(folder, mode):
    path, reference, _ = _kept(folder)
    path.chmod(mode)
    with pytest.raises(Refused) as stop:
        FileVault(folder, lambda: PASSPHRASE).sign(reference, "ecdsa-p256", b"x")
    assert stop.value.code == "secret-file-unfit"


def test_a_link_in_the_place_of_a_key_is_not_followed(folder, tmp_path):
    path, reference, _ = _kept(folder)
    path.rename(tmp_path / "elsewhere.pem")
    path.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(Refused):
        FileVault(folder, lambda: PASSPHRASE).sign(reference, "ecdsa-p256", b"x")


@pytest.mark.parametrize("harm", ["wrong-passphrase", "cut", "changed"])
def test_a_key_that_does_not_open_is_locked(folder, harm):
    path, reference, _ = _kept(folder)
    content = path.read_bytes()
    if harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    if harm == "changed":
        path.write_bytes(content.replace(b"M", b"N", 3))
    passphrase = WRONG if harm == "wrong-passphrase" else PASSPHRASE
    with pytest.raises(Unavailable) as stop:
        FileVault(folder, lambda: passphrase).sign(reference, "ecdsa-p256", b"x")
    assert stop.value.code == "key-locked"


def test_all_keys_have_one_passphrase(folder):
    _kept(folder)
    with pytest.raises(Unavailable):
        FileVault(folder, lambda: WRONG).make("ed25519", "log")
    assert len(list(folder.glob("*.pem"))) == 1


@pytest.mark.parametrize("reference", ["file:../../etc/passwd", "file:/etc/passwd", "file:.pem"])
def test_a_reference_leads_nowhere_else(folder, reference):
    _kept(folder)
    with pytest.raises(Unavailable):
        FileVault(folder, lambda: PASSPHRASE).sign(reference, "ed25519", b"x")


def test_openssl_opens_the_same_file(tmp_path):
    from tests.support.seals import need_tool

    openssl = need_tool("openssl", "openssl")
    path, _, _ = _kept(tmp_path / "real")  # at its real cost
    (tmp_path / "words").write_bytes(PASSPHRASE)
    told = subprocess.run(
        [openssl, "pkcs8", "-in", str(path), "-passin", f"file:{tmp_path / 'words'}"],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert told.startswith(b"-----BEGIN PRIVATE" + b" KEY-----")


def test_the_passphrase_comes_from_a_private_file_or_a_credential(tmp_path):
    for name in ("words", CREDENTIAL):
        (tmp_path / name).write_bytes(PASSPHRASE + b"\n")
        (tmp_path / name).chmod(0o600)
    assert read_passphrase(str(tmp_path / "words"), "") == PASSPHRASE
    assert read_passphrase("", str(tmp_path)) == PASSPHRASE
    with pytest.raises(Unavailable, match="locked"):
        read_passphrase("", "")


@pytest.mark.parametrize(("content", "mode"), [(b"short", 0o600), (b"", 0o600), (b"x" * 20, 0o644)])
def test_a_bad_passphrase_file_is_refused(tmp_path, content, mode):
    (tmp_path / "words").write_bytes(content)
    (tmp_path / "words").chmod(mode)
    with pytest.raises(Refused):
        read_passphrase(str(tmp_path / "words"), "")


# ------------------------------------------------------------------------- a process of its own


@pytest.fixture
def served(keyed_files, tmp_path):
    """Return the socket of a signer that answers in another thread."""
    path = tmp_path / "signer.sock"
    signer = keyed_files.signer(tmp_path / "journal.jsonl")
    with SignerServer(path, signer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def _preview(keyed, content: bytes = b"x") -> SigningRequest:
    return SigningRequest(keyed.key("preview").id, "preview", content)


def test_the_socket_gives_signatures_and_is_open_to_its_owner_alone(served, keyed_files):
    assert served.stat().st_mode & 0o777 == 0o600
    request = _preview(keyed_files)
    own = keyed_files.key("preview").certificates()[0]
    own.public_key().verify(SocketSigner(served).sign(request), b"x", ec.ECDSA(hashes.SHA256()))


def test_a_refusal_comes_through_the_socket_as_it_was_said(served, keyed_files):
    request = SigningRequest(keyed_files.key("seal").id, "xml", b"<x/>", keyed_files.held.token)
    with pytest.raises(Refused) as stop:
        SocketSigner(served).sign(request)
    assert stop.value.code == "signing-other-content"


@pytest.mark.parametrize(
    "line",
    [
        b"", b"x", b"{}", b"[]", b"null", b'{"format":1}', b'{"format":2}', b"[" * 5000,
        b'{"content":"!","form":"xml","format":1,"key_id":1,"token":""}',
        b'{"content":"","form":"root","format":1,"key_id":1,"token":""}',
        b'{"content":"","form":"xml","format":1,"key_id":"1","token":""}',
        b'{"content":"","form":"xml","format":1,"key_id":1,"token":"","more":1}',
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_an_unreadable_request_is_refused_and_the_next_is_answered(served, keyed_files, line):
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(20)
        asking.connect(str(served))
        asking.sendall(line + b"\n")
        with asking.makefile("rb") as answers:
            assert json.loads(answers.readline())["error"] == Invalid.__name__
    assert SocketSigner(served).sign(_preview(keyed_files))


def test_a_fault_of_the_signer_tells_nothing(keyed_files, tmp_path, caplog):
    class Broken:
        def sign(self, request):
            raise RuntimeError("the secret")

    line = b'{"content":"","form":"xml","format":1,"key_id":1,"token":""}'
    answer = signer_socket._answered(Broken(), line)
    assert answer["code"] == "signer-fault"
    assert "secret" not in json.dumps(answer)


def test_a_signer_that_is_away_is_named(tmp_path):
    with pytest.raises(Unavailable) as stop:
        SocketSigner(tmp_path / "none.sock").sign(SigningRequest(1, "log", b""))
    assert stop.value.code == "signer-away"


def test_two_signers_do_not_share_a_socket_and_a_dead_one_leaves_it(served, keyed_files, tmp_path):
    with pytest.raises(Conflict):
        SignerServer(served, keyed_files.signer(tmp_path / "j"))
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead))
    SignerServer(dead, keyed_files.signer(tmp_path / "j")).server_close()
    assert not dead.exists()


_SIGNER = "import sys; from api.cli import main; main(['signer'])"


def _started(keyed, tmp_path) -> tuple[subprocess.Popen, Path]:
    """Start calib signer over the lab's database and wait until it listens."""
    data = tmp_path / "data"
    data.mkdir()
    labs.copied_keys(keyed, data / "keys")
    words = tmp_path / "words"
    words.write_bytes(PASSPHRASE)
    words.chmod(0o600)
    with keyed.bench.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT NOT NULL)"))
        revision = {"revision": newest_revision()}
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), revision)
    url = keyed.bench.engine.url.render_as_string()
    environment = {
        **os.environ,
        "CALIB_DATA": str(data),
        "CALIB_DATABASE_URL": url,
        "CALIB_PASSPHRASE_FILE": str(words),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _SIGNER], env=environment, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "signer.sock" in said, said + process.stderr.read()
    return process, data


@pytest.mark.kill
def test_a_killed_signer_loses_nothing_and_shows_no_passphrase(keyed_files, tmp_path):
    process, data = _started(keyed_files, tmp_path)
    signer = SocketSigner(data / "signer.sock")
    try:
        answers = {i: signer.sign(_preview(keyed_files, bytes([i]))) for i in range(5)}
        seen = b"".join(
            Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")
        )
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        process.stderr.close()
    assert PASSPHRASE not in seen
    assert "Max core file size        0                    0" in limits
    with pytest.raises(Unavailable):
        signer.sign(_preview(keyed_files))
    everything = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert PASSPHRASE not in everything
    again = keyed_files.signer(data / "keys" / "journal.jsonl")
    for i, answer in answers.items():
        assert again.sign(_preview(keyed_files, bytes([i]))) == answer


def test_no_core_is_written(monkeypatch):
    asked: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *given: asked.append(given))
    signer_socket.keep_no_core()
    assert asked == [(resource.RLIMIT_CORE, (0, 0))]
