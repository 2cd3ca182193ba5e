"""After the number was taken: void a reservation, amend or withdraw an issued certificate.

Nothing is changed or removed: each act adds an event, a ledger line and an audit row.
"""

from __future__ import annotations

from sqlalchemy import select

from calib.records.calibrations import Calibration, Condition, Reading
from calib.records.certificates import Certificate
from calib.services import calibration_views
from calib.services.calibration_views import CalibrationView, locked, move, need_reason
from calib.services.certificate_rows import certificate_of, events_of, set_due, state_of, told
from calib.services.second_person import need_second
from instruments.context import Context
from instruments.errors import Conflict
from instruments.services import audit
from instruments.tenancy import hold_lab


def void(ctx: Context, certificate_id: int, reason: str, second_person_id: int) -> None:
    """Give up a number that was reserved and cannot be finished; the number is never used again.

    Raises
    ------
    NotFound, Conflict, Invalid
    Refused
        The second person is no other person, or holds no role that allows it.
    """
    ctx.need("certificate.void")
    certificate = in_state(ctx, certificate_id, "reserved")
    why = need_reason(reason)
    need_second(ctx, second_person_id)
    move(locked(ctx, certificate.calibration_id), "authorised")
    told(ctx, certificate, "void", {}, reason=why, second_person_id=second_person_id)


def withdraw(ctx: Context, certificate_id: int, reason: str, second_person_id: int) -> None:
    """Withdraw an issued certificate; whoever looks it up is told so from now on.

    Raises
    ------
    NotFound, Conflict, Invalid
    Refused
        The second person is no other person, or holds no role that allows it.
    """
    ctx.need("certificate.withdraw")
    certificate = in_state(ctx, certificate_id, "issued")
    why = need_reason(reason)
    need_second(ctx, second_person_id)
    told(ctx, certificate, "withdrawn", {}, reason=why, second_person_id=second_person_id)
    set_due(ctx, certificate.instrument_id)


def amend(ctx: Context, certificate_id: int, reason: str) -> CalibrationView:
    """Open a copy of the record behind a certificate; its certificate will replace this one.

    Readings keep who entered them and when. Accepted warnings are looked at anew. The definition
    of the type stays the one the record was opened with.

    Raises
    ------
    NotFound, Conflict, Invalid
    """
    ctx.need("certificate.amend")
    certificate = in_state(ctx, certificate_id, "issued")
    why = need_reason(reason)
    other = open_amendment(ctx, certificate.calibration_id)
    if other is not None:
        raise Conflict(
            "amendment-open",
            "Certificate {number} is already being amended in record {id}. Go on there.",
            facts={"number": certificate.number, "id": other},
        )
    copy = _copy(ctx, locked(ctx, certificate.calibration_id), why)
    audit.record(
        ctx,
        "certificate:certificate:amend",
        "certificate",
        certificate.id,
        {"number": certificate.number, "reason": why, "calibration_id": copy.id},
    )
    return calibration_views.view(ctx, copy.id)


def open_amendment(ctx: Context, calibration_id: int) -> int | None:
    """Return the record that amends another one, if there is one that was not closed."""
    return ctx.session.scalar(
        select(Calibration.id).where(
            Calibration.amends_id == calibration_id, Calibration.state != "closed"
        )
    )


def in_state(ctx: Context, certificate_id: int, wanted: str) -> Certificate:
    """Return the certificate, safe from other writers, when it is in the state an act needs."""
    hold_lab(ctx.session, ctx.lab_id)
    certificate = certificate_of(ctx.session, certificate_id)
    state = state_of(events_of(ctx.session, certificate_id))
    if state != wanted:
        raise Conflict(
            "certificate-state",
            "Certificate {number} is {state}; this can only be done while it is {wanted}.",
            facts={"number": certificate.number, "state": state, "wanted": wanted},
        )
    return certificate


def _copy(ctx: Context, row: Calibration, reason: str) -> Calibration:
    copy = Calibration(
        order_line_id=row.order_line_id,
        instrument_id=row.instrument_id,
        kind=row.kind,
        type_id=row.type_id,
        type_version=row.type_version,
        definition=row.definition,
        plan=row.plan,
        performed_on=row.performed_on,
        place=row.place,
        acclimatisation_minutes=row.acclimatisation_minutes,
        examinations=row.examinations,
        accepted_warnings=[],
        adjustment=row.adjustment,
        remark=row.remark,
        amends_id=row.id,
        amendment_reason=reason,
        simulated=row.simulated,
        opened_by=ctx.actor.person_id,
        opened_at=ctx.now,
    )
    ctx.session.add(copy)
    ctx.session.flush()
    record = calibration_views.view(ctx, row.id)
    ctx.session.add_all(
        Reading(
            calibration_id=copy.id,
            measurand=r.measurand,
            stage=r.stage,
            piece=r.piece,
            point=r.point,
            input=r.input,
            place=r.place,
            revision=1,
            value=r.value,
            unit=r.unit,
            standard_certificate_id=r.standard_certificate_id,
            origin="copied",
            person_id=r.person_id,
            entered_at=r.entered_at,
        )
        for r in record.readings()
    )
    ctx.session.add_all(
        Condition(
            calibration_id=copy.id,
            quantity=c.quantity,
            moment=c.moment,
            revision=1,
            value=c.value,
            unit=c.unit,
            person_id=c.person_id,
            entered_at=c.entered_at,
        )
        for c in record.conditions
        if c.value is not None
    )
    ctx.session.flush()
    return copy
