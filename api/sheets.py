"""Tables handed out as CSV or XLSX: every cell is text, and no program takes one for a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import xlsxwriter  # type: ignore[import-untyped]
from fastapi import Response

from api.files import download
from calib.keeping.cells import csv_bytes

Cell = str | Decimal
"""A decimal is a number to whoever opens the workbook; everything else is text."""


def csv_file(rows: Iterable[Sequence[str]], name: str) -> Response:
    """Return the rows as CSV in UTF-8 with a mark that spreadsheets understand."""
    return download(csv_bytes(rows), "text/csv; charset=utf-8", name)


def xlsx_file(rows: Iterable[Sequence[Cell]], name: str) -> Response:
    """Return the rows as the only sheet of a workbook, the first of them as headings."""
    return xlsx_book({"Sheet1": rows}, name)


def xlsx_book(sheets: Mapping[str, Iterable[Sequence[Cell]]], name: str) -> Response:
    """Return a workbook to keep, the first row of every sheet as headings."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return download(workbook(sheets), kind, name)


def workbook(sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> bytes:
    """Return the sheets as XLSX."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        heading = book.add_format({"bold": True})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for place, row in enumerate(rows):
                for column, cell in enumerate(row):
                    kept = None if place else heading
                    if isinstance(cell, Decimal):
                        sheet.write_number(place, column, cell, kept)
                    else:
                        sheet.write_string(place, column, cell, kept)
            sheet.freeze_panes(1, 0)
    return out.getvalue()
