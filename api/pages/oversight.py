"""The pages of an authority: coverage, venues, laboratories, and the weekly report."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows
from api.exporting import exports
from api.pages.drawing import shape
from api.pages.forms import AsTyped
from api.pages.rendering import staff_page
from api.sheets import xlsx_book
from api.weekly_sheet import name_of, sheets_of
from calib.services import laboratories, oversight, weekly
from calib.services.oversight import NARROWINGS, OverseenItem, Wanted
from calib.services.weekly_figures import Report
from instruments.catalogue.loader import Catalogue
from instruments.context import Context

router = APIRouter(include_in_schema=False)
MOST_SHOWN = 500
"""Instruments on one page; the counts are of all."""


@router.get("/oversight", dependencies=allows("oversight.read"))
def show_coverage(request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show how the districts of the mandate stand today."""
    seen = oversight.oversight(ctx, catalogue=wired.catalogue)
    return staff_page(
        request,
        "oversight/coverage.html",
        ctx,
        seen=seen,
        labs=sorted({item.lab_code for item in seen.items}),
    )


@router.get("/oversight/instruments", dependencies=allows("oversight.read"))
def list_overseen(
    request: Request,
    ctx: Reading,
    wired: Wired,
    district: str | None = None,
    venue_type: str = "",
    standing: str = "",
) -> Response:
    """List the instruments behind a figure of the coverage, venue by venue."""
    seen = oversight.oversight(ctx, catalogue=wired.catalogue)
    known = next((one for one in NARROWINGS if one == standing), None)
    wanted = Wanted(district, venue_type, known)
    items = tuple(item for item in seen.items if wanted.meets(item))
    return staff_page(
        request,
        "oversight/instruments.html",
        ctx,
        seen=seen,
        venues=_by_venue(items[:MOST_SHOWN]),
        shown=min(len(items), MOST_SHOWN),
        count=len(items),
        district=district,
        venue_type=venue_type,
        standing=standing,
        shape=shape,
        districts=sorted({item.district for item in seen.items}),
    )


def _by_venue(items: Iterable[OverseenItem]) -> list[list[OverseenItem]]:
    groups: dict[tuple[int, int | None], list[OverseenItem]] = {}
    for item in items:
        groups.setdefault((item.lab_id, item.site_id), []).append(item)
    return list(groups.values())


@router.get("/oversight/laboratories", dependencies=allows("oversight.read"))
def list_laboratories(request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show the laboratories of the installation and what they are accredited for."""
    return staff_page(
        request,
        "oversight/laboratories.html",
        ctx,
        labs=laboratories.directory(ctx),
        types=wired.catalogue,
    )


@router.get("/oversight/reports", dependencies=allows("oversight.read"))
def list_reports(request: Request, ctx: Reading) -> Response:
    """Show the reports that were handed in, and the week that runs."""
    return staff_page(
        request,
        "oversight/reports.html",
        ctx,
        reports=weekly.handed_in(ctx),
        this_week=weekly.week_named(ctx.today),
    )


@router.get("/oversight/reports/draft", dependencies=allows("oversight.read"))
def show_draft(
    request: Request, ctx: Reading, wired: Wired, week: str = "", since: str = ""
) -> Response:
    """Show the figures of a week as they are now."""
    report = weekly.weekly(
        ctx,
        week or weekly.week_named(ctx.today),
        catalogue=wired.catalogue,
        since=weekly.day_of(since, "/since"),
    )
    return _report_page(request, ctx, wired.catalogue, report, None)


@router.post("/oversight/reports", dependencies=allows("oversight.report"))
def hand_in(ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Freeze the figures of a week."""
    done = weekly.hand_in(
        ctx, typed.text("week"), catalogue=wired.catalogue, since=typed.day("since")
    )
    return RedirectResponse(f"/oversight/reports/{done.id}?done=handed-in", status_code=303)


@router.get("/oversight/reports/{report_id}", dependencies=allows("oversight.read"))
def show_report(report_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show a report as it was handed in."""
    view, report = weekly.report_as_handed_in(ctx, report_id)
    return _report_page(request, ctx, wired.catalogue, report, view)


@router.get("/oversight/reports/{report_id}/figures/{place}", dependencies=allows("oversight.read"))
def show_figure(
    report_id: int, place: int, request: Request, ctx: Reading, wired: Wired
) -> Response:
    """Show the rows that one figure of a report counts."""
    view, report = weekly.report_as_handed_in(ctx, report_id)
    figure = weekly.figure_at(report, place)
    return staff_page(
        request,
        "oversight/figure.html",
        ctx,
        view=view,
        report=report,
        figure=figure,
        name=name_of(figure, ctx.language, wired.catalogue),
        rows=[report.rows[one] for one in figure.rows],
        types=wired.catalogue,
    )


@router.get(
    "/oversight/reports/{report_id}/xlsx",
    dependencies=[*allows("oversight.read"), *exports("weekly_report")],
)
def download_report(report_id: int, ctx: Reading, wired: Wired) -> Response:
    """Hand out a report as a workbook: the figures, and every row behind them."""
    view, report = weekly.report_as_handed_in(ctx, report_id)
    sheets = sheets_of(report, ctx.language, wired.catalogue)
    return xlsx_book(sheets, f"weekly-{view.week}-{view.edition}.xlsx")


def _report_page(
    request: Request,
    ctx: Context,
    catalogue: Catalogue,
    report: Report,
    view: weekly.ReportView | None,
) -> Response:
    return staff_page(
        request,
        "oversight/report.html",
        ctx,
        report=report,
        view=view,
        named=[
            (place, one, name_of(one, ctx.language, catalogue))
            for place, one in enumerate(report.figures)
        ],
    )
