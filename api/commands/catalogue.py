"""``calib catalogue``: the instrument types, how sure their figures are, who confirmed them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import (
    AsJSON,
    Reason,
    answer,
    day,
    language,
    print_json,
    tell,
    tell_findings,
    words,
)
from api.commands.type_named import known_types, named_type
from api.usage import WrongUsage

if TYPE_CHECKING:
    from instruments.catalogue.account import TaggedFigure
    from instruments.catalogue.loader import Catalogue
    from instruments.errors import Finding
    from instruments.procedure import InstrumentType
    from instruments.services.confirmations import ConfirmationView, FigureView

app = typer.Typer(no_args_is_help=True, help="Instrument types and how sure their figures are.")
TypeId = Annotated[str, typer.Argument(help="Id of a type.", show_default=False)]
Meant = Annotated[
    str, typer.Argument(help="Id of a type, id@version, id@draft, or a file.", show_default=False)
]
Lang = Annotated[str, typer.Option("--lang", help="en or zh; else that of the terminal.")]
FigureId = Annotated[
    str, typer.Argument(help="Figure as `open` shows it, 8 characters or more.", show_default=False)
]
_SHORT = 12
_LEAST = 8


def _lang(given: str) -> str:
    if given not in ("", "en", "zh"):
        raise WrongUsage(
            "language-unknown",
            "--lang {given} is no language of this program. Write en or zh.",
            facts={"given": repr(given)},
        )
    return given or language()


@app.command(name="list")
def list_(token: Token = "", as_json: AsJSON = False) -> None:
    """List every type: id, version, name, kinds, measurands, figures by tag."""
    from instruments.catalogue.account import count, figures

    known = known_types(token).list()
    rows = [
        {
            "id": t.id, "version": t.version, "name": t.name.as_dict(), "kinds": t.kinds,
            "measurands": [m.id for m in t.measurands], "figures": count(figures(t)),
        }
        for t in known
    ]  # fmt: skip
    lines = [
        f"{t.id:34} {t.version:10} {t.name.text(language())}  {', '.join(t.kinds)}  "
        f"{words('{count} measurands', count=len(t.measurands))}  {_tags(row['figures'])}"
        for t, row in zip(known, rows, strict=True)
    ]
    answer(rows, "\n".join(lines), as_json=as_json)


def _tags(counts: Any) -> str:
    return "  ".join(f"{tag} {number}" for tag, number in counts.items())


@app.command()
def show(
    type_id: Meant,
    *,
    version: Annotated[str | None, typer.Option(help="A version; else the newest.")] = None,
    lang: Lang = "",
    toml: Annotated[bool, typer.Option("--toml", help="Print the file itself.")] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Show a whole type, every figure with its tag and source."""
    from api.commands.type_sheet import sheet

    said, named = _lang(lang), named_type(type_id, token, version)
    if toml:
        typer.echo(named.toml(), nl=False)
        return
    lines = sheet(named.type, said, _confirmed([named.type], token))
    answer(named.type.as_dict(), "\n".join(lines), as_json=as_json)


