"""The server killed again and again under eight clients who repeat themselves with the same key.

Each key gives one certificate: the same number and the same file, however often it was asked for.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import httpx
import pytest

from instruments.services import signin
from tests.support import issuing, keyed
from tests.support.builders import context_for
from tests.support.crash_check import check_lab
from tests.support.mail_server import free_port
from tests.support.program import START, Program, wait_for
from tests.support.sealed import a_sealed_lab

pytestmark = pytest.mark.kill
CLIENTS = 8
PATIENCE = 120


class Clients:
    """Eight who issue, each one record after the other, and never take no for an answer."""

    def __init__(self, port: int, token: str, records) -> None:
        self.address, self.token = f"http://127.0.0.1:{port}/api/v1/calibrations", token
        self.left, self.turn, self.ended = list(records), threading.Lock(), threading.Event()
        self.answers: dict[int, set[tuple[str, str]]] = {}
        self.refused: list[str] = []
        self.threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    def ask(self, client: httpx.Client, id_: int, version: int) -> bool:
        """Ask once; answer whether it was acknowledged."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": f"issue-{id_:08d}",
            "If-Match": f'"{version}"',
        }
        try:
            answer = client.post(f"{self.address}/{id_}/certificate", headers=headers)
        except httpx.TransportError:
            return False  # it was killed, or does not listen yet
        if answer.status_code in {200, 201}:
            said = answer.json()
            self.answers.setdefault(id_, set()).add((said["number"], said["files"]["pdf"]))
            return True
        if answer.status_code < 500:
            self.refused.append(answer.text)
            return True
        return False

    def _work(self) -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            while True:
                with self.turn:
                    if not self.left:
                        return
                    id_, version = self.left.pop()
                while not self.ask(client, id_, version) and not self.ended.wait(0.05):
                    continue


def serve(program: Program, port: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", START, "serve", "--port", str(port)]
    return subprocess.Popen(
        words,
        env=program.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "kills", [3, pytest.param(300, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_the_same_key_gives_the_same_certificate_however_often_the_server_dies(tmp_path, kills):
    rng = random.Random(20260302)  # noqa: S311
    lab = a_sealed_lab(tmp_path / "lab")
    records = issuing.many_authorised(lab.bench, 4 * kills)
    with context_for(
        lab.bench.installation,
        *lab.bench.signatory.roles,
        person_id=lab.bench.signatory.id,
        now=datetime.now(UTC),  # the server goes by the machine's clock
    ) as ctx:
        token = signin.make_token(ctx, name="client")
    secret = tmp_path / "passphrase"
    secret.write_bytes(keyed.PASSPHRASE)
    secret.chmod(0o600)
    program = Program(
        {
            "CALIB_DATA": str(lab.folder),
            "CALIB_PUBLIC_URL": issuing.BASE,
            "CALIB_PASSPHRASE_FILE": str(secret),
        }
    )
    port = free_port()
    clients = Clients(port, token, records)
    for thread in clients.threads:
        thread.start()
    killed = 0
    while killed < kills:
        server = serve(program, port)
        wait_for(port)
        time.sleep(rng.uniform(0.0, 3.0))
        server.kill()
        server.wait(30)
        killed += 1
    server = serve(program, port)
    try:
        wait_for(port)
        for thread in clients.threads:
            thread.join(PATIENCE * 4)
        assert clients.refused == []
        assert len(clients.answers) == len(records)
        with httpx.Client(timeout=PATIENCE) as client:  # every key once more
            assert all(clients.ask(client, id_, version) for id_, version in records)
    finally:
        clients.ended.set()
        server.terminate()
        server.wait(60)
    assert [id_ for id_, said in clients.answers.items() if len(said) != 1] == []
    numbers = {next(iter(said))[0] for said in clients.answers.values()}
    assert len(numbers) == len(records)
    found = check_lab(lab)
    assert found.faults == []
    assert found.states == {"issued": len(records)}
    lab.bench.engine.dispose()
