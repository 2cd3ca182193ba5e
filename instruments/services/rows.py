"""Fetch, change and guard the rows of a lab: not found, changed meanwhile, who may see them.

Shared by the use cases of the registry; knows no particular table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy.orm.exc import StaleDataError

from instruments.context import Context
from instruments.errors import Conflict, NotFound
from instruments.tenancy import LabScoped

Row = TypeVar("Row", bound=LabScoped)


def get_row(ctx: Context, kind: type[Row], id_: int, noun: str, at: str = "") -> Row:
    """Return the row of this lab.

    Raises NotFound when there is none, or when it belongs to another lab.
    """
    row = ctx.session.get(kind, id_)
    if row is None:
        raise not_found(noun, id_, at)
    found: Row = row
    return found


def not_found(noun: str, id_: object, at: str = "") -> NotFound:
    """Return the error for a thing that is not there or not theirs: the two look alike."""
    return NotFound(
        "not-found",
        "There is no {noun} {id} here. Look it up in the list.",
        at=at,
        facts={"noun": noun, "id": id_},
    )


def check_version(row: Any, version: int, noun: str) -> None:
    """Refuse to change a row that somebody else changed since it was read."""
    if row.version != version:
        raise changed_meanwhile(noun, row.id)


def changed_meanwhile(noun: str, id_: object) -> Conflict:
    """Return the error for a row that somebody else changed since it was read."""
    return Conflict(
        "changed-meanwhile",
        "The {noun} {id} was changed by somebody else since you opened it. "
        "Load it again and repeat your change.",
        facts={"noun": noun, "id": id_},
    )


def change(ctx: Context, row: Any, values: Mapping[str, Any], noun: str) -> dict[str, list[Any]]:
    """Set the values that differ, write the row, and return before and after by field.

    Raises Conflict when another transaction changed the row first.
    """
    differences: dict[str, list[Any]] = {}
    for name, value in values.items():
        before = getattr(row, name)
        if before != value:
            differences[name] = [plain(before), plain(value)]
            setattr(row, name, value)
    try:
        ctx.session.flush()
    except StaleDataError as problem:
        raise changed_meanwhile(noun, row.id) from problem
    return differences


def plain(value: Any) -> Any:
    """Return the value as the audit trail writes it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def own_customer(ctx: Context) -> int | None:
    """Return the customer whose things alone the actor may see; None: those of the whole lab."""
    if ctx.actor.is_staff:
        return None
    # a person without a role in this lab sees nothing: no customer has the number 0
    return ctx.actor.customer_id if ctx.actor.customer_id is not None else 0


def may_see(ctx: Context, customer_id: int | None, noun: str, id_: object) -> None:
    """Refuse, as if it did not exist, what belongs to another customer than the actor's own."""
    own = own_customer(ctx)
    if own is not None and own != customer_id:
        hidden = not_found(noun, id_)
        hidden.act = f"{noun}.read"
        raise hidden
