"""The versions of a type in a laboratory: who approved them, what used them, what differs.

Versions come from the catalogue, from the laboratory's own revisions, and from records opened with
a version that is not there any more: those keep their definition. The number of statements does
not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from calib.records.calibrations import Calibration
from instruments.catalogue.difference import Difference, differences
from instruments.catalogue.loader import OWN_VERSION, Catalogue
from instruments.catalogue.own import own_version
from instruments.context import Context
from instruments.errors import NotFound
from instruments.procedure import InstrumentType
from instruments.records.instruments import Instrument
from instruments.records.methods import MethodVersion
from instruments.services.method_views import MethodLine, lab_catalogue, list_methods
from instruments.text import LocalizedText

MOST_DIGITS = 9
NAMED = 10
"""Records of one version that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class RecordOfVersion:
    """A record that was opened with a version."""

    id: int
    barcode: str
    state: str
    performed_on: date | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the type, the catalogue's or the laboratory's own."""

    version: str
    line: MethodLine | None
    """Own revision: who wrote, submitted and approved it. None: it came with the catalogue."""
    is_in_force: bool
    """New records are opened with it."""
    used: int
    """Records that were opened with it."""
    first: date | None
    last: date | None
    """Days of the first and last work done with it."""
    records: tuple[RecordOfVersion, ...]
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class MethodHistory:
    """Every version of a type, the newest first."""

    type_id: str
    name: LocalizedText
    versions: tuple[Version, ...]

    def before(self, version: str) -> str:
        """Return the version before one; the same where there is none."""
        names = [one.version for one in self.versions]
        place = names.index(version) + 1 if version in names else 0
        return names[min(place, len(names) - 1)]


def method_history(ctx: Context, type_id: str, catalogue: Catalogue) -> MethodHistory:
    """Return every version of a type that this laboratory has, had or worked with.

    Raises
    ------
    NotFound
        Neither the catalogue nor the laboratory knows the type.
    """
    ctx.need("method.read")
    lines = _own(ctx, type_id)
    used, named = _used(ctx, type_id), _named(ctx, type_id)
    known = catalogue.versions(type_id) if type_id in catalogue else ()
    gone = sorted(used.keys() - lines.keys() - set(known), reverse=True)
    names = (*lines, *reversed(known), *gone)
    if not names:
        raise NotFound(
            "type-unknown-here",
            "There is no type {type} here. Look it up in the catalogue.",
            facts={"type": type_id},
        )
    working = lab_catalogue(ctx, catalogue)
    now = working.get(type_id) if type_id in working else None
    return MethodHistory(
        type_id,
        now.name if now else LocalizedText(en=type_id),
        tuple(
            Version(
                version=name,
                line=lines.get(name),
                is_in_force=now is not None and now.version == name,
                used=used[name].count if name in used else 0,
                first=used[name].first if name in used else None,
                last=used[name].last if name in used else None,
                records=tuple(named.get(name, ())),
            )
            for name in names
        ),
    )


def compare(
    ctx: Context, type_id: str, old: str, new: str, catalogue: Catalogue
) -> tuple[Difference, ...]:
    """Return everything one version says otherwise than another.

    Raises
    ------
    NotFound
        There is no such version, or its text has errors and defines nothing.
    """
    ctx.need("method.read")
    first, second = (_definition(ctx, type_id, one, catalogue) for one in (old, new))
    return differences(first, second)


def _own(ctx: Context, type_id: str) -> dict[str, MethodLine]:
    """Return the laboratory's own revisions by version, the newest first."""
    rows = ctx.session.execute(
        select(MethodVersion.id, MethodVersion.definition).where(MethodVersion.type_id == type_id)
    )
    said = {row.id: row.definition["version"] for row in rows if row.definition is not None}
    return {
        said.get(line.id) or own_version(line.based_on, line.revision): line
        for line in list_methods(ctx, type_id)
    }


def _used(ctx: Context, type_id: str) -> Mapping[str, Any]:
    rows = ctx.session.execute(
        select(
            Calibration.type_version.label("version"),
            func.count().label("count"),
            func.min(Calibration.performed_on).label("first"),
            func.max(Calibration.performed_on).label("last"),
        )
        .where(Calibration.type_id == type_id)
        .group_by(Calibration.type_version)
    )
    return {row.version: row for row in rows}


def _named(ctx: Context, type_id: str) -> Mapping[str, list[RecordOfVersion]]:
    place = (
        func.row_number()
        .over(partition_by=Calibration.type_version, order_by=Calibration.id.desc())
        .label("place")
    )
    numbered = (
        select(Calibration.id, place).where(Calibration.type_id == type_id).subquery("numbered")
    )
    rows = ctx.session.execute(
        select(
            Calibration.id,
            Calibration.type_version,
            Calibration.state,
            Calibration.performed_on,
            Instrument.barcode,
        )
        .join(numbered, numbered.c.id == Calibration.id)
        .join(Instrument, Instrument.id == Calibration.instrument_id)
        .where(numbered.c.place <= NAMED)
        .order_by(Calibration.id.desc())
    )
    found: dict[str, list[RecordOfVersion]] = {}
    for row in rows:
        one = RecordOfVersion(row.id, row.barcode, row.state, row.performed_on)
        found.setdefault(row.type_version, []).append(one)
    return found


def _definition(ctx: Context, type_id: str, version: str, catalogue: Catalogue) -> InstrumentType:
    if type_id in catalogue and version in catalogue.versions(type_id):
        return catalogue.get(type_id, version)
    revision = version.partition(OWN_VERSION)[2]
    plain = None
    if revision.isascii() and revision.isdecimal() and len(revision) < MOST_DIGITS:
        plain = ctx.session.scalar(
            select(MethodVersion.definition).where(
                MethodVersion.type_id == type_id,
                MethodVersion.revision == int(revision),
                MethodVersion.definition.is_not(None),
            )
        )
    if plain is None:  # a version that is not there any more stands in the records made with it
        plain = ctx.session.scalar(
            select(Calibration.definition)
            .where(Calibration.type_id == type_id, Calibration.type_version == version)
            .limit(1)
        )
    if not plain:
        raise NotFound(
            "version-unknown",
            "There is no version {version} of {type} that can be compared. Choose one of the "
            "list whose text has no errors.",
            at="/version",
            facts={"version": version, "type": type_id},
        )
    return InstrumentType.from_dict(plain)
