"""What a lab knows of governing documents: type files, its methods, the register, its records.

The newest revision a lab recorded of a number stands before what type files and the register say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from instruments.catalogue.documents import shipped
from instruments.catalogue.documents.merging import known_documents, with_last_days
from instruments.catalogue.documents.values import ENDED, STATUSES, Document, Tag
from instruments.context import Context
from instruments.records.methods import DocumentRecord
from instruments.records.parties import Person
from instruments.services import fields
from instruments.services.method_views import lab_catalogue
from instruments.services.rows import not_found
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class RevisionView:
    """One revision of what a lab recorded."""

    revision: int
    status: str
    replaced_by: str
    ends_on: date | None
    source: str
    note: str
    person_name: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as this lab knows it."""

    document: Document
    status: str
    """Today; empty: nobody says."""
    revisions: tuple[RevisionView, ...] = ()
    """Newest first; empty: the lab recorded nothing of it."""

    @property
    def number(self) -> str:
        """Return its number with edition."""
        return self.document.number

    @property
    def revision(self) -> int:
        """Return the number of revisions, which a new one must have seen."""
        return len(self.revisions)


def list_documents(ctx: Context, text: str = "", status: str = "") -> tuple[DocumentView, ...]:
    """Return the documents whose number or title holds `text`, of a status today, by number.

    Raises NotAllowed for people who are not the lab's own, Invalid for an unknown status.
    """
    ctx.need("document.read")
    if status:
        fields.choice(status, (*STATUSES, "unknown"), "/status")
    wanted = text.strip().casefold()
    recorded = recorded_by(ctx)
    found = (
        _view(ctx, document, recorded) for _, document in sorted(_known(ctx, recorded).items())
    )
    return tuple(
        view
        for view in found
        if (not status or (view.status or "unknown") == status)
        and (not wanted or wanted in _searched(view.document))
    )


def get_document(ctx: Context, number: str) -> DocumentView:
    """Return one document.

    Raises NotAllowed for people who are not the lab's own, NotFound.
    """
    ctx.need("document.read")
    recorded = recorded_by(ctx)
    known = _known(ctx, recorded)
    if number not in known:
        raise not_found("document", number)
    return _view(ctx, known[number], recorded)


def chain(ctx: Context, number: str) -> tuple[DocumentView, ...]:
    """Return the editions a document belongs to, oldest first.

    Raises NotAllowed for people who are not the lab's own, NotFound.
    """
    ctx.need("document.read")
    recorded = recorded_by(ctx)
    known = _known(ctx, recorded)
    if number not in known:
        raise not_found("document", number)
    before = reached(number, known, "replaces")
    after = reached(number, known, "replaced_by")
    numbers = [*reversed(before), number, *(n for n in after if n not in before)]
    return tuple(_view(ctx, known[n], recorded) for n in numbers)


def known_to(ctx: Context) -> Mapping[str, Document]:
    """Return every document this lab knows, by number; two queries."""
    return _known(ctx, recorded_by(ctx))


Recorded = Mapping[str, tuple[tuple[DocumentRecord, str], ...]]
"""By number: rows, newest first, with the names of the people."""


def recorded_by(ctx: Context) -> Recorded:
    """Return every revision the lab recorded; one query."""
    rows = ctx.session.execute(
        select(DocumentRecord, Person.name)
        .join(Person, Person.id == DocumentRecord.person_id)
        .order_by(DocumentRecord.number, DocumentRecord.revision.desc())
    )
    found: dict[str, tuple[tuple[DocumentRecord, str], ...]] = {}
    for row, name in rows:
        found[row.number] = (*found.get(row.number, ()), (row, name))
    return found


