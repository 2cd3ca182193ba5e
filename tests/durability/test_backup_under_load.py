"""Backups while people work: each one restores to what was there at one moment, whole and verified.

The drill: a lost machine, the newest backup, the log as it was served last. What is missing is
counted, nothing forks, no number is given twice.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager

import pytest

from calib.adapters.files import DirectoryStore
from calib.keeping.backup import back_up, restore
from calib.keeping.restored import acknowledge
from calib.keeping.transfer import copy_database, digest_of
from calib.ledger.notes import read_note_key
from calib.services.key_views import list_keys
from calib.services.publishing import publish
from calib.services.restoring import missing_lines, take_up
from instruments.db import open_engine
from instruments.errors import Refused
from instruments.tenancy import installation_session
from tests.support import builders, issuing
from tests.support.builders import NOW
from tests.support.sealed import Sealed, a_sealed_lab, faults, opened_in

pytestmark = pytest.mark.slow


PAUSE = 0.05
"""Seconds between two acts of each of those who work: without one a backup copies a flood."""


def quiet(_what, _part):
    """Hear nothing of the progress."""


@pytest.fixture
def lab(tmp_path) -> Sealed:
    made = a_sealed_lab(tmp_path / "lab")
    made.issued()
    yield made
    made.bench.engine.dispose()


@contextmanager
def people_at_work(lab: Sealed, records):
    """Enter customers and issue certificates, each published, until the end."""
    ended, problems, left = threading.Event(), [], list(records)

    def enter():
        while not ended.wait(PAUSE):
            with builders.context_for(lab.bench.installation) as ctx:
                builders.a_customer(ctx)

    def issue():
        while left and not ended.wait(PAUSE):
            lab.issue(left.pop()[0])
            publish(lab.publisher, lab.clock)

    def told(work):
        try:
            work()
        except Exception as problem:  # noqa: BLE001 -- whatever it is, the test must hear of it
            problems.append(repr(problem))

    threads = [threading.Thread(target=told, args=(work,)) for work in (enter, issue)]
    for thread in threads:
        thread.start()
    try:
        yield problems
    finally:
        ended.set()
        for thread in threads:
            thread.join(120)


def restored(lab: Sealed, source, folder) -> Sealed:
    """Return a new installation with the backup in it, and the anchor that was outside."""
    folder.mkdir()
    engine = open_engine(f"sqlite+pysqlite:///{folder / 'calib.db'}", synced=False)
    restore(engine, folder, source, DirectoryStore, NOW, quiet)
    engine.dispose()
    shutil.copytree(lab.folder / "anchor", folder / "anchor")
    return opened_in(lab, folder)


def lines_missing(there: Sealed):
    with installation_session(there.bench.engine, read_only=True) as session:
        keys = [read_note_key(k.public_key) for k in list_keys(session) if k.purpose == "log"]
    return missing_lines(there.bench.engine, there.publisher.log_files, keys)


@pytest.mark.parametrize(
    "rounds", [5, pytest.param(100, marks=pytest.mark.nightly)], ids=["some", "hundred"]
)
def test_every_backup_made_under_load_restores_whole(lab, tmp_path, rounds):
    records = issuing.many_authorised(lab.bench, 8 * rounds)
    good = 0
    with people_at_work(lab, records) as problems:
        for n in range(rounds):
            to = tmp_path / f"backup-{n}"
            made = back_up(lab.bench.engine, lab.folder, to, DirectoryStore, NOW, quiet)
            assert made.findings == ()
            there = restored(lab, to, tmp_path / f"new-{n}")
            assert digest_of(there.bench.engine) == made.manifest.digest
            missing = lines_missing(there)  # the log may have grown on while it was copied
            take_up(there.bench.engine, missing, NOW, ("Tang", "Ren"))
            (there.folder / "anchor" / "checkpoint").write_bytes(there.checkpoint())
            assert [one.text() for one in faults(there)] == []
            good += 1
            there.bench.engine.dispose()
            shutil.rmtree(there.folder)
            shutil.rmtree(to)
    assert (good, problems) == (rounds, [])


@pytest.mark.parametrize(
    "count", [6, pytest.param(1000, marks=pytest.mark.nightly)], ids=["small", "large"]
)
def test_the_drill_counts_what_is_missing_and_goes_on(lab, tmp_path, count):
    """A third of all certificates is issued after the backup, and lost."""
    records = issuing.many_authorised(lab.bench, count + 1)
    late = count // 3
    for id_, _ in records[:-late]:
        lab.issue(id_)
    publish(lab.publisher, lab.clock)
    back_up(lab.bench.engine, lab.folder, tmp_path / "backup", DirectoryStore, NOW, quiet)
    for id_, _ in records[-late:]:
        lab.issue(id_)
    head = publish(lab.publisher, lab.clock).head
    there = restored(lab, tmp_path / "backup", tmp_path / "new")
    shutil.rmtree(there.folder / "log")
    shutil.copytree(lab.folder / "log", there.folder / "log")  # it was served from another disk
    missing = lines_missing(there)
    assert missing.by_lab() == {"HZ": {"reserved": late, "issued": late}}
    take_up(there.bench.engine, missing, NOW, ("Tang", "Ren"))
    acknowledge(there.folder)
    assert publish(there.publisher, there.clock).head == head
    assert there.issued().number == f"HZ-JZ-2026-{count + 3:06d}"
    assert [one.text() for one in faults(there)] == []
    there.bench.engine.dispose()


@pytest.mark.pg
def test_there_and_back_between_the_databases_nothing_changes(lab, empty_database_url, tmp_path):
    """Fourteen certificates: the same digest on each side, the same log, the next number."""
    for id_, _ in issuing.many_authorised(lab.bench, 12):
        lab.issue(id_)
    lab.issued()
    target = open_engine(empty_database_url)
    digest = copy_database(lab.bench.engine, target)
    assert digest == digest_of(lab.bench.engine) == digest_of(target)
    target.dispose()
    moved_to = a_lab_on(lab, empty_database_url)
    head = publish(moved_to.publisher, moved_to.clock).head
    assert head is not None
    assert moved_to.checkpoint() == lab.checkpoint()
    assert moved_to.issued().number == "HZ-JZ-2026-000015"
    assert [one.text() for one in faults(moved_to)] == []
    back = open_engine(f"sqlite:///{tmp_path / 'back.db'}", synced=False)
    assert copy_database(moved_to.bench.engine, back) == digest_of(moved_to.bench.engine)
    back.dispose()
    on_file = a_lab_on(lab, f"sqlite:///{tmp_path / 'back.db'}")
    assert on_file.issued().number == "HZ-JZ-2026-000016"
    assert [one.text() for one in faults(on_file)] == []
    for one in (moved_to, on_file):
        one.bench.engine.dispose()


def a_lab_on(lab: Sealed, url: str) -> Sealed:
    """Return the same lab, its rows at another address."""
    return Sealed(issuing.opened_at(lab.bench, url), lab.folder, lab.now)


def test_an_old_program_refuses_a_newer_database_before_it_reads_a_row(lab):
    from sqlalchemy import text

    from api.bootstrap import wire
    from api.settings import Settings

    with lab.bench.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused) as stop:
        wire(Settings(data=str(lab.folder), public_url=issuing.BASE))
    assert stop.value.code == "database-newer"
    assert "9999" in str(stop.value)
