"""Governing documents: find, look, put side by side, see who is affected, record what is new."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.exporting import exports
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from api.pages.words import WORDS
from api.sheets import csv_file, xlsx_file
from calib.i18n import translate
from calib.services.document_use import DocumentUse, document_use
from calib.services.document_work import CertificateUse
from instruments.catalogue.documents import shipped
from instruments.catalogue.documents.comparing import compared
from instruments.catalogue.documents.values import STATUSES, Comparison, Difference
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import documents
from instruments.services.documents import DocumentEntry, DocumentView, Supersession

router = APIRouter(include_in_schema=False)
CERTIFICATES_SHOWN = 200
"""Who may record what is new."""
FILTERS = (*STATUSES, "unknown")


@router.get("/documents", dependencies=allows("document.read"))
def list_documents(request: Request, ctx: Reading, text: str = "", status: str = "") -> Response:
    """List the documents; by a part of number or title, by status today."""
    wanted = status if status in FILTERS else ""
    return staff_page(
        request,
        "documents/list.html",
        ctx,
        found=documents.list_documents(ctx, text, wanted),
        text=text,
        chosen=wanted,
        may_record=_may_record(ctx),
        address=address,
    )


@router.get("/documents/record", dependencies=allows("document.form"))
def new_record(request: Request, ctx: Reading, number: str = "") -> Response:
    """Show the form in which a lab records what it knows of a document."""
    form = Form() if not number else _filled(documents.get_document(ctx, number))
    return _record_page(request, ctx, form, number)


@router.post("/documents/record", dependencies=allows("document.write"))
def record(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Record what the lab knows of a document."""
    done = attempt(ctx, lambda: documents.register(ctx, _entry(typed), typed.version()))
    if isinstance(done, DomainError):
        shown = typed.text("known")
        current = _filled(documents.get_document(ctx, shown)) if shown else None
        return _record_page(request, ctx, shown_again(typed, done, ctx, current), shown)
    return RedirectResponse(f"{address(done.number)}?done=saved", status_code=303)


