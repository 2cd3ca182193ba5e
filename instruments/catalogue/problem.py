"""One thing that is wrong in a type file, before it is given its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from instruments.catalogue.lines import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence with named placeholders and the key path it is about."""

    code: str
    path: Path
    message: str
    facts: Mapping[str, object] = field(default_factory=dict)


def is_date(text: str) -> bool:
    """Answer whether this is a day, written as the format wants it."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
