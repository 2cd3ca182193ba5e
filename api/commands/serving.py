"""``calib serve``, ``worker``, ``demo`` and ``doctor``: what runs, and whether it can."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands.terminal import AsJSON, language, print_json, progress, settings, tell, words
from api.settings import Settings
from api.usage import WrongUsage

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Serve the application; unless told otherwise the scheduled jobs run in the same process."""
    chosen = settings()
    with listening(host, port) as listener:
        tell("Serving at http://{host}:{port} (stop with Ctrl-C).", host=host, port=port)
        run_server(chosen, listener)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens already: who knows the address may connect from now on.

    Raises WrongUsage when the address is taken or not of this machine.
    """
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as problem:
        raise WrongUsage(
            "address-taken",
            "Cannot listen on {host}:{port}: {problem}. Choose another port with --port, or stop "
            "what listens there.",
            facts={"host": host, "port": port, "problem": problem.strerror or str(problem)},
        ) from problem


def run_server(chosen: Settings, listener: socket.socket) -> None:
    """Serve on an open socket until told to stop."""
    import uvicorn

    from api.app import create_app
    from api.bootstrap import wire
    from api.logs import write_json_lines

    write_json_lines()
    server = uvicorn.Server(configured(create_app(wire(chosen))))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    raise typer.Exit(0 if server.started else 1)


def configured(application: Any) -> Any:
    """Return how an application is served; uvicorn believes a web server of this machine alone."""
    import uvicorn

    return uvicorn.Config(application, log_config=None, log_level="warning", access_log=False)


def worker() -> None:
    """Run the scheduled jobs in a process of their own."""
    from api.bootstrap import wire
    from api.logs import write_json_lines
    from calib.jobs.tasks import start_worker, stop_worker

    write_json_lines()
    running = start_worker(wire(settings()))
    try:
        running.wait()
    except KeyboardInterrupt:
        stop_worker()


def demo(
    folder: Annotated[Path, typer.Option(help="Where the world lives.")] = Path("demo-world"),
    port: Port = 8000,
    dcc: Annotated[
        Path | None, typer.Option(help="A DCC file to read one standard's certificate from.")
    ] = None,
    *,
    build_only: Annotated[bool, typer.Option("--build-only", help="Do not serve.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw an earlier world away.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Build a small realistic world once, every certificate truly issued, and serve it."""
    from api.demo.folder import prepare, settings_of

    listener = None if build_only else listening("127.0.0.1", port)
    with progress(shown=not as_json) as told:
        manifest = prepare(folder, port, fresh=fresh, dcc_example=dcc, told=told)
    address = f"http://127.0.0.1:{port}"
    if manifest["public_url"] != address:
        tell(
            "The certificates of this world were made for {printed}: their QR codes lead there. "
            "Build it anew for this address with --fresh.",
            printed=manifest["public_url"],
        )
    if as_json:
        print_json({"address": address, **manifest})
    else:
        _introduce(address, manifest)
    if build_only:
        tell(
            "Log and status list are published in the folder; nothing is served yet. Every address "
            "of this world, also in the QR codes, begins with {printed}: serve it there with calib "
            "demo --folder {folder} --port {port}, so that /c/, /log/, /status/list and "
            "/.well-known/calib-trust answer.",
            printed=manifest["public_url"],
            folder=str(folder),
            port=manifest["public_url"].rpartition(":")[2],
        )
    sys.stdout.flush()
    if listener is not None:
        run_server(settings_of(folder, port), listener)


def _introduce(address: str, manifest: dict[str, Any]) -> None:
    typer.echo(f"\nCalib  {address}   " + words("(stop with Ctrl-C)") + "\n")
    for account in manifest["accounts"]:
        roles = ", ".join(account["roles"])
        typer.echo(f"  {account['email']:26} {account['lab']}  {roles:22} {account['name']}")
    password = manifest["accounts"][0]["password"]
    typer.echo("\n  " + words("Password of all: {password}", password=password))
    for certificate in manifest["certificates"][-1:]:
        scanned = f"{address}/c/{certificate['token']}"
        typer.echo("  " + words("What the code on a certificate opens: {address}", address=scanned))
    typer.echo("")


def doctor(as_json: AsJSON = False) -> None:
    """Show settings, versions, database, fonts and disk: what is wrong and what to do."""
    from api.doctor import examine

    report = examine(settings(), language())
    if as_json:
        print_json(report)
    else:
        for row in report["settings"]:
            typer.echo(f"{row['variable']:22} {row['value']:40} {row['meaning']}")
        for row in report["checks"]:
            typer.echo(f"{'ok ' if row['good'] else 'BAD'} {row['name']:12} {row['words']}")
    raise typer.Exit(0 if all(row["good"] for row in report["checks"]) else 1)
