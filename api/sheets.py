"""Tables handed out as CSV or XLSX: every cell is text, and no program takes one for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import xlsxwriter  # type: ignore[import-untyped]
from fastapi import Response

from api.files import download

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""What makes a spreadsheet read a cell of CSV as a formula, in full width too."""
_IGNORED = " \ufeff\u200b\0"
"""What programs skip before they look."""
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def csv_file(rows: Iterable[Sequence[str]], name: str) -> Response:
    """Return the rows as CSV in UTF-8 with a mark that spreadsheets understand."""
    out = io.StringIO()
    csv.writer(out).writerows([[_harmless(cell) for cell in row] for row in rows])
    return download(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", name)


def xlsx_file(rows: Iterable[Sequence[str]], name: str) -> Response:
    """Return the rows as the only sheet of a workbook, the first of them as headings."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        heading = book.add_format({"bold": True})
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(place, column, cell, None if place else heading)
        sheet.freeze_panes(1, 0)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return download(out.getvalue(), kind, name)


def _harmless(cell: str) -> str:
    """Return a text that no program computes; a number stays one."""
    if _NUMBER.fullmatch(cell) or not cell.lstrip(_IGNORED).startswith(_FORMULA):
        return cell
    return f"'{cell}"
