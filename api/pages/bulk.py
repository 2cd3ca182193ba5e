"""One order for many instruments, from a table: how it was understood first, then the order."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.exporting import exports
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.order_forms import COMMON_RULES, request_of
from api.pages.rendering import staff_page
from api.sheets import csv_file, xlsx_book
from calib.i18n import translate
from calib.reminders.due import SOON
from calib.services.idempotency import once
from instruments.canonical import digest
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Invalid
from instruments.services import bulk_order, customers, instruments
from instruments.services.bulk_rows import COLUMNS
from instruments.services.instruments import InstrumentView
from instruments.services.order_request import LineRequest, OrderRequest

router = APIRouter(include_in_schema=False)
ACT = "orders:bulk"
MEANS = {
    "wanted": "yes or no; empty means yes",
    "barcode": "the label of the laboratory; empty for a new instrument",
    "maker": "as on the type plate",
    "model": "as on the type plate",
    "serial": "as on the type plate; needed for a new instrument",
    "asset_number": "your own number, if you have one",
    "site": "the name of one of your sites, as the laboratory keeps it",
    "location": "room or place, for whoever fetches it",
    "probe_serial": "of a separate probe",
    "pieces": "more than 1 only for a lot of like pieces",
    "points": "only when you want others than usual, with spaces between: 36 37 41",
}
CARRIED = (
    "customer_id", "kind", "verification_kind", "decision_rule", "decision_parameter", "language",
    "interval_months", "print_due", "include_budget", "green_channel", "fee", "fee_waiver",
    "remark", "requested_by", "requested_on",
)  # fmt: skip
"""What holds for the whole order and travels from the preview to the order."""


@router.get("/orders/bulk", dependencies=allows("order.form"))
def choose(request: Request, ctx: Reading, customer_id: str = "") -> Response:
    """Choose the customer, then show the form that takes the table."""
    id_ = _customer(ctx, customer_id)
    if id_ is None:
        known = customers.list_customers(ctx)
        return staff_page(request, "orders/customer.html", ctx, customers=known, to="/orders/bulk")
    form = form_of(
        customer_id=id_,
        kind="calibration",
        language="zh+en",
        requested_by="" if ctx.actor.is_staff else ctx.actor.name,
    )
    return _page(request, ctx, form)


@router.get(
    "/orders/bulk/template.{kind}",
    dependencies=[*allows("order.form"), *exports("instruments")],
)
def template(
    kind: Literal["csv", "xlsx"], ctx: Reading, customer_id: str = "", empty: bool = False
) -> Response:
    """Return the table to fill in, with the instruments of the customer or with none."""
    id_ = _customer(ctx, customer_id)
    if id_ is None:
        raise Invalid("choice-missing", "Nothing is chosen. Choose one from the list.")
    own = () if empty else _own(ctx, id_)
    headings = [heading(names, ctx.language) for names in COLUMNS.values()]
    rows = [headings, *(_row(ctx, item) for item in own)]
    if kind == "csv":
        return csv_file(rows, "request.csv")
    told = [
        [heading(names, ctx.language), translate(MEANS[field], ctx.language)]
        for field, names in COLUMNS.items()
    ]
    titles = [translate("Column", ctx.language), translate("What it holds", ctx.language)]
    sheets = {
        translate("Instruments", ctx.language): rows,
        translate("How to fill it in", ctx.language): [titles, *told],
    }
    return xlsx_book(sheets, "request.xlsx")


@router.post("/orders/bulk", dependencies=allows("order.request"))
def read_or_request(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Show how the table is understood; on the second press its rows become one order."""
    typed.chosen("customer_id")  # without one there is no form to show again
    types = types_of(ctx, wired)
    if typed.flag("sure"):
        done = attempt(ctx, lambda: _order(ctx, typed, types))
        if isinstance(done, int):
            return RedirectResponse(f"/orders/{done}?done=requested", status_code=303)
        if done.code != "bulk-not-ready":
            return _page(request, ctx, shown_again(typed, done, ctx))
    read = attempt(ctx, lambda: _understood(ctx, typed, types))
    if isinstance(read, DomainError):
        name, kept = _carried(typed, read)
        return _page(request, ctx, shown_again(typed, read, ctx), name=name, kept=kept)
    view, name, content = read
    kept = base64.b64encode(content).decode()
    return _page(request, ctx, typed.form(), view, types, name=name, kept=kept)


