"""Issued certificates: find, look, open the files, amend, withdraw, void, print many."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import printing
from api.deps import Acting, Reading, Wired, Writing, allows
from api.files import download
from api.packing import taken
from api.pages.forms import AsTyped, Form, Typed, attempt
from api.pages.rendering import staff_page
from api.pages.signing import answer_of, consent_form
from api.pages.sorting import page_of, sorting_of
from api.proving import Proving, passkey_options
from calib.services import amendment, consents, issue, lookup
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import orders, people

router = APIRouter(include_in_schema=False)
PAGE = 50
STATES = ("issued", "superseded", "withdrawn", "reserved", "void")
SECOND = ("reviewer", "signatory", "manager")
"""Roles of the second person of a withdrawal."""
Ids = Annotated[list[int] | None, Query()]


@router.get("/certificates", dependencies=allows("certificate.read"))
def list_certificates(
    request: Request, ctx: Reading, text: str = "", state: str = "", before: int = 0
) -> Response:
    """List certificates, newest first, a page at a time."""
    sorting = sorting_of(request, *lookup.SORTS)
    number = page_of(request) if sorting.key else 1
    found = lookup.certificates(
        ctx,
        text,
        state=state if state in STATES else None,
        limit=PAGE + 1,
        before=None if sorting.key else before or None,
        sort=sorting.code,
        offset=(number - 1) * PAGE,
    )
    return staff_page(
        request,
        "certificates/list.html",
        ctx,
        found=found[:PAGE],
        next_before=found[PAGE - 1].id if len(found) > PAGE and not sorting.key else None,
        sorting=sorting,
        earlier=sorting.page(number - 1) if number > 1 else "",
        further=sorting.page(number + 1) if sorting.key and len(found) > PAGE else "",
        text=text,
        state=state,
        states=STATES if ctx.actor.is_staff else STATES[:3],
    )


@router.get("/certificates/print", dependencies=allows("certificate.read"))
def print_many(
    request: Request,
    ctx: Reading,
    id: Ids = None,  # noqa: A002
    order: int | None = None,
) -> Response:
    """Show what can be taken of the chosen certificates, or of all of an order."""
    if order is None:
        chosen = lookup.chosen_certificates(ctx, id or [])
    else:
        orders.get_order(ctx, order)
        found = lookup.certificates(ctx, order_id=order, limit=printing.MOST)
        chosen = tuple(one for one in found if one.state not in ("reserved", "void"))
    return staff_page(request, "certificates/print.html", ctx, chosen=chosen, most=printing.MOST)


@router.get("/certificates/print.pdf", dependencies=allows("certificate.read"))
def copies_to_print(act: Acting, wired: Wired, id: Ids = None) -> Response:  # noqa: A002
    """Hand out one file with every page of the chosen certificates, marked as copies."""
    content = printing.copies(act, wired, id or [])
    return download(content, "application/pdf", "certificates.pdf", inline=True)


@router.get("/certificates/originals.zip", dependencies=allows("certificate.read"))
def originals(act: Acting, wired: Wired, id: Ids = None) -> Response:  # noqa: A002
    """Hand out the sealed originals of the chosen certificates."""
    content = printing.originals(act, wired, id or [])
    return download(content, "application/zip", "certificates.zip")


@router.get("/certificates/{certificate_id}", dependencies=allows("certificate.read"))
def show_certificate(certificate_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show one certificate."""
    return _page(request, ctx, wired.settings.public_url, certificate_id, Form())


@router.get(
    "/certificates/{certificate_id}/audit-pack",
    dependencies=allows("audit.export"),
)
def audit_pack(certificate_id: int, act: Acting, wired: Wired) -> Response:
    """Hand out everything behind a certificate as one ZIP file."""
    made = taken(act, wired, certificate_id)
    return download(made.content, "application/zip", made.name)


@router.get("/certificates/{certificate_id}/{role}", dependencies=allows("certificate.read"))
def open_file(certificate_id: int, role: str, ctx: Reading, wired: Wired) -> Response:
    """Open the file of a certificate; the PDF in the browser, the others to keep."""
    file = lookup.certificate_file(ctx, certificate_id, role)
    content = wired.store.get(file.sha256)
    return download(content, file.media_type, file.name, inline=role == "pdf")


