"""A program that issues certificates and is killed while it does; run beside the test process.

It stands alone because a process that has rendered once cannot be forked: the renderer's threads do
not survive. Here the parent loads everything and never renders; its children do, and die.
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from calib.adapters.files import DirectoryStore
from calib.adapters.sealing import UnsealedSealer
from calib.certificates.document import CertificateDocument
from calib.certificates.fonts import printable_characters
from calib.certificates.layout import view_of
from calib.certificates.pdf import fonts_digest, template_digest
from calib.services import certificate_rows, issue
from instruments.context import Actor, Context
from instruments.db import open_engine
from instruments.errors import Conflict, Unavailable
from instruments.tenancy import lab_session

ZONE = ZoneInfo("Asia/Shanghai")


class Flaky(UnsealedSealer):
    """A sealer that fails for a part of all certificates."""

    def __init__(self, share: float, seed: int) -> None:
        """Fail for `share` of all."""
        self._share = share
        self._random = random.Random(seed)  # noqa: S311 -- only to be the same in every run

    def seal(self, rendered):
        """Fail now and then."""
        if self._random.random() < self._share:
            raise Unavailable("sealer-away", "The sealer does not answer. Try again.")
        return super().seal(rendered)


def clock() -> datetime:
    """Return the instant of every act here."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Issuer:
    """One process's life: finish what others left, then issue and say so."""

    base = "https://calib.example.org"

    def __init__(self, task: dict[str, Any]) -> None:
        """Open database, store and the list of what was acknowledged."""
        self.task = task
        self.engine = open_engine(task["url"])
        self.store = DirectoryStore(Path(task["store"]))
        self.sealer: UnsealedSealer = UnsealedSealer()
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
        issue.recover(self.engine, self.store, UnsealedSealer(), clock)

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
    faulthandler.dump_traceback_later(60, exit=True)  # a child that hangs says where
    try:
        life.sealer = Flaky(life.task.get("failing", 0.0), number)
        if life.task["do"] == "kill":
            life.recover()
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


if __name__ == "__main__":
    issuer = Issuer(json.loads(sys.stdin.read()))
    _rehearse(issuer)
    {"kill": kill, "race": race}[issuer.task["do"]](issuer)
