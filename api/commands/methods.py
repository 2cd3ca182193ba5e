"""``calib method``: the lab's own methods, from the copy of a type to its approval."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import (
    AsJSON,
    Reason,
    answer,
    language,
    print_json,
    progress,
    read_input,
    tell,
    tell_findings,
    words,
    write_output,
)

if TYPE_CHECKING:
    from calib.services.dry_run import DryRun
    from instruments.context import Context
    from instruments.services.method_views import MethodLine, MethodView

app = typer.Typer(no_args_is_help=True, help="Methods of the lab: copy, change, try, approve.")
Method = Annotated[int, typer.Argument(help="Number of the method.", show_default=False)]
Remark = Annotated[str, typer.Option(help="What the second person says.")]


def _line(line: MethodLine) -> str:
    state = "in use" if line.is_in_force else line.state
    return f"{line.id}  {line.type_id}  {line.revision}  {state}  {line.written.name}"


def _tell(method: MethodView, *, as_json: bool) -> None:
    from api.method_documents import method_document

    if as_json:
        print_json(method_document(method, language()))
        return
    tell_findings(method.findings)
    typer.echo(_line(method.line))


@app.command(name="list")
def list_(token: Token = "", as_json: AsJSON = False) -> None:
    """List every revision of the lab."""
    from instruments.services.method_views import list_methods

    with acting(token, read_only=True) as (ctx, _):
        lines = list_methods(ctx)
    answer(lines, "\n".join(_line(line) for line in lines), as_json=as_json)


@app.command()
def show(method: Method, token: Token = "", as_json: AsJSON = False) -> None:
    """Show a revision and what it says otherwise than the version it started from."""
    from api.method_documents import changes_document, method_document
    from api.type_words import told
    from instruments.services.method_views import changes_of, get_method

    with acting(token, read_only=True) as (ctx, wired):
        found = get_method(ctx, method)
        base, changes = changes_of(ctx, found, wired.catalogue)
    if as_json:
        print_json(
            {
                **method_document(found, language()),
                "base": base.version if base else None,
                "changes": changes_document(changes, language()),
            }
        )
        return
    _tell(found, as_json=False)
    for one in changes:
        typer.echo(f"  {told(one, language())}")


@app.command()
def copy(
    type_id: Annotated[str, typer.Argument(help="Id of the type, e.g. oximeter.pulse.")],
    version: Annotated[
        str, typer.Option(help="Start from this version, not from what is used now.")
    ] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Start a draft from a type or from an own revision."""
    from instruments.services import methods

    with acting(token) as (ctx, wired):
        made = methods.copy_type(ctx, type_id, wired.catalogue, version)
    _tell(made, as_json=as_json)


