"""A record that left the bench: what was found, who looked at it, review, authorisation, issue."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.deps import Acting, MakeContext, Reading, Wired, Writing, allows
from api.files import download
from api.pages.bench_view import bench_page, head_of, in_words
from api.pages.forms import AsTyped, Form, Typed, attempt
from api.pages.rendering import staff_page
from api.pages.signing import answer_of, shown_again
from api.proving import Prover, Proving
from calib.certificates.lint import lint
from calib.certificates.pdf import preview_png, render
from calib.services import evaluation, issue, lookup, readings, review
from calib.services.calibration_views import CalibrationView
from calib.services.preview import preview_document
from instruments.context import Context
from instruments.errors import DomainError, Finding, NotFound
from instruments.services import approval_rules
from instruments.services.humans import had_a_hand
from instruments.services.reauthentication import Proof

router = APIRouter(include_in_schema=False)
NEXT = {
    "submitted": ("reviewer", "calibration.review"),
    "reviewed": ("signatory", "calibration.authorise"),
    "authorised": ("signatory", "certificate.issue"),
}
"""Who does what next, by state."""
NOT_YET = ("/persons", "/number", "/token", "/address")
"""What a preview lacks because nobody has signed yet."""
BUDGETS_SHOWN = 40


def record_page(
    request: Request, ctx: Context, record: CalibrationView, form: Form | None = None
) -> HTMLResponse:
    """Return the page of a record that is no draft."""
    stored = _stored(ctx, record.id)
    head = head_of(ctx, record)
    form = _told(form or Form())
    measured = review.performers(ctx, record.id)
    measured_it = had_a_hand(ctx.session, ctx.actor.person_id, measured)
    role, act = NEXT.get(record.state, ("", ""))
    needs_other = record.state in ("submitted", "reviewed")
    return staff_page(
        request,
        "bench/record.html",
        ctx,
        status=form.status(),
        form=form,
        stored=stored,
        against=_against_issue(ctx, record, str(request.base_url)),
        mend=_mend(head["order"].customer_id, record.definition.id),
        marks=review.marks(ctx, record.id),
        signatures=review.list_signatures(ctx, record.id),
        is_signed=approval_rules.rules(ctx).demands_signatures,
        certificates=lookup.certificates(ctx, calibration_id=record.id),
        measured=measured,
        next_role=role,
        may_act=ctx.may(act) and not (needs_other and measured_it),
        measured_it=measured_it,
        key=secrets.token_urlsafe(18),
        budgets_shown=BUDGETS_SHOWN,
        accepted={one["warning"]: one for one in record.accepted_warnings},
        **head,
    )


def _against_issue(ctx: Context, record: CalibrationView, public_base: str) -> tuple[Finding, ...]:
    """Return what speaks against the issue, told while there is time to put it right."""
    if record.state not in NEXT:
        return ()
    try:
        document = preview_document(ctx, record.id, public_base=public_base)
    except DomainError as stop:
        return (Finding(stop.code, stop.message, "error", stop.at, stop.facts, stop.clause),)
    return tuple(found for found in lint(document) if not found.at.startswith(NOT_YET))


def _mend(customer_id: int, type_id: str) -> dict[str, tuple[str, str]]:
    """Return where what stops the issue is put right: address and words, by place or code."""
    return {
        "customer": (f"/customers/{customer_id}/edit", "Complete the customer"),
        "lab": ("/lab", "Complete the laboratory"),
        "lab-address-missing": ("/lab", "Complete the laboratory"),
        "limits-open": (f"/catalogue/{type_id}", "Compare the limits with the document"),
    }


def _told(form: Form) -> Form:
    """Return the form with what concerns no field of the page said once, above it."""
    own = {name: said for name, said in form.problems.items() if name in form.values}
    rest = [s for name, said in form.problems.items() if name not in own for s in said]
    return replace(form, problems={**own, **({"": rest} if rest else {})})


def _stored(ctx: Context, calibration_id: int) -> evaluation.EvaluationView | None:
    try:
        return evaluation.get_evaluation(ctx, calibration_id)
    except NotFound:
        return None  # closed before anything was evaluated


@router.post("/calibrations/{calibration_id}/sign", dependencies=allows("calibration.sign"))
def begin_to_sign(
    calibration_id: int, request: Request, ctx: Writing, typed: AsTyped, prover: Proving
) -> Response:
    """Keep what is to be signed and lead to the page that shows it."""
    asked = attempt(
        ctx,
        lambda: review.ask_to_sign(ctx, calibration_id, typed.text("meaning"), prover.session),
    )
    if isinstance(asked, DomainError):
        return _back(request, ctx, calibration_id, typed, asked)
    target = f"/calibrations/{calibration_id}/sign/{asked.challenge}"
    return RedirectResponse(target, status_code=303)


@router.post("/calibrations/{calibration_id}/review", dependencies=allows("calibration.review"))
def review_record(
    calibration_id: int, request: Request, act: Acting, typed: AsTyped, prover: Proving
) -> Response:
    """Mark the record as reviewed."""
    return _signed(request, act, calibration_id, typed, prover, review.review, "reviewed")


@router.post(
    "/calibrations/{calibration_id}/authorise", dependencies=allows("calibration.authorise")
)
def authorise(
    calibration_id: int, request: Request, act: Acting, typed: AsTyped, prover: Proving
) -> Response:
    """Mark the record as authorised for issue."""
    return _signed(request, act, calibration_id, typed, prover, review.authorise, "authorised")


@router.post(
    "/calibrations/{calibration_id}/give-back", dependencies=allows("calibration.give_back")
)
def give_back(calibration_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Return the record to the bench with a reason."""

    def act() -> None:
        review.give_back(ctx, calibration_id, typed.version(), typed.text("reason"))

    return _after(request, ctx, calibration_id, typed, act, "given-back")


