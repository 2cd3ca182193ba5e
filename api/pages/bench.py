"""The bench: records of work, the entry grid with its live results, readings in by form or script.

The script and the plain form send to the same address and mean the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import ValidationError

from api.deps import Reading, Writing, allows
from api.json_reading import read_json
from api.pages import entry
from api.pages.bench_view import bench_page, cells_of, live_parts
from api.pages.forms import Typed, attempt
from api.pages.rendering import staff_page
from api.pages.review import record_page
from api.problems import finding_document, problem, status_of
from api.schemas.work import NewReadings
from calib.services import readings
from calib.services.calibration_views import CalibrationView, ReadingView
from calib.services.live import with_typed
from instruments.context import Context
from instruments.errors import Conflict, DomainError, Finding, Invalid
from instruments.quantities import parse_decimal

router = APIRouter(include_in_schema=False)
STATES = ("draft", "submitted", "reviewed", "authorised", "reserved", "issued", "closed")
MAX_FIELDS = 20_000


@router.get("/calibrations", dependencies=allows("calibration.read"))
def list_calibrations(request: Request, ctx: Reading, state: str = "", text: str = "") -> Response:
    """List the records of work by state, found by label, serial, model or order."""
    lines = readings.list_calibrations(ctx)
    wanted = text.strip().lower()
    found = [
        line
        for line in lines
        if state in ("", line.state)
        and wanted
        in f"{line.barcode} {line.serial} {line.maker} {line.model} {line.order_number}".lower()
    ]
    return staff_page(
        request,
        "bench/list.html",
        ctx,
        lines=found[:200],
        found=len(found),
        counts={name: sum(line.state == name for line in lines) for name in STATES},
        total=len(lines),
        state=state,
        text=text,
    )


@router.get("/calibrations/{calibration_id}", dependencies=allows("calibration.read"))
def show_calibration(
    calibration_id: int, request: Request, ctx: Reading, extra: int = 0
) -> Response:
    """Show the bench of a draft, the record of anything further on."""
    record = readings.get_calibration(ctx, calibration_id)
    if record.state == "draft":
        return bench_page(request, ctx, record, extra=max(extra, 0))
    return record_page(request, ctx, record)


@router.get("/calibrations/{calibration_id}/live", dependencies=allows("calibration.read"))
def live(calibration_id: int, request: Request, ctx: Reading) -> Response:
    """Return results and cells as they are now, for the script of the page."""
    record = readings.get_calibration(ctx, calibration_id)
    return JSONResponse(live_parts(request, ctx, record))


def unreadable(fault: ValidationError) -> Invalid:
    """Return the refusal of what a script sent, with the first place that cannot be read."""
    first = fault.errors()[0]
    place = "/" + "/".join(str(part) for part in first["loc"])
    return Invalid(
        "request-invalid",
        "{place}: {problem}. Nothing was changed.",
        at=place,
        facts={"place": place, "problem": first["msg"]},
    )


async def _sent(request: Request) -> NewReadings | Typed:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            return NewReadings.model_validate(read_json(await request.body()))
        except ValidationError as fault:
            raise unreadable(fault) from fault
    return Typed(await request.form(max_fields=MAX_FIELDS))


@router.post("/calibrations/{calibration_id}/live", dependencies=allows("calibration.enter"))
def try_out(
    calibration_id: int,
    request: Request,
    ctx: Reading,
    sent: Annotated[NewReadings | Typed, Depends(_sent)],
) -> Response:
    """Return the results as they would be with what is being typed; nothing is stored."""
    record = readings.get_calibration(ctx, calibration_id)
    entries = [] if isinstance(sent, Typed) else entries_of(sent)
    return JSONResponse(live_parts(request, ctx, with_typed(ctx, record, entries)))


@router.post("/calibrations/{calibration_id}/readings", dependencies=allows("calibration.enter"))
def enter(
    calibration_id: int,
    request: Request,
    ctx: Writing,
    sent: Annotated[NewReadings | Typed, Depends(_sent)],
) -> Response:
    """Enter readings, all or none, from the script (JSON) or from the form."""
    if isinstance(sent, Typed):
        return _by_form(request, ctx, calibration_id, sent)
    return _by_script(request, ctx, calibration_id, sent)


def entries_of(sent: NewReadings) -> list[readings.ReadingEntry]:
    """Return what a script sent as entries."""
    return [readings.ReadingEntry(**one.model_dump()) for one in sent.entries]


def _by_script(
    request: Request, ctx: Context, calibration_id: int, sent: NewReadings
) -> JSONResponse:
    try:
        done = attempt(ctx, lambda: readings.enter(ctx, calibration_id, entries_of(sent)))
    except DomainError as refused:
        return JSONResponse(problem(refused, ctx.language), status_code=status_of(refused))
    record = readings.get_calibration(ctx, calibration_id)
    if isinstance(done, DomainError):
        return JSONResponse(refusal(ctx, record, done), status_code=status_of(done))
    return JSONResponse(entered(done) | live_parts(request, ctx, record))


def entered(done: Sequence[ReadingView]) -> dict[str, Any]:
    """Return for the script what is now in force."""
    return {"readings": [{"revision": one.revision, "value": one.value} for one in done]}


def refusal(ctx: Context, record: CalibrationView, refused: DomainError) -> dict[str, Any]:
    """Return for the script what was refused, cell by cell, and what stands there."""
    said = [
        finding_document(found, ctx.language) | {"suggestion": _suggestion(found)}
        for found in refused.findings
    ]
    return problem(refused, ctx.language) | {"cells": cells_of(record, {}), "findings": said}


def _suggestion(found: Finding) -> str:
    """Return the decimal that was probably meant; empty when nobody can tell."""
    plain = str(found.facts.get("plain", ""))
    try:
        parse_decimal(plain)
    except Invalid:
        return ""
    return plain


def _by_form(request: Request, ctx: Context, calibration_id: int, typed: Typed) -> Response:
    record = readings.get_calibration(ctx, calibration_id)
    named = _changes(ctx, record, typed)
    reason = typed.text("reason")
    entries = [
        readings.ReadingEntry(
            *one.slot,
            value=one.value,
            revision=one.revision,
            standard_certificate_id=one.standard_certificate_id,
            reason=reason,
        )
        for _, one in named
    ]
    done = attempt(ctx, lambda: readings.enter(ctx, calibration_id, entries))
    if not isinstance(done, DomainError):
        return RedirectResponse(f"/calibrations/{calibration_id}?done=saved", status_code=303)
    names = {f"/entries/{i}": name for i, (name, _) in enumerate(named)}
    return _shown_again(request, ctx, record, typed, done, names)


def _changes(
    ctx: Context, record: CalibrationView, typed: Typed
) -> tuple[tuple[str, readings.ReadingEntry], ...]:
    pairs = [
        (name, value.strip()) for name, value in typed.parts.multi_items() if isinstance(value, str)
    ]
    fields = ((name.removeprefix("v/"), text) for name, text in pairs if name.startswith("v/"))
    chosen = {name.removeprefix("s/"): text for name, text in pairs if name.startswith("s/")}
    rivals = entry.rivals(record, readings.supporting(ctx, record.id))
    return entry.entries_of(record, fields, chosen, rivals)


def _shown_again(
    request: Request,
    ctx: Context,
    record: CalibrationView,
    typed: Typed,
    refused: DomainError,
    names: dict[str, str],
) -> HTMLResponse:
    """Show the grid again with what was typed, each problem naming its cell."""
    if isinstance(refused, Conflict) and refused.code == "record-not-draft":
        raise refused
    said: dict[str, list[dict[str, str]]] = {}
    for found in refused.findings:
        head = "/".join(found.at.split("/")[:3])
        key = names.get(head, "").rpartition("/")[0]
        said.setdefault(key, []).append(finding_document(found, ctx.language))
    shown = {
        name.removeprefix("v/").rpartition("/")[0]: value.strip()
        for name, value in typed.parts.multi_items()
        if name.startswith("v/") and isinstance(value, str)
    }
    return bench_page(
        request, ctx, record, status=status_of(refused), typed_cells=shown, cell_problems=said
    )