@router.post("/certificates/{certificate_id}/amend", dependencies=allows("certificate.amend"))
def amend(
    certificate_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Open a copy of the record whose certificate will replace this one."""
    done = attempt(ctx, lambda: issue.amend(ctx, certificate_id, typed.text("reason")))
    if isinstance(done, DomainError):
        form = typed.form(done, ctx.language)
        return _page(request, ctx, wired.settings.public_url, certificate_id, form)
    return RedirectResponse(f"/calibrations/{done.id}", status_code=303)


@router.post("/certificates/{certificate_id}/withdraw", dependencies=allows("certificate.withdraw"))
def withdraw(
    certificate_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Withdraw an issued certificate, agreed by a second person."""
    return _by_two(request, ctx, wired, certificate_id, typed, "withdraw", "withdrawn")


@router.post("/certificates/{certificate_id}/void", dependencies=allows("certificate.void"))
def void(
    certificate_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Give up a reserved number, agreed by a second person."""
    return _by_two(request, ctx, wired, certificate_id, typed, "void", "void")


@router.post("/certificates/{certificate_id}/consent", dependencies=allows("certificate.consent"))
def consent(
    certificate_id: int,
    request: Request,
    act: Acting,
    wired: Wired,
    typed: AsTyped,
    prover: Proving,
) -> Response:
    """Agree, as the colleague who is named, to what was proposed."""
    proof = prover.prove(answer_of(typed), consents.bytes_to_sign)
    with act() as ctx:
        done = attempt(ctx, lambda: consents.consent(ctx, typed.whole("proposal") or 0, proof))
        if isinstance(done, DomainError):
            form = consent_form(typed, done, ctx.language)
            return _page(request, ctx, wired.settings.public_url, certificate_id, form)
    return RedirectResponse(f"/certificates/{certificate_id}?done=saved", status_code=303)


def _by_two(
    request: Request,
    ctx: Context,
    wired: Any,
    certificate_id: int,
    typed: Typed,
    act: consents.Act,
    done: str,
) -> Response:
    def both() -> consents.ProposalView | None:
        second = typed.chosen("second_person_id")
        return consents.end_by_two(ctx, act, certificate_id, typed.text("reason"), second)

    ended = attempt(ctx, both)
    if isinstance(ended, DomainError):
        form = typed.form(ended, ctx.language)
        return _page(request, ctx, wired.settings.public_url, certificate_id, form)
    done = "proposed" if ended is not None else done
    return RedirectResponse(f"/certificates/{certificate_id}?done={done}", status_code=303)


def _page(
    request: Request, ctx: Context, public_url: str, certificate_id: int, form: Form
) -> Response:
    certificate = lookup.certificate(ctx, certificate_id)
    proposals = consents.open_proposals(ctx, certificate_id)
    second = []
    amending = None
    if ctx.actor.is_staff:
        amending = amendment.open_amendment(ctx, certificate.calibration_id)
        second = [
            (person.id, person.name)
            for person in people.list_people(ctx)
            if person.id != ctx.actor.person_id
            and any(held.role in SECOND for held in person.memberships)
        ]
    return staff_page(
        request,
        "certificates/show.html",
        ctx,
        status=form.status(),
        form=form,
        certificate=certificate,
        document=lookup.certificate_document(ctx, certificate_id),
        chain=_chain(ctx, certificate),
        second=second,
        proposals=proposals,
        passkey=passkey_options(request, ctx, proposals),
        amending=amending if certificate.state == "issued" else None,
        address=f"{public_url.rstrip('/')}/c/{certificate.token}",
    )


def _chain(ctx: Context, certificate: lookup.CertificateView) -> list[lookup.CertificateView]:
    """Return the certificates of one chain of replacements, oldest first, this one among them."""
    earlier = []
    one = certificate
    while one.replaces_id is not None:
        one = lookup.certificate(ctx, one.replaces_id)
        earlier.append(one)
    later = []
    one = certificate
    while successor := next((e.successor_id for e in one.events if e.successor_id), None):
        one = lookup.certificate(ctx, successor)
        later.append(one)
    return [*reversed(earlier), certificate, *later]
