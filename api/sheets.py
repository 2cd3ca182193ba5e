"""Tables handed out as CSV or XLSX: every cell is text, and no program takes one for a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter  # type: ignore[import-untyped]
from fastapi import Response

from api.files import download
from calib.keeping.cells import csv_bytes


def csv_file(rows: Iterable[Sequence[str]], name: str) -> Response:
    """Return the rows as CSV in UTF-8 with a mark that spreadsheets understand."""
    return download(csv_bytes(rows), "text/csv; charset=utf-8", name)


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