@router.post("/documents/supersede", dependencies=allows("document.write"))
def supersede(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Record that another edition takes the place of a document."""
    number = typed.text("number")
    done = attempt(ctx, lambda: documents.supersede(ctx, _supersession(typed), typed.version()))
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _document_page(request, ctx, wired.catalogue, number, form)
    return RedirectResponse(f"{address(number)}?done=saved", status_code=303)


@router.get(
    "/documents/affected.csv", dependencies=[*allows("document.read"), *exports("documents")]
)
def affected_csv(ctx: Reading, wired: Wired, number: str) -> Response:
    """Hand out the certificates that rest on a document, as CSV."""
    use = document_use(ctx, number, catalogue=wired.catalogue)
    return csv_file(_sheet(use, ctx.language), f"{_plain(number)}.csv")


@router.get(
    "/documents/affected.xlsx", dependencies=[*allows("document.read"), *exports("documents")]
)
def affected_xlsx(ctx: Reading, wired: Wired, number: str) -> Response:
    """Hand out the certificates that rest on a document, as a workbook."""
    use = document_use(ctx, number, catalogue=wired.catalogue)
    return xlsx_file(_sheet(use, ctx.language), f"{_plain(number)}.xlsx")


@router.get("/documents/comparisons", dependencies=allows("document.read"))
def list_comparisons(request: Request, ctx: Reading) -> Response:
    """List the matters on which documents are put side by side."""
    found = shipped.register().comparisons
    return staff_page(request, "documents/comparisons.html", ctx, comparisons=found)


@router.get("/documents/comparisons/{matter}", dependencies=allows("document.read"))
def show_comparison(matter: str, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show the limits of several documents on one matter side by side."""
    comparison = shipped.comparison(matter)
    named = tuple(dict.fromkeys(row.document for row in comparison.rows))
    return staff_page(
        request,
        "documents/comparison.html",
        ctx,
        comparison=comparison,
        lines=compared(comparison, wired.catalogue.list()),
        differences=[d for d in shipped.register().differences if set(d.between) <= set(named)],
        address=address,
    )


@router.get("/documents/{number:path}", dependencies=allows("document.read"))
def show_document(number: str, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show one document and all that rests on it."""
    form = form_of(version=documents.get_document(ctx, number).revision)
    return _document_page(request, ctx, wired.catalogue, number, form)


def address(number: str) -> str:
    """Return the address of the page of a document."""
    return f"/documents/{quote(number)}"


def _document_page(
    request: Request, ctx: Context, catalogue: Catalogue, number: str, form: Form
) -> Response:
    use = document_use(ctx, number, catalogue=catalogue)
    types = types_of(ctx, request.app.state.wiring).list()
    return staff_page(
        request,
        "documents/show.html",
        ctx,
        status=form.status(),
        form=form,
        use=use,
        view=use.view,
        document=use.view.document,
        chain=documents.chain(ctx, number),
        others=_counterparts(ctx, use.view),
        comparisons=[(c, compared(c, types)) for c in _naming(number)],
        differences=_differences(number),
        certificates=use.certificates[:CERTIFICATES_SHOWN],
        may_record=_may_record(ctx),
        address=address,
    )


def _counterparts(
    ctx: Context, view: DocumentView
) -> dict[str, list[tuple[DocumentView, list[Difference]]]]:
    """Return the documents on the same matter, at home and elsewhere, with what differs."""
    known = {one.number: one for one in documents.list_documents(ctx)}
    named = dict.fromkeys([*view.document.counterparts, *_others_of(view.number)])
    found: dict[str, list[tuple[DocumentView, list[Difference]]]] = {"home": [], "elsewhere": []}
    for number in named:
        if number in known:
            place = "home" if known[number].document.is_domestic else "elsewhere"
            told = [d for d in _differences(view.number) if number in d.between]
            found[place].append((known[number], told))
    return found


def _others_of(number: str) -> list[str]:
    """Return the documents that a difference is told from, editions of one document left out."""
    document = shipped.documents().get(number)
    editions = {*document.replaces, *document.replaced_by} if document else set()
    return [
        other
        for difference in _differences(number)
        for other in difference.between
        if other not in editions and other != number
    ]


def _differences(number: str) -> list[Difference]:
    return [d for d in shipped.register().differences if number in d.between]


def _naming(number: str) -> list[Comparison]:
    return [
        comparison
        for comparison in shipped.register().comparisons
        if any(row.document == number for row in comparison.rows)
    ]


def _may_record(ctx: Context) -> bool:
    return ctx.may("document.write")


def _record_page(request: Request, ctx: Context, form: Form, number: str) -> Response:
    return staff_page(
        request,
        "documents/record.html",
        ctx,
        status=form.status(),
        form=form,
        number=number,
        address=address,
    )


def _filled(view: DocumentView) -> Form:
    document = view.document
    return form_of(
        version=view.revision,
        number=document.number,
        title_zh=document.title.zh,
        title_en=document.title.en,
        status=document.status,
        issued_on=document.issued_on,
        in_force_on=document.in_force_on,
        ends_on=document.ends_on,
        replaced_by=next(iter(document.replaced_by), ""),
        replaces="\n".join(document.replaces),
        counterparts="\n".join(document.counterparts),
    )


def _entry(typed: Typed) -> DocumentEntry:
    return DocumentEntry(
        number=typed.text("number"),
        title_en=typed.text("title_en"),
        title_zh=typed.text("title_zh"),
        status=typed.text("status"),
        issued_on=typed.day("issued_on"),
        in_force_on=typed.day("in_force_on"),
        ends_on=typed.day("ends_on"),
        replaces=typed.text("replaces").split("\n"),
        replaced_by=typed.text("replaced_by"),
        counterparts=typed.text("counterparts").split("\n"),
        source=typed.text("source"),
        note=typed.text("note"),
    )


def _supersession(typed: Typed) -> Supersession:
    return Supersession(
        number=typed.text("number"),
        replaced_by=typed.text("replaced_by"),
        ends_on=typed.day("ends_on"),
        in_force_on=typed.day("in_force_on"),
        title_en=typed.text("title_en"),
        title_zh=typed.text("title_zh"),
        source=typed.text("source"),
        note=typed.text("note"),
    )


def _sheet(use: DocumentUse, language: str) -> list[Sequence[str]]:
    def t(message: str) -> str:
        return translate(message, language)

    headings = [
        t("Document"), t("Certificate number"), t("Kind of document"), t("Issued on"),
        t("Measured on"), t("Due on"), t("Standing"), t("Issued after the end"),
        t("Role of the document"), t("Barcode"), t("Instrument"), t("Customer"), t("Site"),
    ]  # fmt: skip
    return [headings, *(_sheet_line(use.view.number, one, language) for one in use.certificates)]


def _sheet_line(number: str, one: CertificateUse, language: str) -> Sequence[str]:
    def word(group: str, code: str) -> str:
        return translate(WORDS[group][code], language)

    return [
        number,
        one.number,
        word("certificate_kind", one.kind),
        one.issued_on.isoformat(),
        one.performed_on.isoformat(),
        one.due_on.isoformat() if one.due_on else "",
        word("certificate_standing", one.standing),
        translate("yes" if one.is_after_end else "no", language),
        word("document_role", one.role),
        one.barcode,
        one.item,
        one.customer.text(language),
        one.site.text(language) if one.site else "",
    ]


def _plain(number: str) -> str:
    return number.replace("/", "-")