def _confirmed(types: list[InstrumentType], token: str) -> dict[str, ConfirmationView]:
    """Return by figure what the lab behind the token has compared with its document."""
    from instruments.services import confirmations

    if not token:
        return {}
    with acting(token, read_only=True) as (ctx, _):
        known = confirmations.list_figures(ctx, types)
    return {one.figure.digest: one.confirmation for one in known if one.confirmation is not None}


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Files; none: all types.")] = None,
    *,
    show_open: Annotated[
        bool, typer.Option("--open", help="List every figure that is background knowledge.")
    ] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Check type files, and say how many figures are V, V2, CALC and BG."""
    from instruments.catalogue.loader import read_file

    read = [read_file(path) for path in files or ()]
    findings = tuple(finding for file in read for finding in file.findings)
    types = [file.type for file in read if file.type is not None]
    if not files:
        types = list(known_types(token).list())
    document = _account(types, findings) | _of_lab(types, token)
    if as_json:
        print_json(document)
    else:
        tell_findings(findings)
        if files and not findings:
            _tell_known(types, known_types(token))
        typer.echo("\n".join(_lines(types, document, show_open=show_open)))
    raise typer.Exit(1 if findings else 0)


def _tell_known(types: list[InstrumentType], known: Catalogue) -> None:
    """Say of files whether the catalogue has their id already, and says otherwise."""
    from instruments.catalogue.difference import differences

    for type_ in types:
        versions = known.versions(type_.id)
        if not versions:
            continue
        same = known.get(type_.id, type_.version) if type_.version in versions else None
        changes = len(differences(same, type_)) if same is not None else 0
        if same is None:
            tell(
                "{id} is there already, in version {versions}; the file says {version}. Give a"
                " type of its own another id.",
                id=type_.id, versions=", ".join(versions), version=type_.version,
            )  # fmt: skip
        elif changes:
            tell(
                "{id} {version} is there already and says otherwise in {count} places: `calib"
                " catalogue diff` names them. Two forms of one version cannot both be installed;"
                " a laboratory imports this one as its own method.",
                id=type_.id, version=type_.version, count=changes,
            )  # fmt: skip


def _account(types: list[InstrumentType], findings: tuple[Finding, ...]) -> dict[str, Any]:
    from api.problems import finding_document
    from instruments.catalogue.account import count, figures

    by_type = [
        {"id": t.id, "version": t.version, "figures": count(figures(t)), "open": _open_of(t)}
        for t in types
    ]
    return {
        "types": len(types),
        "errors": len(findings),
        "figures": count(figure for t in types for figure in figures(t)),
        "by_type": by_type,
        "findings": [finding_document(f, language()) for f in findings],
    }


def _open_of(type_: InstrumentType) -> list[dict[str, str]]:
    from instruments.catalogue.account import still_open
    from instruments.catalogue.lines import dotted

    return [
        {
            "part": one.part, "place": dotted(one.path), "measurand": one.measurand,
            "document": one.document, "clause": one.clause,
        }
        for one in still_open(type_)
    ]  # fmt: skip


def _of_lab(types: list[InstrumentType], token: str) -> dict[str, Any]:
    """Return what the lab behind the token has confirmed of these types."""
    from instruments.services import confirmations

    if not token:
        return {"lab": None}
    with acting(token, read_only=True) as (ctx, _):
        known = confirmations.list_figures(ctx, types)
    waiting = [_figure(one) for one in known if one.confirmation is None]
    done = [_figure(one) for one in known if one.confirmation is not None]
    return {"lab": {"open": waiting, "confirmed": done}}


def _figure(one: FigureView) -> dict[str, Any]:
    from instruments.catalogue.figures import figure_of

    limit = one.figure.limit
    return {
        "type": one.figure.type_id,
        "measurand": one.figure.measurand.id,
        "figure": one.figure.digest,
        "document": limit.document,
        "clause": limit.clause,
        "limit": figure_of(limit),
        "confirmed": one.confirmation,
    }


def _lines(types: list[InstrumentType], document: dict[str, Any], *, show_open: bool) -> list[str]:
    from api.type_words import PART_WORDS
    from instruments.catalogue.account import still_open

    lines = []
    for type_, row in zip(types, document["by_type"], strict=True):
        lines.append(f"{type_.id:34} {type_.version:10} {_tags(row['figures'])}")
        waiting = still_open(type_) if show_open else ()
        lines += [
            f"    BG  {_open_line(type_, one, words(PART_WORDS[one.part]))}" for one in waiting
        ]
    lab = document["lab"]
    if lab is not None:
        counted = {"done": len(lab["confirmed"]), "open": len(lab["open"])}
        lines.append(words("Limits with BG: {done} confirmed here, {open} open.", **counted))
    sums = words(
        "{types} types, {errors} errors; figures:", types=len(types), errors=document["errors"]
    )
    return [*lines, f"{sums} {_tags(document['figures'])}"]


def _open_line(type_: InstrumentType, one: TaggedFigure, part: str) -> str:
    from api.type_figures import figure_text

    figure = figure_text(type_, one.path, language())
    shown = (part, one.measurand, one.name.text(language()), figure, one.document, one.clause)
    return "  ".join(filter(None, shown))


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="A file, an id, or id@version.", show_default=False)],
    b: Annotated[str, typer.Argument(help="The same; none: the known type of the same id.")] = "",
    *,
    lang: Lang = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Say in words what the second type says otherwise than the first."""
    from api.type_words import told
    from instruments.catalogue.difference import differences

    said, first = _lang(lang), named_type(a, token).type
    second = named_type(b, token).type if b else None
    old, new = (first, second) if second else (known_types(token).get(first.id), first)
    found = differences(old, new)
    document = [
        {
            "place": one.place, "change": one.change, "measurand": one.measurand,
            "en": told(one, "en"), "zh": told(one, "zh"),
        }
        for one in found
    ]  # fmt: skip
    head = f"{old.id} {old.version} → {new.id} {new.version}"
    body = [f"  {told(one, said)}" for one in found] or [f"  {words('Both say the same.')}"]
    answer(document, "\n".join([head, *body]), as_json=as_json)


