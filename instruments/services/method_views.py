"""What a lab reads of its own methods: the list, one revision, and the types it works by.

Knows nothing of records of work; what a change would do to past results is told in
`calib.services.dry_run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from instruments.catalogue.difference import Difference, differences
from instruments.catalogue.loader import OWN_VERSION, Catalogue
from instruments.catalogue.own import file_name, plain_version, read_own
from instruments.catalogue.schema import TypeFile
from instruments.context import Context
from instruments.errors import Finding
from instruments.procedure import InstrumentType
from instruments.records.methods import MethodVersion
from instruments.records.parties import Person
from instruments.services.rows import get_row

NOUN = "method"
_KEPT: dict[str, InstrumentType] = {}
"""Definitions read once, by digest: what they say depends on nothing else."""
_MOST_KEPT = 400
_IN_SESSION = "types of the lab"


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did something to a revision, and when."""

    person_id: int
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One revision in the list."""

    id: int
    version: int
    type_id: str
    revision: int
    state: str
    is_in_force: bool
    """The newest approved one: new records are opened with it."""
    based_on: str
    definition_digest: str
    """Empty: the text has errors."""
    reason: str
    remark: str
    written: Deed
    submitted: Deed | None
    approved: Deed | None


@dataclass(frozen=True, slots=True)
class MethodView:
    """One revision with its text and what is wrong with it."""

    line: MethodLine
    text: str
    definition: InstrumentType | None
    findings: tuple[Finding, ...]
    """Every error of the text, with its line; a text with any cannot be submitted."""
    evidence: Mapping[str, Any] | None
    """What the dry run showed when it was submitted."""

    @property
    def id(self) -> int:
        """Return the number of the revision among all of the lab."""
        return self.line.id

    @property
    def version(self) -> int:
        """Return the version of the row a change must name."""
        return self.line.version

    @property
    def file_name(self) -> str:
        """Return what the text is called as a file."""
        return file_name(self.line.type_id, self.line.revision)


def list_methods(ctx: Context, type_id: str = "") -> tuple[MethodLine, ...]:
    """Return every revision of the lab, or of one type, the newest first within a type.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("method.read")
    return _lines(ctx, *([MethodVersion.type_id == type_id] if type_id else []))


def get_method(ctx: Context, method_id: int) -> MethodView:
    """Return one revision.

    Raises NotFound when the lab has none with this id.
    """
    ctx.need("method.read")
    row = get_row(ctx, MethodVersion, method_id, NOUN)
    line = _lines(ctx, MethodVersion.id == method_id)[0]
    if row.definition is not None:
        defined = _defined(row.definition_digest, row.definition)
        return MethodView(line, row.text, defined, (), row.evidence)
    return MethodView(line, row.text, None, read_row(row).findings, row.evidence)


def read_row(row: MethodVersion) -> TypeFile:
    """Return what the text of a revision defines, or everything wrong with it."""
    return read_own(row.text, row.type_id, row.revision, plain_version(row.based_on))


def export_text(ctx: Context, method_id: int) -> tuple[str, str]:
    """Return name and text of a revision as a file that any catalogue reads.

    Raises NotFound when the lab has none with this id.
    """
    found = get_method(ctx, method_id)
    return found.file_name, found.text


def base_of(ctx: Context, method: MethodView, catalogue: Catalogue) -> InstrumentType | None:
    """Return the definition a revision started from, or what has come in its place since.

    None for the first revision of a type of the lab's own.
    """
    type_id, based_on = method.line.type_id, method.line.based_on
    if OWN_VERSION in based_on:
        revision = int(based_on.partition(OWN_VERSION)[2])
        row = ctx.session.scalars(
            select(MethodVersion).where(
                MethodVersion.type_id == type_id, MethodVersion.revision == revision
            )
        ).one_or_none()
        if row is not None and row.definition is not None:
            return _defined(row.definition_digest, row.definition)
    if type_id not in catalogue:
        return None
    known = based_on if based_on in catalogue.versions(type_id) else None
    return catalogue.get(type_id, known)


def changes_of(
    ctx: Context, method: MethodView, catalogue: Catalogue
) -> tuple[InstrumentType | None, tuple[Difference, ...]]:
    """Return the base of a revision and what the revision says otherwise."""
    base = base_of(ctx, method, catalogue)
    if base is None or method.definition is None:
        return base, ()
    return base, differences(base, method.definition)