def _carried(typed: Typed, refused: DomainError) -> tuple[str, str]:
    """Return name and content of the table to show again; empty where the table was refused."""
    if "/file" in (refused.at, *(found.at for found in refused.findings)):
        return "", ""
    name, content = typed.file_or_kept("file")
    return name, base64.b64encode(content).decode()


def heading(names: Sequence[str], language: str) -> str:
    """Return the heading of a column in the reader's language."""
    chinese = [name for name in names if not name.isascii()]
    return chinese[0] if language == "zh" and chinese else names[0]


def _customer(ctx: Context, customer_id: str) -> int | None:
    """Return whose request it is; operators ask for their own."""
    if not ctx.actor.is_staff:
        return ctx.actor.customer_id or 0
    good = customer_id.isascii() and customer_id.isdigit() and len(customer_id) < 10
    return int(customer_id) if good else None


def _own(ctx: Context, customer_id: int) -> Iterator[InstrumentView]:
    """Yield the instruments of a customer that can be sent in."""
    customers.get_customer(ctx, customer_id)
    after = 0
    while found := instruments.find_instruments(
        ctx, customer_id=customer_id, limit=instruments.MAX_FOUND, after=after
    ):
        yield from (item for item in found if item.status not in ("lost", "scrapped"))
        after = found[-1].id


def _row(ctx: Context, item: InstrumentView) -> list[str]:
    is_due = item.due_on is None or (item.due_on - ctx.today).days <= SOON
    cells = {
        "wanted": translate("yes" if is_due else "no", ctx.language),
        "barcode": item.barcode,
        "maker": item.maker,
        "model": item.model,
        "serial": item.serial,
        "asset_number": item.asset_number,
        "site": item.site.text(ctx.language) if item.site else "",
        "location": item.location,
        "probe_serial": item.probe_serial,
        "pieces": str(item.pieces),
    }
    return [cells.get(field, "") for field in COLUMNS]


def _asked(ctx: Context, typed: Typed) -> OrderRequest:
    asked = request_of(ctx, typed, ())
    kind = typed.optional("verification_kind") if asked.kind == "verification" else None
    return replace(asked, lines=(LineRequest(0, verification_kind=kind),))


def _understood(
    ctx: Context, typed: Typed, types: Catalogue
) -> tuple[bulk_order.BulkView, str, bytes]:
    name, content = typed.file_or_kept("file")
    view = bulk_order.understood(ctx, _asked(ctx, typed), content, name, catalogue=types)
    return view, name, content


def _order(ctx: Context, typed: Typed, types: Catalogue) -> int:
    """Return the order of a table; a second press gives the same one."""
    name, content = typed.file_or_kept("file")
    said = {field: typed.text(field) for field in CARRIED}

    def do() -> dict[str, int]:
        asked = _asked(ctx, typed)
        return {"order": bulk_order.request(ctx, asked, content, name, catalogue=types).id}

    fingerprint = digest({**said, "file": base64.b64encode(content).decode()})
    return int(once(ctx, ACT, typed.text("key"), fingerprint, do)["order"])


def _page(
    request: Request,
    ctx: Context,
    form: Form,
    view: bulk_order.BulkView | None = None,
    types: Catalogue | None = None,
    *,
    name: str = "",
    kept: str = "",
) -> Response:
    customer = customers.get_customer(ctx, int(form.value("customer_id") or 0))
    kinds = {row.item.type_id for row in view.rows if row.item} if view else ()
    named = {kind: types.get(kind).name for kind in kinds} if types else {}
    return staff_page(
        request,
        "orders/bulk.html",
        ctx,
        status=form.status(),
        form=form,
        customer=customer,
        view=view,
        type_names=named,
        name=name,
        kept=kept,
        key=secrets.token_urlsafe(16),
        carried=[field for field in CARRIED if form.value(field)],
        common_rules=COMMON_RULES,
        columns={field: heading(names, ctx.language) for field, names in COLUMNS.items()},
        means=MEANS,
    )
