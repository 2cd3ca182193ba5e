"""Bulk import of instruments and standards: a dry run with its findings first, then the import."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Sequence
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.files import download
from api.pages.forms import AsTyped, Form, Typed, attempt, shown_again
from api.pages.rendering import staff_page
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import importing

router = APIRouter(include_in_schema=False)
Kind = Literal["instruments", "standards"]
Report = importing.ImportReport
HEADINGS = {
    "instruments": importing.INSTRUMENT_COLUMNS,
    "standards": importing.STANDARD_COLUMNS,
}
NEEDED = {
    "instruments": ("serial", "maker", "model", "customer"),
    "standards": ("code", "serial", "quantity", "unit"),
}


@router.get("/{kind}/import", dependencies=allows("registry.form"))
def choose_file(kind: Kind, request: Request, ctx: Reading) -> Response:
    """Show the form that takes the file."""
    return _page(request, ctx, kind, Form())


@router.get("/{kind}/import/template.csv", dependencies=allows("registry.form"))
def template(kind: Kind, ctx: Reading) -> Response:
    """Return an empty table with the headings an import knows, in the reader's language."""
    out = io.StringIO()
    csv.writer(out).writerow([_heading(names, ctx.language) for names in HEADINGS[kind].values()])
    return download(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{kind}.csv")


@router.post("/{kind}/import", dependencies=allows("registry.import"))
def import_file(
    kind: Kind, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Read the file: what would happen first; on the second press it happens."""
    dry_run = not typed.flag("sure")
    done = attempt(ctx, lambda: _read(ctx, kind, typed, types_of(ctx, wired), dry_run=dry_run))
    if isinstance(done, DomainError):
        return _page(request, ctx, kind, shown_again(typed, done, ctx))
    report, name, content = done
    if report.created:
        return RedirectResponse(f"/{kind}?done=imported", status_code=303)
    kept = base64.b64encode(content).decode()
    return _page(request, ctx, kind, Form(), report, name, kept)


def _read(
    ctx: Context, kind: Kind, typed: Typed, catalogue: Catalogue, *, dry_run: bool
) -> tuple[Report, str, bytes]:
    name, content = typed.file_or_kept("file")
    read: Callable[[], Report] = {
        "instruments": lambda: importing.import_instruments(
            ctx,
            content,
            name,
            catalogue=catalogue,
            dry_run=dry_run,
            partial=typed.flag("partial"),
        ),
        "standards": lambda: importing.import_standards(
            ctx, content, name, dry_run=dry_run, partial=typed.flag("partial")
        ),
    }[kind]
    return read(), name, content


def _heading(names: Sequence[str], language: str) -> str:
    chinese = [name for name in names if not name.isascii()]
    return chinese[0] if language == "zh" and chinese else names[0]


def _page(
    request: Request,
    ctx: Context,
    kind: Kind,
    form: Form,
    report: Report | None = None,
    name: str = "",
    kept: str = "",
) -> Response:
    headings = {field: _heading(names, ctx.language) for field, names in HEADINGS[kind].items()}
    return staff_page(
        request,
        "registry/import.html",
        ctx,
        status=form.status(),
        form=form,
        kind=kind,
        headings=headings,
        needed=NEEDED[kind],
        report=report,
        errors={f.at for f in report.findings if f.severity == "error"} if report else (),
        name=name,
        kept=kept,
    )
