"""Beside entering readings at the bench: circumstances, plan, warnings, import, the end."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Acting, Reading, Writing, allows
from api.pages.bench_view import bench_page, in_words
from api.pages.forms import AsTyped, Form, Typed, attempt
from api.pages.rendering import staff_page
from api.pages.signing import answer_of, shown_again
from api.proving import Proving
from calib.services import readings, review
from calib.services.calibration_views import CalibrationView
from calib.services.readings import ConditionEntry, PlanChange, ReadingEntry
from instruments.context import Context
from instruments.errors import DomainError, Invalid
from instruments.services import instruments

router = APIRouter(include_in_schema=False)
SEPARATORS = re.compile(r"[\s,;、，；]+")


@router.post("/calibrations/{calibration_id}/facts", dependencies=allows("calibration.enter"))
def note_facts(calibration_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Note date, place, conditions, examinations, adjustment and remark; all or none."""

    def act() -> None:
        record = readings.get_calibration(ctx, calibration_id)
        readings.set_facts(ctx, calibration_id, typed.version(), **_facts(record, typed))
        for condition in _conditions(record, typed):
            try:
                readings.enter_condition(ctx, calibration_id, condition)
            except DomainError as refused:
                if refused.at == "/value":
                    refused.at = f"/condition/{condition.quantity}/{condition.moment}"
                raise

    return _after(request, ctx, calibration_id, typed, act, "saved", "circumstances")


