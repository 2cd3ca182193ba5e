"""A program that issues certificates and is killed while it does; run beside the test process.

It stands alone because a process that has rendered once cannot be forked: the renderer's threads do
not survive. Here the parent loads everything and never renders; its children do, and die.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from calib.adapters.files import DirectoryStore
from calib.adapters.http import post
from calib.adapters.log_files import FileAnchor, LogFolder
from calib.adapters.sealing import KeySealer
from calib.adapters.signing_files import FileVault
from calib.adapters.signing_journal import FileJournal
from calib.certificates.document import CertificateDocument
from calib.certificates.fonts import printable_characters
from calib.certificates.layout import view_of
from calib.certificates.pdf import fonts_digest, template_digest
from calib.services import certificate_rows, issue
from calib.services.ports import Sealer
from calib.services.publishing import Publisher, publish
from calib.services.signing_rule import RuledSigner
from instruments.context import Actor, Context
from instruments.db import open_engine
from instruments.errors import Conflict, DomainError, Refused, Unavailable
from instruments.tenancy import lab_session

ZONE = ZoneInfo("Asia/Shanghai")
PASSPHRASE = b"five words or more it is"
"""That of `tests.support.keyed`, which needs more than is loaded here."""


class Flaky:
    """A sealer that fails for a part of all certificates."""

    def __init__(self, inner: Sealer, share: float, seed: int) -> None:
        """Fail for `share` of all."""
        self._inner = inner
        self._share = share
        self._random = random.Random(seed)  # noqa: S311 -- only to be the same in every run

    def seal_data(self, linted, xml):
        """Seal the XML."""
        return self._inner.seal_data(linted, xml)

    def mark(self, linted, place):
        """Sign the mark."""
        return self._inner.mark(linted, place)

    def seal(self, rendered):
        """Fail now and then."""
        if self._random.random() < self._share:
            raise Unavailable("sealer-away", "The sealer does not answer. Try again.")
        return self._inner.seal(rendered)


def clock() -> datetime:
    """Return the instant of every act here."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ticking() -> datetime:
    """Return an instant that moves: of two status lists one must be the newer."""
    return clock() + timedelta(seconds=time.monotonic())


