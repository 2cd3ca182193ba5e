"""Whether the people of a record are authorised for what they do to it.

Whoever opens, submits, reviews, authorises or issues answers for the whole record; whoever enters
values answers for those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import select

from calib.records.calibrations import Condition, Reading
from calib.services.calibration_views import VISIT, CalibrationView
from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.services import competence
from instruments.services.competence import Work


def need_for_plan(
    ctx: Context, act: str, definition: InstrumentType, points: Mapping[str, Sequence[str]]
) -> None:
    """Refuse an act on everything a plan holds unless the actor is authorised for it today.

    Raises
    ------
    Refused
    """
    competence.need(ctx, ctx.actor.person_id, act, _work(definition, points), ctx.today)


def need_for_values(
    ctx: Context, definition: InstrumentType, places: Iterable[tuple[str, str]]
) -> None:
    """Refuse values at (measurand, point) that the actor is not authorised to measure today.

    Raises
    ------
    Refused
    """
    work = _work(definition, _by_measurand(places))
    competence.need(ctx, ctx.actor.person_id, "performs", work, ctx.today)


def need_for_record(ctx: Context, act: str, record: CalibrationView) -> None:
    """Refuse an act on a record unless the actor is authorised for all of it today.

    Raises
    ------
    Refused
    """
    need_for_plan(ctx, act, record.definition, record.plan.points)


def need_of_others(
    ctx: Context, record: CalibrationView, marked: Iterable[tuple[int, str, date]]
) -> None:
    """Refuse a record that somebody measured or marked without being authorised on that day.

    `marked`: person, act and day of every mark that is to stand.

    Raises
    ------
    Refused
    """
    if not competence.is_kept(ctx):
        return
    measured_on = record.performed_on or ctx.today
    for person_id, places in _measured(ctx, record).items():
        work = _work(record.definition, _by_measurand(places))
        competence.need(ctx, person_id, "performs", work, measured_on)
    whole = _work(record.definition, record.plan.points)
    for person_id, act, day in marked:
        competence.need(ctx, person_id, act, whole, day)


def _measured(ctx: Context, record: CalibrationView) -> dict[int, set[tuple[str, str]]]:
    """Return by person where they entered values that stand; conditions belong to no place."""
    found: dict[int, set[tuple[str, str]]] = {}
    for reading in record.readings():
        found.setdefault(reading.person_id, set()).add((reading.measurand, reading.point))
    observed = select(Condition.person_id).where(Condition.calibration_id == record.id)
    corrected = select(Reading.person_id).where(Reading.calibration_id == record.id)
    for person_id in (*ctx.session.scalars(observed), *ctx.session.scalars(corrected)):
        found.setdefault(person_id, set())
    return found


def _by_measurand(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for measurand, point in places:
        found.setdefault(measurand, []).append(point)
    return found


def _work(definition: InstrumentType, points: Mapping[str, Sequence[str]]) -> Work:
    values = ((name, tuple(VISIT.sub("", one) for one in found)) for name, found in points.items())
    return Work(definition, tuple((name, found) for name, found in values if found))
