"""What the page of the bench shows: grid, live results, circumstances, what is still to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.pages import entry
from api.pages.adequacy import WAY_OUT_WORDS, WAYS_OUT, adequacies
from api.pages.drawing import band, share, short
from api.pages.forms import Form
from api.pages.rendering import staff_page
from api.pages.typed_units import spellings
from api.pages.words import WORDS
from api.problems import finding_document
from calib.i18n import translate
from calib.services import readings, review
from calib.services.calibration_views import CalibrationView
from calib.services.live import LiveEvaluation, evaluate_view
from calib.services.supporting import certified_standards
from calib.services.together import MOST_ITEMS
from instruments.choosing import holds
from instruments.context import Context
from instruments.errors import DomainError, Finding
from instruments.quantities import UNITS
from instruments.services import approval_rules, instruments, orders, people

MISSING = ("-missing", "readings-few")
"""Endings of the codes of what is not done yet: told apart from what is wrong."""
STEPS = ("draft", "submitted", "reviewed", "authorised", "issued")


def bench_page(
    request: Request,
    ctx: Context,
    record: CalibrationView,
    *,
    status: int = 200,
    extra: int = 0,
    form: Form | None = None,
    typed_cells: Mapping[str, str] | None = None,
    cell_problems: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
) -> HTMLResponse:
    """Return the page of a draft; what was typed and refused is shown again."""
    candidates = readings.supporting(ctx, record.id)
    rivals = entry.rivals(record, candidates)
    now = live_values(ctx, record)
    return staff_page(
        request,
        "bench/bench.html",
        ctx,
        status=status,
        form=laid_over(record, form) if form else circumstances_form(record),
        extra=extra,
        tables=entry.tables(record, ctx.language, extra),
        typed_cells=typed_cells or {},
        cell_problems=cell_problems or {},
        candidates=candidates,
        rivals=rivals,
        choices=lambda table: entry.choices(rivals, table),
        today=ctx.today.isoformat(),
        may_measure=ctx.may("calibration.enter"),
        companions=_companions(ctx, record),
        marks=review.marks(ctx, record.id),
        signatures=review.list_signatures(ctx, record.id),
        is_signed=approval_rules.rules(ctx).demands_signatures,
        told=adequacies(record, candidates, now["live"].limits),
        ways_out=WAYS_OUT,
        way_out_words=WAY_OUT_WORDS,
        standard_of={one.certificate_id: one.standard_id for one in certified_standards(ctx)},
        **head_of(ctx, record),
        **now,
    )


def _companions(ctx: Context, record: CalibrationView) -> str:
    """Return as a query the drafts of the same type in the same order; empty without another."""
    if record.plan.pieces:
        return ""
    lines = readings.list_calibrations(ctx, "draft", order_id=record.order_id)
    ids = [line.id for line in lines if line.type_id == record.definition.id][:MOST_ITEMS]
    return "&".join(f"id={id_}" for id_ in ids) if len(ids) > 1 else ""


def head_of(ctx: Context, record: CalibrationView) -> dict[str, Any]:
    """Return what every page of a record shows of it."""
    order = orders.get_order(ctx, record.order_id)
    return {
        **results_of(ctx, record),
        "item": instruments.get_instrument(ctx, record.instrument_id),
        "order": order,
        "line": next(line for line in order.lines if line.id == record.order_line_id),
        "steps_of": STEPS,
        "changed": [slot for slot in record.slots if len(slot.history) > 1],
        "units_typed": spellings(record.definition),
        "read_here": {
            m.id
            for m in record.definition.measurands
            if not m.same_readings_as and holds(m.when, record.attributes)
        },
    }


def results_of(ctx: Context, record: CalibrationView) -> dict[str, Any]:
    """Return what showing results takes; asked for with every key, so it reads little."""
    accepts = bool(record.accepted_warnings)
    shown = people.list_people(ctx) if accepts or record.state != "draft" else ()
    return {
        "record": record,
        "people": {person.id: person.name for person in shown},
        "piece_name": lambda n: record.plan.pieces[n - 1] if n and record.plan.pieces else "",
        "measurands": {m.id: m for m in record.definition.measurands},
        "band": band,
        "spoken": speaker(record, ctx.language),
        "field_of": _field_of,
        "read_several": len(record.definition.measurands) > 1,
        "short": short,
        "share": share,
    }


def _field_of(found: Finding) -> str:
    """Return the field of the page in which what is missing is entered; empty: a reading."""
    part, _, rest = found.at.strip("/").partition("/")
    if part == "conditions":
        return f"condition/{rest}/start"
    if part == "examinations":
        return f"examinations/{rest}/passed"
    return part if part in ("performed_on", "acclimatisation_minutes") else ""


def speaker(record: CalibrationView, language: str) -> Callable[[Finding], Finding]:
    """Return what puts names where a finding of this record holds short codes."""
    measurands = {m.id: m for m in record.definition.measurands}
    inputs = {name: q for m in record.definition.measurands for name, q in m.inputs.items()}
    examinations = {e.id: e.name for e in record.definition.examinations}

    def named(key: str, value: object) -> object:
        text = str(value)
        if key == "quantity" and text in WORDS["condition"]:
            return translate(WORDS["condition"][text], language).lower()
        if key == "unit" and text in UNITS:
            return UNITS[text].symbol
        if key == "input" and text in inputs:
            return inputs[text].label.text(language)
        if key == "measurand" and text in measurands:
            return measurands[text].name.text(language)
        if key == "examination" and text in examinations:
            return examinations[text].text(language)
        if key == "stage" and text in WORDS["stage"]:
            return translate(WORDS["stage"][text], language)
        if key == "piece" and text.isdecimal() and 0 < int(text) <= len(record.plan.pieces):
            return record.plan.pieces[int(text) - 1]
        return value

    def spoken(found: Finding) -> Finding:
        facts = {key: named(key, value) for key, value in found.facts.items()}
        return replace(found, facts=facts)

    return spoken


def in_words(record: CalibrationView, refused: DomainError, language: str) -> DomainError:
    """Return the refusal with names for codes, and with the fields in which it is put right."""
    speak = speaker(record, language)
    findings = [
        replace(speak(f), at=f"/{_field_of(f)}" if _field_of(f) else f.at) for f in refused.findings
    ]
    return type(refused)(
        refused.code,
        refused.message,
        at=refused.at,
        clause=refused.clause,
        facts=refused.facts,
        findings=tuple(findings),
    )


def circumstances_form(record: CalibrationView) -> Form:
    """Return the form of everything beside the readings, filled with what is noted."""
    values: dict[str, tuple[str, ...]] = {
        "performed_on": _one(record.performed_on),
        "place": _one(record.place),
        "acclimatisation_minutes": _one(record.acclimatisation_minutes),
        "adjustment": _one(record.adjustment),
        "remark": _one(record.remark),
        "pieces": _one("\n".join(record.plan.pieces)),
    }
    for condition in record.conditions:
        values[f"condition/{condition.quantity}/{condition.moment}"] = _one(condition.value)
    for id_, found in record.examinations.items():
        head = f"examinations/{id_}"
        values[f"{head}/passed"] = _one("yes" if found["passed"] else "no")
        values[f"{head}/remark"] = _one(found["remark"])
        values[f"{head}/rejected"] = _one(" ".join(map(str, found["rejected_pieces"])))
    for measurand, points in record.plan.points.items():
        values[f"points/{measurand}"] = _one("  ".join(p.partition("#")[0] for p in points))
    for measurand, chosen in record.plan.standards.items():
        values[f"standards/{measurand}"] = tuple(map(str, chosen))
    for measurand, at in record.plan.predict.items():
        values[f"predict/{measurand}"] = _one("  ".join(at))
    return Form(values)


def laid_over(record: CalibrationView, form: Form) -> Form:
    """Return the form as typed, fields of the page's other forms as they stand."""
    names = {name.split("/")[0] for name in form.values}
    kept = {
        name: value
        for name, value in circumstances_form(record).values.items()
        if name.split("/")[0] not in names
    }
    return replace(form, values={**kept, **form.values})


