"""Customers and their sites."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from instruments.context import Context
from instruments.errors import DomainError
from instruments.services import customers, instruments, orders, sites

router = APIRouter(include_in_schema=False)
TEXTS = ("name_zh", "name_en", "address", "contact", "phone", "email", "kind", "language")
SITE_TEXTS = ("name_zh", "name_en", "venue_type", "district", "address")


@router.get("/customers", dependencies=allows("customer.browse"))
def list_customers(request: Request, ctx: Reading) -> Response:
    """List the customers with the number of their sites."""
    counted: dict[int, int] = {}
    for site in sites.list_sites(ctx):
        counted[site.customer_id] = counted.get(site.customer_id, 0) + 1
    return staff_page(
        request,
        "customers/list.html",
        ctx,
        customers=customers.list_customers(ctx),
        site_counts=counted,
    )


@router.get("/customers/new", dependencies=allows("customer.form"))
def new_customer(request: Request, ctx: Reading) -> Response:
    """Show the form of a new customer."""
    form = form_of(kind="medical", language=ctx.language)
    return _customer_form(request, ctx, form, None)


@router.post("/customers/new", dependencies=allows("customer.write"))
def create_customer(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Register a customer."""
    done = attempt(ctx, lambda: customers.create_customer(ctx, **_customer(typed)))
    if isinstance(done, DomainError):
        return _customer_form(request, ctx, shown_again(typed, done, ctx), None)
    return RedirectResponse(f"/customers/{done.id}?done=created", status_code=303)


@router.get("/customers/{customer_id}", dependencies=allows("instrument.read"))
def show_customer(customer_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show a customer with sites, orders and the calendar of due dates."""
    customer = customers.get_customer(ctx, customer_id)
    return staff_page(
        request,
        "customers/show.html",
        ctx,
        customer=customer,
        sites=sites.list_sites(ctx, customer_id),
        instruments=instruments.find_instruments(ctx, customer_id=customer_id, limit=8),
        orders=orders.list_orders(ctx, customer_id=customer_id, limit=8),
        calendar=f"{wired.settings.public_url}/calendar/{customer.calendar_token}.ics",
    )


@router.get("/customers/{customer_id}/edit", dependencies=allows("customer.form"))
def edit_customer(customer_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form of a customer."""
    customer = customers.get_customer(ctx, customer_id)
    return _customer_form(request, ctx, _of_customer(customer), customer)


@router.post("/customers/{customer_id}/edit", dependencies=allows("customer.write"))
def update_customer(customer_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change a customer."""
    done = attempt(
        ctx,
        lambda: customers.update_customer(ctx, customer_id, typed.version(), **_customer(typed)),
    )
    if isinstance(done, DomainError):
        customer = customers.get_customer(ctx, customer_id)
        form = shown_again(typed, done, ctx, _of_customer(customer))
        return _customer_form(request, ctx, form, customer)
    return RedirectResponse(f"/customers/{customer_id}?done=saved", status_code=303)


@router.get("/customers/{customer_id}/sites/new", dependencies=allows("site.form"))
def new_site(customer_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form of a new site."""
    customer = customers.get_customer(ctx, customer_id)
    return _site_form(request, ctx, form_of(venue_type="hospital"), customer, None)


@router.post("/customers/{customer_id}/sites/new", dependencies=allows("site.write"))
def create_site(customer_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Register a site of a customer."""
    customer = customers.get_customer(ctx, customer_id)
    done = attempt(ctx, lambda: sites.create_site(ctx, customer_id=customer_id, **_site(typed)))
    if isinstance(done, DomainError):
        return _site_form(request, ctx, shown_again(typed, done, ctx), customer, None)
    return RedirectResponse(f"/customers/{customer_id}?done=created", status_code=303)


@router.get("/sites/{site_id}/edit", dependencies=allows("site.form"))
def edit_site(site_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form of a site."""
    site = sites.get_site(ctx, site_id)
    customer = customers.get_customer(ctx, site.customer_id)
    return _site_form(request, ctx, _of_site(site), customer, site)


@router.post("/sites/{site_id}/edit", dependencies=allows("site.write"))
def update_site(site_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change a site."""
    done = attempt(ctx, lambda: sites.update_site(ctx, site_id, typed.version(), **_site(typed)))
    if isinstance(done, DomainError):
        site = sites.get_site(ctx, site_id)
        form = shown_again(typed, done, ctx, _of_site(site))
        customer = customers.get_customer(ctx, site.customer_id)
        return _site_form(request, ctx, form, customer, site)
    return RedirectResponse(f"/customers/{done.customer_id}?done=saved", status_code=303)


def _customer(typed: Typed) -> Any:
    return {name: typed.text(name) for name in TEXTS} | {
        "is_small_firm": typed.flag("is_small_firm")
    }


def _site(typed: Typed) -> Any:
    return {name: typed.text(name) for name in SITE_TEXTS}


def _of_customer(customer: customers.CustomerView) -> Form:
    return form_of(
        version=customer.version,
        name_zh=customer.name.zh,
        name_en=customer.name.en,
        is_small_firm=customer.is_small_firm,
        **{name: getattr(customer, name) for name in TEXTS[2:]},
    )


def _of_site(site: sites.SiteView) -> Form:
    return form_of(
        version=site.version,
        name_zh=site.name.zh,
        name_en=site.name.en,
        **{name: getattr(site, name) for name in SITE_TEXTS[2:]},
    )


def _customer_form(
    request: Request, ctx: Context, form: Form, customer: customers.CustomerView | None
) -> Response:
    return staff_page(
        request, "customers/form.html", ctx, status=form.status(), form=form, customer=customer
    )


def _site_form(
    request: Request,
    ctx: Context,
    form: Form,
    customer: customers.CustomerView,
    site: sites.SiteView | None,
) -> Response:
    return staff_page(
        request,
        "customers/site_form.html",
        ctx,
        status=form.status(),
        form=form,
        customer=customer,
        site=site,
    )
