"""What may stand against a lab's own method: errors of its text, models and scope it does not fit.

Also who may approve it. Changes nothing.
"""

from __future__ import annotations

from sqlalchemy import func, select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Finding, Refused
from instruments.procedure import InstrumentType
from instruments.records.methods import MethodVersion
from instruments.records.models import InstrumentModel
from instruments.records.scope import ScopeRow
from instruments.services import models
from instruments.services.humans import had_a_hand
from instruments.services.method_views import MethodView, read_row


def need_definition(method: MethodView) -> InstrumentType:
    """Return the definition of a revision; raises Refused while its text has errors."""
    if method.definition is None:
        raise _has_errors(method.findings)
    return method.definition


def need_sound(ctx: Context, row: MethodVersion, catalogue: Catalogue) -> InstrumentType:
    """Return the definition when nothing stands against using it; raises Refused with it all."""
    found = read_row(row)
    if found.type is None:
        raise _has_errors(found.findings)
    type_: InstrumentType = found.type
    against = (*_misplaced(row, catalogue), *models.misfits(ctx, type_), *_unscoped(ctx, type_))
    if against:
        raise Refused(
            "method-misfit",
            "{count} things of the laboratory do not fit this definition. Change them or the "
            "definition.",
            facts={"count": len(against)},
            findings=against,
        )
    return type_


def _has_errors(findings: tuple[Finding, ...]) -> Refused:
    return Refused(
        "method-has-errors",
        "{count} errors stand in the text. Correct them all, then submit again.",
        at="/text",
        facts={"count": len(findings)},
        findings=findings,
    )


def _misplaced(row: MethodVersion, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return a finding when a type of the lab's own bears an id the catalogue has by now."""
    if row.based_on or row.type_id not in catalogue:
        return ()
    message = "The catalogue has a type {id} by now. Import the text under another id."
    return (Finding("method-id-now-taken", message, facts={"id": row.type_id}),)


def _unscoped(ctx: Context, type_: InstrumentType) -> tuple[Finding, ...]:
    """Return the rows of the accreditation scope for measurands the definition does not have."""
    known = {measurand.id for measurand in type_.measurands}
    rows = ctx.session.scalars(
        select(ScopeRow)
        .where(ScopeRow.type_id == type_.id, ScopeRow.ends_on.is_(None))
        .order_by(ScopeRow.id)
    )
    message = (
        "The accreditation scope has a row for {measurand} ({document}), which this definition "
        "no longer has. End the row, or keep the measurand."
    )
    return tuple(
        Finding(
            "method-scope-misfit",
            message,
            facts={"measurand": row.measurand, "document": row.document},
        )
        for row in rows
        if row.measurand not in known
    )


def need_other_person(ctx: Context, row: MethodVersion) -> None:
    """Refuse whoever wrote last or submitted: raises Refused."""
    wrote = {id_ for id_ in (row.submitted_by, row.written_by) if id_ is not None}
    if had_a_hand(ctx.session, ctx.actor.person_id, wrote):
        raise Refused(
            "method-same-person",
            "{name} wrote or submitted this revision and may not approve it. Ask another manager "
            "or signatory.",
            facts={"name": ctx.actor.name},
            clause="ISO/IEC 17025:2017 7.2.1.5",
        )


def need_another_definition(ctx: Context, row: MethodVersion, catalogue: Catalogue) -> None:
    """Refuse to leave registered models without a type: raises Refused."""
    others = ctx.session.scalar(
        select(func.count())
        .select_from(MethodVersion)
        .where(
            MethodVersion.type_id == row.type_id,
            MethodVersion.state == "approved",
            MethodVersion.id != row.id,
        )
    )
    count = ctx.session.scalar(
        select(func.count())
        .select_from(InstrumentModel)
        .where(InstrumentModel.type_id == row.type_id)
    )
    if count and not others and row.type_id not in catalogue:
        raise Refused(
            "method-in-use",
            "{count} models are of the type {id}, which nothing else defines. Have another "
            "revision approved first.",
            facts={"count": count, "id": row.type_id},
        )
