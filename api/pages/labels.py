"""Status labels of issued certificates as PDF: one of 50 x 30 mm, or sheets of 24."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.deps import Reading, Wired, allows
from api.files import download
from api.pages.rendering import staff_page
from calib.certificates.document import CertificateDocument
from calib.certificates.labels import Label, LabelColour, LabelSheet, render_labels
from calib.i18n import translate
from calib.services import lookup
from instruments.context import Context

router = APIRouter(include_in_schema=False)
MOST = 240
COLOUR_OF: dict[str, LabelColour] = {
    "pass": "green",
    "not_stated": "green",
    "conditional_pass": "yellow",
    "undetermined": "yellow",
    "cannot_be_stated": "yellow",
}
"""By verdict; everything else is out of service."""
Ids = Annotated[list[int] | None, Query()]


@router.get("/certificates/labels", dependencies=allows("label.print"))
def choose_labels(request: Request, ctx: Reading, id: Ids = None) -> Response:  # noqa: A002
    """Show which labels will be printed and what limited-use labels are limited to."""
    chosen = [lookup.certificate(ctx, number) for number in _few(id)]
    return staff_page(
        request,
        "certificates/labels.html",
        ctx,
        chosen=chosen,
        colours={one.id: colour_of(one) for one in chosen},
    )


@router.get("/certificates/labels.pdf", dependencies=allows("label.print"))
def labels_pdf(
    ctx: Reading,
    wired: Wired,
    id: Ids = None,  # noqa: A002
    sheet: Literal["single", "sheet"] = "sheet",
    limited_to: str = "",
) -> Response:
    """Return the labels of certificates, ready to print."""
    labels = [_label(ctx, number, limited_to.strip()) for number in _few(id)]
    kind: LabelSheet = sheet
    content = render_labels(labels, wired.clock(), sheet=kind)
    return download(content, "application/pdf", "labels.pdf", inline=True)


def _few(ids: list[int] | None) -> list[int]:
    return list(dict.fromkeys(ids or []))[:MOST]


def colour_of(certificate: lookup.CertificateView) -> LabelColour:
    """Return the colour of the label: what is not issued or no longer stands is red."""
    if certificate.state != "issued":
        return "red"
    colour = COLOUR_OF.get(certificate.verdict, "red")
    return "yellow" if certificate.passed_of and colour == "green" else colour


def _label(ctx: Context, certificate_id: int, limited_to: str) -> Label:
    certificate = lookup.certificate(ctx, certificate_id)
    document = lookup.certificate_document(ctx, certificate_id)
    colour = colour_of(certificate)
    until, because = _until(document) if colour != "red" else (None, None)
    limit = limited_to or _in_both("see certificate")
    if certificate.passed_of:
        passed, pieces = certificate.passed_of
        said = _in_both("{passed} of {all} pieces pass", passed=passed, all=pieces)
        limit = f"{said}; {limited_to}" if limited_to else said
    return Label(
        colour=colour,
        lab=document.lab.name,
        number=document.number,
        serial=document.item.serial or document.item.barcode,
        performed_on=document.performed_on,
        by=next((p.name for p in document.persons if p.role == "performed"), ""),
        address=document.address,
        until=until,
        until_because=because,
        limited_to=limit if colour == "yellow" else "",
        simulated=document.simulated,
    )


def _in_both(message: str, **facts: object) -> str:
    return " / ".join(translate(message, language, **facts) for language in ("zh", "en"))


def _until(
    document: CertificateDocument,
) -> tuple[str | None, Literal["legal", "agreed"] | None]:
    """Return the date a label may bear: a legal validity, or what the customer agreed."""
    if document.valid_until:
        return document.valid_until, "legal"
    if document.next_due_on and document.interval_agreed:
        return document.next_due_on, "agreed"
    return None, None
