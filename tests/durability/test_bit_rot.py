"""One bit flipped, a row changed or removed: nothing damaged is valid, and fsck names the place.

What is live are the rows and files behind certificates: what they say, their files, events, the
frozen input and result, ledger, audit trail, tiles of the log. An owner of the database may drop
the triggers; what may then be changed is every column that means anything.
"""

from __future__ import annotations

import random
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from calib.ledger.checkpoints import read_checkpoint
from calib.ledger.notes import read_note
from calib.ledger.tiles import ENTRIES, bundles_of, path_of, tiles_of
from calib.services import issue, public
from calib.services.log import CHECKPOINT
from calib.services.publishing import publish
from instruments.db import open_engine
from instruments.errors import DomainError, Unavailable
from instruments.tenancy import installation_session
from tests.support.sealed import a_sealed_lab, faults, moved, opened_in

KEPT = (
    "certificates", "certificate_events", "certificate_files", "evaluations", "ledger_leaves",
    "audit_events",
)  # fmt: skip
UNTOLD = {
    ("evaluations", "software"),
    ("evaluations", "person_id"),
    ("evaluations", "evaluated_at"),
    ("ledger_leaves", "added_at"),
}
"""Of the evaluation the audit trail tells the act itself; of a line of the installation the place
tells the order."""


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    lab = a_sealed_lab(tmp_path_factory.mktemp("pattern"))
    for _ in range(2):
        lab.issued()
    withdrawn = lab.issued()
    with lab.bench.as_(lab.bench.signatory) as ctx:
        issue.withdraw(ctx, withdrawn.certificate_id, "bath", lab.bench.reviewer.id)
    lab.now += timedelta(seconds=1)
    publish(lab.publisher, lab.clock)
    assert faults(lab) == []
    lab.bench.engine.dispose()
    return lab


def owned(folder: Path) -> sqlite3.Connection:
    """Open the database as its owner, without its triggers and the keys between tables."""
    connection = sqlite3.connect(folder / "calib.db", isolation_level=None)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def columns(engine) -> list[tuple[str, str]]:
    found = [
        (table, column["name"]) for table in KEPT for column in inspect(engine).get_columns(table)
    ]
    return [one for one in found if one not in UNTOLD and one[1] not in {"id", "lab_id"}]


