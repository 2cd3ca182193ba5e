"""Measurement standards: register, enter certificates by hand or from a DCC file, correct them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.drift import of_standard
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from calib.certificates.dcc_reading import DCCReading
from calib.services import standard_import
from calib.services.ports import FileStore
from calib.verifier.apart import read_dcc_apart
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Finding
from instruments.quantities import QUANTITIES, UNITS
from instruments.services import standards
from instruments.services.certificate_entry import CertificateEntry, CertificateLine
from instruments.services.standards import StandardCertificateView, StandardView

router = APIRouter(include_in_schema=False)
TEXTS = ("code", "kind", "name_zh", "name_en", "maker", "model", "serial", "status")
HEAD = ("number", "issuer", "calibrated_on", "valid_until", "low", "high")
LINE = ("indication", "reference", "U", "k", "dof")
EXPIRING = timedelta(days=60)
FIRST_LINES, MORE_LINES = 6, 10


@router.get("/standards", dependencies=allows("standard.read"))
def list_standards(request: Request, ctx: Reading) -> Response:
    """List the standards, each with what its certificate is worth today."""
    found = standards.list_standards(ctx)
    listed = [(one, in_force(one, ctx.today), validity(one, ctx.today)) for one in found]
    return staff_page(request, "standards/list.html", ctx, listed=listed)


@router.get("/standards/new", dependencies=allows("standard.form"))
def new_standard(request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show the form of a new standard."""
    form = form_of(unit="temperature degC")
    return _standard_form(request, ctx, types_of(ctx, wired), form, None)


