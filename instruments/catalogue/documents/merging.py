"""From type files and the register to what is known of each document in all.

Who took whose place is said once, at either of the two; here it is known from both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from instruments.catalogue.documents.values import (
    Document,
    Origin,
    Register,
    RegisteredDocument,
    Tag,
)
from instruments.errors import Finding
from instruments.procedure import GoverningDocument, InstrumentType
from instruments.text import LocalizedText

FACTS = ("title", "issued_on", "in_force_on", "replaces", "replaced_by", "counterparts")
"""What a type file may say of a document; what one says stands there alone."""
ALIKE = ("title", "confidence", "issued_on", "in_force_on", "replaces", "replaced_by")
"""What every type that names a document must say alike, if it says it."""


@dataclass
class Stated:
    """What all types say of one document."""

    number: str
    documents: list[GoverningDocument] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)
    """Id of the first type that says it, by fact."""

    def has(self, key: str) -> bool:
        """Answer whether a type says it; counterparts may be added to."""
        return key in self.says and key != "counterparts"


def stated_in_types(types: Iterable[InstrumentType]) -> dict[str, Stated]:
    """Return by number what the types say of the documents they name."""
    found: dict[str, Stated] = {}
    for type_ in types:
        for document in type_.documents:
            one = found.setdefault(document.id, Stated(document.id))
            one.documents.append(document)
            one.types.append(type_.id)
            for key in FACTS:
                if getattr(document, key):
                    one.says.setdefault(key, type_.id)
    return found


def contradictions(types: Iterable[InstrumentType]) -> tuple[Finding, ...]:
    """Return where two types say different things of one document."""
    findings = []
    for number, stated in sorted(stated_in_types(types).items()):
        for key in ALIKE:
            said = {
                str(getattr(document, key)): type_
                for document, type_ in zip(stated.documents, stated.types, strict=True)
                if getattr(document, key)
            }
            if len(said) > 1:
                findings.append(
                    Finding(
                        "document-contradiction",
                        "{number}: {key} is said differently by {types}. Make them agree.",
                        at=f"/{number}/{key}",
                        facts={
                            "number": number,
                            "key": key,
                            "types": ", ".join(sorted(said.values())),
                        },
                    )
                )
    return tuple(findings)


def known_documents(register: Register, types: Iterable[InstrumentType]) -> Mapping[str, Document]:
    """Return every document by number, with the tag of each fact."""
    stated = stated_in_types(types)
    entries = {entry.number: entry for entry in register.documents}
    drafts = {
        number: _Draft.of(number, stated.get(number), entries.get(number))
        for number in sorted({*stated, *entries})
    }
    for draft in list(drafts.values()):
        draft.tell_the_others(drafts)
    return with_last_days({number: draft.finished() for number, draft in drafts.items()})


def with_last_days(documents: Mapping[str, Document]) -> Mapping[str, Document]:
    """Return the documents, each superseded one with its last day where its successor tells it.

    An edition ends on the day before the next is in force, unless its own last day is said.
    """
    return {number: _with_last_day(one, documents) for number, one in documents.items()}


def _with_last_day(one: Document, documents: Mapping[str, Document]) -> Document:
    if one.status != "superseded" or one.ends_on is not None:
        return one
    for number in one.replaced_by:
        next_ = documents.get(number)
        if next_ is None or next_.in_force_on is None:
            continue
        last = date.fromisoformat(next_.in_force_on) - timedelta(days=1)
        tag = next_.tags["in_force_on"]
        if tag.confidence in ("V", "V2"):
            tag = replace(tag, confidence="CALC")
        return replace(one, ends_on=last.isoformat(), tags={**one.tags, "ends_on": tag})
    return one


@dataclass
class _Draft:
    """A document while its facts are put together."""

    number: str
    origin: Origin
    status: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    title: LocalizedText | None = None
    lists: dict[str, list[str]] = field(
        default_factory=lambda: {"replaces": [], "replaced_by": [], "counterparts": []}
    )
    notes: list[LocalizedText] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)

    @classmethod
    def of(cls, number: str, stated: Stated | None, entry: RegisteredDocument | None) -> _Draft:
        """Return what is said of one document, types first."""
        draft = cls(number, entry.origin if entry else "other")
        for document in stated.documents if stated else ():
            draft.take(document, Tag(document.confidence, document.source, "type"))
        if entry is not None:
            draft.take(entry, Tag(entry.confidence, entry.source, "register"))
        return draft

    def take(self, said: GoverningDocument | RegisteredDocument, tag: Tag) -> None:
        """Add what is not said yet."""
        if said.title is not None and self.title is None:
            self.title, self.tags["title"] = said.title, tag
        for key in ("issued_on", "in_force_on", "ends_on"):
            text = getattr(said, key, None)
            if text is not None and key not in self.texts:
                self.texts[key], self.tags[key] = text, tag
        named = {
            "replaces": said.replaces,
            "replaced_by": (said.replaced_by,) if said.replaced_by else (),
            "counterparts": said.counterparts,
        }
        for key, numbers in named.items():
            for number in numbers:
                self.name(key, number, tag)
        status = getattr(said, "status", None)
        if status is not None:
            self.status, self.tags["status"] = status, tag
        if said.note is not None and said.note not in self.notes:
            self.notes.append(said.note)

    def name(self, key: str, number: str, tag: Tag) -> None:
        """Add a number to one of the lists, once."""
        if number not in self.lists[key]:
            self.lists[key].append(number)
            self.tags[f"{key}/{number}"] = tag

    def tell_the_others(self, drafts: Mapping[str, _Draft]) -> None:
        """Say at the other document what is said of the two here."""
        back = {
            "replaces": "replaced_by",
            "replaced_by": "replaces",
            "counterparts": "counterparts",
        }
        for key, numbers in self.lists.items():
            for number in list(numbers):
                if number in drafts:
                    drafts[number].name(back[key], self.number, self.tags[f"{key}/{number}"])

    def finished(self) -> Document:
        """Return the value; whatever was replaced is superseded."""
        if self.lists["replaced_by"] and self.status != "withdrawn":
            self.status = "superseded"
            self.tags["status"] = self.tags[f"replaced_by/{self.lists['replaced_by'][0]}"]
        return Document(
            number=self.number,
            title=self.title or LocalizedText(en=self.number),
            origin=self.origin,
            status=self.status,
            issued_on=self.texts.get("issued_on"),
            in_force_on=self.texts.get("in_force_on"),
            ends_on=self.texts.get("ends_on"),
            replaces=tuple(self.lists["replaces"]),
            replaced_by=tuple(self.lists["replaced_by"]),
            counterparts=tuple(self.lists["counterparts"]),
            notes=tuple(self.notes),
            tags=dict(self.tags),
        )