@app.command(name="import")
def import_(
    file: Annotated[str, typer.Argument(help="Type file; - reads standard input.")],
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Start a draft from a type file, and say what it says otherwise than the type it is of."""
    from api.type_words import told
    from instruments.services import methods
    from instruments.services.method_views import changes_of

    content = read_input(file)
    with acting(token) as (ctx, wired):
        made = methods.import_text(ctx, content, Path(file).name, wired.catalogue)
        base, changes = changes_of(ctx, made, wired.catalogue)
    _tell(made, as_json=as_json)
    if base is not None and not as_json:
        tell(
            "{count} changes from {id} {version}, which it takes the place of once it is"
            " approved:",
            count=len(changes), id=base.id, version=base.version,
        )  # fmt: skip
        for one in changes:
            typer.echo(f"  {told(one, language())}", err=True)


@app.command()
def edit(
    method: Method,
    file: Annotated[str, typer.Argument(help="File with the new text; - reads standard input.")],
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Take the text of a file as the new text of a draft; it is kept with the errors it has."""
    from instruments.catalogue.own import decode
    from instruments.services import methods

    text = decode(read_input(file), Path(file).name)
    with acting(token) as (ctx, _):
        made = methods.save_text(ctx, method, _version(ctx, method), text)
    _tell(made, as_json=as_json)
    raise typer.Exit(1 if made.findings else 0)


@app.command()
def check(method: Method, token: Token = "", as_json: AsJSON = False) -> None:
    """Say what is wrong with the text of a revision, with file, line and key."""
    from api.problems import finding_document
    from instruments.services.method_views import get_method

    with acting(token, read_only=True) as (ctx, _):
        found = get_method(ctx, method)
    if as_json:
        print_json([finding_document(one, language()) for one in found.findings])
    else:
        tell_findings(found.findings)
        typer.echo(words("{count} findings", count=len(found.findings)))
    raise typer.Exit(1 if found.findings else 0)


@app.command()
def dry_run(
    method: Method,
    most: Annotated[
        int | None, typer.Option(min=1, help="Compare at most so many, issued ones first.")
    ] = None,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Say what past results would be under a revision; stores nothing."""
    from api.method_documents import dry_run_document

    with acting(token, read_only=True) as (ctx, _):
        tried = _tried(ctx, method, most, shown=not as_json)
    if as_json:
        print_json(dry_run_document(tried, language()))
    else:
        _tell_run(tried)


def _tried(ctx: Context, method: int, most: int | None, *, shown: bool) -> DryRun:
    from calib.services.dry_run import dry_run as run
    from instruments.services.method_checks import need_definition
    from instruments.services.method_views import get_method

    definition = need_definition(get_method(ctx, method))
    with progress(shown=shown) as bar:
        return run(
            ctx,
            definition,
            most=most,
            tell=lambda done, total: bar(words("Comparing past results"), done / total),
        )


def _tell_run(tried: DryRun) -> None:
    for row in tried.rows:
        named = row.certificate_number or words("record {number}", number=row.calibration_id)
        verdict = f"{row.verdict_before} -> {row.verdict_after}" if row.verdict_after else ""
        typer.echo(f"{row.outcome}  {named}  {row.item}  {verdict}".rstrip())
        for point in row.points:
            typer.echo(f"  {point.measurand} {point.nominal}: {point.before} -> {point.after}")
        tell_findings(row.findings)
    said = (
        "{compared} of {known} results compared: {flipped} verdicts flip, {changed} other results "
        "change, {not_evaluable} cannot be evaluated any more, {same} stay."
    )
    typer.echo(words(said, compared=tried.compared, known=tried.known, **tried.counts))


@app.command()
def submit(method: Method, reason: Reason, token: Token = "", as_json: AsJSON = False) -> None:
    """Hand a draft in for approval; a dry run on every past result is kept with it."""
    from calib.services import dry_run as trying

    with acting(token) as (ctx, wired):
        version = _version(ctx, method)
        made = trying.submit(ctx, method, version, reason, wired.catalogue, most=None)
    _tell(made, as_json=as_json)


@app.command()
def approve(
    method: Method, remark: Remark = "", token: Token = "", as_json: AsJSON = False
) -> None:
    """Let a submitted revision take effect: manager or signatory, not its writer."""
    from instruments.services import methods

    with acting(token) as (ctx, wired):
        made = methods.approve(ctx, method, _version(ctx, method), remark, wired.catalogue)
    _tell(made, as_json=as_json)


@app.command(name="return")
def return_(method: Method, reason: Reason, token: Token = "", as_json: AsJSON = False) -> None:
    """Return a submitted revision to its writer."""
    from instruments.services import methods

    with acting(token) as (ctx, _):
        made = methods.give_back(ctx, method, _version(ctx, method), reason)
    _tell(made, as_json=as_json)


@app.command()
def withdraw(method: Method, reason: Reason, token: Token = "", as_json: AsJSON = False) -> None:
    """Give a draft up, or take an approved revision out of use."""
    from instruments.services import methods

    with acting(token) as (ctx, wired):
        made = methods.withdraw(ctx, method, _version(ctx, method), reason, wired.catalogue)
    _tell(made, as_json=as_json)


@app.command()
def export(
    method: Method,
    to: Annotated[
        Path | None, typer.Option(help="File to write; standard output if absent.")
    ] = None,
    token: Token = "",
) -> None:
    """Write the text of a revision as a type file."""
    from instruments.services.method_views import export_text

    with acting(token, read_only=True) as (ctx, _):
        _, text = export_text(ctx, method)
    if to is None:
        sys.stdout.buffer.write(text.encode())
    else:
        write_output(to, text.encode())


def _version(ctx: Context, method: int) -> int:
    from instruments.services.method_views import get_method

    return get_method(ctx, method).version
