"""The command line: the same use cases as pages and JSON, with exit codes 0, 1, 2, 3.

0 done or valid, 1 refused or invalid, 2 cannot tell, 3 wrong usage. ``--json`` prints one JSON
document on standard output and nothing else; messages go to standard error. Heavy modules are
imported by the command that needs them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from api.settings import Settings, read_settings
from instruments.errors import DomainError, Invalid

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Calibration management for thermometers and medical devices.",
)
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")]
Token = Annotated[
    str,
    typer.Option(
        envvar="CALIB_TOKEN", help="API token of the person who acts.", show_default=False
    ),
]


def main() -> None:
    """Run the command line; a domain error becomes words on standard error and an exit code."""
    from api.problems import exit_code, say

    try:
        app(standalone_mode=False)
    except DomainError as error:
        language = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
        typer.echo(say(error.message, error.facts, language), err=True)
        for finding in error.findings:
            typer.echo(f"  {finding.severity} {finding.at} {finding.text()}", err=True)
        sys.exit(exit_code(error))
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as problem:
        usage = getattr(problem, "format_message", None)
        if usage is None:
            raise
        typer.echo(usage(), err=True)
        sys.exit(3)


def settings() -> Settings:
    """Return the settings of this environment."""
    return read_settings(os.environ)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def read_input(path: str) -> bytes:
    """Return the bytes of a file, or of standard input for ``-``."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise Invalid(
            "file-unreadable",
            "The file {path} cannot be read: {problem}.",
            facts={"path": path, "problem": problem.strerror or str(problem)},
        ) from problem


@app.command()
def compute(file: Annotated[str, typer.Argument(help="Task file, - for standard input.")]) -> None:
    """Compute a task or a list of tasks without a database; results as canonical JSON."""
    from api.json_reading import read_json
    from calib.evaluation import frozen  # noqa: F401 -- offers the kind calibration
    from calib.evaluation.tasks import compute_many
    from instruments.canonical import canonical_json

    answer, good = compute_many(read_json(read_input(file)))
    # a pipe gets the canonical bytes and nothing else: they are compared with stored ones
    sys.stdout.buffer.write(canonical_json(answer) + (b"\n" if sys.stdout.isatty() else b""))
    raise typer.Exit(0 if good else 1)


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the application; on SQLite the scheduled jobs run in the same process."""
    run_server(settings(), host, port)


def run_server(chosen: Settings, host: str, port: int) -> None:
    """Serve until told to stop."""
    import uvicorn

    from api.app import create_app
    from api.bootstrap import wire

    uvicorn.run(create_app(wire(chosen)), host=host, port=port, log_level="warning")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the world lives.")] = Path("demo-world"),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    dcc: Annotated[
        Path | None, typer.Option(help="A DCC file to read one standard's certificate from.")
    ] = None,
    *,
    build_only: Annotated[bool, typer.Option(help="Do not serve.")] = False,
    fresh: Annotated[bool, typer.Option(help="Throw an earlier world away.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Build a small realistic world once, every certificate truly issued, and serve it."""
    from api.demo.folder import prepare, settings_of

    with progress(shown=not as_json) as told:
        manifest = prepare(folder, port, fresh=fresh, dcc_example=dcc, told=told)
    address = f"http://127.0.0.1:{port}"
    if as_json:
        print_json({"address": address, **manifest})
    else:
        typer.echo(f"\nCalib  {address}   (stop with Ctrl-C)\n")
        for account in manifest["accounts"]:
            typer.echo(
                f"  {account['email']:26} {', '.join(account['roles']):22} {account['name']}"
            )
        typer.echo(f"\n  password of all: {manifest['accounts'][0]['password']}\n")
    sys.stdout.flush()
    if not build_only:
        run_server(settings_of(folder, port), "127.0.0.1", port)


@contextmanager
def progress(*, shown: bool) -> Iterator[Callable[[str, float], None]]:
    """Show a progress bar on standard error while something long is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, part: bar.update(task, completed=part, description=what)


@app.command()
def worker() -> None:
    """Run the scheduled jobs in a process of their own."""
    from api.bootstrap import wire
    from calib.jobs.tasks import start_worker, stop_worker

    running = start_worker(wire(settings()))
    try:
        running.wait()
    except KeyboardInterrupt:
        stop_worker()


@app.command()
def doctor(as_json: AsJSON = False) -> None:
    """Show settings, versions, database, fonts and disk: what is wrong and what to do."""
    from api.doctor import examine

    report = examine(settings())
    if as_json:
        print_json(report)
    else:
        for row in report["settings"]:
            typer.echo(f"{row['variable']:22} {row['value']:40} {row['meaning']}")
        for row in report["checks"]:
            typer.echo(f"{'ok ' if row['good'] else 'BAD'} {row['name']:12} {row['words']}")
    raise typer.Exit(0 if all(row["good"] for row in report["checks"]) else 1)
