"""A certificate's result comes again from its frozen input, with no database, byte for byte."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import issuing
from tests.support.door import a_door
from tests.support.journey import as_table, brought_in, certified, evaluated
from tests.support.program import Program

_WATCHED = """
import sys
from api.cli import run
code = run(["compute", "-"])
sys.stdout.flush()
known = {name.partition(".")[0] for name in sys.modules}
print(*sorted(known), file=sys.stderr)
sys.exit(code)
"""
DATABASE_AND_WEB = {
    "alembic", "fastapi", "huey", "psycopg", "sqlalchemy", "sqlite3", "starlette", "uvicorn",
    "typst", "fontTools",
}  # fmt: skip


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """Return the input and the result that a certificate was made from, as they are handed out."""
    folder = tmp_path_factory.mktemp("recompute")
    door = a_door(f"sqlite+pysqlite:///{folder / 'calib.db'}", folder)
    record = issuing.opened(door.bench, line={"predict": {"temperature": ("121",)}}).id
    brought_in(door, record, as_table(issuing.ROWS))
    evaluated(door, record)
    id_ = certified(door, record)["certificate_id"]
    client = door.as_(door.bench.technician)
    files = [
        client.get(f"/api/v1/certificates/{id_}/files/{role}").content
        for role in ("input", "result")
    ]
    door.bench.engine.dispose()
    return files


def test_a_frozen_input_gives_the_stored_result_byte_for_byte(issued, tmp_path):
    frozen, result = issued
    done = Program({"CALIB_DATABASE_URL": "nowhere", "CALIB_DATA": str(tmp_path)})(
        "compute", "-", stdin=frozen
    )
    assert done.code == 0, done.err
    assert done.out == result
    assert list(tmp_path.iterdir()) == []


def test_computing_loads_neither_database_nor_web(issued):
    frozen, result = issued
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED],
        input=frozen,
        capture_output=True,
        env=Program().environment(),
        check=True,
    )
    assert done.stdout == result
    loaded = set(done.stderr.decode().split())
    assert "numpy" in loaded
    assert not loaded & DATABASE_AND_WEB
