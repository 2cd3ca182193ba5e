"""Which governing documents of a record are out of force: told at the bench and at the issue.

What the lab recorded counts first, then what is known of the document; of one that nobody knows
any more, what the frozen definition says itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from calib.certificates.document import Measurement
from calib.certificates.drafting import documents_of
from calib.certificates.lint_documents import RESTS_ON
from instruments.context import Context
from instruments.errors import Finding
from instruments.procedure import GoverningDocument, InstrumentType, RecordKind
from instruments.services.known_documents import has_ended, known_to


@dataclass(frozen=True, slots=True)
class Ended:
    """That a document is out of force today."""

    number: str
    ends_on: str | None
    """Its last day; None: nobody says."""
    replaced_by: str


def ended_documents(ctx: Context, definition: InstrumentType) -> Mapping[str, Ended]:
    """Return those documents of a definition that are out of force today, by number."""
    known = known_to(ctx)
    found: dict[str, Ended] = {}
    for cited in definition.documents:
        one = known.get(cited.id)
        if one is None:
            if cited.replaced_by is not None:
                found[cited.id] = Ended(cited.id, None, cited.replaced_by)
        elif has_ended(one, ctx.today):
            found[cited.id] = Ended(cited.id, one.ends_on, ", ".join(one.replaced_by))
    return found


def standing_notes(ctx: Context, definition: InstrumentType, kind: str) -> tuple[Finding, ...]:
    """Return a note on each document the work rests on that is out of force."""
    ended = ended_documents(ctx, definition)
    return tuple(
        _note(ended[cited.id], cited)
        for cited in documents_of(definition, cast("RecordKind", kind))
        if cited.id in ended and cited.role in RESTS_ON
    )


def with_standing(ctx: Context, definition: InstrumentType, said: Measurement) -> Measurement:
    """Return what a certificate says of the measurement, with the standing of its documents."""
    ended = ended_documents(ctx, definition)
    methods = tuple(
        replace(
            method,
            is_outdated=True,
            ends_on=ended[method.id].ends_on,
            replaced_by=ended[method.id].replaced_by,
        )
        if method.id in ended
        else method
        for method in said.methods
    )
    return replace(said, methods=methods)


def _note(ended: Ended, cited: GoverningDocument) -> Finding:
    return Finding(
        "document-out-of-force",
        "{number} ({title}) is out of force (last day {last_day}; in its place: {replaced_by}). "
        "Work by the edition in force, or say in the remark why this one is used. A verification "
        "by a regulation that has ended is not issued.",
        severity="note",
        at=f"/documents/{ended.number}",
        facts={
            "number": ended.number,
            "title": cited.title,
            "last_day": ended.ends_on or "-",
            "replaced_by": ended.replaced_by or "-",
        },
        clause="ISO/IEC 17025:2017 7.2.1.3",
    )