def _one(value: object) -> tuple[str, ...]:
    return () if value is None or value == "" else (str(value),)


def live_values(ctx: Context, record: CalibrationView) -> dict[str, Any]:
    """Return what the live panel shows."""
    found = evaluate_view(ctx, record)
    accepted = {one["warning"]: one for one in record.accepted_warnings}
    shown = list(_distinct(found.findings))
    read = [m for m in record.plan.points if not _left_out(record, m)]
    planned = sum(len(record.plan.points[m]) for m in read) * len(record.plan.numbers_of_pieces())
    return {
        "live": found,
        "complete": sum(p.stage == "as_found" and p.measurand in read for p in found.points),
        "planned": planned,
        "to_do": [f for f in shown if f.code.endswith(MISSING) and f.severity == "error"],
        "against": [f for f in shown if not (f.code.endswith(MISSING) and f.severity == "error")],
        "accepted": accepted,
        "suspect": suspects(record, found),
    }


def _left_out(record: CalibrationView, measurand: str) -> bool:
    """Answer whether the measurand has no readings of its own, or may be left out and was."""
    defined = record.definition.measurand(measurand)
    is_read = any(slot.current.measurand == measurand for slot in record.slots)
    return bool(defined.same_readings_as) or (defined.optional and not is_read)


def _distinct(findings: Iterable[Finding]) -> Iterable[Finding]:
    seen: set[tuple[str, str]] = set()
    for found in findings:
        if (found.code, found.at) not in seen:
            seen.add((found.code, found.at))
            yield found


def suspects(record: CalibrationView, found: LiveEvaluation) -> dict[str, Finding]:
    """Return the findings that name one reading, by the place of the reading."""
    places = {str(slot.current.id): "/".join(map(str, slot.current.slot)) for slot in record.slots}
    named: dict[str, Finding] = {}
    for finding in found.findings:
        place = places.get(finding.at.rpartition("/")[2])
        if place and "/readings/" in finding.at:
            named.setdefault(place, finding)
    return named


def live_parts(request: Request, ctx: Context, record: CalibrationView) -> dict[str, Any]:
    """Return the live panel as markup, and every cell as it stands, for the script."""
    values = live_values(ctx, record)
    page = staff_page(request, "bench/live.html", ctx, **results_of(ctx, record), **values)
    speak = speaker(record, ctx.language)
    said = {
        place: finding_document(speak(found), ctx.language)["message"]
        for place, found in values["suspect"].items()
    }
    return {
        "at": ctx.now.astimezone(ctx.zone).strftime("%H:%M:%S"),
        "live": bytes(page.body).decode(),
        "cells": cells_of(record, said),
    }


def cells_of(record: CalibrationView, suspect: Mapping[str, str]) -> dict[str, Any]:
    """Return revision, value, who entered it and what is suspicious, by place."""
    return {
        "/".join(map(str, slot.current.slot)): {
            "revision": slot.current.revision,
            "value": slot.current.value or "",
            "by": slot.current.person_name,
            "suspect": suspect.get("/".join(map(str, slot.current.slot)), ""),
        }
        for slot in record.slots
    }
