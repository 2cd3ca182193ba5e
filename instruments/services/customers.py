"""Customers: who orders work and owns instruments (委托单位)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import select

from instruments.context import Context
from instruments.records.parties import Customer
from instruments.services import audit, fields
from instruments.services.labs import LANGUAGES
from instruments.services.rows import (
    change,
    check_version,
    get_row,
    may_see,
    own_customer,
)
from instruments.text import LocalizedText

KINDS = (
    "medical",
    "maker",
    "transport",
    "market",
    "school",
    "community",
    "customs",
    "other",
)


class CustomerFields(TypedDict, total=False):
    """What is kept of a customer; one of the names is needed."""

    name_en: str
    name_zh: str
    address: str
    contact: str
    phone: str
    email: str
    kind: str
    is_small_firm: bool
    language: str


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer as it stands."""

    id: int
    version: int
    name: LocalizedText
    address: str
    contact: str
    phone: str
    email: str
    kind: str
    is_small_firm: bool
    language: str
    calendar_token: str
    """Opens the calendar of due dates: for the customer, and for whoever hands it out."""


def create_customer(ctx: Context, **given: Unpack[CustomerFields]) -> CustomerView:
    """Register a customer.

    Raises Invalid for unusable fields.
    """
    ctx.need("customer.write")
    values = _checked(given)
    row = Customer(calendar_token=secrets.token_urlsafe(24), created_at=ctx.now, **values)
    fields.need_a_name(row.name_en, row.name_zh)
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "registry:customer:create", "customer", row.id, values)
    return _view(ctx, row)


def update_customer(
    ctx: Context, customer_id: int, version: int, **changes: Unpack[CustomerFields]
) -> CustomerView:
    """Change what is named; the rest stays.

    Raises NotFound, Conflict when it was changed meanwhile, Invalid for unusable fields.
    """
    ctx.need("customer.write")
    row = get_row(ctx, Customer, customer_id, "customer")
    check_version(row, version, "customer")
    values = _checked(changes)
    fields.need_a_name(
        str(values.get("name_en", row.name_en)), str(values.get("name_zh", row.name_zh))
    )
    differences = change(ctx, row, values, "customer")
    audit.record(ctx, "registry:customer:update", "customer", row.id, differences)
    return _view(ctx, row)


def get_customer(ctx: Context, customer_id: int) -> CustomerView:
    """Return a customer.

    Raises NotFound when the lab has no such customer, or the actor may not see it.
    """
    ctx.need("customer.read")
    row = get_row(ctx, Customer, customer_id, "customer")
    may_see(ctx, row.id, "customer", customer_id)
    return _view(ctx, row)


def list_customers(ctx: Context) -> tuple[CustomerView, ...]:
    """Return the customers the actor may see, in the order they came."""
    ctx.need("customer.read")
    statement = select(Customer).order_by(Customer.id)
    own = own_customer(ctx)
    if own is not None:
        statement = statement.where(Customer.id == own)
    return tuple(_view(ctx, row) for row in ctx.session.scalars(statement))


def _checked(given: CustomerFields) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in given.items():
        at = f"/{name}"
        if name == "is_small_firm":
            values[name] = bool(value)
        elif name == "kind":
            values[name] = fields.choice(str(value), KINDS, at)
        elif name == "language":
            values[name] = fields.choice(str(value), LANGUAGES, at)
        elif name == "email":
            values[name] = fields.email(str(value), at)
        else:
            values[name] = fields.words(str(value), at)
    return values


def _view(ctx: Context, row: Customer) -> CustomerView:
    opens = not ctx.actor.is_staff or ctx.may("customer.write")
    return CustomerView(
        id=row.id,
        version=row.version,
        name=LocalizedText(row.name_en, row.name_zh),
        address=row.address,
        contact=row.contact,
        phone=row.phone,
        email=row.email,
        kind=row.kind,
        is_small_firm=row.is_small_firm,
        language=row.language,
        calendar_token=row.calendar_token if opens else "",
    )
