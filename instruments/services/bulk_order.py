"""One order from a table: a row for each instrument, registered or new, and what is wrong with it.

Every row is told as it was understood before anything is written; then all rows become one order,
or none. What is looked up is looked up once for all rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Finding, Invalid, NotFound
from instruments.procedure import InstrumentType
from instruments.records.instruments import Instrument
from instruments.services import audit, fields, orders
from instruments.services.bulk_rows import COLUMNS, Asked, Kept, Row, ready, understand
from instruments.services.customers import get_customer
from instruments.services.import_rows import write_rows
from instruments.services.importing import Problems, columns_of
from instruments.services.instruments import InstrumentView
from instruments.services.order_request import (
    MAX_LINES,
    LineRequest,
    OrderRequest,
    check_head,
    check_lines,
)
from instruments.services.order_views import OrderView
from instruments.services.tables import read_table

Outcome = Literal["registered", "new", "left-out", "wrong"]


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One row as it was understood."""

    number: int
    """As a spreadsheet numbers it."""
    outcome: Outcome
    cells: Mapping[str, str]
    """What the row says, by field."""
    item: InstrumentView | None
    """The registered instrument, or the one that would be registered; None when that is unclear."""
    points: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class BulkView:
    """A table as it was understood."""

    rows: tuple[BulkRow, ...]
    findings: tuple[Finding, ...]
    """Of the columns."""

    def count(self, outcome: Outcome) -> int:
        """Return how many rows have this outcome."""
        return sum(row.outcome == outcome for row in self.rows)

    @property
    def wanted(self) -> int:
        """Return how many instruments the order would name."""
        return self.count("registered") + self.count("new")


def understood(
    ctx: Context, asked: OrderRequest, content: bytes, filename: str, *, catalogue: Catalogue
) -> BulkView:
    """Return what a table asks for, row by row; nothing is written.

    Raises NotFound for an unknown customer, Invalid and Refused when the file, its columns or what
    holds for the whole order cannot be used.
    """
    ctx.need("order.request")
    customer = get_customer(ctx, asked.customer_id)
    check_head(replace(asked, lines=asked.lines or (LineRequest(0),)))
    table = read_table(content, filename)
    columns, findings = columns_of(table[0], COLUMNS, ())
    if "barcode" not in columns and "serial" not in columns:
        raise Invalid(
            "bulk-without-key",
            "No column says which instrument is meant. Add a column with the label or the serial "
            "number.",
            at="/rows/1",
        )
    filled = [
        (number, {field: row[title].strip() for field, title in columns.items()})
        for number, row in enumerate(table, start=2)
        if any(cell.strip() for cell in row.values())
    ]
    fields.few(filled, "/file", MAX_LINES)
    serials = [Row(number, cells).get("serial") for number, cells in filled]
    kept = Kept.load(ctx, customer.id, customer.name, serials)
    wish = asked.lines[0] if asked.lines else LineRequest(0)
    rows: list[BulkRow] = []
    for number, cells in filled:
        problems = Problems(number, columns)
        row = understand(ctx, Row(number, cells), kept, problems.run)
        rows.append(_told(asked, wish, row, problems, cells, catalogue))
    return BulkView(tuple(rows), tuple(findings))


def request(
    ctx: Context, asked: OrderRequest, content: bytes, filename: str, *, catalogue: Catalogue
) -> OrderView:
    """Register what is new and order all rows of a table, in one order.

    Raises as `understood` does, and Refused while a row has a mistake or none is wanted.
    """
    view = understood(ctx, asked, content, filename, catalogue=catalogue)
    wrong = [f for row in view.rows for f in row.findings if f.severity == "error"]
    if wrong or not view.wanted:
        raise Invalid(
            "bulk-not-ready",
            "{wrong} rows have mistakes and {wanted} are wanted; nothing was stored. Correct the "
            "table and read it again.",
            at="/file",
            facts={"wrong": view.count("wrong"), "wanted": view.wanted},
        )
    wanted = [row for row in view.rows if row.outcome in ("registered", "new")]
    ids = _registered(ctx, [row for row in wanted if row.outcome == "new"], content, filename)
    wish = asked.lines[0] if asked.lines else LineRequest(0)
    lines = tuple(
        _line(wish, row, ids.get(row.number) or _item_of(row).id, catalogue) for row in wanted
    )
    return orders.request(ctx, replace(asked, lines=lines), catalogue=catalogue)


def _told(
    asked: OrderRequest,
    wish: LineRequest,
    row: Asked,
    problems: Problems,
    cells: Mapping[str, str],
    catalogue: Catalogue,
) -> BulkRow:
    """Return a row with everything that is wrong with it, also as a line of the order."""
    outcome: Outcome = "left-out" if not row.is_wanted else "registered" if row.is_kept else "new"
    told = BulkRow(row.number, outcome, cells, row.item, row.points, ())
    if row.item is not None and row.is_wanted and not problems.found:
        try:
            line = _line(wish, told, row.item.id, catalogue)
            check_lines(replace(asked, lines=(line,)), {row.item.id: row.item}, catalogue)
        except DomainError as problem:
            key = "barcode" if cells.get("barcode") else "serial"
            problems.note("points" if "/points" in problem.at else key, problem)
    found = [*problems.found, *row.notes] if row.is_wanted else row.notes
    if row.is_wanted and (problems.found or row.item is None):
        outcome = "wrong"
    return replace(told, outcome=outcome, findings=tuple(found))


def _line(wish: LineRequest, row: BulkRow, instrument_id: int, catalogue: Catalogue) -> LineRequest:
    type_ = catalogue.get(_item_of(row).type_id)
    return replace(
        wish, instrument_id=instrument_id, points=_points(row.points, type_) if row.points else {}
    )


def _points(points: Sequence[str], type_: InstrumentType) -> dict[str, Sequence[str]]:
    """Return points by measurand; a table has one column for them, so there must be one."""
    if len(type_.measurands) > 1:
        raise Invalid(
            "bulk-points-unclear",
            "A {type} measures {count} quantities, and one column of points does not say which is "
            "meant. Leave it empty, and ask for points in an order of its own.",
            at="/points",
            facts={"type": type_.name, "count": len(type_.measurands)},
        )
    return {type_.measurands[0].id: tuple(points)}


def _item_of(row: BulkRow) -> InstrumentView:
    if row.item is None:
        raise NotFound("not-found", "There is nothing like that here. Look it up.")
    return row.item


def _registered(
    ctx: Context, rows: Sequence[BulkRow], content: bytes, filename: str
) -> dict[int, int]:
    """Register the new instruments; return their numbers by row."""
    if not rows:
        return {}
    ctx.need("instrument.announce")
    ids = write_rows(ctx, [ready(_item_of(row)) for row in rows])
    found = ctx.session.execute(
        select(Instrument.id, Instrument.barcode).where(Instrument.id.in_(ids))
    )
    barcodes = {id_: barcode for id_, barcode in found}  # noqa: C416 -- a row is no pair to mypy
    facts: dict[str, Any] = {
        "file": filename,
        "sha256": hashlib.sha256(content).hexdigest(),
        "instruments": [barcodes[id_] for id_ in ids],
    }
    audit.record(ctx, "registry:instruments:announce", "instruments", None, facts)
    return dict(zip((row.number for row in rows), ids, strict=True))
