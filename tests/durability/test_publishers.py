"""Two that publish one log, a keeper that fails and recovers, and what crashes leave in the files.

The files of a log may stand on a share; the lock on them is only good on one host. What keeps two
hosts apart is the anchor: it is replaced only as it was read.
"""

from __future__ import annotations

import dataclasses
import threading
from contextlib import nullcontext

import pytest
from sqlalchemy.exc import IntegrityError

from calib.jobs import publishing, tasks
from calib.jobs.publishing import LogKeeper
from calib.ledger.checkpoints import read_checkpoint
from calib.ledger.notes import read_note
from calib.services.log import Log, grow, published
from calib.services.log_check import check_log
from calib.services.publishing import publish
from instruments.db import open_engine
from instruments.errors import Conflict, Unavailable
from tests.services.test_log import LAB, Place, clock
from tests.support.door import a_door


class Elsewhere(Place):
    """The same, with its database at an address."""

    def __init__(self, folder, url):
        self.url = url
        super().__init__(folder)

    def open(self):
        self.engine = open_engine(self.url)
        self.log = Log(self.engine, self.files, self.anchor, LAB.note_key, LAB.line)


@pytest.fixture
def place(tmp_path):
    there = Place(tmp_path)
    there.append(3)
    grow(there.log, clock)
    yield there
    there.engine.dispose()


@pytest.fixture
def shared(tmp_path, empty_database_url):
    """Return a log whose database several hosts reach; SQLite stands for two processes."""
    there = Elsewhere(tmp_path, empty_database_url)
    there.append(3)
    grow(there.log, clock)
    yield there
    there.engine.dispose()


def another_host(place, monkeypatch):
    """Return the same log as a second host sees it, where no lock reaches."""
    monkeypatch.setattr(place.files, "held", nullcontext)
    return Log(place.engine, place.files, place.anchor, LAB.note_key, LAB.line)


@pytest.mark.parametrize("moment", ["sign", "replace"])
def test_of_two_hosts_the_second_is_stopped_by_the_anchor(shared, monkeypatch, moment):
    """The other host grows the log further while this one is at one of its steps."""
    other, mine = another_host(shared, monkeypatch), shared.log
    shared.append(2)
    replace, overtaken = shared.anchor.replace, threading.Event()

    def overtake():
        if not overtaken.is_set():
            overtaken.set()
            shared.append(4, words="more")
            grow(other, clock)

    def signing(said):
        overtake()
        return LAB.line(said)

    def replacing(old, new):
        overtake()
        replace(old, new)

    if moment == "sign":
        mine = dataclasses.replace(mine, sign=signing)
    else:
        monkeypatch.setattr(shared.anchor, "replace", replacing)
    with pytest.raises(Conflict) as stop:
        grow(mine, clock)
    assert stop.value.code == "log-anchor-moved"
    assert read_checkpoint(read_note(shared.anchor.load())).size == 9
    assert grow(shared.log, clock).size == 9  # nothing is stuck
    assert list(check_log(shared.log, clock())) == []


def growing(log, faults):
    """Grow again and again; what two hosts may run into is passed over."""
    for _ in range(60):
        try:
            grow(log, clock)
        except Conflict as stop:
            if stop.code not in {"log-anchor-moved", "log-anchor-behind"}:
                faults.append(stop.code)
        except IntegrityError:  # the head that the other has written down as well
            continue


def test_two_hosts_on_one_database_sign_one_history(shared, monkeypatch):
    """Many rounds at once, without a lock: every head that is anchored continues the last."""
    other = another_host(shared, monkeypatch)
    heads, faults = [], []
    replace = shared.anchor.replace

    def noted(old, new):
        replace(old, new)
        heads.append(read_checkpoint(read_note(new)).size)

    monkeypatch.setattr(shared.anchor, "replace", noted)
    threads = [threading.Thread(target=growing, args=(log, faults)) for log in (shared.log, other)]
    for thread in threads:
        thread.start()
    for n in range(40):
        shared.append(1, words=f"r{n}")
    for thread in threads:
        thread.join(120)
    assert faults == []
    assert heads == sorted(set(heads))
    assert grow(shared.log, clock).size == 43
    assert list(check_log(shared.log, clock())) == []


