"""The log grows, is anchored, survives kills, and refuses to fork whatever is restored."""

import contextlib
import itertools
import json
import os
import random
import shutil
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from calib.adapters.log_files import FileAnchor, LogFolder
from calib.ledger.chain import BEGINNING, chained, leaf_of
from calib.ledger.checkpoints import read_checkpoint
from calib.ledger.merkle import (
    consistency_proof,
    includes,
    is_consistent,
    leaf_hash,
    nodes_of,
    root,
)
from calib.ledger.notes import COSIGNATURE, read_note, signers
from calib.migrations.tables import all_tables
from calib.records.certificates import LedgerLeaf
from calib.records.log import LogCheckpoint
from calib.services import ledger
from calib.services.log import Log, add_cosignatures, grow, proof_of, published, stored_nodes
from calib.services.log_check import check_log
from instruments.canonical import canonical_json
from instruments.db import open_engine
from instruments.errors import Conflict, NotFound
from instruments.tenancy import installation_session
from tests.ledger.keys import Key
from tests.support.ruling import ruling

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
LAB = Key("lab.example/log")


def clock():
    return NOW


class Place:
    """One installation: database, files of the log, anchor."""

    def __init__(self, folder):
        """Make the tables; nothing is in them."""
        self.database = folder / "calib.db"
        self.files = LogFolder(folder / "log")
        self.anchor = FileAnchor(folder / "elsewhere" / "anchor")
        self.open()
        all_tables().create_all(self.engine)

    def open(self):
        self.engine = open_engine(f"sqlite:///{self.database}", synced=False)
        self.log = Log(self.engine, self.files, self.anchor, LAB.note_key, LAB.line)

    def append(self, count, words="line"):
        """Add ledger lines as the transactions of certificates do."""
        with installation_session(self.engine) as session:
            head = ledger.head(session)
            digest = head.digest if head.size else BEGINNING
            for place in range(head.size, head.size + count):
                subject = {"lab": "L1", "number": f"{words}-{place}"}
                salt = f"{place:032x}"
                leaf = leaf_of("issued", salt, subject)
                digest = chained(digest, leaf)
                session.add(
                    LedgerLeaf(
                        place=place, leaf=leaf, salt=salt, head=digest, added_at=NOW, lab_id=1,
                        certificate_id=place + 1, subject=canonical_json(subject).decode(),
                    )
                )  # fmt: skip

    def leaves(self):
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT leaf FROM ledger_leaves ORDER BY place"))
            return [leaf_hash(row.leaf.encode()) for row in rows]

    def backup(self, to):
        self.engine.dispose()
        shutil.copy(self.database, to)

    def restore(self, copy):
        self.engine.dispose()
        shutil.copy(copy, self.database)
        self.open()


@pytest.fixture
def place(tmp_path):
    there = Place(tmp_path)
    yield there
    there.engine.dispose()


def test_an_empty_ledger_has_no_head_to_sign(place):
    assert grow(place.log, clock).size == 0
    assert published(place.log) is None
    assert place.anchor.load() is None


@pytest.mark.parametrize("steps", [(1, 1, 1), (255, 1, 1), (600,), (256, 256), (3, 700, 1)])
def test_every_head_is_that_of_the_lines_and_continues_the_one_before(place, steps):
    heads = []
    for step in steps:
        place.append(step)
        heads.append(grow(place.log, clock))
    nodes = nodes_of(place.leaves())
    assert [head.size for head in heads] == [sum(steps[: i + 1]) for i in range(len(steps))]
    assert [head.root for head in heads] == [root(head.size, nodes) for head in heads]
    for old, new in itertools.pairwise(heads):
        stored = stored_nodes(place.files, new.size)
        proof = consistency_proof(old.size, new.size, stored)
        assert is_consistent(old.size, new.size, proof, old.root, new.root)
    served = published(place.log)
    assert served.checkpoint == heads[-1]
    assert signers(served.note, [LAB.note_key]) == (LAB.note_key,)
    assert place.anchor.load() == str(served.note).encode()


def test_growing_again_signs_nothing_new(place):
    place.append(5)
    first = grow(place.log, clock)
    noted = place.anchor.load()
    assert grow(place.log, clock) == first
    assert place.anchor.load() == noted
    with installation_session(place.engine) as session:
        assert session.query(LogCheckpoint).count() == 1