def lab_catalogue(ctx: Context, catalogue: Catalogue) -> Catalogue:
    """Return the types as this lab works by them: its approved methods before the catalogue's.

    One query per session; definitions that were read before are not read again.
    """
    kept: tuple[Catalogue, Catalogue] | None = ctx.session.info.get(_IN_SESSION)
    if kept is None or kept[0] is not catalogue:
        kept = (catalogue, _with_methods(ctx, catalogue))
        ctx.session.info[_IN_SESSION] = kept
    return kept[1]


def forget_catalogue(ctx: Context) -> None:
    """Let the session look again which methods are in force: one was approved or withdrawn."""
    ctx.session.info.pop(_IN_SESSION, None)


def _with_methods(ctx: Context, catalogue: Catalogue) -> Catalogue:
    found = ctx.session.execute(
        select(MethodVersion.type_id, MethodVersion.definition_digest)
        .where(MethodVersion.state == "approved")
        .order_by(MethodVersion.revision)
    )
    in_force = {type_id: digest for type_id, digest in found}  # noqa: C416 -- rows are no pairs
    if not in_force:
        return catalogue
    _read_missing(ctx, set(in_force.values()))
    return catalogue.with_methods(_KEPT[digest] for digest in in_force.values())


def approved_version(ctx: Context, type_id: str) -> MethodVersion | None:
    """Return the revision of a type that is in force; None: the lab has none."""
    found: MethodVersion | None = ctx.session.scalars(
        select(MethodVersion)
        .where(MethodVersion.type_id == type_id, MethodVersion.state == "approved")
        .order_by(MethodVersion.revision.desc())
        .limit(1)
    ).one_or_none()
    return found


def _read_missing(ctx: Context, wanted: set[str]) -> None:
    missing = wanted - _KEPT.keys()
    if not missing:
        return
    if len(_KEPT) + len(missing) > _MOST_KEPT:
        for digest in [kept for kept in _KEPT if kept not in wanted]:
            _KEPT.pop(digest, None)
    rows = select(MethodVersion.definition_digest, MethodVersion.definition).where(
        MethodVersion.definition_digest.in_(missing), MethodVersion.definition.is_not(None)
    )
    for digest, definition in ctx.session.execute(rows):
        _defined(digest, definition)


def _defined(digest: str, definition: Mapping[str, Any]) -> InstrumentType:
    if digest not in _KEPT:
        _KEPT[digest] = InstrumentType.from_dict(definition)
    return _KEPT[digest]


def _lines(ctx: Context, *conditions: Any) -> tuple[MethodLine, ...]:
    writer, sender, second = aliased(Person), aliased(Person), aliased(Person)
    newest = (
        select(MethodVersion.type_id, func.max(MethodVersion.revision).label("revision"))
        .where(MethodVersion.state == "approved")
        .group_by(MethodVersion.type_id)
        .subquery()
    )
    columns: tuple[InstrumentedAttribute[Any], ...] = tuple(
        getattr(MethodVersion, name)
        for name in (
            "id", "version", "type_id", "revision", "state", "based_on", "definition_digest",
            "reason", "remark", "written_by", "written_at", "submitted_by", "submitted_at",
            "approved_by", "approved_at",
        )
    )  # fmt: skip
    rows = ctx.session.execute(
        select(
            *columns,
            writer.name.label("writer"),
            sender.name.label("sender"),
            second.name.label("second"),
            newest.c.revision.label("newest"),
        )
        .join(writer, writer.id == MethodVersion.written_by)
        .outerjoin(sender, sender.id == MethodVersion.submitted_by)
        .outerjoin(second, second.id == MethodVersion.approved_by)
        .outerjoin(
            newest,
            and_(
                newest.c.type_id == MethodVersion.type_id,
                newest.c.revision == MethodVersion.revision,
            ),
        )
        .where(*conditions)
        .order_by(MethodVersion.type_id, MethodVersion.revision.desc())
    )
    return tuple(_line(row) for row in rows)


def _line(row: Any) -> MethodLine:
    return MethodLine(
        id=row.id,
        version=row.version,
        type_id=row.type_id,
        revision=row.revision,
        state=row.state,
        is_in_force=row.newest is not None,
        based_on=row.based_on,
        definition_digest=row.definition_digest,
        reason=row.reason,
        remark=row.remark,
        written=Deed(row.written_by, row.writer, row.written_at),
        submitted=_deed(row.submitted_by, row.sender, row.submitted_at),
        approved=_deed(row.approved_by, row.second, row.approved_at),
    )


def _deed(person_id: int | None, name: str | None, at: datetime | None) -> Deed | None:
    return Deed(person_id, name or "", at) if person_id is not None and at is not None else None
