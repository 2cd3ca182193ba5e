"""``calib document``: find governing documents, compare limits, see who is affected."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from api.commands.acting import Token, acting
from api.commands.terminal import AsJSON, answer, language, words
from api.usage import WrongUsage

app = typer.Typer(no_args_is_help=True, help="Governing documents: editions and who rests on them.")
Number = Annotated[str, typer.Argument(help="Number with edition, as in JJF 1107-2003.")]


@app.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="Part of number or title.")] = "",
    status: Annotated[
        str, typer.Option(help="announced, in_force, superseded, withdrawn or unknown.")
    ] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """List the governing documents."""
    from instruments.services import documents

    with acting(token, read_only=True) as (ctx, _):
        found = documents.list_documents(ctx, text, status)
    spoken = language()
    lines = [
        f"{v.number:28} {v.status or 'unknown':11} {v.document.title.text(spoken)}" for v in found
    ]
    answer(found, "\n".join(lines), as_json=as_json)


@app.command()
def show(number: Number, token: Token = "", as_json: AsJSON = False) -> None:
    """Show what is known of a document, with its editions."""
    from instruments.services import documents

    with acting(token, read_only=True) as (ctx, _):
        view = documents.get_document(ctx, number)
        chain = documents.chain(ctx, number)
    document, spoken = view.document, language()
    lines = [f"{document.number}  {document.title.text(spoken)}", f"  {view.status or 'unknown'}"]
    for key in ("issued_on", "in_force_on", "ends_on"):
        value = getattr(document, key)
        if value:
            lines.append(f"  {key} {value}  {document.tags[key].confidence}")
    lines += [f"  {note.text(spoken)}" for note in document.notes]
    if len(chain) > 1:
        lines.append("  " + " -> ".join(one.number for one in chain))
    if document.counterparts:
        lines.append("  ~ " + ", ".join(document.counterparts))
    answer({"document": view, "editions": chain}, "\n".join(lines), as_json=as_json)


@app.command()
def compare(
    matter: Annotated[str, typer.Argument(help="As ear-thermometers; without it a list.")] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Put the limits of several documents on one matter side by side."""
    from instruments.catalogue.documents import shipped
    from instruments.catalogue.documents.comparing import compared
    from instruments.quantities import UNITS

    spoken = language()
    with acting(token, read_only=True) as (ctx, wired):
        ctx.need("document.read")
        if not matter:
            known = shipped.register().comparisons
            lines = [f"{one.id:32} {one.matter.text(spoken)}" for one in known]
            answer(known, "\n".join(lines), as_json=as_json)
            return
        one = shipped.comparison(matter)
        found = compared(one, wired.catalogue.list())
    symbol = UNITS[one.unit].symbol
    lines = [f"{one.matter.text(spoken)} ({symbol})"]
    lines += [
        f"  {line.document:28} {line.limit or '-':24} {line.range:22} {line.confidence:4} "
        f"{line.remark.text(spoken) if line.remark else ''}".rstrip()
        for line in found
    ]
    answer({"comparison": one, "lines": found}, "\n".join(lines), as_json=as_json)


@app.command()
def affected(number: Number, token: Token = "", as_json: AsJSON = False) -> None:
    """Show which types, work, certificates and people rest on a document."""
    from calib.services.document_use import document_use

    with acting(token, read_only=True) as (ctx, wired):
        use = document_use(ctx, number, catalogue=wired.catalogue)
    spoken = language()
    lines = [f"{t.type_id} {t.version}  {t.role}" for t in use.types]
    lines += [f"{w.order_number}  {w.state}  {w.barcode}  {w.item}" for w in use.work]
    lines += [
        f"{c.number}  {c.issued_on}  {c.standing}{' !' if c.is_after_end else ''}  {c.barcode}  "
        f"{c.customer.text(spoken)}"
        for c in use.certificates
    ]
    lines += [
        f"-> {p.name.text(spoken)}  {p.contact}  {p.phone}  {p.email}  {p.current}/{p.in_work}"
        for p in use.people
    ]
    lines.append(
        words(
            "{count} issued, {current} of them current, {late} issued after its end.",
            count=len(use.certificates),
            current=use.current,
            late=len(use.after_end),
        )
    )
    answer(use, "\n".join(lines), as_json=as_json)


@app.command()
def supersede(
    number: Number,
    by: Annotated[str, typer.Option("--by", help="Number of the newer edition.")],
    source: Annotated[str, typer.Option(help="Where it was read.")],
    *,
    since: Annotated[str, typer.Option(help="Day the newer edition is in force.")] = "",
    ends: Annotated[str, typer.Option(help="Last day of this edition.")] = "",
    note: str = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Record that a newer edition takes the place of a document."""
    from instruments.services import documents

    act = documents.Supersession(
        number=number,
        replaced_by=by,
        source=source,
        in_force_on=_day(since, "--since"),
        ends_on=_day(ends, "--ends"),
        note=note,
    )
    with acting(token) as (ctx, _):
        seen = documents.get_document(ctx, number).revision
        view = documents.supersede(ctx, act, seen)
    line = f"{view.number} -> {', '.join(view.document.replaced_by)}  {view.status}"
    answer(view, line, as_json=as_json)


def _day(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise WrongUsage(
            "option-malformed-day",
            "{option} {given} is no date. Write it like 2026-03-31.",
            facts={"option": option, "given": repr(text)},
        ) from problem
