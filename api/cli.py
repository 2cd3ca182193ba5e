"""The command line: the same use cases as pages and JSON, with exit codes 0, 1, 2, 3.

0 done or valid, 1 refused or invalid, 2 cannot tell, 3 wrong usage. ``--json`` prints one JSON
document on standard output and nothing else; messages go to standard error. Heavy modules are
imported by the command that needs them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from api.commands import (
    audit,
    catalogue,
    certificates,
    database,
    documents,
    finding,
    founding,
    keys,
    log,
    methods,
    orders,
    records,
    reporting,
    schemas,
    webhooks,
)
from api.commands.authenticating import authenticate
from api.commands.bench import bench
from api.commands.computing import compute
from api.commands.evaluate import evaluate
from api.commands.importing import import_file
from api.commands.keeping import backup, export, fsck, restore
from api.commands.serving import demo, doctor, serve, worker
from api.commands.simulate import simulate
from api.commands.terminal import tell_error
from instruments.errors import DomainError

USAGE = 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Calibration management for thermometers and medical devices.",
)
for command in (
    demo, serve, worker, compute, evaluate, simulate, authenticate, bench, doctor, finding.due,
):  # fmt: skip
    app.command()(command)
for keeping in (backup, restore, fsck, export):
    app.command()(keeping)
app.command("import")(import_file)
app.add_typer(certificates.app, name="certificate")
app.add_typer(orders.app, name="order")
app.add_typer(records.app, name="record")
app.add_typer(finding.app, name="instrument")
app.add_typer(methods.app, name="method")
app.add_typer(documents.app, name="document")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(schemas.app, name="schemas")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.command()(keys.signer)
app.add_typer(database.app, name="database")
app.add_typer(log.app, name="log")
app.command()(log.witness)
app.add_typer(reporting.app, name="report")
app.add_typer(founding.labs_app, name="lab")
app.add_typer(founding.people_app, name="person")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    try:
        return _exit_of(app(args=arguments, prog_name="calib", standalone_mode=False))
    except DomainError as error:
        from api.problems import exit_code

        tell_error(error)
        return exit_code(error)
    except typer.Abort:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has gone; nothing more to say
        return 1
    except Exception as problem:
        usage = getattr(problem, "format_message", None)
        if usage is None:
            raise
        typer.echo(usage(), err=True)
        return USAGE


def _exit_of(returned: object) -> int:
    """Return the exit code: what ``typer.Exit`` carried comes back as a number."""
    return returned if isinstance(returned, int) else 0