def test_a_proof_holds_for_its_line_and_says_what_it_commits_to(place):
    place.append(300)
    with installation_session(place.engine) as session, pytest.raises(Conflict) as early:
        proof_of(place.log, session, 300, "issued")
    assert early.value.code == "log-not-grown"
    grow(place.log, clock)
    with installation_session(place.engine) as session:
        proof = proof_of(place.log, session, 257, "issued")
        with pytest.raises(NotFound):
            proof_of(place.log, session, 257, "withdrawn")
        with pytest.raises(NotFound):
            proof_of(place.log, session, 9999, "issued")
    extra = json.loads(proof.extra)
    assert extra["subject"] == {"lab": "L1", "number": "line-256"}
    assert canonical_json(extra) == proof.extra
    leaf = leaf_hash(leaf_of("issued", extra["salt"], extra["subject"]).encode())
    head = proof.checkpoint
    assert includes(leaf, proof.place, head.size, proof.path, head.root)


def test_a_killed_growth_is_finished_or_done_anew(place, monkeypatch):
    """Stopped at any write, then started again: one history, the newest head published."""
    place.append(3)
    grow(place.log, clock)
    place.append(300)
    for kill_at in range(1, 12):
        left = [kill_at]
        for owner, name in (
            (place.files, "write"), (place.files, "publish"), (place.anchor, "replace"),
        ):  # fmt: skip
            whole = getattr(owner, name)

            def dying(*args, whole=whole, left=left):
                left[0] -= 1
                if left[0] == 0:
                    raise KeyboardInterrupt
                return whole(*args)

            monkeypatch.setattr(owner, name, dying)
        with contextlib.suppress(KeyboardInterrupt):
            grow(place.log, clock)
        monkeypatch.undo()
        before = read_checkpoint(read_note(place.anchor.load()))
        head = grow(place.log, clock)
        stored = stored_nodes(place.files, head.size)
        proof = consistency_proof(before.size, head.size, stored)
        assert is_consistent(before.size, head.size, proof, before.root, head.root)
        assert published(place.log).checkpoint == head
        assert head.root == root(head.size, nodes_of(place.leaves()))
        place.append(3)


def test_an_anchor_that_was_lost_is_not_made_up(place):
    place.append(3)
    grow(place.log, clock)
    place.anchor._path.unlink()  # what an administrator could do
    place.append(1)
    with pytest.raises(Conflict) as stop:
        grow(place.log, clock)
    assert stop.value.code == "log-anchor-behind"


def test_the_anchor_of_another_log_is_refused(place):
    place.append(3)
    other = Key("other.example/log")
    place.anchor.replace(None, str(grown_note(place, other)).encode())
    with pytest.raises(Conflict) as stop:
        grow(place.log, clock)
    assert stop.value.code == "log-anchor-foreign"


def grown_note(place, key):
    from calib.ledger.checkpoints import Checkpoint
    from calib.ledger.notes import Note

    said = Checkpoint(key.note_key.name, 3, root(3, nodes_of(place.leaves()))).text()
    return Note(said, (key.line(said),))


def test_changed_lines_and_changed_files_are_noticed_before_anything_is_signed(place):
    place.append(5)
    grow(place.log, clock)
    with ruling(place.engine) as connection:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER keep_ledger_leaves_{act}"))
        connection.execute(text("UPDATE ledger_leaves SET leaf = 'changed' WHERE place = 2"))
    place.append(1)
    with pytest.raises(Conflict) as stop:
        grow(place.log, clock)
    assert stop.value.code == "log-would-fork"


def test_a_tile_that_rotted_stops_the_signing(place):
    place.append(300)
    grow(place.log, clock)
    rot(place, "tile/1/000.p/1")
    place.append(1)
    with pytest.raises(Conflict) as stop:
        grow(place.log, clock)
    assert stop.value.code == "log-would-fork"


def test_a_missing_tile_is_named(place):
    place.append(300)
    grow(place.log, clock)
    (place.files.root / "tile/1/000.p/1").unlink()
    place.append(1)
    with pytest.raises(Conflict) as stop:
        grow(place.log, clock)
    assert (stop.value.code, stop.value.facts["path"]) == ("log-file-missing", "tile/1/000.p/1")


