"""Several items side by side: one grid, one set of reference readings, many records."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import ValidationError

from api.deps import Reading, Writing, allows
from api.json_reading import read_json
from api.pages.bench import entered, entries_of, refusal, unreadable
from api.pages.bench_view import cells_of, live_values, results_of, speaker, suspects
from api.pages.forms import AsTyped, Form, Typed
from api.pages.rendering import staff_page
from api.pages.side_grid import side_tables
from api.pages.typed_units import spellings
from api.problems import finding_document, say
from api.schemas.work import ReadingsOfRecords
from calib.services import readings
from calib.services.calibration_views import CalibrationView
from calib.services.live import with_typed
from calib.services.readings import ConditionEntry
from calib.services.together import (
    Circumstances,
    Together,
    enter_together,
    note_together,
    submit_together,
    together,
)
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import approval_rules, instruments

router = APIRouter(include_in_schema=False)
Chosen = Annotated[list[int], Query(default_factory=list)]
QUANTITIES = (("temperature", "degC"), ("relative_humidity", "%RH"), ("pressure", "kPa"))
MOMENTS = ("start", "end")


@router.get("/calibrations/side", dependencies=allows("calibration.read"))
def show(request: Request, ctx: Reading, id: Chosen, extra: int = 0) -> Response:  # noqa: A002
    """Show the grid of the chosen records, and those that cannot go along."""
    return side_page(request, ctx, together(ctx, id), extra=min(max(extra, 0), 50))


@router.get("/calibrations/side/live", dependencies=allows("calibration.read"))
def live(request: Request, ctx: Reading, id: Chosen) -> Response:  # noqa: A002
    """Return results and cells of every chosen record as they are now."""
    found = together(ctx, id).records
    return JSONResponse({"records": {r.id: side_live(request, ctx, r) for r in found}})


async def _sent(request: Request) -> ReadingsOfRecords:
    try:
        return ReadingsOfRecords.model_validate(read_json(await request.body()))
    except ValidationError as fault:
        raise unreadable(fault) from fault


Sent = Annotated[ReadingsOfRecords, Depends(_sent)]


@router.post("/calibrations/side/live", dependencies=allows("calibration.enter"))
def try_out(request: Request, ctx: Reading, sent: Sent) -> Response:
    """Return the results as they would be with what is being typed; nothing is stored."""
    found = {}
    for batch in sent.records:
        record = readings.get_calibration(ctx, batch.calibration_id)
        typed = with_typed(ctx, record, entries_of(batch))
        found[record.id] = side_live(request, ctx, typed)
    return JSONResponse({"records": found})


@router.post("/calibrations/side/readings", dependencies=allows("calibration.enter"))
def enter(request: Request, ctx: Writing, sent: Sent) -> Response:
    """Enter readings into several records, all or none of each."""
    done = enter_together(ctx, {b.calibration_id: entries_of(b) for b in sent.records})
    said: dict[int, dict[str, Any]] = {}
    for id_, outcome in done.items():
        record = readings.get_calibration(ctx, id_)
        if isinstance(outcome, DomainError):
            said[id_] = {"ok": False, **refusal(ctx, record, outcome)}
        else:
            said[id_] = {"ok": True, **entered(outcome), **side_live(request, ctx, record)}
    return JSONResponse({"records": said})


@router.post("/calibrations/side/facts", dependencies=allows("calibration.enter"))
def note(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Note the same circumstances for every item; each item keeps its own examinations."""
    chosen = [int(text) for text in typed.many("id") if text.isdecimal()]
    found = together(ctx, chosen)
    refused: dict[int, DomainError] = {}
    circumstances = {}
    for record in found.records:
        try:
            circumstances[record.id] = _circumstances(record, typed)
        except DomainError as problem:
            refused[record.id] = problem
    if not refused:
        done = note_together(ctx, circumstances)
        refused = {id_: one for id_, one in done.items() if isinstance(one, DomainError)}
    if not refused:
        return RedirectResponse(_address(chosen, "saved", "circumstances"), status_code=303)
    form = typed.form(next(iter(refused.values())), ctx.language)
    return side_page(request, ctx, together(ctx, chosen), form=form, refused=refused)


