"""What an authority sees of the laboratories as JSON: coverage, instruments, directory, reports."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Key, Language, Reading, Wired, Writing, allows
from api.exporting import exports
from api.files import download, gives
from api.schemas.oversight import (
    CoverageAnswer,
    HandedInWeek,
    InstrumentSeen,
    ReportAnswer,
    RowAnswer,
    coverage_of,
    instrument_seen,
    report_answer,
    rows_of,
)
from api.schemas.wire import Day
from api.strict_routes import StrictRoute
from api.v1.answers import once_per_key
from calib.services import laboratories, oversight, weekly
from calib.services.laboratories import DirectoryEntry
from calib.services.oversight import Narrowing, Wanted
from calib.services.weekly import ReportView

router = APIRouter(prefix="/oversight", tags=["oversight"], route_class=StrictRoute)
MOST = 500
Limit = Annotated[int, Query(ge=1, le=MOST)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
Place = Annotated[int | None, Query(ge=0, le=2**63 - 1)]


@router.get("/coverage", dependencies=allows("oversight.read"))
def show_coverage(ctx: Reading, wired: Wired) -> CoverageAnswer:
    """Return how the districts of the mandate stand today, counted."""
    return coverage_of(oversight.oversight(ctx, catalogue=wired.catalogue))


@router.get("/instruments", dependencies=allows("oversight.read"))
def list_overseen(
    ctx: Reading,
    wired: Wired,
    language: Language,
    *,
    district: Annotated[str | None, Query(max_length=400)] = None,
    venue_type: Annotated[str, Query(max_length=100)] = "",
    standing: Narrowing | None = None,
    limit: Limit = 100,
    after: After = 0,
) -> list[InstrumentSeen]:
    """Return the instruments behind the coverage, each with its colour and the reason of it.

    A page at a time: send the last `instrument_id` as `after` for the next page. An empty district
    asks for those that stand in none.
    """
    wanted = Wanted(district, venue_type, standing)
    found = oversight.overseen_after(
        ctx, wanted, after=after, limit=limit, catalogue=wired.catalogue
    )
    return [instrument_seen(item, language) for item in found]


@router.get("/laboratories", dependencies=allows("oversight.read"))
def list_laboratories(ctx: Reading) -> tuple[DirectoryEntry, ...]:
    """Return the laboratories of the installation with what they are accredited for today."""
    return laboratories.directory(ctx)


@router.get("/reports", dependencies=allows("oversight.read"))
def list_reports(ctx: Reading, before: Before = None, limit: Limit = 100) -> tuple[ReportView, ...]:
    """Return the reports handed in, newest first; go on with the smallest id as `before`."""
    return weekly.handed_in(ctx, before=before, limit=limit)


@router.post("/reports", status_code=201, dependencies=allows("oversight.report"))
def hand_in(body: HandedInWeek, key: Key, ctx: Writing, wired: Wired) -> ReportAnswer:
    """Freeze the figures of a week; a week handed in again gets another edition."""

    def do() -> dict[str, int]:
        made = weekly.hand_in(ctx, body.week, catalogue=wired.catalogue, since=body.since)
        return {"report": made.id}

    sent = body.model_dump(mode="json")
    made = once_per_key(ctx, "oversight:report:hand_in", key, sent, do)
    view, report = weekly.report_as_handed_in(ctx, made["report"])
    return report_answer(report, view)


@router.get("/reports/draft", dependencies=allows("oversight.read"))
def show_draft(
    ctx: Reading,
    wired: Wired,
    week: Annotated[str, Query(max_length=20)] = "",
    since: Day | None = None,
) -> ReportAnswer:
    """Return the figures of a week as they are now, of the week that runs when none is named."""
    named = week or weekly.week_named(ctx.today)
    return report_answer(weekly.weekly(ctx, named, catalogue=wired.catalogue, since=since))


@router.get("/reports/{report_id}", dependencies=allows("oversight.read"))
def show_report(report_id: int, ctx: Reading) -> ReportAnswer:
    """Return a report as it was handed in, whatever has changed since."""
    view, report = weekly.report_as_handed_in(ctx, report_id)
    return report_answer(report, view)


@router.get("/reports/{report_id}/rows", dependencies=allows("oversight.read"))
def list_rows(
    report_id: int, ctx: Reading, figure: Place = None, limit: Limit = 100, after: Place = None
) -> list[RowAnswer]:
    """Return the rows behind a report, or behind the figure at a place of it.

    A page at a time: send the last `place` as `after` for the next page.
    """
    _, report = weekly.report_as_handed_in(ctx, report_id)
    return list(rows_of(report, weekly.places_after(report, figure, after)[:limit]))


@router.get(
    "/reports/{report_id}/body",
    dependencies=[*allows("oversight.read"), *exports("weekly_report")],
    response_class=Response,
    responses=gives("application/json"),
)
def get_body(report_id: int, ctx: Reading) -> Response:
    """Return a report as one file: its bytes are those of the digest."""
    view, body = weekly.body_as_handed_in(ctx, report_id)
    name = f"weekly-{view.week}-{view.edition}.json"
    return download(body.encode(), "application/json", name)
