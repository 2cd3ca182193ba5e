"""What a reading means: the correction of the certificate, and how to read rightly."""

from __future__ import annotations

import unicodedata

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Reading, Wired, allows, types_of
from api.pages.drawing import shape
from api.pages.forms import Form, form_of
from api.pages.rendering import staff_page
from api.problems import say
from calib.evaluation.correcting import CorrectedReading
from calib.services import correcting
from instruments.errors import DomainError

router = APIRouter(include_in_schema=False)


@router.get("/instruments/{instrument_id}/reading", dependencies=allows("instrument.read"))
def correct_reading(
    instrument_id: int,
    request: Request,
    ctx: Reading,
    wired: Wired,
    reading: str = "",
    measurand: str = "",
) -> Response:
    """Say what a reading means by the certificate that speaks for the instrument."""
    found = correcting.readable(ctx, instrument_id, catalogue=types_of(ctx, wired))
    form = form_of(reading=reading, measurand=measurand)
    meant: CorrectedReading | None = None
    if reading.strip() and found.measurands:
        wanted = measurand or found.measurands[0].id
        try:
            meant = correcting.correct(found, wanted, _plain(reading))
        except DomainError as problem:
            said = say(problem.message, problem.facts, ctx.language)
            form = Form(form.values, {"reading": [said]}, problem.code)
    chosen = next((m for m in found.measurands if m.id == measurand), None)
    return staff_page(
        request,
        "board/reading.html",
        ctx,
        status=form.status(),
        form=form,
        found=found,
        meant=meant,
        choices=[(one.id, one.name.text(ctx.language)) for one in found.measurands],
        measured=chosen or next(iter(found.measurands), None),
        shape=shape,
    )


def _plain(text: str) -> str:
    """Return a number typed on a phone in any width: full-width digits, a decimal comma."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("℃").removesuffix("°C").strip()
    return plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain
