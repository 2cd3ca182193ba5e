"""Which journal SQLite may keep: a write-ahead log only where its library is known to be sound.

Before 3.51.3 a log with several connections can lose what was committed; there each commit goes
through a rollback journal that is synced, folder and all.
"""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import text

from instruments import db
from instruments.db import journal_in_words, open_engine

EXTRA, FULL = 3, 2


@pytest.mark.parametrize(
    ("version", "journal", "level"),
    [
        ((3, 40, 1), "delete", EXTRA),
        ((3, 51, 2), "delete", EXTRA),
        ((3, 51, 3), "wal", FULL),
        ((4, 0, 0), "wal", FULL),
    ],
)
def test_the_journal_fits_the_library(tmp_path, monkeypatch, version, journal, level):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))
    engine = open_engine(f"sqlite:///{tmp_path / 'calib.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == journal
        assert connection.scalar(text("PRAGMA synchronous")) == level
    engine.dispose()
    words = "write-ahead log" if journal == "wal" else "rollback journal"
    assert words in journal_in_words()
    assert ".".join(map(str, version)) in journal_in_words()


def test_the_library_of_this_machine_is_judged_by_its_version():
    is_sound = sqlite3.sqlite_version_info >= db.SQLITE_WAL_SAFE
    assert ("write-ahead" in journal_in_words()) == is_sound
