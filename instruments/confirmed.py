"""That a person compared a figure with the document it is from; knows no figure and no lab."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who compared a figure with which edition of its document, and when."""

    person: str
    """Name, as it was on that day."""
    on: str
    """ISO date of the comparison."""
    document: str
    """Number with edition, as it stands on the copy that was read."""
    clause: str = ""
