"""Two installations on loopback that witness each other, by commands and real servers alone.

Then one of them is lost: backup, restore, read-only until two persons acknowledge, and on.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from calib.ledger.checkpoints import read_checkpoint
from calib.ledger.notes import cosigners, read_note, read_note_key
from calib.services.keys import House
from instruments.services import signin
from tests.support import issuing, keyed
from tests.support.builders import context_for
from tests.support.keyed import HOUSE
from tests.support.mail_server import free_port
from tests.support.program import Program
from tests.support.sealed import Sealed, a_sealed_lab

pytestmark = pytest.mark.slow
PATIENCE = 60


def a_house(folder: Path, host: str) -> tuple[Sealed, Program]:
    """Return an installation with one certificate that is not published, and its command line."""
    lab = a_sealed_lab(folder, house=House(host, f"{host}/log"))
    lab.issue(issuing.authorised(lab.bench))
    secret = folder.with_suffix(".passphrase")
    secret.write_bytes(keyed.PASSPHRASE)
    secret.chmod(0o600)
    return lab, Program(
        {
            "CALIB_DATA": str(folder),
            "CALIB_PUBLIC_URL": f"https://{host}",
            "CALIB_PASSPHRASE_FILE": str(secret),
            "CALIB_JOBS": "worker",
        }
    )


def with_settings(program: Program, **more: str) -> Program:
    return Program({**program.settings, **more})


def log_key(lab: Sealed) -> str:
    found = lab.publisher.log(lab.now)
    assert found is not None
    return str(found.note_key)


@contextmanager
def a_witness(program: Program, name: str, folder: Path, watched: str):
    """Run a witness for one log; give its key and address."""
    told = ("witness", name, "--log", watched, "--folder", folder)
    made = program(*told, "--key-only")
    assert made.code == 0, made.err
    port = free_port()
    with program.running(*told, "--port", port):
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < ends, "the witness did not start"
        yield made.out.decode().strip(), f"http://127.0.0.1:{port}"


def a_policy(place: Path, log: str, witness: str, address: str) -> str:
    place.write_text(f"log {log}\nwitness w {witness} {address}\nquorum w\n")
    return str(place)


def cosigned(lab: Sealed, witness: str) -> int:
    """Return the size of the head that is served, and make sure that the witness cosigned it."""
    note = read_note(lab.checkpoint())
    assert len(cosigners(note, [read_note_key(witness)])) == 1
    return read_checkpoint(note).size


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("houses")
    hosts = {"east": HOUSE.host, "west": "west.example.org"}
    made = [a_house(folder / name, host) for name, host in hosts.items()]
    yield folder, *made
    for lab, _program in made:
        lab.bench.engine.dispose()


@pytest.fixture(scope="module")
def published(houses):
    """Let both grow their logs, each cosigned by the witness of the other."""
    folder, (east, at_east), (west, at_west) = houses
    sizes = []
    with ExitStack() as stack:
        enter = stack.enter_context
        from_west = enter(
            a_witness(at_west, "west.example.org/witness", folder / "ww", log_key(east))
        )
        from_east = enter(
            a_witness(at_east, "east.example.org/witness", folder / "we", log_key(west))
        )
        for lab, program, (witness, address), name in (
            (east, at_east, from_west, "east"), (west, at_west, from_east, "west"),
        ):  # fmt: skip
            policy = a_policy(folder / f"{name}.policy", log_key(lab), witness, address)
            asking = with_settings(program, CALIB_WITNESS_POLICY=policy)
            said = asking.asked("log", "grow")
            assert said["witnessed"]
            sizes.append(cosigned(lab, witness))
            assert said["size"] == sizes[-1]
            assert asking.asked("log", "check") == {"findings": []}
            assert asking.asked("fsck") == {"findings": []}
    silent = asking("log", "grow", "--json")  # the witness has ended
    assert silent.code == 0
    return folder, sizes


def test_two_installations_witness_each_other(published):
    assert min(published[1]) > 3


@pytest.mark.usefixtures("published")
def test_whoever_watches_a_served_log_sees_it_grow(houses):
    folder, (east, at_east), _ = houses
    (folder / "trust.json").write_bytes(trust_of(at_east, folder))
    with at_east.served() as client:
        assert client.get("/livez").status_code == 200  # it has started
        address = f"{client.base_url}/log"
        watching = ("log", "watch", address, "--trust", folder / "trust.json",
                    "--state", folder / "seen")  # fmt: skip
        for _ in range(2):
            seen = at_east.asked(*watching)
            size = int(east.checkpoint().split(b"\n")[1])  # other tests issue certificates as well
            assert (seen["findings"], seen["size"]) == ([], size)
        assert client.get("/log/checkpoint").content == east.checkpoint()


def trust_of(program: Program, folder: Path) -> bytes:
    done = program("keys", "trust")
    assert done.code == 0, done.err
    return done.out


def test_an_export_verifies_alone_and_a_certificate_authenticates_offline(houses, published):
    folder, (_east, at_east), _ = houses
    out = folder / "export"
    done = at_east.asked("export", "HZ", out)
    assert (done["unproven"], done["findings"]) == ([], [])
    assert done["certificates"] >= 1  # another test of this world may have issued one
    certificate = min((out / "certificates").iterdir())
    checked = subprocess.run(
        [
            sys.executable, "-I", str(out / "verify.py"), str(out / "trust.json"),
            str(certificate / "certificate.pdf"), str(certificate / "certificate.tlog-proof"),
            "--status", str(out / "status.txt"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    elsewhere = Program({"CALIB_DATA": str(folder / "nowhere")})
    asked = ("authenticate", certificate / "certificate.pdf", "--policy", out / "trust.json",
             "--proof", certificate / "certificate.tlog-proof", "--offline", "--json")  # fmt: skip
    known = elsewhere(*asked, "--status", out / "status.txt")
    assert known.code == 0, known.err + known.out.decode()
    assert elsewhere(*asked).code == 2  # without the list nobody can tell
    bent = folder / "bent.pdf"
    bent.write_bytes((certificate / "certificate.pdf").read_bytes().replace(b"/Type", b"/Tyqe", 1))
    assert elsewhere(asked[0], bent, *asked[2:]).code == 1


@pytest.fixture(scope="module")
def lost(houses, published):
    """Back up, issue one more, lose the machine; return the command line of the new one."""
    folder, (east, at_east), _ = houses
    # what is served goes by the machine's clock
    with context_for(east.bench.installation, now=datetime.now(UTC)) as ctx:
        token = signin.make_token(ctx, name="after the loss")
    assert at_east.asked("backup", folder / "backup")["findings"] == []
    east.issue(issuing.authorised(east.bench))
    at_east.asked("log", "grow")
    new = folder / "new"
    there = with_settings(at_east, CALIB_DATA=str(new), CALIB_ANCHOR=str(east.anchor._path))
    new.mkdir()
    for name in ("log", "status"):
        subprocess.run(["cp", "-a", str(east.folder / name), str(new / name)], check=True)
    said = there.asked("restore", folder / "backup")
    assert said["missing"] == {"HZ": {"reserved": 1, "issued": 1}}
    return there, token


def a_change(client: httpx.Client, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return client.post("/api/v1/customers", json={"name_en": "New hall"}, headers=headers)


def test_a_restored_installation_reads_only_until_two_persons_acknowledge(houses, lost):
    there, token = lost
    with there.served() as client:
        answer = a_change(client, token)
        assert (answer.status_code, answer.json()["code"]) == (503, "restored-not-acknowledged")
        read = client.get("/api/v1/customers", headers={"Authorization": f"Bearer {token}"})
        assert read.status_code == 200
        assert client.get("/livez").status_code == 200
        assert client.get("/log/checkpoint").status_code == 200
    for names in ((), ("--by", "Tang"), ("--by", "Tang", "--by", " Tang ")):
        assert there("restore", "--acknowledge", *names).code == 3
    refused = there("log", "grow")
    assert refused.code != 0
    said = there.asked("restore", "--acknowledge", "--by", "Tang", "--by", "Ren")
    assert (said["taken_up"], said["missing"]) == (2, {"HZ": {"reserved": 1, "issued": 1}})
    with there.served() as client:
        assert a_change(client, token).status_code == 201
    assert there.asked("log", "grow")["size"] > 0
    assert there.asked("fsck") == {"findings": []}
