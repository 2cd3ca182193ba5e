"""``calib schemas``: install the schemas of digital certificates, validate a file with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.terminal import AsJSON, answer, settings, words
from instruments.errors import Refused

app = typer.Typer(no_args_is_help=True, help="Schemas of digital calibration certificates.")
PTB = "https://ptb.de/dcc/v3.3.0/dcc.xsd"


@app.command()
def install(
    from_: Annotated[
        str, typer.Option("--from", help="Folder with the schemas, or the address of dcc.xsd.")
    ] = PTB,
    as_json: AsJSON = False,
) -> None:
    """Put the schemas into the data folder; others than the known ones are refused."""
    from api.bootstrap import fetched_schemas, schema_folder
    from calib.certificates import dcc_schema

    folder = schema_folder(settings())
    if from_.startswith(("http://", "https://")):
        installed = dcc_schema.install(fetched_schemas(from_), folder)
    elif Path(from_).is_dir():
        installed = dcc_schema.install(dcc_schema.files_under(Path(from_)), folder)
    else:
        raise Refused(
            "schemas-nowhere",
            "{place} is no folder and no address. Name a folder, or an address that starts with "
            "https://.",
            facts={"place": from_},
        )
    told = {"folder": str(folder), "schemas": [schema.file for schema in installed]}
    answer(told, "\n".join([str(folder), *told["schemas"]]), as_json=as_json)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A DCC.")],
    as_json: AsJSON = False,
) -> None:
    """Validate a DCC 3.3.0; exit code 0 valid, 1 not."""
    from api.bootstrap import schema_folder
    from calib.certificates.dcc_schema import validate

    findings = validate(file.read_bytes(), schema_folder(settings()))
    lines = [words(f.message, **f.facts) for f in findings] or [words("The file is valid.")]
    told = {"valid": not findings, "findings": [f.text() for f in findings]}
    answer(told, "\n".join(lines), as_json=as_json)
    raise typer.Exit(1 if findings else 0)
