"""Backups that are proven, a restore that forks nothing, and a lab that leaves with all its own."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from calib.adapters.factor_key import NAME, FactorKey
from calib.adapters.files import DirectoryStore
from calib.keeping.backup import back_up, restore
from calib.keeping.export import Proofs, Source, export_lab, prove
from calib.keeping.restored import acknowledge, is_unacknowledged
from calib.keeping.transfer import copy_database, digest_of
from calib.ledger.notes import read_note_key
from calib.services.log import grow
from calib.services.publishing import publish
from calib.services.restoring import missing_lines, take_up
from instruments.db import open_engine
from instruments.errors import Conflict, Invalid, Refused
from instruments.services import customers
from instruments.tenancy import installation_session
from tests.support import sealed
from tests.support.builders import NOW, context_for
from tests.support.sealed import Sealed, a_sealed_lab, moved, opened_in


def quiet(_what, _part):
    """Hear nothing of the progress."""


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    lab = a_sealed_lab(tmp_path_factory.mktemp("pattern"))
    lab.issued()
    lab.bench.engine.dispose()
    return lab


@pytest.fixture
def lab(pattern, tmp_path):
    """Return a copy of an installation with one certificate, to be harmed."""
    return moved(pattern, tmp_path / "lab")


def backed_up(lab, to):
    return back_up(lab.bench.engine, lab.folder, to, DirectoryStore, NOW, quiet)


def restored(lab, source, folder) -> Sealed:
    """Return a new installation with the backup in it, and the anchor that was outside."""
    folder.mkdir()
    engine = open_engine(f"sqlite+pysqlite:///{folder / 'calib.db'}")
    restore(engine, folder, source, DirectoryStore, NOW, quiet)
    engine.dispose()
    shutil.copytree(lab.folder / "anchor", folder / "anchor")
    return opened_in(lab, folder)


def faults(lab):
    return [finding.code for finding in sealed.faults(lab)]


def test_a_backup_is_proven_and_restores_to_the_same(lab, tmp_path):
    made = backed_up(lab, tmp_path / "backup")
    assert made.findings == ()
    assert made.manifest.certificates == 1
    assert not (tmp_path / "backup" / "anchor").exists()
    there = restored(lab, tmp_path / "backup", tmp_path / "new")
    assert digest_of(there.bench.engine) == digest_of(lab.bench.engine) == made.manifest.digest
    assert is_unacknowledged(there.folder)
    assert faults(there) == []
    acknowledge(there.folder)
    assert not is_unacknowledged(there.folder)
    assert there.issued().number == "HZ-JZ-2026-000002"


def test_what_opens_secrets_is_never_in_the_backup_with_them(lab, tmp_path):
    secret, to = lab.folder / "keys" / "passphrase", tmp_path / "backup"
    secret.write_bytes(b"five words that open every key")
    FactorKey(lab.folder)(make=True)
    assert backed_up(lab, to).left_out == ""
    assert (to / "keys" / "passphrase").exists()  # where nothing says that it is one
    assert (lab.folder / NAME).exists()
    assert not list(to.rglob(f"*{NAME}*"))
    kept = {one.name for one in (lab.folder / "keys").iterdir()} - {"passphrase"}
    made = back_up(lab.bench.engine, lab.folder, to, DirectoryStore, NOW, quiet, secret)
    assert made.left_out == "keys/passphrase"
    assert {one.name for one in (to / "keys").iterdir()} == kept
    elsewhere = tmp_path / "passphrase"
    made = back_up(lab.bench.engine, lab.folder, to, DirectoryStore, NOW, quiet, elsewhere)
    assert made.left_out == ""


def test_a_second_backup_adds_to_the_first(lab, tmp_path):
    first = backed_up(lab, tmp_path / "backup").manifest
    lab.issued()
    second = backed_up(lab, tmp_path / "backup").manifest
    assert (first.certificates, second.certificates) == (1, 2)
    assert second.lines > first.lines


def test_a_restored_installation_refuses_every_change(lab, tmp_path):
    backed_up(lab, tmp_path / "backup")
    there = restored(lab, tmp_path / "backup", tmp_path / "new")
    engine = open_engine(f"sqlite+pysqlite:///{there.folder / 'calib.db'}", writable=False)
    with pytest.raises(Exception, match="readonly database"), engine.begin() as connection:
        connection.execute(text("UPDATE labs SET phone = '1'"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM labs")).scalar()
    engine.dispose()


def test_what_was_issued_since_is_taken_up_and_no_number_is_given_twice(lab, tmp_path):
    """An old backup, three more certificates, a lost database: the log goes on, nothing forks."""
    backed_up(lab, tmp_path / "backup")
    later = [lab.issued().number for _ in range(3)]
    head = grow(lab.publisher.log(lab.now), lab.clock)
    there = restored(lab, tmp_path / "backup", tmp_path / "new")
    shutil.rmtree(there.folder / "log")
    shutil.copytree(lab.folder / "log", there.folder / "log")  # served from another disk
    with pytest.raises(Conflict) as stop:
        publish(there.publisher, there.clock)
    assert stop.value.code == "log-would-fork"
    with installation_session(there.bench.engine, read_only=True) as session:
        keys = [read_note_key(k) for k in _log_keys(session)]
    missing = missing_lines(there.bench.engine, there.publisher.log_files, keys)
    assert missing.by_lab() == {"HZ": {"reserved": 3, "issued": 3}}
    take_up(there.bench.engine, missing, NOW, ("Tang", "Ren"))
    acknowledge(there.folder)
    assert publish(there.publisher, there.clock).head == head
    new = there.issued()
    assert new.number not in later
    assert new.number == "HZ-JZ-2026-000005"
    assert faults(there) == []
    assert there.examined(new).verdict == "valid"


def _log_keys(session):
    from calib.services.key_views import list_keys

    return [key.public_key for key in list_keys(session) if key.purpose == "log"]


def test_a_log_that_is_not_of_this_ledger_is_not_taken_up(lab, tmp_path):
    other = a_sealed_lab(tmp_path / "other")
    other.issued()
    with installation_session(lab.bench.engine, read_only=True) as session:
        keys = [read_note_key(k) for k in _log_keys(session)]
    with pytest.raises(Conflict) as stop:
        missing_lines(lab.bench.engine, other.publisher.log_files, keys)
    assert stop.value.code == "log-not-of-this-ledger"
    other.bench.engine.dispose()


def test_a_changed_backup_is_refused(lab, tmp_path):
    backed_up(lab, tmp_path / "backup")
    copy = open_engine(f"sqlite:///{tmp_path / 'backup' / 'calib.db'}")
    with copy.begin() as connection:
        connection.execute(text("UPDATE labs SET phone = '1'"))
    copy.dispose()
    with pytest.raises(Refused) as stop:
        restored(lab, tmp_path / "backup", tmp_path / "new")
    assert stop.value.code == "backup-changed"


def test_no_backup_and_no_empty_database_are_told_apart(lab, tmp_path):
    with pytest.raises(Invalid):
        restore(lab.bench.engine, lab.folder, tmp_path, DirectoryStore, NOW, quiet)
    backed_up(lab, tmp_path / "backup")
    with pytest.raises(Conflict) as stop:
        restore(lab.bench.engine, lab.folder, tmp_path / "backup", DirectoryStore, NOW, quiet)
    assert stop.value.code == "target-not-empty"


@pytest.mark.pg
def test_sqlite_goes_to_postgresql_and_on(lab, empty_database_url, tmp_path):
    target = open_engine(empty_database_url)
    digest = copy_database(lab.bench.engine, target)
    assert digest_of(target) == digest == digest_of(lab.bench.engine)
    back = open_engine(f"sqlite:///{tmp_path / 'back.db'}", synced=False)
    if target.dialect.name == "postgresql":
        import dataclasses

        installation = dataclasses.replace(lab.bench.installation, engine=target)
        there = Sealed(
            dataclasses.replace(lab.bench, installation=installation), lab.folder, lab.now
        )
        assert there.issued().number == "HZ-JZ-2026-000002"
        digest = digest_of(target)
    assert copy_database(target, back) == digest
    back.dispose()
    target.dispose()


HARM = {
    "a frozen input": "UPDATE evaluations SET input_json = replace(input_json, '50', '51')",
    "a frozen result": "UPDATE evaluations SET result_json = result_json || ' '",
    "what a certificate says": "UPDATE certificates SET payload = replace(payload, 'HZ', 'HX')",
    "the row of a certificate": "UPDATE certificates SET number = 'HZ-JZ-2026-000009'",
    "the digest of a file": "UPDATE certificate_files SET sha256 = replace(sha256, 'a', 'b')",
    "a ledger line": "UPDATE ledger_leaves SET leaf = replace(leaf, 'issued', 'void')",
    "the salt of a line": "UPDATE ledger_leaves SET salt = replace(salt, 'a', 'b')",
    "a lost ledger line": "DELETE FROM ledger_leaves WHERE place = 3",
    "an audit row": "UPDATE audit_events SET act = 'nothing' WHERE place = 2",
    "a lost audit row": "DELETE FROM audit_events WHERE place = 2",
    "a lost certificate": "DELETE FROM certificate_files; DELETE FROM certificate_events;"
    "DELETE FROM certificates",
}


@pytest.mark.parametrize("what", HARM)
def test_fsck_names_what_an_owner_of_the_database_changed(lab, what):
    assert faults(lab) == []
    with lab.bench.engine.begin() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'keep_%'")
        ).scalars()
        for name in list(names):
            connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in HARM[what].split(";"):
            connection.execute(text(statement))
    assert faults(lab) != []


def test_fsck_names_a_rotten_and_a_missing_file(lab):
    file = next(one for one in (lab.folder / "files").rglob("*") if one.is_file())
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert faults(lab) == ["file-damaged"]
    file.unlink()
    assert faults(lab) == ["file-missing"]


def assert_tables_stand_beside(folder):
    """Hold every CSV to its JSON lines; no cell of it is computed by a spreadsheet."""
    lines = sorted(folder.glob("*.jsonl"))
    assert len(lines) > 30
    for one in lines:
        rows = [json.loads(line) for line in one.read_text(encoding="utf-8").splitlines()]
        with one.with_suffix(".csv").open(newline="", encoding="utf-8-sig") as file:
            heading, *cells = csv.reader(file)
        assert all(set(row) == set(heading) for row in rows), one.name
        plain = [[str(row[n]) if row[n] is not None else "" for n in heading] for row in rows]
        assert [[cell.removeprefix("'") for cell in row] for row in cells] == plain, one.name
        for cell in (cell for row in cells for cell in row):
            is_number = re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?", cell)
            assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    with (folder / "customers.csv").open(newline="", encoding="utf-8-sig") as file:
        assert "'=cmd|'/C calc'!A0" in [row["name_en"] for row in csv.DictReader(file)]


def test_a_lab_leaves_with_all_its_own_and_needs_nobody(lab, tmp_path):
    lab.issued()
    with context_for(lab.bench.installation) as ctx:
        customers.create_customer(ctx, name_en="=cmd|'/C calc'!A0", name_zh="x", kind="other")
    lab.now += timedelta(seconds=1)
    publish(lab.publisher, lab.clock)
    out = tmp_path / "out"

    def put(name, content):
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    publisher = lab.publisher
    source = Source(
        lab.bench.engine, lab.store, publisher.log(lab.now), publisher.status_files, lab.trust()
    )
    done = export_lab(source, "HZ", "2026-03-02", put, quiet)
    assert (done.certificates, done.findings) == (2, ())
    names = [str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()]
    assert prove(lambda name: (out / name).read_bytes(), names) == Proofs((), ())
    lines = (out / "rows/certificates.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["number"] for row in rows] == ["HZ-JZ-2026-000001", "HZ-JZ-2026-000002"]
    assert_tables_stand_beside(out / "rows")
    folder = out / "certificates" / "HZ-JZ-2026-000002"
    command = [
        sys.executable, "-I", str(out / "verify.py"), str(out / "trust.json"),
        str(folder / "certificate.pdf"), str(folder / "certificate.tlog-proof"),
        "--status", str(out / "status.txt"), "--at", "2026-03-02T09:00:00Z",
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, "it stands" in said.stdout) == (0, True), said.stdout + said.stderr
    (folder / "certificate.pdf").write_bytes(b"%PDF-1.7 forged")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    with pytest.raises(KeyError):
        export_lab(source, "XX", "2026-03-02", put, quiet)
    total = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, capture_output=True, check=False
    )
    assert b"certificate.pdf" in total.stdout + total.stderr
