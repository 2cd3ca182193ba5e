"""``calib compute``: the engine without a database and without the web."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from api.commands.terminal import read_input


def compute(file: Annotated[str, typer.Argument(help="Task file, - for standard input.")]) -> None:
    """Compute a task or a list of tasks without a database; results as canonical JSON.

    Kinds of tasks: propagate, type_a, fit, conformity, risk, thermometry,
    interval, compare, chart, round, calibration. Examples to copy stand in
    docs/methods, how a task is given in docs/methods/README.md.
    """
    from calib.evaluation.tasks import compute_many, load
    from calib.evaluation.tasks.reader import TaskRefused
    from instruments.canonical import canonical_json

    content = read_input(file)
    try:
        found, good = compute_many(load(content.decode("utf-8")))
    except UnicodeDecodeError as problem:
        found, good = _refused("bad-json", f"This is not UTF-8 text: {problem}.", "")
    except TaskRefused as problem:
        found, good = _refused(problem.code, problem.message, problem.at)
    # a pipe gets the canonical bytes and nothing else: they are compared with stored ones
    sys.stdout.buffer.write(canonical_json(found) + (b"\n" if sys.stdout.isatty() else b""))
    sys.stdout.buffer.flush()
    raise typer.Exit(0 if good else 1)


def _refused(code: str, message: str, at: str) -> tuple[Any, bool]:
    return {"error": {"code": code, "message": message, "at": at}}, False
