"""Which figures a type holds, how sure each is, and what is still to be confirmed.

Every number of a type belongs to one entry, and every entry has a tag; what has no key for one of
its own goes with what encloses it. Knows no lab: which limits it has confirmed is told elsewhere.
"""

from __future__ import annotations

import typing
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from instruments.catalogue.lines import Path
from instruments.procedure import Confidence, InstrumentType, Measurand
from instruments.quantities import QUANTITIES
from instruments.text import LocalizedText

Part = Literal[
    "document", "environment", "acclimatisation", "validity", "interval", "rating", "examination",
    "points", "limit", "component",
]  # fmt: skip
"""What an entry is. ``points``: plan of the measurand with its readings and its fitted curve."""
TAGS: tuple[Confidence, ...] = typing.get_args(Confidence)


@dataclass(frozen=True, slots=True)
class TaggedFigure:
    """One entry of a type with its tag."""

    part: Part
    path: Path
    """Where it stands in the definition."""
    name: LocalizedText
    confidence: Confidence
    measurand: str = ""
    """Id; empty: it holds for the type as a whole."""
    document: str = ""
    clause: str = ""
    source: str = ""


def figures(type_: InstrumentType) -> tuple[TaggedFigure, ...]:
    """Return every figure of the type in the order of its definition."""
    return (*_of_type(type_), *(f for i, m in enumerate(type_.measurands) for f in _of(m, i)))


def count(entries: Iterable[TaggedFigure]) -> Mapping[Confidence, int]:
    """Return how many entries carry each tag, all four named."""
    found = Counter(entry.confidence for entry in entries)
    return {tag: found[tag] for tag in TAGS}


def still_open(type_: InstrumentType) -> tuple[TaggedFigure, ...]:
    """Return the figures that are background knowledge."""
    return tuple(entry for entry in figures(type_) if entry.confidence == "BG")


def _of_type(type_: InstrumentType) -> Iterator[TaggedFigure]:
    for index, document in enumerate(type_.documents):
        path: Path = ("documents", index)
        yield TaggedFigure(
            "document", path, document.title, document.confidence,
            document=document.id, source=document.source,
        )  # fmt: skip
    for index, limit in enumerate(type_.environment):
        quantity = QUANTITIES[limit.quantity]
        name = LocalizedText(en=quantity.en, zh=quantity.zh)
        path = ("environment", index)
        yield TaggedFigure("environment", path, name, limit.confidence, document=limit.document)
    for part, key, given, confidence in (
        ("acclimatisation", "acclimatisation_minutes", type_.acclimatisation_minutes,
         type_.acclimatisation_confidence),
        ("validity", "validity_months", type_.validity_months, type_.validity_confidence),
        ("interval", "interval_months", type_.interval_months, type_.interval_confidence),
    ):  # fmt: skip
        if given:
            yield TaggedFigure(typing.cast("Part", part), (key,), type_.name, confidence)
    for name_, rating in type_.ratings.items():
        if rating.default is not None:
            yield TaggedFigure("rating", ("ratings", name_), rating.label, rating.confidence)
    for index, seen in enumerate(type_.examinations):
        yield TaggedFigure(
            "examination", ("examinations", index), seen.name, seen.confidence,
            document=seen.document,
        )  # fmt: skip


def _of(measurand: Measurand, index: int) -> Iterator[TaggedFigure]:
    path: Path = ("measurands", index)
    points = measurand.points
    if not measurand.same_readings_as:  # else they were taken over and are counted there
        yield TaggedFigure(
            "points", (*path, "points"), measurand.name, points.confidence,
            measurand.id, points.document,
        )  # fmt: skip
    for place, limit in enumerate(measurand.limits):
        yield TaggedFigure(
            "limit", (*path, "limits", place), measurand.name, limit.confidence,
            measurand.id, limit.document, limit.clause,
        )  # fmt: skip
    for place, component in enumerate(measurand.components):
        yield TaggedFigure(
            "component", (*path, "components", place), component.name, component.confidence,
            measurand.id, source=component.source,
        )  # fmt: skip
