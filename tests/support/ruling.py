"""A bare connection as somebody has it who rules the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from instruments.tenancy import see_all_labs


@contextmanager
def ruling(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees the rows of every lab; it commits at the end."""
    with engine.begin() as connection:
        see_all_labs(connection)
        yield connection
