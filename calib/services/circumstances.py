"""The circumstances of a record: date, place, examinations, adjustment, accepted warnings, its end.

Knows nothing of readings and of how a warning comes about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from calib.records.calibrations import Calibration
from calib.services import calibration_views, evaluation
from calib.services.calibration_views import CalibrationView, locked, need_draft, need_reason
from instruments.context import Context
from instruments.errors import Invalid, NotFound, Refused
from instruments.procedure import InstrumentType
from instruments.records.orders import OrderLine
from instruments.services import audit
from instruments.services.fields import choice, whole, words
from instruments.services.rows import change

PLACES = ("laboratory", "site")


def set_facts(  # noqa: PLR0913 -- the facts of a record
    ctx: Context,
    calibration_id: int,
    version: int,
    *,
    performed_on: date | None = None,
    place: str | None = None,
    acclimatisation_minutes: int | None = None,
    examinations: Mapping[str, Mapping[str, Any]] | None = None,
    adjustment: str | None = None,
    remark: str | None = None,
    simulated: bool | None = None,
) -> CalibrationView:
    """Note the circumstances of the work; None leaves a fact as it is.

    `simulated`: the readings come from the generator; this is never taken back.

    Raises
    ------
    NotFound, Conflict, Invalid, Refused
    """
    ctx.need("calibration.enter")
    row = locked(ctx, calibration_id, version)
    need_draft(row)
    definition = InstrumentType.from_dict(row.definition)
    given: dict[str, Any] = {
        "performed_on": _performed(ctx, row, performed_on),
        "place": None if place is None else choice(place, PLACES, "/place"),
        "acclimatisation_minutes": whole(
            acclimatisation_minutes, "/acclimatisation_minutes", low=0, high=100_000
        ),
        "examinations": None
        if examinations is None
        else _examinations(definition, {**row.examinations, **examinations}),
        "adjustment": _adjustment(definition, adjustment),
        "remark": None if remark is None else words(remark, "/remark", limit=4000),
        "simulated": _kept(row, simulated=simulated),
    }
    stated = {name: value for name, value in given.items() if value is not None}
    differences = change(ctx, row, stated, "record")
    if differences:
        audit.record(ctx, "calibration:record:facts", "calibration", row.id, differences)
    return calibration_views.view(ctx, calibration_id)


def _kept(row: Calibration, *, simulated: bool | None) -> bool | None:
    """Return the mark; it may be set and never taken back."""
    if row.simulated and simulated is False:
        raise Refused(
            "record-stays-simulated",
            "Record {id} was marked as one of simulated readings, and that is never taken back."
            " Open a new record for real readings.",
            at="/simulated",
            facts={"id": row.id},
        )
    return simulated


def accept_warning(
    ctx: Context, calibration_id: int, version: int, warning: str, reason: str
) -> CalibrationView:
    """Accept a warning of the checks, named ``code@place``, with the reason why the work stands.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    ctx.need("calibration.accept_warning")
    row = locked(ctx, calibration_id, version)
    need_draft(row)
    stands = {
        f"{finding.code}@{finding.at}"
        for finding in evaluation.evaluate_draft(ctx, calibration_id).findings
        if finding.severity == "warning"
    }
    if warning not in stands:
        raise NotFound(
            "warning-unknown",
            "The warning {warning} does not stand against this record. It has: {known}.",
            at="/warning",
            facts={"warning": warning, "known": ", ".join(sorted(stands)) or "none"},
        )
    accepted = {
        "warning": warning,
        "person_id": ctx.actor.person_id,
        "reason": need_reason(reason),
    }
    others = [earlier for earlier in row.accepted_warnings if earlier["warning"] != warning]
    row.accepted_warnings = [*others, accepted]
    audit.record(ctx, "calibration:warning:accept", "calibration", row.id, accepted)
    return calibration_views.view(ctx, calibration_id)


def close(ctx: Context, calibration_id: int, version: int, reason: str) -> CalibrationView:
    """End a draft without a certificate: not calibratable, withdrawn by the customer.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    ctx.need("calibration.close")
    row = locked(ctx, calibration_id, version)
    row.closing_reason = need_reason(reason)
    calibration_views.move(row, "closed")
    audit.record(
        ctx, "calibration:record:close", "calibration", row.id, {"reason": row.closing_reason}
    )
    return calibration_views.view(ctx, calibration_id)


def _examinations(
    definition: InstrumentType, given: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    known = [examination.id for examination in definition.examinations]
    outcome: dict[str, Any] = {}
    for id_, found in given.items():
        at = f"/examinations/{id_}"
        if id_ not in known:
            raise Invalid(
                "examination-unknown",
                "The type {type} has no examination {id}; it has {known}.",
                at=at,
                facts={"type": definition.id, "id": id_, "known": ", ".join(known) or "none"},
            )
        passed, rejected = found.get("passed"), found.get("rejected_pieces", [])
        readable = isinstance(passed, bool) and isinstance(rejected, list | tuple)
        if not readable or not all(type(piece) is int for piece in rejected):
            raise Invalid(
                "examination-unreadable",
                "The examination {id} needs passed: true or false, and whole numbers for rejected "
                "pieces; got {got}.",
                at=at,
                facts={"id": id_, "got": dict(found)},
            )
        outcome[id_] = {
            "passed": passed,
            "remark": words(str(found.get("remark", "")), f"{at}/remark"),
            "rejected_pieces": sorted(set(rejected)),
        }
    return outcome


def _performed(ctx: Context, row: Calibration, performed_on: date | None) -> date | None:
    if performed_on is None:
        return None
    received_at = ctx.session.scalars(
        select(OrderLine.received_at).where(OrderLine.id == row.order_line_id)
    ).one()
    received_on = (received_at or ctx.now).astimezone(ctx.zone).date()
    if not received_on <= performed_on <= ctx.today:
        raise Invalid(
            "performed-on-impossible",
            "The work cannot have been done on {given}: the item was received on {received} and "
            "today is {today}. Correct the date.",
            at="/performed_on",
            facts={
                "given": performed_on.isoformat(),
                "received": received_on.isoformat(),
                "today": ctx.today.isoformat(),
            },
            clause="ISO/IEC 17025:2017 7.8.2.1 (h), (i)",
        )
    return performed_on


def _adjustment(definition: InstrumentType, adjustment: str | None) -> str | None:
    if adjustment is None:
        return None
    if adjustment.strip() and "as_left" not in definition.stages:
        raise Refused(
            "type-not-adjustable",
            "Instruments of the type {type} cannot be adjusted; it has no readings as left. "
            "Write a remark instead.",
            at="/adjustment",
            facts={"type": definition.id},
        )
    return words(adjustment, "/adjustment", limit=4000)
