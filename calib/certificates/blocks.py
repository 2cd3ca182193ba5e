"""The few kinds of block a page is made of, as plain values a template can lay out.

Every text is a tuple with one entry per language. Knows nothing of certificates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from calib.certificates.wording import Words

Block = dict[str, Any]
Align = Literal["left", "center", "right"]
Mark = Literal["", "reject", "extrapolated"]


def section(title: Words, blocks: Sequence[Block]) -> Block:
    """Return a headed part of the document."""
    return {"title": title, "blocks": list(blocks)}


def heading(words: Words) -> Block:
    """Return a heading below that of the section."""
    return {"block": "heading", "words": words}


def facts(rows: Sequence[tuple[Words, Sequence[Words]]]) -> Block:
    """Return labels with their values; a value is one or more lines."""
    return {
        "block": "facts",
        "rows": [{"label": label, "lines": list(lines)} for label, lines in rows],
    }


def paragraph(words: Words) -> Block:
    """Return a paragraph."""
    return {"block": "paragraph", "words": words}


def note(words: Words) -> Block:
    """Return a paragraph in small type."""
    return {"block": "note", "words": words}


def loud(words: Words) -> Block:
    """Return a framed warning nobody overlooks."""
    return {"block": "loud", "words": words}


def column(
    label: Words, unit: str = "", align: Align = "right", weight: float = 1.0
) -> dict[str, Any]:
    """Return the head of a column; `weight` is its share of the width."""
    return {"label": label, "unit": unit, "align": align, "weight": weight}


def row(cells: Sequence[Words | str], mark: Mark = "") -> dict[str, Any]:
    """Return a row of a table; plain text is the same in every language."""
    return {"cells": [(c,) if isinstance(c, str) else c for c in cells], "mark": mark}


def table(
    columns: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], *, side_by_side: int = 1
) -> Block:
    """Return a table whose head is repeated on each page; narrow ones may run side by side."""
    return {
        "block": "table",
        "columns": list(columns),
        "rows": list(rows),
        "side_by_side": side_by_side,
    }


def figure(svg: str, alt: Words, caption: Words) -> Block:
    """Return a picture with the words that stand for it."""
    return {"block": "figure", "svg": svg, "alt": " / ".join(alt), "caption": caption}
