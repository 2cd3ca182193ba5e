"""What every command shares at the terminal: words, JSON, files, progress.

Standard output carries the answer alone; all else goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from api.settings import Settings, read_settings
from api.usage import WrongUsage
from instruments.errors import DomainError, Finding

_ENVIRONMENT = os.environ  # house: environment -- a command begins here; it is handed inward
AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")]
Reason = Annotated[str, typer.Option(help="Why; stays in the record.", show_default=False)]


def language() -> str:
    """Return the language of the terminal, of the first variable that names one."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        named = _ENVIRONMENT.get(name, "").partition(".")[0]
        if named not in ("", "C", "POSIX"):
            return "zh" if named.lower().startswith("zh") else "en"
    return "en"


def settings() -> Settings:
    """Return the settings of this environment."""
    return read_settings(_ENVIRONMENT)


def given_or_typed(variable: str, label: str, *, hidden: bool) -> str:
    """Return what a variable of the environment holds, or what is typed for want of it."""
    given = _ENVIRONMENT.get(variable, "")
    return given or str(typer.prompt(label, hide_input=hidden, err=True))


def words(message: str, **facts: object) -> str:
    """Return the sentence in the language of the terminal."""
    from calib.i18n import translate

    return translate(message, language(), **facts)


def tell(message: str, **facts: object) -> None:
    """Say a sentence on standard error."""
    typer.echo(words(message, **facts), err=True)


def tell_error(error: DomainError) -> None:
    """Say an error and its findings on standard error; as JSON, too, where that is asked."""
    from api.problems import problem

    document = problem(error, language())
    typer.echo(document["detail"], err=True)
    tell_findings(error.findings)
    if "--json" in sys.argv[1:]:
        print_json({"error": document})


def tell_findings(findings: tuple[Finding, ...]) -> None:
    """Say findings on standard error, each with its place."""
    for finding in findings:
        sentence = words(finding.message, **finding.facts)
        typer.echo(f"  {finding.severity:7} {finding.at}  {sentence}", err=True)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(plain(document), ensure_ascii=False, indent=2, allow_nan=False))


def plain(document: Any) -> Any:
    """Return views, dates and sets as the JSON doors write them."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(document)


def answer(document: Any, line: str, *, as_json: bool) -> None:
    """Print the document as JSON, or the line for a person."""
    if as_json:
        print_json(document)
    else:
        typer.echo(line)


def read_input(path: str) -> bytes:
    """Return the bytes of a file, or of standard input for ``-``.

    Raises WrongUsage when there is no such file.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise WrongUsage(
            "file-unreadable",
            "The file {path} cannot be read: {problem}. Check the name.",
            facts={"path": path, "problem": problem.strerror or str(problem)},
        ) from problem


def write_output(path: Path, content: bytes) -> None:
    """Write a file for the person who asked.

    Raises WrongUsage when it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as problem:
        raise WrongUsage(
            "file-unwritable",
            "The file {path} cannot be written: {problem}. Name another with --to.",
            facts={"path": str(path), "problem": problem.strerror or str(problem)},
        ) from problem


def pairs(given: list[str], option: str) -> dict[str, str]:
    """Return ``name=value`` options by name.

    Raises WrongUsage for one without a name, without a value, or given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, _, value = text.partition("=")
        if not name or not value or name in found:
            raise WrongUsage(
                "option-malformed",
                "{option} {given} cannot be read. Write it as name=value, each name once.",
                facts={"option": option, "given": repr(text)},
            )
        found[name] = value
    return found


def day(given: str, option: str) -> date:
    """Return the day that an option names.

    Raises WrongUsage for anything but year-month-day.
    """
    try:
        found = date.fromisoformat(given)
    except ValueError:
        found = None
    if found is None or found.isoformat() != given:
        raise WrongUsage(
            "day-unreadable",
            "{option} {given} is no day. Write year, month and day as 2026-02-27.",
            facts={"option": option, "given": repr(given)},
        )
    return found


def lists(given: list[str], option: str) -> dict[str, tuple[str, ...]]:
    """Return ``name=a,b,c`` options as lists by name."""
    return {name: tuple(text.split(",")) for name, text in pairs(given, option).items()}


@contextmanager
def progress(*, shown: bool, known: bool = True) -> Iterator[Callable[[str, float], None]]:
    """Show a progress bar on standard error while something long is done.

    `known` is whether the part that is done can be told; otherwise the bar only moves.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True)
    hidden = not (shown and console.is_terminal)
    with Progress(*columns, console=console, disable=hidden, transient=True) as bar:
        task = bar.add_task("", total=1.0 if known else None)
        yield lambda what, part: bar.update(task, completed=part, description=words(what))