@router.post("/calibrations/{calibration_id}/plan", dependencies=allows("calibration.plan"))
def change_plan(calibration_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change standards, points, predictions or pieces."""

    def act() -> None:
        readings.plan(ctx, calibration_id, typed.version(), _plan(typed))

    return _after(request, ctx, calibration_id, typed, act, "saved", "plan")


@router.post(
    "/calibrations/{calibration_id}/warnings", dependencies=allows("calibration.accept_warning")
)
def accept_warning(calibration_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Accept a warning with the reason why the work stands."""

    def act() -> None:
        readings.accept_warning(
            ctx, calibration_id, typed.version(), typed.text("warning"), typed.text("reason")
        )

    return _after(request, ctx, calibration_id, typed, act, "warning-accepted", "live")


@router.post("/calibrations/{calibration_id}/submit", dependencies=allows("calibration.submit"))
def submit(
    calibration_id: int, request: Request, act: Acting, typed: AsTyped, prover: Proving
) -> Response:
    """Hand the record over for review."""
    proof = prover.prove(answer_of(typed))
    with act() as ctx:
        done = attempt(ctx, lambda: review.submit(ctx, calibration_id, typed.version(), proof))

        def told() -> None:
            if isinstance(done, DomainError):
                raise done

        if isinstance(done, DomainError):
            again = shown_again(request, ctx, calibration_id, typed, prover, done)
            if again is not None:
                return again
        return _after(request, ctx, calibration_id, typed, told, "submitted", "")


@router.post("/calibrations/{calibration_id}/close", dependencies=allows("calibration.close"))
def close(calibration_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """End the record without a certificate, with a reason."""

    def act() -> None:
        readings.close(ctx, calibration_id, typed.version(), typed.text("reason"))

    return _after(request, ctx, calibration_id, typed, act, "closed", "")


@router.get("/calibrations/{calibration_id}/import", dependencies=allows("calibration.form"))
def choose_file(calibration_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form that takes a table of readings."""
    return _import_page(request, ctx, calibration_id, Form())


@router.post("/calibrations/{calibration_id}/import", dependencies=allows("calibration.enter"))
def import_file(calibration_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Read the table: what would happen first; on the second press it happens."""
    dry_run = not typed.flag("sure")

    def act() -> Any:
        name, content = typed.file_or_kept("file")
        stage = typed.text("stage") or "as_found"
        report = readings.import_readings(
            ctx, calibration_id, content, name, dry_run=dry_run, stage=stage
        )
        return report, name, content

    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return _import_page(request, ctx, calibration_id, typed.form(done, ctx.language))
    report, name, content = done
    if report.created:
        return RedirectResponse(f"/calibrations/{calibration_id}?done=imported", status_code=303)
    kept = base64.b64encode(content).decode()
    stage = typed.text("stage") or "as_found"
    taken = readings.read_file(ctx, calibration_id, content, name, stage=stage)
    return _import_page(request, ctx, calibration_id, typed.form(), report, name, kept, taken)


def _lines(taken: Sequence[ReadingEntry]) -> list[tuple[ReadingEntry, list[str]]]:
    """Return the values of each input at each point, in the order they would stand."""
    lines: dict[tuple[object, ...], tuple[ReadingEntry, list[str]]] = {}
    for one in sorted(taken, key=lambda entry: entry.place):
        _, values = lines.setdefault(one.slot[:-1], (one, []))
        values.append(one.value or "")
    return list(lines.values())


def _after(
    request: Request,
    ctx: Context,
    calibration_id: int,
    typed: Typed,
    act: Callable[[], None],
    done: str,
    anchor: str,
) -> Response:
    """Show the page again: as it is now, or with what was typed and why it was refused."""
    refused = attempt(ctx, act)
    if not isinstance(refused, DomainError):
        target = f"/calibrations/{calibration_id}?done={done}"
        return RedirectResponse(f"{target}#{anchor}" if anchor else target, status_code=303)
    record = readings.get_calibration(ctx, calibration_id)
    if record.state != "draft":
        raise refused
    form = typed.form(in_words(record, refused, ctx.language), ctx.language)
    return bench_page(request, ctx, record, status=422, form=form)


def _facts(record: CalibrationView, typed: Typed) -> dict[str, Any]:
    adjustable = "as_left" in record.definition.stages
    return {
        "performed_on": typed.day("performed_on"),
        "place": typed.text("place") or None,
        "acclimatisation_minutes": typed.whole("acclimatisation_minutes"),
        "adjustment": typed.text("adjustment") if adjustable else None,
        "remark": typed.text("remark"),
        "examinations": _examinations(record, typed) or None,
    }


def _examinations(record: CalibrationView, typed: Typed) -> dict[str, dict[str, Any]]:
    found = {}
    for examination in record.definition.examinations:
        head = f"examinations/{examination.id}"
        passed = typed.text(f"{head}/passed")
        if not passed:
            continue
        numbers = []
        for text in _parts(typed.text(f"{head}/rejected")):
            if text not in record.plan.pieces:
                raise Invalid(
                    "piece-not-in-lot",
                    "There is no piece {piece} in this lot. Write the numbers of the pieces as "
                    "they stand in the grid.",
                    at=f"/{head}/rejected",
                    facts={"piece": text},
                )
            numbers.append(record.plan.pieces.index(text) + 1)
        found[examination.id] = {
            "passed": passed == "yes",
            "remark": typed.text(f"{head}/remark"),
            "rejected_pieces": numbers,
        }
    return found


def _conditions(record: CalibrationView, typed: Typed) -> list[ConditionEntry]:
    stands = {(c.quantity, c.moment): c for c in record.conditions}
    found = []
    for rest, _ in [
        (n.removeprefix("condition/"), v)
        for n, v in typed.parts.multi_items()
        if n.startswith("condition/")
    ]:
        quantity, _, moment = rest.partition("/")
        value = typed.text(f"condition/{rest}").strip()
        before = stands.get((quantity, moment))
        if value == ((before.value if before else None) or ""):
            continue
        found.append(
            ConditionEntry(
                quantity=quantity,
                moment=moment,
                value=value or None,
                unit=typed.text(f"unit/{rest}"),
                revision=typed.whole(f"seen/{rest}") or 0,
                reason=typed.text("condition_reason"),
            )
        )
    return found


def _plan(typed: Typed) -> PlanChange:
    measurands = typed.many("measurand")
    points = {m: _parts(typed.text(f"points/{m}")) for m in measurands}
    predict = {
        m: _parts(typed.text(f"predict/{m}")) for m in measurands if f"predict/{m}" in typed.parts
    }
    standards = {
        m: [int(id_) for id_ in typed.many(f"standards/{m}") if id_.isdecimal()] for m in measurands
    }
    lines = typed.text("pieces").split("\n")
    pieces = [line.strip() for line in lines if line.strip()] if "pieces" in typed.parts else None
    return PlanChange(points=points, standards=standards, predict=predict or None, pieces=pieces)


def _parts(text: str) -> list[str]:
    return [part for part in SEPARATORS.split(text.strip()) if part]


def _import_page(
    request: Request,
    ctx: Context,
    calibration_id: int,
    form: Form,
    report: Any = None,
    name: str = "",
    kept: str = "",
    taken: Sequence[ReadingEntry] = (),
) -> Response:
    record = readings.get_calibration(ctx, calibration_id)
    return staff_page(
        request,
        "bench/import.html",
        ctx,
        status=form.status(),
        form=form,
        record=record,
        item=instruments.get_instrument(ctx, record.instrument_id),
        report=report,
        errors={f.at for f in report.findings if f.severity == "error"} if report else (),
        name=name,
        kept=kept,
        lines=_lines(taken),
        measurands={m.id: m for m in record.definition.measurands},
    )