def _known(ctx: Context, recorded: Recorded) -> Mapping[str, Document]:
    of_lab = lab_catalogue(ctx, shipped.catalogue())
    known = dict(
        shipped.documents()
        if of_lab is shipped.catalogue()
        else known_documents(shipped.register(), of_lab.list())
    )
    newest = sorted((rows[0][0] for rows in recorded.values()), key=lambda row: row.id)
    for row in newest:
        known[row.number] = _of_lab(row, known.get(row.number))
        for number in filter(None, (*row.replaces, row.replaced_by, *row.counterparts)):
            # named, described by nobody yet
            known.setdefault(number, Document(number, LocalizedText(en=number), "other", ""))
    for row in newest:  # the later a record, the later it speaks of others
        _tell_the_others(row, known, recorded)
    return with_last_days(known) if newest else known


def _of_lab(row: DocumentRecord, before: Document | None) -> Document:
    """Return the document as recorded; what was known so before keeps its tag."""
    recorded = Document(
        number=row.number,
        title=LocalizedText(en=row.title_en, zh=row.title_zh),
        origin=before.origin if before else "other",
        status=row.status,
        issued_on=_iso(row.issued_on),
        in_force_on=_iso(row.in_force_on),
        ends_on=_iso(row.ends_on),
        replaces=tuple(row.replaces),
        replaced_by=(row.replaced_by,) if row.replaced_by else (),
        counterparts=tuple(row.counterparts),
        notes=(
            *(before.notes if before else ()),
            *((LocalizedText(en=row.note, zh=row.note),) if row.note else ()),
        ),
    )
    tags = {fact: Tag("", row.source, "lab") for fact in _facts(recorded)}
    if before is not None:
        said = _facts(before)
        tags |= {
            fact: before.tags[fact]
            for fact, value in _facts(recorded).items()
            if fact in before.tags and said.get(fact) == value
        }
    return replace(recorded, tags=tags)


def _facts(document: Document) -> dict[str, object]:
    """Return every fact that bears a tag, by its name."""
    single = ("title", "status", "issued_on", "in_force_on", "ends_on")
    lists = ("replaces", "replaced_by", "counterparts")
    return {key: getattr(document, key) for key in single} | {
        f"{key}/{number}": True for key in lists for number in getattr(document, key)
    }


def _tell_the_others(row: DocumentRecord, known: dict[str, Document], recorded: Recorded) -> None:
    """Say at the other documents what a record says of two, unless they were recorded later."""
    tag = Tag("", row.source, "lab")

    def add(number: str, key: str, **more: str) -> None:
        other = known.get(number)
        later = recorded.get(number)
        if (
            other is None
            or row.number in getattr(other, key)
            or (later and later[0][0].id > row.id)
        ):
            return
        named = {key: (*getattr(other, key), row.number), **more}
        tags = {**other.tags, f"{key}/{row.number}": tag, **dict.fromkeys(more, tag)}
        known[number] = replace(other, **named, tags=tags)  # type: ignore[arg-type]

    for number in row.replaces:
        add(number, "replaced_by", status="superseded")
    if row.replaced_by:
        add(row.replaced_by, "replaces")
    for number in row.counterparts:
        add(number, "counterparts")


def _view(ctx: Context, document: Document, recorded: Recorded) -> DocumentView:
    return DocumentView(
        document=document,
        status=document.status_on(ctx.today.isoformat()),
        revisions=tuple(
            RevisionView(
                revision=row.revision,
                status=row.status,
                replaced_by=row.replaced_by,
                ends_on=row.ends_on,
                source=row.source,
                note=row.note,
                person_name=name,
                recorded_at=row.recorded_at,
            )
            for row, name in recorded.get(document.number, ())
        ),
    )


def reached(number: str, known: Mapping[str, Document], key: str) -> list[str]:
    """Return every document reached from one along `replaces` or `replaced_by`, nearest first."""
    found: list[str] = []
    ahead: list[str] = [number]
    while ahead:
        one = known.get(ahead.pop(0))
        named: Iterable[str] = getattr(one, key) if one is not None else ()
        fresh = [n for n in named if n not in found and n != number]
        found += fresh
        ahead += fresh
    return found


def _searched(document: Document) -> str:
    title = document.title
    return f"{document.number} {title.en} {title.zh}".casefold()


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def has_ended(document: Document, day: date) -> bool:
    """Answer whether a document is out of force on a day."""
    return document.status_on(day.isoformat()) in ENDED
