"""Record what a lab learns of governing documents: a status, a newer edition, from which source.

Nothing is overwritten: a correction is a new revision, and who recorded it stays readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from instruments.catalogue.documents.values import STATUSES, Document
from instruments.context import Context
from instruments.errors import Invalid
from instruments.records.methods import DocumentRecord
from instruments.services import audit, fields
from instruments.services.known_documents import (
    DocumentView,
    chain,
    get_document,
    known_to,
    list_documents,
    reached,
    recorded_by,
)
from instruments.services.rows import changed_meanwhile
from instruments.tenancy import hold_lab

__all__ = [
    "DocumentEntry",
    "DocumentView",
    "Supersession",
    "chain",
    "get_document",
    "list_documents",
    "register",
    "supersede",
]
MAX_NUMBER = 120
MOST_NAMED = 40
"""Numbers in one list of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    """What a person records of a document."""

    number: str
    title_en: str = ""
    title_zh: str = ""
    status: str
    issued_on: date | None = None
    in_force_on: date | None = None
    ends_on: date | None = None
    """Last day it may be used."""
    replaces: Sequence[str] = ()
    replaced_by: str = ""
    counterparts: Sequence[str] = ()
    source: str
    """Where it was read: the bought copy, the regulator's list."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Supersession:
    """That another edition takes the place of a document."""

    number: str
    replaced_by: str
    source: str
    ends_on: date | None = None
    """Last day of the old edition; None: the day before the new one is in force."""
    in_force_on: date | None = None
    """Of the new edition."""
    title_en: str = ""
    title_zh: str = ""
    """Of the new edition; empty: as the old one."""
    note: str = ""


def register(ctx: Context, entry: DocumentEntry, revision: int) -> DocumentView:
    """Record what is known of a document, as the revision after the one the person saw.

    Raises NotAllowed unless a manager or a signatory asks, Conflict when somebody recorded another
    meanwhile, Invalid for unusable fields.
    """
    ctx.need("document.write")
    hold_lab(ctx.session, ctx.lab_id)
    _write(ctx, entry, revision)
    return get_document(ctx, _number(entry.number, "/number"))


def supersede(ctx: Context, act: Supersession, revision: int) -> DocumentView:
    """Record that another edition takes the place of a document; both get a revision.

    Raises NotAllowed unless a manager or a signatory asks, NotFound, Conflict when somebody
    recorded another meanwhile, Invalid for unusable fields.
    """
    ctx.need("document.write")
    hold_lab(ctx.session, ctx.lab_id)
    old = get_document(ctx, act.number)
    number = _number(act.replaced_by, "/replaced_by")
    entry = replace(_as_entry(old.document), source=act.source, note=act.note)
    ended = replace(entry, status="superseded", replaced_by=number, ends_on=act.ends_on)
    before = known_to(ctx)
    is_new = number not in before or "title" not in before[number].tags
    _write(ctx, ended, revision)
    known, recorded = known_to(ctx), recorded_by(ctx)
    if is_new or act.in_force_on is not None or act.title_en or act.title_zh:
        next_ = _next(entry, number) if is_new else _as_entry(known[number])
        status = next_.status
        if act.in_force_on is not None:
            status = "announced" if act.in_force_on > ctx.today else "in_force"
        _write(
            ctx,
            replace(
                next_,
                title_en=act.title_en or next_.title_en,
                title_zh=act.title_zh or next_.title_zh,
                status=status,
                in_force_on=act.in_force_on or next_.in_force_on,
                replaces=tuple(dict.fromkeys([*next_.replaces, act.number])),
                source=act.source,
                note="",
            ),
            len(recorded.get(number, ())),
        )
    return get_document(ctx, act.number)


def _next(before: DocumentEntry, number: str) -> DocumentEntry:
    """Return what is known of a new edition nobody has described: its title is the old one's."""
    return DocumentEntry(
        number=number,
        title_en=before.title_en,
        title_zh=before.title_zh,
        status="in_force",
        source=before.source,
        counterparts=before.counterparts,
    )