def changed(value: object, rng: random.Random) -> object:
    """Return another value of the same kind, as close as can be."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value + 1
    words = list(str(value))
    digits = [i for i, one in enumerate(words) if one.isdigit()]
    if not digits:
        return f"{value}x"
    place = rng.choice(digits)
    words[place] = str((int(words[place]) + 1) % 10)
    return "".join(words)


def harm(connection: sqlite3.Connection, table: str, column: str, rng: random.Random) -> bool:
    """Change one column of one row; False where the database itself has a rule against it."""
    rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()  # noqa: S608
    rows = [row for row in rows if row[1] not in ("", None)] or rows
    rowid, value = rng.choice(rows)
    try:
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE rowid = ?",  # noqa: S608
            (changed(value, rng), rowid),
        )
    except sqlite3.IntegrityError:
        return False
    return True


def test_an_owner_who_changes_or_removes_rows_is_named_every_time(pattern, tmp_path):
    """A hundred changes: every column that means anything, and every table with a row less."""
    rng = random.Random(20260302)  # noqa: S311
    cases = [(table, column) for table, column in columns(pattern.bench.engine)]
    cases += [(table, "") for table in KEPT] * 3
    harmed, unnamed, n = 0, [], 0
    while harmed < 100:
        table, column = cases[n % len(cases)]
        n += 1
        folder = tmp_path / f"harm-{n}"
        lab = moved(pattern, folder)
        connection = owned(folder)
        if column:
            there = harm(connection, table, column, rng)
        else:
            rows = connection.execute(f"SELECT rowid FROM {table}").fetchall()  # noqa: S608
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", rng.choice(rows))  # noqa: S608
            there = True
        connection.close()
        if there:
            harmed += 1
            unnamed += [] if faults(lab) else [(table, column)]
        lab.bench.engine.dispose()
    assert (harmed, unnamed) == (100, [])


def test_the_application_can_change_nothing_that_was_issued(database_url):
    """Every table that is insert-only, by every act that changes rows."""
    engine = open_engine(database_url)
    is_lite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        asked = (
            "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'"
            if is_lite
            else "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        )
        tables = sorted(connection.scalars(text(asked)))
    assert set(KEPT) < set(tables)
    refused = 0
    for table in tables:
        if is_lite:
            asked = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"
            with engine.connect() as connection:
                found = " ".join(connection.scalars(text(asked), {"name": table}))
            refused += "BEFORE UPDATE" in found and "BEFORE DELETE" in found
            continue
        with pytest.raises(Exception, match="insert-only"), engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))
        refused += 1
    assert refused == len(tables) == 32
    engine.dispose()


def test_rows_of_a_certificate_are_refused_as_the_application(pattern, tmp_path):
    lab = moved(pattern, tmp_path / "lab")
    said = []
    for table in KEPT:
        for act in (f"UPDATE {table} SET lab_id = lab_id + 1", f"DELETE FROM {table}"):  # noqa: S608
            with pytest.raises(Exception, match="insert-only"), lab.bench.engine.begin() as own:
                own.execute(text(act))
            said.append(act)
    assert len(said) == 12
    assert faults(lab) == []
    lab.bench.engine.dispose()


def flip(path: Path, rng: random.Random, start: int = 0, size: int = 0) -> int:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    place = start + rng.randrange(size or len(content))
    content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))
    return place


def live_bytes(database: Path) -> list[tuple[int, int]]:
    """Return where in the file the values of live rows stand."""
    connection = sqlite3.connect(database)
    content, found = database.read_bytes(), []
    wanted = {
        "certificates": ("number", "token", "payload", "payload_digest", "verdict"),
        "certificate_events": ("reason", "happened_at"),
        "certificate_files": ("sha256",),
        "evaluations": ("input_digest", "result_digest"),
        "ledger_leaves": ("leaf", "salt", "head", "subject"),
        "audit_events": ("digest", "facts", "act"),
    }
    for table, names in wanted.items():
        for name in names:
            for (value,) in connection.execute(f"SELECT {name} FROM {table}"):  # noqa: S608
                written = str(value).encode()
                for part in range(0, len(written), 400):  # long values run over several pages
                    piece = written[part : part + 400]
                    if len(piece) > 15 and content.count(piece) == 1:
                        found.append((content.index(piece), len(piece)))
    connection.close()
    return found


def files_in(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file())


def live_files(lab) -> list[Path]:
    """Return the files of the log that its head needs; those of older heads were served before."""
    size = read_checkpoint(read_note(lab.checkpoint())).size
    names = [CHECKPOINT, *(f"tile/{tile.path()}" for tile in tiles_of(size))]
    names += [f"tile/{path_of(ENTRIES, *bundle)}" for bundle in bundles_of(size)]
    return [lab.folder / "log" / name for name in names]


def test_no_page_shows_a_certificate_of_which_a_bit_is_damaged(pattern, tmp_path):
    """Eighty bits of what it says: each time the public page refuses, and the two others stand."""
    rng = random.Random(5)  # noqa: S311
    lab = moved(pattern, tmp_path / "lab")
    connection = owned(lab.folder)
    rows = connection.execute("SELECT token, payload FROM certificates ORDER BY id").fetchall()
    codes, token, whole = set(), rows[0][0], rows[0][1].encode()
    for _ in range(80):
        bent = bytearray(whole)
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(7)
        said = bent.decode("utf-8", "replace")  # half of a letter is no text any more
        connection.execute("UPDATE certificates SET payload = ? WHERE token = ?", (said, token))
        with installation_session(lab.bench.engine, read_only=True) as session:
            with pytest.raises(Unavailable) as stop:
                public.public_certificate(session, token, lab.now)
            codes.add(stop.value.code)
            states = [public.public_certificate(session, row[0], lab.now).state for row in rows[1:]]
            assert states == ["valid", "withdrawn"]
    assert codes == {"certificate-damaged"}
    connection.close()
    lab.bench.engine.dispose()


@pytest.mark.parametrize(
    "count", [60, pytest.param(300, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_a_flipped_bit_is_named_wherever_it_is(pattern, tmp_path, count):
    """A third each in live values of the database, in files of the log, in certificates."""
    rng = random.Random(7)  # noqa: S311
    unnamed, given = [], []
    for n in range(count):
        folder = tmp_path / f"rot-{n}"
        lab = moved(pattern, folder)
        kind = ("database", "log", "files")[n % 3]
        if kind == "database":
            place = folder / "calib.db"
            flip(place, rng, *rng.choice(live_bytes(place)))
        else:
            places = live_files(lab) if kind == "log" else files_in(folder / "files")
            place = rng.choice(places)
            flip(place, rng)
        if not faults(lab):
            unnamed.append(place.name)
        if kind == "files":
            try:
                lab.store.get(place.parent.name + place.name)
                given.append(place.name)
            except DomainError:
                pass
        lab.bench.engine.dispose()
    assert unnamed == []
    assert given == []


@pytest.mark.parametrize(
    "count", [30, pytest.param(300, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_a_database_file_harmed_anywhere_never_ends_the_check_without_a_word(
    pattern, tmp_path, count
):
    """Wherever the bit is, also in the pages that hold the tree: fsck ends and says what it saw."""
    rng = random.Random(11)  # noqa: S311
    for n in range(count):
        folder = tmp_path / f"page-{n}"
        moved(pattern, folder).bench.engine.dispose()
        flip(folder / "calib.db", rng)
        lab = opened_in(pattern, folder)
        for finding in faults(lab):
            assert finding.text()
        lab.bench.engine.dispose()
