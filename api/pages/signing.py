"""The page on which somebody signs: what, with which meaning, and who they are."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, allows
from api.pages.forms import Form, Typed
from api.pages.rendering import staff_page
from api.proving import Prover, Proving
from calib.services import readings, signatures
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services.reauthentication import Answer

router = APIRouter(include_in_schema=False)
ADDRESS = {"performed": "submit", "reviewed": "review", "authorised": "authorise"}
"""Where a signature is sent to: to the act that it signs."""


@router.get(
    "/calibrations/{calibration_id}/sign/{challenge}", dependencies=allows("calibration.read")
)
def show(
    calibration_id: int, challenge: str, request: Request, ctx: Reading, prover: Proving
) -> Response:
    """Show what is to be signed; a challenge that was used or is too old leads back."""
    readings.get_calibration(ctx, calibration_id)
    try:
        return sign_page(request, ctx, calibration_id, challenge, prover, Form())
    except DomainError:
        return RedirectResponse(f"/calibrations/{calibration_id}", status_code=303)


def sign_page(
    request: Request,
    ctx: Context,
    calibration_id: int,
    challenge: str,
    prover: Prover,
    form: Form,
) -> Response:
    """Return the page; raises what `signatures.open_challenge` raises."""
    asked = signatures.open_challenge(ctx, challenge, prover.session)
    return staff_page(
        request,
        "bench/sign.html",
        ctx,
        status=form.status(),
        form=form,
        record=readings.get_calibration(ctx, calibration_id),
        asked=asked,
        action=ADDRESS[asked.meaning],
        options=prover.passkey_options(ctx, bytes.fromhex(asked.signed_sha256)),
    )


def answer_of(typed: Typed) -> Answer | None:
    """Return what was given on the page; None where the act was sent without it."""
    if not typed.text("challenge"):
        return None
    return Answer(
        typed.text("challenge"),
        typed.text("sign_password"),
        typed.text("sign_code"),
        typed.text("response"),
    )


def shown_again(
    request: Request,
    ctx: Context,
    calibration_id: int,
    typed: Typed,
    prover: Prover,
    refused: DomainError,
) -> Response | None:
    """Return the signing page with what was wrong; None where signing cannot go on there."""
    if not typed.text("challenge"):
        return None
    form = without_secrets(typed.form(refused, ctx.language))
    try:
        return sign_page(
            request,
            ctx,
            calibration_id,
            typed.text("challenge"),
            prover,
            form,
        )
    except DomainError:
        return None


def consent_form(typed: Typed, refused: DomainError, language: str) -> Form:
    """Return the form of the proposal that was not consented to, with what was wrong."""
    return without_secrets(typed.form(refused, language)).apart(f"-{typed.text('proposal')}")


def without_secrets(form: Form) -> Form:
    """Return the form without what proved who somebody is, faults beside the fields of that."""
    names = {"password": "sign_password", "code": "sign_code"}
    problems = {names.get(name, name): said for name, said in form.problems.items()}
    secret = ("response", "sign_code", "sign_password")
    kept = {name: value for name, value in form.values.items() if name not in secret}
    return Form(kept, problems, form.code)