def _write(ctx: Context, entry: DocumentEntry, revision: int) -> None:
    number = _number(entry.number, "/number")
    newest = _newest_revision(ctx, number)
    if newest != revision:
        raise changed_meanwhile("document", number)
    values = _checked(ctx, entry, number)
    row = DocumentRecord(
        number=number,
        revision=newest + 1,
        person_id=ctx.actor.person_id,
        recorded_at=ctx.now,
        **values,
    )
    ctx.session.add(row)
    ctx.session.flush()
    facts = {"number": number, "revision": row.revision, **values}
    facts |= {k: v.isoformat() for k, v in facts.items() if isinstance(v, date)}
    audit.record(ctx, "registry:document:record", "document_record", row.id, facts)


def _newest_revision(ctx: Context, number: str) -> int:
    found = ctx.session.scalar(
        select(DocumentRecord.revision)
        .where(DocumentRecord.number == number)
        .order_by(DocumentRecord.revision.desc())
        .limit(1)
    )
    return found or 0


def _checked(ctx: Context, entry: DocumentEntry, number: str) -> dict[str, Any]:
    title_en = fields.words(entry.title_en, "/title_en")
    title_zh = fields.words(entry.title_zh, "/title_zh")
    if not (title_en or title_zh):
        raise Invalid(
            "title-missing",
            "A title is missing. Give it in Chinese, in English or in both.",
            at="/title_zh",
        )
    fields.choice(entry.status, STATUSES, "/status")
    if entry.issued_on is not None:
        fields.period(entry.issued_on, entry.in_force_on, "/in_force_on")
    if entry.in_force_on is not None:
        fields.period(entry.in_force_on, entry.ends_on, "/ends_on")
    replaced_by = _number(entry.replaced_by, "/replaced_by", required=False)
    replaces = _numbers(entry.replaces, "/replaces")
    _need_order(ctx, number, replaces, replaced_by, entry.status)
    return {
        "title_en": title_en,
        "title_zh": title_zh,
        "status": entry.status,
        "issued_on": entry.issued_on,
        "in_force_on": entry.in_force_on,
        "ends_on": entry.ends_on,
        "replaces": replaces,
        "replaced_by": replaced_by,
        "counterparts": _numbers(entry.counterparts, "/counterparts"),
        "source": fields.words(entry.source, "/source", required=True),
        "note": fields.words(entry.note, "/note"),
    }


def _need_order(
    ctx: Context, number: str, replaces: list[str], replaced_by: str, status: str
) -> None:
    """Refuse a document that replaces itself, be it through others, or is replaced but in force."""
    if (status == "superseded") != bool(replaced_by):
        raise Invalid(
            "document-status-unfit",
            "The status is {status} and the document that took its place is {number}. A superseded "
            "document names what replaced it, and no other does.",
            at="/replaced_by",
            facts={"status": status, "number": replaced_by or "-"},
        )
    known = known_to(ctx)
    later = [replaced_by, *reached(replaced_by, known, "replaced_by")] if replaced_by else []
    earlier = [n for old in replaces for n in (old, *reached(old, known, "replaces"))]
    for numbers, at in ((later, "/replaced_by"), (earlier, "/replaces")):
        if number in numbers or set(later) & set(replaces):
            raise Invalid(
                "document-replaces-itself",
                "{number} would take its own place through {others}. Correct which edition is the "
                "newer one.",
                at=at,
                facts={"number": number, "others": ", ".join(numbers)},
            )


def _number(text: str, at: str, *, required: bool = True) -> str:
    return " ".join(fields.words(text, at, required=required, limit=MAX_NUMBER).split())


def _numbers(given: Sequence[str], at: str) -> list[str]:
    fields.few(given, at, MOST_NAMED)
    named = [_number(text, f"{at}/{i}", required=False) for i, text in enumerate(given)]
    return list(dict.fromkeys(n for n in named if n))


def _as_entry(document: Document) -> DocumentEntry:
    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    said = "in_force" if document.status not in STATUSES else document.status
    return DocumentEntry(
        number=document.number,
        title_en=document.title.en,
        title_zh=document.title.zh,
        status=said,
        issued_on=day(document.issued_on),
        in_force_on=day(document.in_force_on),
        replaces=document.replaces,
        counterparts=document.counterparts,
        source="-",
    )