@pytest.mark.parametrize("content", [b"", b"\0\5half", b"something else entirely" * 9])
def test_a_partial_tile_that_a_crash_left_before_anchoring_is_written_anew(place, content):
    place.append(2)
    for path in ("tile/entries/000.p/5", "tile/0/000.p/5"):
        place.files.write(path, content)
    assert grow(place.log, clock).size == 5
    assert list(check_log(place.log, clock())) == []


def test_lines_that_were_written_but_never_anchored_may_be_others_after_all(place, monkeypatch):
    """Killed before anchoring, then the database is an old copy: the tiles bind nobody."""
    place.backup(place.database.with_suffix(".copy"))
    place.open()
    place.append(2, words="lost")
    monkeypatch.setattr(
        place.anchor, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        grow(place.log, clock)
    monkeypatch.undo()
    place.restore(place.database.with_suffix(".copy"))
    place.append(2, words="other")
    assert grow(place.log, clock).size == 5
    assert published(place.log).checkpoint.size == 5
    assert list(check_log(place.log, clock())) == []


@pytest.fixture
def door(database_url, tmp_path):
    made = a_door(database_url, tmp_path)
    yield made
    made.bench.engine.dispose()


def test_a_keeper_that_cannot_publish_makes_it_not_ready_until_it_can(door, monkeypatch):
    wired, looked, failing = door.wired, threading.Semaphore(0), threading.Event()
    look = LogKeeper._look

    def looks(keeper):
        look(keeper)
        looked.release()

    def publishes(publisher, ticking):
        if failing.is_set():
            raise Unavailable(
                "log-unavailable", "The disk of {what} is away.", facts={"what": "it"}
            )
        return publish(publisher, ticking)

    monkeypatch.setattr(publishing, "publish", publishes)
    monkeypatch.setattr(publishing, "SECONDS", 0.05)
    monkeypatch.setattr(LogKeeper, "_look", looks)
    failing.set()
    keeper = LogKeeper(wired.engine, wired.publisher, wired.clock)
    monkeypatch.setattr(tasks, "log_failure", lambda: keeper.failure)
    try:
        assert looked.acquire(timeout=30)
        answer = door.client().get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["log"]) == (
            503, "The disk of it is away.",
        )  # fmt: skip
        failing.clear()
        while looked.acquire(blocking=False):
            pass
        for _ in range(2):  # the first may have begun while it still failed
            assert looked.acquire(timeout=30)
        assert keeper.failure is None
        assert door.client().get("/readyz").status_code == 200
        assert door.client().get("/livez").status_code == 200
    finally:
        keeper.stop()


def test_a_keeper_whose_database_disk_fails_ends_the_process(door, monkeypatch):
    import sqlite3

    from sqlalchemy.exc import OperationalError

    ended = threading.Event()

    def failing(_publisher, _clock):
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(publishing, "publish", failing)
    monkeypatch.setattr(
        "calib.jobs.publishing.os._exit", lambda code: ended.set() if code == 70 else None
    )
    keeper = LogKeeper(door.wired.engine, door.wired.publisher, door.wired.clock)
    assert ended.wait(30)
    keeper.stop()


def test_replacing_a_row_is_as_impossible_as_changing_it(tmp_path):
    """SQLite deletes silently on REPLACE; its triggers must hear of it."""
    from sqlalchemy import text

    there = Place(tmp_path)
    there.append(1)
    engine = open_engine(f"sqlite:///{there.database}")
    with pytest.raises(Exception, match="insert-only"), engine.begin() as connection:
        connection.execute(
            text(
                "REPLACE INTO ledger_leaves (place, leaf, salt, subject, head, added_at, lab_id,"
                " certificate_id) SELECT place, 'other', salt, subject, head, added_at, lab_id,"
                " certificate_id FROM ledger_leaves"
            )
        )
    engine.dispose()
    there.engine.dispose()