@router.post("/calibrations/{calibration_id}/issue", dependencies=allows("certificate.issue"))
def issue_certificate(
    calibration_id: int, request: Request, act: Acting, wired: Wired, typed: AsTyped
) -> Response:
    """Issue the certificate; the key of the form makes a second press give the same one."""
    try:
        issued = issue.issue_certificate(
            wired.engine,
            wired.store,
            wired.sealer,
            act,
            calibration_id,
            typed.version(),
            typed.text("key"),
            public_base=wired.settings.public_url,
            clock=wired.clock,
        )
    except DomainError as refused:
        with act() as ctx:
            record = readings.get_calibration(ctx, calibration_id)
            return record_page(request, ctx, record, typed.form(refused, ctx.language))
    return RedirectResponse(f"/certificates/{issued.certificate_id}?done=issued", status_code=303)


@router.get("/calibrations/{calibration_id}/preview.pdf", dependencies=allows("calibration.read"))
def preview_pdf(calibration_id: int, ctx: Reading, wired: Wired) -> Response:
    """Return the certificate as it would be issued now, marked as a preview."""
    document = preview_document(ctx, calibration_id, public_base=wired.settings.public_url)
    content = render(document, {}, preview=True)
    return download(content, "application/pdf", f"preview-{calibration_id}.pdf", inline=True)


@router.get(
    "/calibrations/{calibration_id}/preview-{page}.png", dependencies=allows("calibration.read")
)
def preview_page(calibration_id: int, page: int, ctx: Reading, wired: Wired) -> Response:
    """Return one page of the preview as a picture."""
    document = preview_document(ctx, calibration_id, public_base=wired.settings.public_url)
    return Response(preview_png(document, page, ppi=100), media_type="image/png")


@router.get("/calibrations/{calibration_id}/input.json", dependencies=allows("calibration.read"))
def frozen_input(calibration_id: int, ctx: Reading) -> Response:
    """Return the frozen input of the newest evaluation: a task for ``calib compute``."""
    stored = evaluation.get_evaluation(ctx, calibration_id)
    name = f"calibration-{calibration_id}-input.json"
    return download(stored.input_json.encode(), "application/json", name)


def _signed(
    request: Request,
    open_context: MakeContext,
    calibration_id: int,
    typed: Typed,
    prover: Prover,
    act: Callable[[Context, int, int, str, Proof | None], None],
    done: str,
) -> Response:
    """Do an act that may have to be signed; who they are is proved before it begins."""
    proof = prover.prove(answer_of(typed))
    with open_context() as ctx:

        def do() -> None:
            act(ctx, calibration_id, typed.version(), typed.text("comment"), proof)

        return _after(request, ctx, calibration_id, typed, do, done, prover)


def _after(
    request: Request,
    ctx: Context,
    calibration_id: int,
    typed: Typed,
    act: Callable[[], Any],
    done: str,
    prover: Prover | None = None,
) -> Response:
    refused = attempt(ctx, act)
    if not isinstance(refused, DomainError):
        return RedirectResponse(f"/calibrations/{calibration_id}?done={done}", status_code=303)
    if prover is not None:
        again = shown_again(request, ctx, calibration_id, typed, prover, refused)
        if again is not None:
            return again
    record = readings.get_calibration(ctx, calibration_id)
    if record.state == "draft":
        raise refused
    return record_page(request, ctx, record, typed.form(refused, ctx.language))


def _back(
    request: Request, ctx: Context, calibration_id: int, typed: Typed, refused: DomainError
) -> Response:
    record = readings.get_calibration(ctx, calibration_id)
    form = typed.form(in_words(record, refused, ctx.language), ctx.language)
    if record.state == "draft":
        return bench_page(request, ctx, record, status=422, form=form)
    return record_page(request, ctx, record, form)
