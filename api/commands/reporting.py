"""``calib report``: what an authority reports, from the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import AsJSON, answer, language

app = typer.Typer(no_args_is_help=True, help="Reports of an authority over its districts.")


@app.callback()
def reports() -> None:
    """Report what was done in the districts of the mandate."""


@app.command()
def weekly(
    week: Annotated[str, typer.Option(help="Like 2026-W47; the running one if absent.")] = "",
    since: Annotated[str, typer.Option(help="First day that counts; New Year if absent.")] = "",
    xlsx: Annotated[Path | None, typer.Option(help="Write a workbook here.")] = None,
    *,
    hand_in: Annotated[
        bool, typer.Option("--hand-in", help="Freeze it: these figures stay as they are.")
    ] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Count what was done in a week, with the rows behind every figure."""
    from api.weekly_sheet import name_of, sheets_of
    from calib.services import weekly as services

    with acting(token, read_only=not hand_in) as (ctx, wired):
        wanted = week or services.week_named(ctx.today)
        first = services.day_of(since, "/since")
        if hand_in:
            view = services.hand_in(ctx, wanted, catalogue=wired.catalogue, since=first)
            _, report = services.report_as_handed_in(ctx, view.id)
        else:
            report = services.weekly(ctx, wanted, catalogue=wired.catalogue, since=first)
        catalogue = wired.catalogue
    if xlsx is not None:
        from api.sheets import workbook

        xlsx.write_bytes(workbook(sheets_of(report, language(), catalogue)))
    lines = [
        f"{one.week or '-':>8} {one.since or '-':>8} {one.change or '':>6}  "
        f"{name_of(one, language(), catalogue)}"
        for one in report.figures
    ]
    answer(report, "\n".join(lines), as_json=as_json)
