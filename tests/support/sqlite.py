"""SQLite files made, copied and removed as databases are on a server; knows no table of ours."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path


class SQLiteFiles:
    """A folder of databases."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder."""
        self.folder = folder
        self._numbers = itertools.count(1)

    def create(self, template: str = "") -> str:
        """Make a database, a copy of `template` where one is named, and return its name."""
        name = f"calib_{next(self._numbers)}"
        if template:
            shutil.copy(self.folder / template, self.folder / name)
        return name

    def drop(self, name: str) -> None:
        """Remove a database with what a killed writer left beside it."""
        for file in self.folder.glob(f"{name}*"):
            if file.name in {name, f"{name}-journal", f"{name}-wal", f"{name}-shm"}:
                file.unlink()

    def url(self, name: str) -> str:
        """Return the address of a database as SQLAlchemy writes it."""
        return f"sqlite+pysqlite:///{self.folder / name}"
