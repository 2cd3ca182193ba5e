"""Oversight on the wire: what an authority sends, and what it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from api.schemas.wire import Day, Wire, Words
from calib.i18n import translate
from calib.services.colours import Judgement
from calib.services.oversight import Coverage, OverseenItem, Oversight
from calib.services.weekly import ReportView
from calib.services.weekly_figures import CountedRow, Report
from instruments.text import LocalizedText

Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


class NewProblem(Wire):
    """A problem with an instrument, or with a laboratory: one of the two."""

    kind: Words
    finding: Words
    demand: Words
    until: Day
    instrument_id: Number | None = None
    lab_code: Words = ""


class Said(Wire):
    """What one side says of a problem: what was done, or on what evidence it rests."""

    words: Words


class HandedInWeek(Wire):
    """The week whose figures are frozen, like 2026-W47; `since`: first day of the count."""

    week: Words
    since: Day | None = None


@dataclass(frozen=True, slots=True)
class CoverageAnswer:
    """How the districts of a mandate stand today."""

    today: date
    districts: tuple[str, ...]
    """Of the mandate; none: everywhere."""
    total: Coverage
    by_district: tuple[Coverage, ...]
    rows: tuple[Coverage, ...]
    """By district and kind of venue."""


def coverage_of(seen: Oversight) -> CoverageAnswer:
    """Return the counts without the instruments."""
    return CoverageAnswer(seen.today, seen.districts, seen.total, seen.by_district, seen.rows)


@dataclass(frozen=True, slots=True)
class InstrumentSeen:
    """One instrument of the mandate, with its colour and why."""

    instrument_id: int
    lab_code: str
    district: str
    venue_type: str
    site_id: int | None
    venue: LocalizedText | None
    barcode: str
    type_id: str
    type_name: LocalizedText
    maker: str
    model: str
    judgement: Judgement
    reason: str
    """The judgement as a sentence in the reader's language."""
    due_on: date | None
    is_overdue: bool
    is_certified: bool
    is_calibratable: bool
    certificate_number: str
    certificate_token: str


def instrument_seen(item: OverseenItem, language: str) -> InstrumentSeen:
    """Return an instrument with the reason of its colour in words."""
    judged = item.judgement
    return InstrumentSeen(
        instrument_id=item.instrument_id,
        lab_code=item.lab_code,
        district=item.district,
        venue_type=item.venue_type,
        site_id=item.site_id,
        venue=item.venue,
        barcode=item.barcode,
        type_id=item.type_id,
        type_name=item.type_name,
        maker=item.maker,
        model=item.model,
        judgement=judged,
        reason=translate(judged.message, language, **judged.facts),
        due_on=item.due_on,
        is_overdue=item.is_overdue,
        is_certified=item.is_certified,
        is_calibratable=item.is_calibratable,
        certificate_number=item.certificate_number,
        certificate_token=item.certificate_token,
    )


@dataclass(frozen=True, slots=True)
class FigureAnswer:
    """One number of a report; numbers are decimal text, empty where there is none."""

    place: int
    name: str
    cut: str
    unit: str
    week: str
    since: str
    change: str
    rows: int
    """How many rows it counts."""


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """A week's figures: as they are now, or as they were handed in."""

    week: str
    begins_on: str
    ends_on: str
    since: str
    districts: tuple[str, ...]
    made_at: datetime
    figures: tuple[FigureAnswer, ...]
    absent: tuple[str, ...]
    """Figures that are asked for and that no record tells."""
    rows: int
    id: int | None
    """None, and no edition and digest: a draft."""
    edition: int | None
    digest: str


def report_answer(report: Report, view: ReportView | None = None) -> ReportAnswer:
    """Return the figures of a report without the rows they count."""
    return ReportAnswer(
        week=report.week,
        begins_on=report.begins_on,
        ends_on=report.ends_on,
        since=report.since,
        districts=report.districts,
        made_at=datetime.fromisoformat(report.made_at),
        figures=tuple(
            FigureAnswer(
                place, one.name, one.cut, one.unit, one.week, one.since, one.change, len(one.rows)
            )
            for place, one in enumerate(report.figures)
        ),
        absent=report.absent,
        rows=len(report.rows),
        id=view.id if view else None,
        edition=view.edition if view else None,
        digest=view.digest if view else "",
    )


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What a figure counts: an issued document, or an instrument as it stood."""

    place: int
    counted: CountedRow


def rows_of(report: Report, places: tuple[int, ...]) -> Iterator[RowAnswer]:
    """Return the rows of a report at some places."""
    return (RowAnswer(place, report.rows[place]) for place in places)
