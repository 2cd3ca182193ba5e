"""The lines of a comparison, ready to be put side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from instruments.catalogue.documents.meaning import limits_of
from instruments.catalogue.documents.values import Comparison, ComparisonRow
from instruments.catalogue.documents.wording import limit_text, range_text
from instruments.procedure import InstrumentType
from instruments.text import LocalizedText


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """One limit of one document."""

    document: str
    limit: str
    """In signs, without unit; empty: the remark says it."""
    range: str
    confidence: str
    source: str
    remark: LocalizedText | None
    type_id: str
    """The type whose limit it is; empty: no type rests on it."""
    clause: str


def compared(comparison: Comparison, types: Iterable[InstrumentType]) -> tuple[ComparedLine, ...]:
    """Return the lines of a comparison in their order."""
    known = tuple(types)
    return tuple(line for row in comparison.rows for line in _lines(row, known))


def _lines(row: ComparisonRow, types: Sequence[InstrumentType]) -> Iterable[ComparedLine]:
    source = row.source
    if row.type:
        of_type = next((t for t in types if t.id == row.type), None)
        known = {d.id: d for d in of_type.documents} if of_type else {}
        source = known[row.document].source if row.document in known else ""
    limits = limits_of(row, types)
    for limit in limits:
        yield ComparedLine(
            document=row.document,
            limit=limit_text(limit),
            range=range_text(limit),
            confidence=limit.confidence,
            source=source,
            remark=row.remark,
            type_id=row.type,
            clause=limit.clause,
        )
    if not limits:
        yield ComparedLine(
            row.document, "", "", row.confidence or "BG", source, row.remark, row.type, ""
        )