@app.command(name="open")
def open_(
    type_id: Annotated[str, typer.Argument(help="Id of a type; none: all.")] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """List the limits that this lab has not compared with their documents yet."""
    from instruments.services import confirmations
    from instruments.services.method_views import lab_catalogue

    with acting(token, read_only=True) as (ctx, wired):
        known = lab_catalogue(ctx, wired.catalogue)
        types = (known.get(type_id),) if type_id else known.list()
        found = confirmations.list_open(ctx, types)
    by_id = {type_.id: type_ for type_ in types}
    lines = [_line(by_id[one.figure.type_id], one) for one in found]
    answer([_figure(one) for one in found], "\n".join(lines), as_json=as_json)


def _line(type_: InstrumentType, one: FigureView) -> str:
    from api.type_words import limit_text, range_text, when_text

    measurand, limit, said = one.figure.measurand, one.figure.limit, language()
    shown = (
        one.figure.digest[:_SHORT], type_.id, measurand.id,
        range_text(type_, measurand, limit, said), when_text(type_, limit.when, said),
        limit_text(type_, measurand, limit, said), limit.document, limit.clause,
    )  # fmt: skip
    return "  ".join(filter(None, shown))


@app.command()
def confirm(
    type_id: TypeId,
    figure: FigureId,
    *,
    document: Annotated[
        str, typer.Option(help="Number and edition on your copy.", show_default=False)
    ],
    clause: Annotated[str, typer.Option(help="Clause or table.", show_default=False)],
    on: Annotated[str, typer.Option(help="Day it was compared, as 2026-02-27; else today.")] = "",
    remark: Annotated[str, typer.Option(help="Stays in the record.")] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Record that a limit stands in the document as the type says it."""
    from instruments.services import confirmations
    from instruments.services.method_views import lab_catalogue

    with acting(token) as (ctx, wired):
        type_ = lab_catalogue(ctx, wired.catalogue).get(type_id)
        one = _meant(confirmations.list_figures(ctx, [type_]), figure)
        compared = day(on, "--on") if on else ctx.today
        entry = confirmations.ConfirmationEntry(document, clause, compared, remark)
        made = confirmations.confirm(ctx, type_, one.figure.measurand.id, one.figure.digest, entry)
    answer(made, f"{made.document}  {made.clause}  {made.confirmed_on}", as_json=as_json)


@app.command()
def revoke(
    type_id: TypeId, figure: FigureId, *, reason: Reason, token: Token = "", as_json: AsJSON = False
) -> None:
    """Take a confirmation back."""
    from instruments.services import confirmations
    from instruments.services.method_views import lab_catalogue

    with acting(token) as (ctx, wired):
        type_ = lab_catalogue(ctx, wired.catalogue).get(type_id)
        one = _meant(confirmations.list_figures(ctx, [type_]), figure)
        confirmations.revoke(ctx, type_id, one.figure.digest, reason)
    if as_json:
        print_json({"revoked": one.figure.digest})
    else:
        tell("The confirmation is revoked; the limit is open again.")


def _meant(known: tuple[FigureView, ...], beginning: str) -> FigureView:
    """Return the figure whose digest begins so.

    Raises WrongUsage for a beginning that is too short, unknown, or of several figures.
    """
    found = [one for one in known if one.figure.digest.startswith(beginning)]
    if len(beginning) < _LEAST or len(found) != 1:
        raise WrongUsage(
            "figure-not-named",
            "{given} names no single limit of this type that is background knowledge. Copy it "
            "from calib catalogue open, {least} characters or more.",
            facts={"given": repr(beginning), "least": _LEAST},
        )
    return found[0]
