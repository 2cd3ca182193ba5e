"""Tables as CSV in which every cell is text: no program takes one of them for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""What makes a spreadsheet read a cell of CSV as a formula, in full width too."""
_IGNORED = " \ufeff\u200b\0"
"""What programs skip before they look."""
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Return the rows as CSV in UTF-8 with a mark that spreadsheets understand."""
    out = io.StringIO()
    csv.writer(out).writerows([[_harmless(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """Return a text that no program computes; a number stays one."""
    if _NUMBER.fullmatch(cell) or not cell.lstrip(_IGNORED).startswith(_FORMULA):
        return cell
    return f"'{cell}"
