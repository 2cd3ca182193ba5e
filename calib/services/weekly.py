"""The weekly report of an authority: figures, each with the rows it counts, frozen as handed in.

What is counted stands in `calib.services.weekly_figures`; here it is read, handed in and read
again as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, CertificateEvent
from calib.records.oversight import WeeklyReport
from calib.services.oversight import overseen, within
from calib.services.weekly_figures import Counted, Document, Figure, Report, figures_of
from instruments.canonical import canonical_json, digest
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Invalid
from instruments.plain import from_plain, to_plain
from instruments.records.instruments import Instrument
from instruments.records.mandates import EVERYWHERE
from instruments.records.models import InstrumentModel
from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer, Lab
from instruments.records.sites import Site
from instruments.services import audit
from instruments.services.rows import get_row, not_found
from instruments.tenancy import beyond_the_lab, hold_lab

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report that was handed in."""

    id: int
    week: str
    edition: int
    made_by: int
    made_at: datetime
    digest: str


def week_of(text: str) -> tuple[date, date]:
    """Return Monday and Sunday of a week written as in ISO 8601.

    Raises Invalid for anything but a week like 2026-W47.
    """
    found = _WEEK.fullmatch(text)
    try:
        year, number = (int(part) for part in found.groups()) if found else (0, 0)
        monday = date.fromisocalendar(year, number, 1)
    except ValueError as problem:
        raise Invalid(
            "week-malformed",
            "{got} is no week. Write year and week like 2026-W47 (ISO 8601).",
            at="/week",
            facts={"got": text},
        ) from problem
    return monday, monday + timedelta(days=6)