@router.post("/standards/new", dependencies=allows("standard.write"))
def register_standard(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Register a standard."""
    done = attempt(ctx, lambda: standards.register_standard(ctx, **_given(typed)))
    if isinstance(done, DomainError):
        return _standard_form(
            request, ctx, types_of(ctx, wired), shown_again(typed, done, ctx), None
        )
    return RedirectResponse(f"/standards/{done.id}?done=created", status_code=303)


@router.get("/standards/{standard_id}", dependencies=allows("standard.read"))
def show_standard(standard_id: int, request: Request, ctx: Reading) -> Response:
    """Show a standard with every edition of its certificates."""
    standard = standards.get_standard(ctx, standard_id)
    return staff_page(
        request,
        "standards/show.html",
        ctx,
        standard=standard,
        current=in_force(standard, ctx.today),
        validity=validity(standard, ctx.today),
        **of_standard(standard),
    )


@router.get("/standards/{standard_id}/edit", dependencies=allows("standard.form"))
def edit_standard(standard_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show the form of a standard."""
    standard = standards.get_standard(ctx, standard_id)
    return _standard_form(request, ctx, types_of(ctx, wired), _of_standard(standard), standard)


@router.post("/standards/{standard_id}/edit", dependencies=allows("standard.write"))
def update_standard(
    standard_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Change a standard."""
    done = attempt(
        ctx,
        lambda: standards.update_standard(ctx, standard_id, typed.version(), **_given(typed)),
    )
    if isinstance(done, DomainError):
        standard = standards.get_standard(ctx, standard_id)
        form = shown_again(typed, done, ctx, _of_standard(standard))
        return _standard_form(request, ctx, types_of(ctx, wired), form, standard)
    return RedirectResponse(f"/standards/{standard_id}?done=saved", status_code=303)


@router.get("/standards/{standard_id}/certificates/new", dependencies=allows("standard.form"))
def new_certificate(
    standard_id: int, request: Request, ctx: Reading, replaces: int = 0
) -> Response:
    """Show the form of a certificate, filled with the edition it is to replace."""
    standard = standards.get_standard(ctx, standard_id)
    before = next((c for c in standard.certificates if c.id == replaces), None)
    form = form_of() if before is None else _of_certificate(before)
    return _certificate_form(request, ctx, standard, form, FIRST_LINES if before is None else 1)


@router.post(
    "/standards/{standard_id}/certificates/new", dependencies=allows("standard.certificate")
)
def enter_certificate(standard_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Enter a certificate; a press of "more lines" only shows the form again."""
    standard = standards.get_standard(ctx, standard_id)
    lines = [line for line in typed.rows("values") if set(line) != {"k"}]
    if typed.flag("more"):
        form = typed.form().with_rows("values", lines)
        return _certificate_form(request, ctx, standard, form, MORE_LINES)
    done = attempt(ctx, lambda: _enter(ctx, standard_id, typed, lines))
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx).with_rows("values", lines)
        return _certificate_form(request, ctx, standard, form, 2)
    return RedirectResponse(f"/standards/{standard_id}?done=created", status_code=303)


@router.get("/standards/{standard_id}/certificates/dcc", dependencies=allows("standard.form"))
def choose_dcc(standard_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form that takes a DCC file."""
    return _dcc_page(request, ctx, standards.get_standard(ctx, standard_id), Form(), None)


@router.post(
    "/standards/{standard_id}/certificates/dcc", dependencies=allows("standard.certificate")
)
def import_dcc(
    standard_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Show what was read in a DCC file; on the second press enter it as a certificate."""
    standard = standards.get_standard(ctx, standard_id)
    preview = attempt(ctx, lambda: _preview(typed, standard))
    if isinstance(preview, DomainError):
        return _dcc_page(request, ctx, standard, shown_again(typed, preview, ctx), None)
    if not typed.flag("sure"):
        return _dcc_page(request, ctx, standard, typed.form(), preview)
    done = attempt(ctx, lambda: _import(ctx, standard_id, typed, preview, wired.store))
    if isinstance(done, DomainError):
        return _dcc_page(request, ctx, standard, shown_again(typed, done, ctx), preview)
    return RedirectResponse(f"/standards/{standard_id}?done=created", status_code=303)


def in_force(standard: StandardView, today: date) -> StandardCertificateView | None:
    """Return the certificate that counts today, or else the newest that is not replaced."""
    alive = [c for c in standard.certificates if c.replaced_by_id is None]
    covering = [
        c
        for c in alive
        if c.calibrated_on <= today and (c.valid_until is None or today <= c.valid_until)
    ]
    return next(iter(covering or alive), None)


def validity(standard: StandardView, today: date) -> str:
    """Return what the certificate of a standard is worth today: one word for the badge."""
    if standard.status != "in_service":
        return "out_of_service"
    current = in_force(standard, today)
    if current is None:
        return "missing"
    if current.valid_until is None:
        return "valid"
    if current.valid_until < today:
        return "expired"
    return "expiring" if current.valid_until <= today + EXPIRING else "valid"


@dataclass(frozen=True, slots=True)
class Preview:
    """What was read in a DCC file, before anything is entered."""

    name: str
    content: bytes
    reading: DCCReading
    table: int
    entry: CertificateEntry
    findings: tuple[Finding, ...]

    def kept(self) -> str:
        """Return the file as the page carries it to the second press."""
        return base64.b64encode(self.content).decode()


def _preview(typed: Typed, standard: StandardView) -> Preview:
    name, content = typed.file_or_kept("file")
    reading = read_dcc_apart(content)
    table = typed.whole("table") or 0
    entry = standard_import.to_certificate_entry(reading, table, standard.unit)
    findings = standard_import.to_be_known(reading, standard)
    return Preview(name, content, reading, table, entry, findings)


def _import(
    ctx: Context, standard_id: int, typed: Typed, preview: Preview, store: FileStore
) -> standard_import.ImportedCertificate:
    return standard_import.import_standard_certificate(
        ctx,
        standard_id,
        preview.content,
        preview.name,
        store,
        table=preview.table,
        valid_until=typed.day("valid_until"),
        replaces_id=typed.whole("replaces_id"),
        reason=typed.text("reason"),
    )


def _enter(ctx: Context, standard_id: int, typed: Typed, lines: Sequence[dict[str, str]]) -> int:
    entry = CertificateEntry(
        number=typed.text("number"),
        issuer=typed.text("issuer"),
        calibrated_on=typed.needed_day("calibrated_on"),
        valid_until=typed.day("valid_until"),
        low=typed.optional("low"),
        high=typed.optional("high"),
        values=tuple(
            CertificateLine(
                indication=line.get("indication", ""),
                reference=line.get("reference", ""),
                U=line.get("U", ""),
                k=line.get("k", ""),
                dof=line.get("dof"),
            )
            for line in lines
        ),
    )
    replaces = typed.whole("replaces_id")
    return standards.enter_certificate(ctx, standard_id, entry, replaces, typed.text("reason"))


def _given(typed: Typed) -> Any:
    quantity, _, unit = typed.text("unit").partition(" ")
    given = {name: typed.text(name) for name in TEXTS if name in typed.parts}
    return given | {"quantity": quantity, "unit": unit}


def _of_standard(standard: StandardView) -> Form:
    return form_of(
        version=standard.version,
        name_zh=standard.name.zh,
        name_en=standard.name.en,
        unit=f"{standard.quantity} {standard.unit}",
        **{n: getattr(standard, n) for n in TEXTS if n not in ("name_zh", "name_en")},
    )


def _of_certificate(before: StandardCertificateView) -> Form:
    form = form_of(replaces_id=before.id, **{name: getattr(before, name) for name in HEAD})
    lines = [{name: str(getattr(line, name) or "") for name in LINE} for line in before.values]
    return form.with_rows("values", lines)


def _standard_form(
    request: Request,
    ctx: Context,
    catalogue: Catalogue,
    form: Form,
    standard: StandardView | None,
) -> Response:
    kinds = {
        wanted.id: wanted.name.text(ctx.language)
        for type_ in catalogue.list()
        for wanted in type_.standards
    }
    if standard is not None and standard.kind:
        kinds.setdefault(standard.kind, standard.kind)
    units = [
        (f"{quantity.id} {unit}", f"{quantity.name(ctx.language)} ({UNITS[unit].symbol})")
        for quantity in QUANTITIES.values()
        for unit in quantity.units
    ]
    return staff_page(
        request,
        "standards/form.html",
        ctx,
        status=form.status(),
        form=form,
        standard=standard,
        units=units,
        kinds=sorted(kinds.items(), key=lambda kind: kind[1]),
    )


def _certificate_form(
    request: Request, ctx: Context, standard: StandardView, form: Form, more: int
) -> Response:
    replaces = next(
        (c for c in standard.certificates if str(c.id) == form.value("replaces_id")), None
    )
    return staff_page(
        request,
        "standards/certificate_form.html",
        ctx,
        status=form.status(),
        form=form,
        standard=standard,
        replaces=replaces,
        more=more,
    )


def _dcc_page(
    request: Request,
    ctx: Context,
    standard: StandardView,
    form: Form,
    preview: Preview | None,
) -> Response:
    return staff_page(
        request,
        "standards/dcc.html",
        ctx,
        status=form.status(),
        form=form,
        standard=standard,
        preview=preview,
    )
