"""``calib import``: instruments, standards and readings from CSV or XLSX."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import AsJSON, print_json, progress, read_input, tell_findings, words
from api.usage import WrongUsage

if TYPE_CHECKING:
    from api.bootstrap import Wiring
    from instruments.context import Context
    from instruments.services.importing import ImportReport


class What(StrEnum):
    """What can be imported."""

    INSTRUMENTS = "instruments"
    STANDARDS = "standards"
    READINGS = "readings"


def import_file(
    what: What,
    file: Annotated[str, typer.Argument(help="CSV or XLSX, - for standard input.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Write the good rows.")] = False,
    calibration: Annotated[
        int | None, typer.Option(help="Record the readings belong to.", show_default=False)
    ] = None,
    stage: Annotated[str, typer.Option(help="as_found or as_left.")] = "as_found",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Import a table; nothing is written unless all rows pass or --partial is given."""
    if (what is What.READINGS) != (calibration is not None) or (what is What.READINGS and partial):
        raise WrongUsage(
            "option-misplaced",
            "Readings need --calibration and are written all or none; --calibration is for "
            "readings alone, --partial for instruments and standards.",
        )
    content = read_input(file)
    with progress(shown=not as_json, known=False) as told, acting(token) as (ctx, wired):
        told("reading the table", 0.0)
        report = _run(
            ctx,
            wired,
            what,
            content,
            Path(file).name,
            dry_run=dry_run,
            partial=partial,
            calibration=calibration,
            stage=stage,
        )
    refused = any(f.severity == "error" for f in report.findings)
    if as_json:
        print_json({"dry_run": dry_run, **_document(report)})
    else:
        tell_findings(report.findings)
        typer.echo(
            words("{rows} rows read, {created} written.", rows=report.rows, created=report.created)
        )
    raise typer.Exit(1 if refused and not (partial and report.created) else 0)


def _run(
    ctx: Context,
    wired: Wiring,
    what: What,
    content: bytes,
    name: str,
    *,
    dry_run: bool,
    partial: bool,
    calibration: int | None,
    stage: str,
) -> ImportReport:
    from calib.services import readings
    from instruments.services import importing
    from instruments.services.method_views import lab_catalogue

    if what is What.INSTRUMENTS:
        return importing.import_instruments(
            ctx,
            content,
            name,
            catalogue=lab_catalogue(ctx, wired.catalogue),
            dry_run=dry_run,
            partial=partial,
        )
    if what is What.STANDARDS:
        return importing.import_standards(ctx, content, name, dry_run=dry_run, partial=partial)
    assert calibration is not None  # noqa: S101 -- asked for above
    return readings.import_readings(ctx, calibration, content, name, dry_run=dry_run, stage=stage)


def _document(report: ImportReport) -> dict[str, object]:
    from api.commands.terminal import language
    from api.problems import finding_document

    return {
        "rows": report.rows,
        "created": report.created,
        "findings": [finding_document(f, language()) for f in report.findings],
    }
