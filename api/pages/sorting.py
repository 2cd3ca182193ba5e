"""Long lists in an order of the reader's choice: by plain links, told to screen readers too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import Request

_NOT_KEPT = ("sort", "after", "before", "page", "done")
"""What begins anew in another order."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """By which column a list stands, and the links to every other order."""

    keys: Sequence[str]
    key: str
    is_descending: bool
    kept: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """What else is asked of the list."""

    def href(self, key: str) -> str:
        """Return the link that sorts by a column: upwards first, then the other way round."""
        turned = key == self.key and not self.is_descending
        return "?" + urlencode([*self.kept, ("sort", f"-{key}" if turned else key)])

    def aria(self, key: str) -> str:
        """Return what ``aria-sort`` says of a column; empty: it is not the one."""
        if key != self.key:
            return ""
        return "descending" if self.is_descending else "ascending"

    @property
    def code(self) -> str:
        """Return the order as it stands in an address; empty: as the list stands by itself."""
        return f"-{self.key}" if self.key and self.is_descending else self.key

    def page(self, number: int) -> str:
        """Return the link to another page of the list in this order."""
        return "?" + urlencode([*self.kept, ("sort", self.code), ("page", str(number))])


def sorting_of(request: Request, *keys: str, default: str = "") -> Sorting:
    """Return the order a request asks for; one that the list does not have counts as none."""
    asked = request.query_params.get("sort", "") or default
    key = asked.removeprefix("-")
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in _NOT_KEPT and value
    ]
    if key not in keys:
        key, asked = default.removeprefix("-"), default
    return Sorting(keys, key, asked.startswith("-"), kept)


def page_of(request: Request) -> int:
    """Return which page of a list is asked for, from 1; what is no number counts as the first."""
    text = request.query_params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1
