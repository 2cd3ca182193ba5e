"""The directory of the laboratories, as an authority sees it: what each is accredited for today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from instruments.context import Context
from instruments.records.parties import Lab
from instruments.records.scope import ScopeRow
from instruments.tenancy import beyond_the_lab
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """What a laboratory is accredited for, in one row."""

    type_id: str
    measurand: str
    document: str
    low: str
    high: str
    expanded_uncertainty: str
    fraction: str
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A laboratory in the directory."""

    code: str
    name: LocalizedText
    address_en: str
    address_zh: str
    accreditation: str
    authorisation: str
    is_suspended: bool
    scope: tuple[ScopeLine, ...]
    """Of today."""


def directory(ctx: Context) -> tuple[DirectoryEntry, ...]:
    """Return the laboratories of the installation with what they are accredited for today.

    Raises NotAllowed without a mandate.
    """
    ctx.need("oversight.read")
    with beyond_the_lab(ctx.session) as wide:
        labs = wide.scalars(select(Lab).where(Lab.kind == "laboratory").order_by(Lab.code)).all()
        rows = wide.scalars(
            select(ScopeRow)
            .where(ScopeRow.starts_on <= ctx.today)
            .order_by(ScopeRow.type_id, ScopeRow.measurand, ScopeRow.id)
        ).all()
    scopes: dict[int, list[ScopeLine]] = {}
    for row in rows:
        if row.ends_on is None or row.ends_on >= ctx.today:
            scopes.setdefault(row.lab_id, []).append(_scope_line(row))
    return tuple(
        DirectoryEntry(
            code=lab.code,
            name=LocalizedText(lab.name_en, lab.name_zh),
            address_en=lab.address_en,
            address_zh=lab.address_zh,
            accreditation=lab.accreditation,
            authorisation=lab.authorisation,
            is_suspended=lab.suspended_at is not None,
            scope=tuple(scopes.get(lab.id, ())),
        )
        for lab in labs
    )


def _scope_line(row: ScopeRow) -> ScopeLine:
    return ScopeLine(
        type_id=row.type_id,
        measurand=row.measurand,
        document=row.document,
        low=row.low,
        high=row.high,
        expanded_uncertainty=row.expanded_uncertainty,
        fraction=row.fraction,
        ends_on=row.ends_on,
    )
