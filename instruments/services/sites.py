"""Sites: the venues of customers where instruments stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import select

from instruments.context import Context
from instruments.errors import Invalid
from instruments.records.parties import Customer
from instruments.records.sites import VENUE_TYPES, Site
from instruments.services import audit, fields
from instruments.services.rows import (
    change,
    check_version,
    get_row,
    may_see,
    own_customer,
)
from instruments.text import LocalizedText


class SiteFields(TypedDict, total=False):
    """What is kept of a site; one of the names is needed."""

    name_en: str
    name_zh: str
    venue_type: str
    district: str
    address: str


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site as it stands."""

    id: int
    version: int
    customer_id: int
    name: LocalizedText
    venue_type: str
    district: str
    address: str


def create_site(ctx: Context, *, customer_id: int, **given: Unpack[SiteFields]) -> SiteView:
    """Register a site of a customer.

    Raises NotFound when there is no such customer, Invalid for unusable fields.
    """
    ctx.need("site.write")
    get_row(ctx, Customer, customer_id, "customer", "/customer_id")
    values = {"venue_type": "other"} | _checked(given)
    row = Site(customer_id=customer_id, created_at=ctx.now, **values)
    fields.need_a_name(row.name_en, row.name_zh)
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "registry:site:create", "site", row.id, {**values, "customer": customer_id})
    return _view(row)


def update_site(
    ctx: Context, site_id: int, version: int, **changes: Unpack[SiteFields]
) -> SiteView:
    """Change what is named; the rest stays.

    Raises NotFound, Conflict when it was changed meanwhile, Invalid for unusable fields.
    """
    ctx.need("site.write")
    row = get_row(ctx, Site, site_id, "site")
    check_version(row, version, "site")
    values = _checked(changes)
    fields.need_a_name(values.get("name_en", row.name_en), values.get("name_zh", row.name_zh))
    differences = change(ctx, row, values, "site")
    audit.record(ctx, "registry:site:update", "site", row.id, differences)
    return _view(row)


def get_site(ctx: Context, site_id: int) -> SiteView:
    """Return a site.

    Raises NotFound when the lab has no such site, or the actor may not see it.
    """
    ctx.need("site.read")
    row = get_row(ctx, Site, site_id, "site")
    may_see(ctx, row.customer_id, "site", site_id)
    return _view(row)


def list_sites(ctx: Context, customer_id: int | None = None) -> tuple[SiteView, ...]:
    """Return the sites the actor may see, of one customer when it is named."""
    ctx.need("site.read")
    statement = select(Site).order_by(Site.id)
    own = own_customer(ctx)
    if own is not None:
        statement = statement.where(Site.customer_id == own)
    if customer_id is not None:
        statement = statement.where(Site.customer_id == customer_id)
    return tuple(_view(row) for row in ctx.session.scalars(statement))


def check_site(ctx: Context, site_id: int | None, customer_id: int) -> None:
    """Refuse a site that is another customer's.

    Raises NotFound, Invalid.
    """
    if site_id is None:
        return
    site = get_row(ctx, Site, site_id, "site", "/site_id")
    if site.customer_id != customer_id:
        raise Invalid(
            "site-of-another-customer",
            "The site {site} belongs to another customer than the instrument. "
            "Choose a site of the same customer.",
            at="/site_id",
            facts={"site": site.name_zh or site.name_en},
        )


def _checked(given: SiteFields) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in given.items():
        at = f"/{name}"
        if name == "venue_type":
            values[name] = fields.choice(str(value), VENUE_TYPES, at)
        else:
            values[name] = fields.words(str(value), at)
    return values


def _view(row: Site) -> SiteView:
    return SiteView(
        id=row.id,
        version=row.version,
        customer_id=row.customer_id,
        name=LocalizedText(row.name_en, row.name_zh),
        venue_type=row.venue_type,
        district=row.district,
        address=row.address,
    )
