"""Judges what the facts of a register mean together, and beside the type files.

A fact has one place: what a type file says of a document is refused here, a number that nothing
describes is refused, and figures of a comparison are a type's or the register's, never both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from instruments.catalogue.documents.merging import FACTS, Stated, stated_in_types
from instruments.catalogue.documents.values import (
    ENDED,
    Comparison,
    ComparisonRow,
    Difference,
    RegisteredDocument,
    RegisterFile,
)
from instruments.catalogue.lines import Path
from instruments.catalogue.problem import Problem, is_date
from instruments.errors import DomainError
from instruments.procedure import GoverningDocument, InstrumentType, Limit
from instruments.quantities import QUANTITIES, UNITS, parse_decimal

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBERS = ("lower", "upper", "plus_fraction", "or_fraction", "start", "end")
Placed = tuple[str, Problem]
_Pair = tuple[str, tuple[str, str]]


def problems(
    files: Sequence[tuple[str, RegisterFile]], types: Sequence[InstrumentType]
) -> Iterator[Placed]:
    """Yield the name of the file and what is wrong in it."""
    stated = stated_in_types(types)
    known = set(stated) | {d.number for _, file in files for d in file.documents}
    pairs = {pair for one in stated.values() for d in one.documents for pair in _pairs_of(d.id, d)}
    seen: dict[str, str] = {}
    for name, file in files:
        for i, document in enumerate(file.documents):
            path: Path = ("documents", i)
            if document.number in seen:
                message = "{number} is described in {first} already. Keep one of the two."
                facts = {"number": document.number, "first": seen[document.number]}
                yield name, Problem("document-twice", (*path, "number"), message, facts)
            seen.setdefault(document.number, name)
            yield from _in(
                name, _document(document, path, stated.get(document.number), known, pairs)
            )
        for i, difference in enumerate(file.differences):
            yield from _in(name, _difference(difference, ("differences", i), known))
        for i, comparison in enumerate(file.comparisons):
            path = ("comparisons", i)
            if comparison.id in seen:
                message = "{number} is described in {first} already. Keep one of the two."
                facts = {"number": comparison.id, "first": seen[comparison.id]}
                yield name, Problem("document-twice", (*path, "id"), message, facts)
            seen.setdefault(comparison.id, name)
            yield from _in(name, _comparison(comparison, path, known, types))
    for number in sorted(set(stated) - seen.keys()):
        message = (
            "{number}, which type {type} names, is not in the register. Add it with its origin."
        )
        facts = {"number": number, "type": stated[number].types[0]}
        yield files[0][0], Problem("document-missing", (), message, facts)


def _in(name: str, found: Iterable[Problem]) -> Iterator[Placed]:
    return ((name, problem) for problem in found)


def _document(
    document: RegisteredDocument,
    path: Path,
    stated: Stated | None,
    known: set[str],
    pairs: set[_Pair],
) -> Iterator[Problem]:
    if not document.number.strip():
        message = "the number is empty. Write it with its edition."
        yield Problem("document-number", (*path, "number"), message)
    if stated is None and document.title is None:
        message = "no type names {number}, and it has no title here. Add its title."
        facts = {"number": document.number}
        yield Problem("document-title-missing", (*path, "title"), message, facts)
    yield from _sure(document.confidence, document.source, path, is_needed=_says_more(document))
    yield from _dates(document, path)
    for key in FACTS:
        if stated is not None and getattr(document, key) and stated.has(key):
            message = "type {type} says this of {number} already. Take {key} out here."
            facts = {"type": stated.says[key], "number": document.number, "key": key}
            yield Problem("document-stated-twice", (*path, key), message, facts)
    yield from _pairs(document, path, pairs)
    others = (*document.replaces, *document.counterparts, document.replaced_by)
    yield from _known((o for o in others if o), known, path)
    if document.number in others:
        message = "{number} names itself. Take it out."
        yield Problem("document-itself", path, message, {"number": document.number})
    if document.status in ENDED and document.replaced_by is None and document.status != "withdrawn":
        message = "it is superseded, but not by what. Give replaced_by, or status withdrawn."
        yield Problem("document-status", (*path, "status"), message)
    if document.replaced_by is not None and document.status not in (None, "superseded"):
        message = "{number} took its place, but its status is {status}. Correct one of the two."
        facts = {"number": document.replaced_by, "status": document.status}
        yield Problem("document-status", (*path, "status"), message, facts)


def _pairs_of(number: str, said: GoverningDocument | RegisteredDocument) -> Iterator[_Pair]:
    """Yield every pair of documents that is said here: who took whose place, who stands beside."""
    yield from (("takes the place of", (number, other)) for other in said.replaces)
    if said.replaced_by:
        yield "takes the place of", (said.replaced_by, number)
    for other in said.counterparts:
        yield "counterpart of", (min(number, other), max(number, other))


def _pairs(document: RegisteredDocument, path: Path, pairs: set[_Pair]) -> Iterator[Problem]:
    for pair in _pairs_of(document.number, document):
        if pair in pairs:
            message = "{first} and {second} are told as a pair already. Keep one of the two."
            facts = {"first": pair[1][0], "second": pair[1][1]}
            yield Problem("document-stated-twice", path, message, facts)
        pairs.add(pair)


def _says_more(document: RegisteredDocument) -> bool:
    """Answer whether the entry states a fact that needs a source."""
    return any(getattr(document, key) for key in (*FACTS, "status", "ends_on", "note"))


def _sure(confidence: str, source: str, path: Path, *, is_needed: bool = True) -> Iterator[Problem]:
    if confidence != "BG" and is_needed and not source.strip():
        message = "confidence {confidence} needs a source. Say where it was read."
        yield Problem("document-source", (*path, "source"), message, {"confidence": confidence})


def _dates(document: RegisteredDocument, path: Path) -> Iterator[Problem]:
    given = [(k, getattr(document, k)) for k in ("issued_on", "in_force_on", "ends_on")]
    for key, text in given:
        if text is not None and not is_date(text):
            message = "{got} is not a date. Write it as 2026-03-02."
            yield Problem("document-date", (*path, key), message, {"got": text})
    days = [text for _, text in given if text is not None and is_date(text)]
    if days != sorted(days):
        message = "the dates run backwards: {got}. Expected issued, in force, end."
        yield Problem("document-date", path, message, {"got": ", ".join(days)})


def _known(numbers: Iterable[str], known: set[str], path: Path) -> Iterator[Problem]:
    for number in numbers:
        if number not in known:
            message = "{number} is neither in the register nor named by a type. Add it."
            yield Problem("document-unknown", path, message, {"number": number})


def _difference(difference: Difference, path: Path, known: set[str]) -> Iterator[Problem]:
    yield from _sure(difference.confidence, difference.source, path)
    yield from _known(difference.between, known, (*path, "between"))
    if len(set(difference.between)) != 2:
        message = "a difference is between two documents, got {count}. Name both."
        facts = {"count": len(set(difference.between))}
        yield Problem("document-pair", (*path, "between"), message, facts)


def _comparison(
    comparison: Comparison, path: Path, known: set[str], types: Sequence[InstrumentType]
) -> Iterator[Problem]:
    if not _SLUG.fullmatch(comparison.id):
        message = "{got} is no id of a comparison. Write small letters, digits and hyphens."
        yield Problem("document-comparison-id", (*path, "id"), message, {"got": comparison.id})
    if comparison.quantity not in QUANTITIES:
        message = "{got} is no known quantity. Choose one of: {known}."
        facts = {"got": comparison.quantity, "known": ", ".join(QUANTITIES)}
        yield Problem("document-quantity", (*path, "quantity"), message, facts)
    for key in ("unit", "range_unit"):
        got = getattr(comparison, key)
        if got not in UNITS and (key == "unit" or got):
            message = "{got} is no known unit. Write one of the table of units."
            yield Problem("document-unit", (*path, key), message, {"got": got})
    for i, row in enumerate(comparison.rows):
        where = (*path, "rows", i)
        yield from _known((row.document,), known, (*where, "document"))
        if row.type:
            yield from _of_type(row, comparison.unit, where, types)
        else:
            yield from _own_figures(row, where)


def _own_figures(row: ComparisonRow, path: Path) -> Iterator[Problem]:
    if row.confidence is None:
        message = "the row has no tag of confidence. Add one: V, V2, CALC or BG."
        yield Problem("document-confidence", path, message)
    else:
        yield from _sure(row.confidence, row.source, path)
    if row.limit() is None and row.remark is None:
        message = "the row says nothing. Give limits, a type that has them, or a remark."
        yield Problem("document-row-empty", path, message)
    broken = False
    for key in _NUMBERS:
        text = getattr(row, key)
        try:
            if text is not None:
                parse_decimal(text)
        except DomainError:
            broken = True
            message = "{got} is no decimal number. Write it like 0.20."
            yield Problem("document-number-malformed", (*path, key), message, {"got": text})
    for low, high in (("lower", "upper"), ("start", "end")):
        ends = getattr(row, low), getattr(row, high)
        if not broken and None not in ends and Decimal(ends[0]) > Decimal(ends[1]):
            message = "{low} lies above {high}. Exchange or correct them."
            yield Problem(
                "document-range", (*path, low), message, {"low": ends[0], "high": ends[1]}
            )


def _of_type(
    row: ComparisonRow, unit: str, path: Path, types: Sequence[InstrumentType]
) -> Iterator[Problem]:
    if row.limit() is not None or row.confidence is not None or row.source:
        message = "the figures, their tag and source are those of type {type}. Take them out here."
        yield Problem("document-stated-twice", path, message, {"type": row.type})
    type_ = next((t for t in types if t.id == row.type), None)
    measurand = None
    if type_ is not None:
        measurand = next((m for m in type_.measurands if m.id == row.measurand), None)
    if measurand is None:
        message = "there is no measurand {measurand} in a type {type}. Correct the two."
        facts = {"measurand": row.measurand, "type": row.type}
        yield Problem("document-type-unknown", path, message, facts)
    elif measurand.output_unit != unit:
        message = "the limits of the type are in {got}, the comparison is in {unit}."
        facts = {"got": measurand.output_unit, "unit": unit}
        yield Problem("document-unit", path, message, facts)
    elif not limits_of(row, types):
        message = "type {type} has no such limits from {document}. Correct document or when."
        facts = {"type": row.type, "document": row.document}
        yield Problem("document-type-unknown", path, message, facts)


def limits_of(row: ComparisonRow, types: Iterable[InstrumentType]) -> tuple[Limit, ...]:
    """Return the limits a row shows: its own, or those of its type that ask for `when`."""
    if not row.type:
        own = row.limit()
        return () if own is None else (own,)
    return tuple(
        limit
        for type_ in types
        if type_.id == row.type
        for measurand in type_.measurands
        if measurand.id == row.measurand
        for limit in measurand.limits
        if limit.document == row.document and row.when.items() <= limit.when.items()
    )
