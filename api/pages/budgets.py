"""The uncertainty budget of one point: what dominates, two ways of propagating, what would be if.

What is tried is never stored: the form is sent by GET, and the script asks for the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, allows
from api.pages.bench_view import head_of
from api.pages.drawing import share, short
from api.pages.rendering import staff_page
from calib.services import readings, what_if
from instruments.context import Context

router = APIRouter(include_in_schema=False)
TRIED = "u."
"""Beginning of the names of the fields that say what is tried, in per cent."""
SLIDER = 300
"""Per cent at the right end of a slider; a number typed into the address may be more."""
At = Annotated[str, Query(max_length=200)]


@router.get("/calibrations/{calibration_id}/budget", dependencies=allows("calibration.read"))
def show_budget(calibration_id: int, request: Request, ctx: Reading, at: At = "") -> Response:
    """Show the budget of a point of a record, the first where none is named."""
    record = readings.get_calibration(ctx, calibration_id)
    points = what_if.points_of(ctx, calibration_id)
    if not at and points:
        at = points[0].key
    values: dict[str, Any] = {}
    if at:
        tried = _tried(request)
        ways = what_if.compared(ctx, calibration_id, at, tried)
        values = {
            **_values(ctx, calibration_id, at, tried),
            "compared": ways,
            "fixed": _fixed(ways.gum.u),
        }
    return staff_page(
        request,
        "bench/budget.html",
        ctx,
        points=points,
        at=at,
        most=SLIDER,
        tried_as=TRIED,
        **{**head_of(ctx, record), **values},
    )


@router.get("/calibrations/{calibration_id}/budget/live", dependencies=allows("calibration.read"))
def try_budget(calibration_id: int, request: Request, ctx: Reading, at: At = "") -> Response:
    """Return what the point would give with what is tried, as a part of the page."""
    if not at:
        readings.get_calibration(ctx, calibration_id)
        return RedirectResponse(f"/calibrations/{calibration_id}/budget", status_code=303)
    found = _values(ctx, calibration_id, at, _tried(request))
    return staff_page(request, "bench/budget_live.html", ctx, **found)


def _tried(request: Request) -> Mapping[str, str]:
    return {
        name.removeprefix(TRIED): value
        for name, value in request.query_params.items()
        if name.startswith(TRIED)
    }


def _fixed(u: float) -> Callable[[float], str]:
    """Return what writes a figure to three digits of u, so that both ways can be compared."""
    places = max(0, 2 - math.floor(math.log10(u))) if u > 0 else 0
    return lambda value: f"{value:.{places}f}"


def _values(ctx: Context, calibration_id: int, at: str, tried: Mapping[str, str]) -> dict[str, Any]:
    found = what_if.budget_of(ctx, calibration_id, at, tried)
    before = {line.component: line for line in found.point.budget}
    return {
        "found": found,
        "m": found.measurand,
        "names": {one.id: one.name for one in found.measurand.components},
        "before": before,
        "lines": sorted(found.tried.budget, key=lambda one: (-one.percent, one.component)),
        "short": short,
        "share": share,
    }
