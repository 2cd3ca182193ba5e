"""``calib database``: what the owner of a PostgreSQL database does, the application may not."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.terminal import AsJSON, answer, settings, words

app = typer.Typer(no_args_is_help=True, help="Bring the database up to date, as its owner.")


@app.callback()
def _group() -> None:
    """Keep `upgrade` a name of its own."""


@app.command()
def upgrade(
    role: Annotated[
        str, typer.Option(help="PostgreSQL: the role of the application; it may fill tables only.")
    ] = "",
    as_json: AsJSON = False,
) -> None:
    """Make and change the tables; on PostgreSQL open them to the role of the application."""
    from calib.migrations.run import newest
    from calib.migrations.run import upgrade as bring_up
    from instruments.db import open_engine

    engine = open_engine(settings().url)
    try:
        bring_up(engine, role=role)
    finally:
        engine.dispose()
    line = words("The database is at revision {revision}.", revision=newest())
    answer({"revision": newest(), "role": role}, line, as_json=as_json)
