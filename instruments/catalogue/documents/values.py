"""What a register of governing documents holds, and what is known of one document in all.

A fact of a document that a type names stands in the type file, which must be whole by itself; the
register adds what no type says. Knows no file, no lab and no certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from instruments.procedure import Confidence, Limit
from instruments.text import LocalizedText

Origin = Literal["national", "local", "international", "foreign", "other"]
"""Who issued it. ``national`` and ``local``: at home, for the country or a part of it;
``foreign``: another country or region; ``other``: a maker, a laboratory, a paper."""
ORIGINS: tuple[Origin, ...] = get_args(Origin)
DOMESTIC: frozenset[str] = frozenset({"national", "local"})
Status = Literal["announced", "in_force", "superseded", "withdrawn"]
STATUSES: tuple[Status, ...] = get_args(Status)
ENDED: frozenset[str] = frozenset({"superseded", "withdrawn"})


@dataclass(frozen=True, slots=True)
class RegisteredDocument:
    """What the register says of one document; what type files say of it is left out."""

    number: str
    """Number with edition, as in type files."""
    origin: Origin
    title: LocalizedText | None = None
    """Only where no type names the document."""
    confidence: Confidence = "BG"
    """Of what is said here."""
    source: str = ""
    status: Status | None = None
    """None: no source says whether it is in force."""
    issued_on: str | None = None
    in_force_on: str | None = None
    ends_on: str | None = None
    """Last day it may be used, where that is known."""
    replaces: tuple[str, ...] = ()
    replaced_by: str | None = None
    counterparts: tuple[str, ...] = ()
    """Documents on the same matter; said once, at either of the two."""
    note: LocalizedText | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two documents on the same matter, or between two editions."""

    between: tuple[str, ...]
    """Two numbers."""
    words: LocalizedText
    confidence: Confidence
    source: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """The limits of one document, or words where it sets none.

    With `type` and `measurand` the figures are those of the type file: they stand there alone.
    """

    document: str
    confidence: Confidence | None = None
    source: str = ""
    lower: str | None = None
    upper: str | None = None
    plus_fraction: str | None = None
    or_fraction: str | None = None
    choose: Literal["larger", "smaller"] = "larger"
    start: str | None = None
    end: str | None = None
    start_included: bool = True
    end_included: bool = True
    remark: LocalizedText | None = None
    type: str = ""
    measurand: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    """Which limits of the type: those that ask for these attributes."""

    def limit(self) -> Limit | None:
        """Return the limit that stands here; None: words only, or the figures of a type."""
        if self.lower is None and self.upper is None:
            return None
        return Limit(
            document=self.document,
            confidence=self.confidence or "BG",
            lower=self.lower,
            upper=self.upper,
            plus_fraction=self.plus_fraction,
            or_fraction=self.or_fraction,
            choose=self.choose,
            start=self.start,
            end=self.end,
            start_included=self.start_included,
            end_included=self.end_included,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Limits of several documents on one matter, to be put side by side."""

    id: str
    """Short word with hyphens; part of its address."""
    matter: LocalizedText
    quantity: str
    unit: str
    """Of the limits."""
    rows: tuple[ComparisonRow, ...]
    range_unit: str = ""
    """Of the ranges; empty: that of the limits."""


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """One file of a register; every list may be absent."""

    schema: int
    documents: tuple[RegisteredDocument, ...] = ()
    differences: tuple[Difference, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """All files of a register together."""

    documents: tuple[RegisteredDocument, ...] = ()
    differences: tuple[Difference, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """How sure a fact is and who says so."""

    confidence: str
    """V, V2, CALC or BG; empty for what a lab holds itself."""
    source: str
    by: Literal["type", "register", "lab"]


@dataclass(frozen=True, slots=True)
class Document:
    """All that is known of one document; dates are ISO text."""

    number: str
    title: LocalizedText
    origin: Origin
    status: str
    """One of `STATUSES`; empty: no source says it."""
    issued_on: str | None = None
    in_force_on: str | None = None
    ends_on: str | None = None
    replaces: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()
    notes: tuple[LocalizedText, ...] = ()
    tags: Mapping[str, Tag] = field(default_factory=dict)
    """By name of field; of the lists by name and number, ``replaced_by/JJF 1-2020``."""

    @property
    def is_domestic(self) -> bool:
        """Answer whether it was issued at home."""
        return self.origin in DOMESTIC

    def status_on(self, day: str) -> str:
        """Return its status on an ISO day: before its dates and within a transition as well."""
        if self.in_force_on is not None and day < self.in_force_on and self.status not in ENDED:
            return "announced"
        if self.status in ENDED and self.ends_on is not None and day <= self.ends_on:
            return "in_force"
        if self.status == "announced" and self.in_force_on is not None:
            return "in_force"
        return self.status
