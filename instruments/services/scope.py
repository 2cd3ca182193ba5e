"""Accreditation scope: the smallest uncertainty the lab may state, by type, measurand and range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Invalid
from instruments.quantities import parse_decimal
from instruments.records.scope import ScopeRow
from instruments.services import audit, fields
from instruments.services.models import check_known
from instruments.services.rows import get_row


@dataclass(frozen=True, slots=True)
class ScopeEntry:
    """One row of the scope: U_cmc(x) = U + U_fraction |x| between low and high."""

    type_id: str
    measurand: str
    document: str
    low: str
    high: str
    U: str
    starts_on: date
    U_fraction: str = "0"
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class ScopeRowView:
    """A row of the scope as it stands."""

    id: int
    entry: ScopeEntry


def add_row(ctx: Context, entry: ScopeEntry, *, catalogue: Catalogue) -> int:
    """Add a row to the scope and return its id.

    Raises NotAllowed unless a manager asks, Invalid for unusable fields.
    """
    ctx.need("scope.write")
    type_ = catalogue.get(entry.type_id)
    check_known(entry.measurand, {m.id for m in type_.measurands}, "")
    document = fields.words(entry.document, "/document", required=True)
    fields.period(entry.starts_on, entry.ends_on, "/ends_on")
    if parse_decimal(entry.low, at="/low") > parse_decimal(entry.high, at="/high"):
        raise Invalid(
            "range-backwards",
            "The range of validity runs from {low} to {high}. Put the smaller value first.",
            at="/low",
            facts={"low": entry.low, "high": entry.high},
        )
    constant = parse_decimal(entry.U, at="/U")
    fraction = parse_decimal(entry.U_fraction, at="/U_fraction")
    if constant < 0 or fraction < 0 or constant + fraction == 0:
        raise Invalid(
            "scope-without-uncertainty",
            "The row states U = {U} + {fraction} |x|; one part must be greater than zero and none "
            "negative. Copy the row from the accreditation certificate.",
            at="/U",
            clause="ILAC-P14:09/2020 5.3",
            facts={"U": entry.U, "fraction": entry.U_fraction},
        )
    row = ScopeRow(
        type_id=entry.type_id,
        measurand=entry.measurand,
        document=document,
        low=entry.low,
        high=entry.high,
        expanded_uncertainty=entry.U,
        fraction=entry.U_fraction,
        starts_on=entry.starts_on,
        ends_on=entry.ends_on,
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {"type": entry.type_id, "measurand": entry.measurand, "U": entry.U}
    audit.record(ctx, "registry:scope:add", "scope_row", row.id, facts)
    return row.id


def end_row(ctx: Context, row_id: int, ends_on: date) -> None:
    """Set the last day a row of the scope holds.

    Raises NotAllowed unless a manager asks, NotFound, Invalid when it would end before it began.
    """
    ctx.need("scope.write")
    row = get_row(ctx, ScopeRow, row_id, "scope row")
    fields.period(row.starts_on, ends_on, "/ends_on")
    row.ends_on = ends_on
    audit.record(ctx, "registry:scope:end", "scope_row", row.id, {"ends_on": ends_on.isoformat()})


def list_rows(ctx: Context) -> tuple[ScopeRowView, ...]:
    """Return every row of the scope, ended ones included.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("scope.read")
    statement = select(ScopeRow).order_by(ScopeRow.type_id, ScopeRow.measurand, ScopeRow.id)
    return tuple(_view(row) for row in ctx.session.scalars(statement))


def _view(row: ScopeRow) -> ScopeRowView:
    return ScopeRowView(
        row.id,
        ScopeEntry(
            type_id=row.type_id,
            measurand=row.measurand,
            document=row.document,
            low=row.low,
            high=row.high,
            U=row.expanded_uncertainty,
            starts_on=row.starts_on,
            U_fraction=row.fraction,
            ends_on=row.ends_on,
        ),
    )
