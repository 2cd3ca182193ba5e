"""The limit of a type as a figure that a person can confirm: what it says, and its digest.

A confirmation holds for the figure wherever it stands in the same type and measurand; a limit that
says anything else is another figure. Knows no lab and no database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from instruments.canonical import digest
from instruments.plain import to_plain
from instruments.procedure import InstrumentType, Limit, Measurand


@dataclass(frozen=True, slots=True)
class LimitFigure:
    """A limit with its place."""

    type_id: str
    measurand: Measurand
    limit: Limit
    digest: str


def figure_of(limit: Limit) -> dict[str, Any]:
    """Return what the limit says, without how sure it is and without who confirmed it."""
    plain: dict[str, Any] = to_plain(replace(limit, confirmed=None))
    del plain["confidence"]
    return plain


def figure_digest(type_id: str, measurand: str, limit: Limit) -> str:
    """Return the SHA-256 by which the figure is known in this type and measurand."""
    return digest({"type": type_id, "measurand": measurand, "figure": figure_of(limit)})


def open_figures(type_: InstrumentType) -> tuple[LimitFigure, ...]:
    """Return every limit of the type that is background knowledge still, each figure once."""
    found = {
        figure_digest(type_.id, m.id, limit): (m, limit)
        for m in type_.measurands
        for limit in m.limits
        if limit.confidence == "BG"
    }
    return tuple(LimitFigure(type_.id, m, limit, known) for known, (m, limit) in found.items())