@router.post("/calibrations/side/submit", dependencies=allows("calibration.submit"))
def submit(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Hand over the items that are ready; what stands against the others is said."""
    chosen = [int(text) for text in typed.many("id") if text.isdecimal()]
    wanted = [int(text) for text in typed.many("submit") if text.isdecimal()] or chosen
    versions = {id_: typed.whole(f"version/{id_}") or 0 for id_ in wanted if id_ in chosen}
    done = submit_together(ctx, versions)
    refused = {id_: one for id_, one in done.items() if isinstance(one, DomainError)}
    left = [id_ for id_ in chosen if id_ in refused or id_ not in done]
    if not left:
        return RedirectResponse("/calibrations?state=submitted&done=submitted", status_code=303)
    if not refused:
        return RedirectResponse(_address(left, "submitted", ""), status_code=303)
    gone = len(done) - len(refused)
    return side_page(request, ctx, together(ctx, left), refused=refused, gone=gone)


def _address(ids: list[int], done: str, anchor: str) -> str:
    query = "&".join(f"id={id_}" for id_ in ids)
    return f"/calibrations/side?{query}&done={done}" + (f"#{anchor}" if anchor else "")


def side_page(
    request: Request,
    ctx: Context,
    found: Together,
    *,
    extra: int = 0,
    form: Form | None = None,
    refused: dict[int, DomainError] | None = None,
    gone: int = 0,
) -> Response:
    """Return the page of several records."""
    every = (*found.records, *(record for record, _ in found.left_out))
    items = {r.id: instruments.get_instrument(ctx, r.instrument_id) for r in every}
    said = {
        id_: [_told(ctx, one) for one in (problem.findings or (problem,))]
        for id_, problem in (refused or {}).items()
    }
    lead = found.records[0] if found.records else None
    return staff_page(
        request,
        "bench/side.html",
        ctx,
        status=422 if refused else 200,
        found=found,
        lead=lead,
        items=items,
        tables=side_tables(found.records, extra) if lead else (),
        parts={r.id: side_live(request, ctx, r)["live"] for r in found.records},
        units_typed=spellings(lead.definition) if lead else {},
        query_ids="&".join(f"id={record.id}" for record in found.records),
        extra=extra,
        form=form or _form(found.records),
        refused=said,
        gone=gone,
        quantities=QUANTITIES,
        moments=MOMENTS,
        today=ctx.today.isoformat(),
        may_measure=ctx.may("calibration.enter"),
        is_signed=approval_rules.rules(ctx).demands_signatures,
    )


def _told(ctx: Context, one: Any) -> str:
    return say(one.message, one.facts, ctx.language)


def side_live(request: Request, ctx: Context, record: CalibrationView) -> dict[str, Any]:
    """Return results of one item as parts of the page, and its cells, for the script."""
    values = live_values(ctx, record)
    page = staff_page(request, "bench/side_live.html", ctx, **results_of(ctx, record), **values)
    speak = speaker(record, ctx.language)
    said = {
        place: finding_document(speak(one), ctx.language)["message"]
        for place, one in suspects(record, values["live"]).items()
    }
    return {
        "at": ctx.now.astimezone(ctx.zone).strftime("%H:%M:%S"),
        "live": bytes(page.body).decode(),
        "cells": cells_of(record, said),
    }


def _form(records: tuple[CalibrationView, ...]) -> Form:
    """Return the form of the circumstances, filled with what all items share."""
    values: dict[str, tuple[str, ...]] = {}

    def put(name: str, texts: list[str]) -> None:
        if texts and len(set(texts)) == 1 and texts[0]:
            values[name] = (texts[0],)

    put("performed_on", [str(r.performed_on or "") for r in records])
    put("place", [r.place for r in records])
    minutes = [r.acclimatisation_minutes for r in records]
    put("acclimatisation_minutes", ["" if m is None else str(m) for m in minutes])
    for quantity, _ in QUANTITIES:
        for moment in MOMENTS:
            stands = [_condition(r, quantity, moment) for r in records]
            put(f"condition/{quantity}/{moment}", [(s.value or "") if s else "" for s in stands])
    for record in records:
        for id_, one in record.examinations.items():
            values[f"examinations/{record.id}/{id_}"] = ("yes" if one["passed"] else "no",)
    return Form(values)


def _condition(record: CalibrationView, quantity: str, moment: str) -> Any:
    return next(
        (c for c in record.conditions if (c.quantity, c.moment) == (quantity, moment)), None
    )


def _circumstances(record: CalibrationView, typed: Typed) -> Circumstances:
    """Return what the form says of one item; an empty field leaves what is noted."""
    facts = {
        "performed_on": typed.day("performed_on"),
        "place": typed.text("place") or None,
        "acclimatisation_minutes": typed.whole("acclimatisation_minutes"),
        "examinations": _examinations(record, typed) or None,
    }
    return Circumstances(
        version=typed.whole(f"version/{record.id}") or 0,
        facts=facts,
        conditions=tuple(_conditions(record, typed)),
    )


def _examinations(record: CalibrationView, typed: Typed) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in record.definition.examinations:
        given = typed.text(f"examinations/{record.id}/{one.id}") or typed.text(
            f"examinations/all/{one.id}"
        )
        noted = record.examinations.get(one.id)
        if given and (noted is None or noted["passed"] != (given == "yes")):
            remark = noted["remark"] if noted else ""
            found[one.id] = {"passed": given == "yes", "remark": remark, "rejected_pieces": []}
    return found


def _conditions(record: CalibrationView, typed: Typed) -> list[ConditionEntry]:
    found = []
    for quantity, usual in QUANTITIES:
        for moment in MOMENTS:
            value = typed.text(f"condition/{quantity}/{moment}").strip()
            stands = _condition(record, quantity, moment)
            if not value or (stands is not None and stands.value == value):
                continue
            limit = next((e for e in record.definition.environment if e.quantity == quantity), None)
            found.append(
                ConditionEntry(
                    quantity=quantity,
                    moment=moment,
                    value=value,
                    unit=stands.unit if stands else (limit.unit if limit else usual),
                    revision=typed.whole(f"seen/{record.id}/{quantity}/{moment}") or 0,
                    reason=typed.text("condition_reason"),
                )
            )
    return found