class Issuer:
    """One process's life: finish what others left, then issue and say so."""

    base = "https://calib.example.org"

    def __init__(self, task: dict[str, Any]) -> None:
        """Open database, store and the list of what was acknowledged."""
        self.task = task
        self.engine = open_engine(task["url"])
        folder = Path(task["folder"])
        self.store = DirectoryStore(folder / "files")
        vault = FileVault(folder / "keys", lambda: PASSPHRASE)
        vault.check()  # once for all children
        journal = FileJournal(folder / "keys" / "journal.jsonl")
        signer = RuledSigner(self.engine, vault, journal, clock)
        self.sealer: Sealer = KeySealer(self.engine, signer)
        self.publisher = Publisher(
            self.engine,
            signer,
            LogFolder(folder / "log"),
            LogFolder(folder / "status"),
            FileAnchor(folder / "anchor" / "checkpoint"),
            post,
        )
        self.told = (-1, -1)
        self.acknowledged = os.open(task["acks"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @contextmanager
    def context(self) -> Iterator[Context]:
        """Open a transaction of the signatory."""
        lab_id, person_id = self.task["lab_id"], self.task["person_id"]
        actor = Actor(person_id, "Sun", frozenset({"signatory"}))
        with lab_session(self.engine, lab_id) as session:
            yield Context(session, lab_id, actor, clock(), ZONE)

    def recover(self) -> None:
        """Finish what is reserved."""
        issue.recover(self.engine, self.store, self.sealer, clock)
        self.publish()

    def publish(self) -> None:
        """Let the log grow, and renew the status list."""
        try:
            publish(self.publisher, ticking)
        except Refused as stop:
            if stop.code != "signing-status-old":  # another list within the same second
                raise

    def work(self, records: list[list[int]]) -> None:
        """Issue one record after the other; say each number only once it is issued."""
        for id_, version in records:
            try:
                seen = issue.issue_certificate(
                    self.engine,
                    self.store,
                    self.sealer,
                    self.context,
                    id_,
                    version,
                    f"issue-{id_}",
                    public_base=self.base,
                    clock=clock,
                )
            except Unavailable:
                continue  # stays reserved
            except Conflict:
                continue  # void, or taken by another process
            line = json.dumps({"record": id_, "number": seen.number, "pdf": seen.files["pdf"]})
            os.write(self.acknowledged, line.encode() + b"\n")
            os.write(self.told[1], b".")
            self.publish()


class _Undone(Exception):
    """Ends a transaction that was only a rehearsal."""


def _rehearse(life: Issuer) -> None:
    """Do in the parent, once, what makes the first issue of a child slow; render nothing."""
    for load in (fonts_digest, template_digest, printable_characters):
        load()
    record, version = life.task["spare"]
    with suppress(_Undone), life.context() as ctx:
        held = issue.reserve(
            ctx, record, version, idempotency_key="rehearsal", public_base=life.base
        )
        kept = certificate_rows.certificate_of(ctx.session, held.certificate_id)
        view_of(CertificateDocument.from_dict(json.loads(kept.payload)))
        raise _Undone
    life.engine.dispose()


def _child(life: Issuer, number: int, records: list[list[int]]) -> int:
    """Start a child that recovers, then issues; returns its process id."""
    life.told = os.pipe()
    pid = os.fork()
    if pid:
        os.close(life.told[1])
        return pid
    code = 1
    # a child that hangs says where
    faulthandler.dump_traceback_later(60 + 2 * len(records), exit=True)
    try:
        if life.task["do"] != "race":
            life.recover()
        life.sealer = Flaky(life.sealer, life.task.get("failing", 0.0), number)
        life.work(records)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def kill(life: Issuer) -> None:
    """Let child after child issue, and kill each after a random time; the last only recovers."""
    task = life.task
    draw = random.Random(task["seed"])  # noqa: S311 -- as above
    records = list(task["records"])
    killed = 0
    for number in range(3 * task["kills"]):  # one that ends before it is killed does not count
        draw.shuffle(records)
        pid = _child(life, number, records)
        # some lives last until a certificate was acknowledged, however slow the machine is
        os.read(life.told[0], draw.choice((0, 0, 0, 1)))
        time.sleep(draw.uniform(0.0, task["longest"]))
        os.kill(pid, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(_ended(life, pid)) == -signal.SIGKILL
        if killed == task["kills"]:
            break
    status = _ended(life, _child(life, 0, []))
    print(killed)  # noqa: T201 -- the answer of the program
    sys.exit(os.waitstatus_to_exitcode(status))


def _ended(life: Issuer, pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    os.close(life.told[0])
    return status


def race(life: Issuer) -> None:
    """Let several children issue at once, each its own records and two of its neighbour's."""
    records, count = life.task["records"], life.task["children"]
    shares = [records[n::count] for n in range(count)]
    pids = [_child(life, n, shares[n] + shares[(n + 1) % count][:2]) for n in range(count)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    sys.exit(max(codes, key=abs))


def harm(life: Issuer) -> None:
    """Issue one record in each case, harmed as the case says; its next life tries it again.

    A case is ``{"inject": strace's words, "limits": {name: value}, "count": records}``. Prints how
    each ended; the first that came through unharmed is the last when the task says ``"until"``.
    """
    records, done, ended = list(life.task["records"]), [], []
    for case in life.task["cases"]:
        mine = [records.pop(0) for _ in range(case.get("count", 1))]
        code, seconds = _harmed(life, case, done, mine)
        ended.append({**case, "code": code, "seconds": seconds})
        done = mine
        if life.task.get("until") and code == 0:
            break
    status = _ended(life, _child(life, 0, done))
    print(json.dumps(ended))  # noqa: T201 -- the answer of the program
    sys.exit(os.waitstatus_to_exitcode(status))


def _harmed(life: Issuer, case: dict[str, Any], earlier, mine) -> tuple[int, float]:
    """Run one child: it finishes what was left, is taken hold of, and issues."""
    ready, go = os.pipe(), os.pipe()
    life.told = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        faulthandler.dump_traceback_later(60 + 5 * len(mine), exit=True)
        try:
            ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)  # whoever wants may trace it
            life.recover()
            life.work(earlier)
            os.write(ready[1], b".")
            os.read(go[0], 1)
            for name, value in case.get("limits", {}).items():
                resource.setrlimit(getattr(resource, name), (value, value))
            life.work(mine)
            code = 0
        except (SQLAlchemyError, OSError, MemoryError, DomainError) as problem:
            code = 70
            os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
        finally:
            os._exit(code)
    for end in (ready[1], go[0], life.told[1]):
        os.close(end)
    if not os.read(ready[0], 1):
        raise RuntimeError("a child did not recover")
    tracer = _traced(pid, case["inject"], case.get("trace")) if "inject" in case else None
    os.write(go[1], b".")
    started = time.monotonic()
    code = os.waitstatus_to_exitcode(_ended(life, pid))
    seconds = time.monotonic() - started
    for end in (ready[0], go[1]):
        os.close(end)
    if tracer is not None:
        tracer.wait(30)
    return code, seconds


def _traced(pid: int, inject: str, trace: str | None) -> subprocess.Popen[bytes]:
    """Let strace take hold of the child."""
    words = ["strace", "-f", "-y", "-p", str(pid), "-o", trace or "/dev/null", "-e", inject]
    tracer = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")
    for _ in range(1000):
        if "TracerPid:\t0" not in status.read_text():
            return tracer
        if tracer.poll() is not None:
            break
        time.sleep(0.01)
    sys.exit("strace may not trace here")


if __name__ == "__main__":
    issuer = Issuer(json.loads(sys.stdin.read()))
    _rehearse(issuer)
    {"kill": kill, "race": race, "harm": harm}[issuer.task["do"]](issuer)