def rot(place, path):
    content = bytearray(place.files.read(path))
    content[len(content) // 2] ^= 1
    place.files.write(path, bytes(content))


def found(place):
    return [(finding.code, finding.facts.get("path")) for finding in check_log(place.log, NOW)]


def test_every_file_of_the_log_is_computed_again(place):
    assert found(place) == []
    place.append(600)
    grow(place.log, clock)
    assert found(place) == []
    files = [f for f in place.files.root.rglob("*") if f.is_file() and f.name != ".lock"]
    assert len(files) == 8
    for file in files:
        whole = file.read_bytes()
        name = str(file.relative_to(place.files.root))
        rot(place, name)
        assert ("log-file-wrong", name) in found(place)
        file.write_bytes(whole[:-1])
        assert ("log-file-wrong", name) in found(place)
        file.write_bytes(whole)
    assert found(place) == []
    place.anchor.replace(place.anchor.load(), b"something else")
    assert found(place) == [("log-file-wrong", "anchor")]


def test_lines_missing_from_the_database_are_counted(place, tmp_path):
    place.append(5)
    place.backup(tmp_path / "copy.db")
    place.append(7)
    grow(place.log, clock)
    place.restore(tmp_path / "copy.db")
    (finding,) = check_log(place.log, NOW)
    assert finding.code == "log-lines-missing"
    assert (finding.facts["size"], finding.facts["last"]) == (5, 11)


def test_a_wrong_key_publishes_nothing(place):
    place.append(1)
    wrong = Key("lab.example/log", seed="another")
    log = Log(place.engine, place.files, place.anchor, LAB.note_key, wrong.line)
    with pytest.raises(Conflict) as stop:
        grow(log, clock)
    assert stop.value.code == "log-key-wrong"
    assert place.anchor.load() is None


def test_two_publishers_never_anchor_over_each_other(place):
    place.append(2)
    grow(place.log, clock)
    with pytest.raises(Conflict) as stop:
        place.anchor.replace(None, b"something else")
    assert stop.value.code == "log-anchor-moved"


def test_cosignatures_are_kept_and_served_once(place):
    place.append(2)
    grow(place.log, clock)
    head = published(place.log)
    witness = Key("witness.example", COSIGNATURE)
    line = witness.line(head.note.text)
    for _ in range(2):
        add_cosignatures(place.log, head, [line], NOW)
    assert [one.name for one in published(place.log).note.signatures] == [
        "lab.example/log", "witness.example",
    ]  # fmt: skip
    place.append(1)
    grow(place.log, clock)
    add_cosignatures(place.log, head, [line], NOW)
    assert len(published(place.log).note.signatures) == 1


def _history(place, rng, folder):
    """Live for a while with restored backups; return every head that was ever signed."""
    signed, copies, stopped = [], [], set()
    for step in range(12):
        act = rng.choice(("append", "append", "grow", "grow", "backup", "restore"))
        if act == "append":
            place.append(rng.choice((1, 2, 5)), words=f"h{step}-{rng.random()}")
        elif act == "backup":
            copies.append(folder / f"copy-{step}.db")
            place.backup(copies[-1])
        elif act == "restore" and copies:
            place.restore(rng.choice(copies))
        elif act == "grow":
            try:
                signed.append(grow(place.log, clock))
            except Conflict as stop:
                stopped.add(stop.code)
    return signed, stopped


def test_no_restored_backup_makes_it_sign_two_histories(tmp_path, monkeypatch):
    """200 random lives with backups: all signed heads of one log are heads of one growing tree."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)  # no power is cut here
    rng = random.Random(20260302)  # noqa: S311
    template = Place(tmp_path / "template")
    template.engine.dispose()
    refused = forked = 0
    for n in range(200):
        folder = tmp_path / f"life-{n}"
        shutil.copytree(tmp_path / "template", folder)
        place = Place.__new__(Place)
        place.database = folder / "calib.db"
        place.files = LogFolder(folder / "log")
        place.anchor = FileAnchor(folder / "elsewhere" / "anchor")
        place.open()
        signed, stopped = _history(place, rng, folder)
        place.engine.dispose()
        refused += bool(stopped)
        assert stopped <= {"log-would-fork", "log-anchor-behind"}
        sizes: dict[int, bytes] = {}
        forked += any(sizes.setdefault(head.size, head.root) != head.root for head in signed)
        forked += [head.size for head in signed] != sorted(head.size for head in signed)
        shutil.rmtree(folder)
    assert forked == 0
    assert refused > 20  # the danger was really there


def test_growing_by_one_stays_quick(place):
    """Not a timing test: the number of files read and written does not rise with the log."""
    place.append(2000)
    grow(place.log, clock)
    counted = {"read": 0, "write": 0}
    for name in counted:
        whole = getattr(place.files, name)

        def counting(*args, whole=whole, name=name):
            counted[name] += 1
            return whole(*args)

        setattr(place.files, name, counting)
    place.append(1)
    started = time.perf_counter()
    grow(place.log, clock)
    assert counted["write"] <= 4
    assert counted["read"] <= 40
    assert time.perf_counter() - started < 5