def week_named(day: date) -> str:
    """Return the week a day lies in."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def day_of(text: str, at: str) -> date | None:
    """Return a day written as in ISO 8601; None for nothing.

    Raises Invalid.
    """
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as problem:
        raise Invalid(
            "day-malformed",
            "{got} is no day. Write it like 2026-01-31.",
            at=at,
            facts={"got": text},
        ) from problem


def figure_at(report: Report, place: int) -> Figure:
    """Return one figure of a report; raises NotFound beyond the last."""
    if not 0 <= place < len(report.figures):
        raise not_found("figure", place)
    return report.figures[place]


def places_after(report: Report, place: int | None, after: int | None) -> tuple[int, ...]:
    """Return where the rows of a report stand, or those of one figure, behind a row.

    Raises NotFound beyond the last figure.
    """
    rows = range(len(report.rows)) if place is None else sorted({*figure_at(report, place).rows})
    return tuple(row for row in rows if after is None or row > after)


def weekly(ctx: Context, week: str, *, catalogue: Catalogue, since: date | None = None) -> Report:
    """Return the figures of a week as they are now; `since` is the first day of the cumulative.

    Raises NotAllowed without a mandate, Invalid for no week, one that has not begun, or a first day
    after its end.
    """
    ctx.need("oversight.read")
    begins_on, ends_on = week_of(week)
    first = since or begins_on.replace(month=1, day=1)
    if begins_on > ctx.today:
        raise Invalid(
            "week-not-begun",
            "The week {week} begins on {day}. Name one that has begun.",
            at="/week",
            facts={"week": week, "day": begins_on.isoformat()},
        )
    if first > ends_on:
        raise Invalid(
            "since-after-week",
            "The count begins on {since}, after the week ends on {day}. Name an earlier day.",
            at="/since",
            facts={"since": first.isoformat(), "day": ends_on.isoformat()},
        )
    districts = ctx.actor.districts
    with beyond_the_lab(ctx.session) as wide:
        documents = _documents(wide, districts, first, ends_on, ctx.zone)
        items = overseen(wide, districts, ctx.today, catalogue)
    counted = Counted(tuple(documents), begins_on, _earlier(ctx, week))
    return Report(
        week=week,
        begins_on=begins_on.isoformat(),
        ends_on=ends_on.isoformat(),
        since=first.isoformat(),
        districts=() if EVERYWHERE in districts else tuple(sorted(districts)),
        made_at=ctx.now.isoformat(),
        figures=figures_of(counted, items),
        rows=counted.rows,
    )


def hand_in(
    ctx: Context, week: str, *, catalogue: Catalogue, since: date | None = None
) -> ReportView:
    """Freeze the figures of a week; handed in again they are another edition beside the first.

    Raises NotAllowed without a mandate, and what `weekly` raises.
    """
    ctx.need("oversight.report")
    report = weekly(ctx, week, catalogue=catalogue, since=since)
    body = canonical_json(to_plain(report)).decode()
    hold_lab(ctx.session, ctx.lab_id)  # the next edition is still the next at commit
    editions = select(func.count()).select_from(WeeklyReport).where(WeeklyReport.week == week)
    row = WeeklyReport(
        week=week,
        edition=int(ctx.session.scalar(editions) or 0) + 1,
        since_on=date.fromisoformat(report.since),
        body=body,
        digest=digest(to_plain(report)),
        made_by=ctx.actor.person_id,
        made_at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {"week": week, "edition": row.edition, "digest": row.digest}
    audit.record(ctx, "oversight:report:hand_in", "weekly_report", row.id, facts)
    return _view(row)


def handed_in(
    ctx: Context, *, before: int | None = None, limit: int | None = None
) -> tuple[ReportView, ...]:
    """Return the reports that were handed in, the newest first; those before an id, and so many.

    Raises NotAllowed without a mandate.
    """
    ctx.need("oversight.read")
    newest = select(WeeklyReport).order_by(WeeklyReport.id.desc()).limit(limit)
    if before is not None:
        newest = newest.where(WeeklyReport.id < before)
    bodiless = newest.options(defer(WeeklyReport.body))
    return tuple(_view(row) for row in ctx.session.scalars(bodiless))


def report_as_handed_in(ctx: Context, report_id: int) -> tuple[ReportView, Report]:
    """Return a report as it was handed in, whatever has changed since.

    Raises NotAllowed without a mandate, NotFound.
    """
    view, body = body_as_handed_in(ctx, report_id)
    return view, _report(body)


def body_as_handed_in(ctx: Context, report_id: int) -> tuple[ReportView, str]:
    """Return a report with its text, byte for byte that of its digest.

    Raises NotAllowed without a mandate, NotFound.
    """
    ctx.need("oversight.read")
    row = get_row(ctx, WeeklyReport, report_id, "report")
    return _view(row), row.body


def _view(row: WeeklyReport) -> ReportView:
    return ReportView(row.id, row.week, row.edition, row.made_by, row.made_at, row.digest)


def _report(body: str) -> Report:
    return from_plain(Report, json.loads(body))


def _earlier(ctx: Context, week: str) -> dict[tuple[str, str], str]:
    """Return the numbers of the last report of an earlier week, by name and cut."""
    newest = (
        select(WeeklyReport)
        .where(WeeklyReport.week < week)
        .order_by(WeeklyReport.week.desc(), WeeklyReport.edition.desc())
        .limit(1)
    )
    row = ctx.session.scalars(newest).one_or_none()
    if row is None:
        return {}
    return {(one.name, one.cut): one.week for one in _report(row.body).figures}


def _documents(
    wide: Session, districts: Iterable[str], first: date, last: date, zone: ZoneInfo
) -> list[Document]:
    """Return what was issued from the first to the last day, oldest first."""
    begin = datetime.combine(first, time.min, zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
    statement = (
        select(
            Certificate.number,
            Certificate.kind,
            Certificate.verdict,
            Certificate.replaces_id,
            CertificateEvent.happened_at,
            Lab.code.label("lab"),
            InstrumentModel.type_id,
            InstrumentModel.maker,
            InstrumentModel.model,
            Site.district,
            Site.venue_type,
            Site.id.label("site_id"),
            Calibration.simulated,
            Order.id.label("order_id"),
            Order.decision_rule,
            Order.green_channel,
            Order.fee,
            Order.fee_waiver,
            Order.requested_on,
            Customer.id.label("customer_id"),
            Customer.kind.label("customer_kind"),
            Customer.is_small_firm,
        )
        .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
        .join(Lab, Lab.id == Certificate.lab_id)
        .join(Instrument, Instrument.id == Certificate.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .join(OrderLine, OrderLine.id == Calibration.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Customer, Customer.id == Order.customer_id)
        .outerjoin(Site, Site.id == Instrument.site_id)
        .where(
            CertificateEvent.event == "issued",
            CertificateEvent.happened_at >= begin,
            CertificateEvent.happened_at < end,
            *within(districts),
        )
        .order_by(CertificateEvent.happened_at, Certificate.id)
    )
    return [_document(row, zone) for row in wide.execute(statement)]


def _document(row: Any, zone: ZoneInfo) -> Document:
    return Document(
        kind=row.kind,
        lab=row.lab,
        number=row.number,
        verdict=row.verdict,
        is_replacement=row.replaces_id is not None,
        issued_on=row.happened_at.astimezone(zone).date(),
        requested_on=row.requested_on,
        type_id=row.type_id,
        maker=row.maker,
        model=row.model,
        district=row.district or "",
        venue_type=row.venue_type or "",
        site_id=row.site_id,
        order_id=row.order_id,
        rule=row.decision_rule,
        is_green=row.green_channel,
        fee=row.fee,
        is_waived=bool(row.fee_waiver),
        customer_id=row.customer_id,
        customer_kind=row.customer_kind,
        is_small_firm=row.is_small_firm,
        is_simulated=row.simulated,
    )
