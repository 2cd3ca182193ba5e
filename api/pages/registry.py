"""Instruments: find, register, change, put in and out of service, label."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.drift import of_instrument
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from api.pages.sorting import page_of, sorting_of
from calib.services import lookup
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Invalid
from instruments.services import customers, instruments, models, people, sites, transfers

router = APIRouter(include_in_schema=False)
PAGE = 50
TEXTS = ("serial", "asset_number", "probe_serial", "location")
DUE = {"overdue": 0, "30": 30, "60": 60, "90": 90}
"""Choices of the filter by due date, in days from today."""


@router.get("/instruments", dependencies=allows("instrument.read"))
def list_instruments(
    request: Request,
    ctx: Reading,
    text: str = "",
    customer_id: str = "",
    site_id: str = "",
    due: str = "",
    after: int = 0,
) -> Response:
    """Find instruments by words, customer, site and due date, a page at a time."""
    due_before = ctx.today + timedelta(days=DUE[due]) if due in DUE else None
    sorting = sorting_of(request, *instruments.SORTS)
    number = page_of(request) if sorting.key else 1
    found = instruments.find_instruments(
        ctx,
        text=text,
        customer_id=_number(customer_id),
        site_id=_number(site_id),
        due_before=due_before,
        limit=PAGE + 1,
        after=0 if sorting.key else max(after, 0),
        sort=sorting.code,
        offset=(number - 1) * PAGE,
    )
    if not after and len(found) == 1 and text.strip() == found[0].barcode:
        return RedirectResponse(f"/instruments/{found[0].id}", status_code=303)  # a scanned label
    filters = {"text": text, "customer_id": customer_id, "site_id": site_id, "due": due}
    return staff_page(
        request,
        "registry/instruments.html",
        ctx,
        form=form_of(**filters),
        filters={name: value for name, value in filters.items() if value},
        found=found[:PAGE],
        next_after=found[PAGE - 1].id if len(found) > PAGE and not sorting.key else None,
        sorting=sorting,
        before=sorting.page(number - 1) if number > 1 else "",
        further=sorting.page(number + 1) if sorting.key and len(found) > PAGE else "",
        today=ctx.today,
        **_places(ctx),
    )


@router.get("/instruments/new", dependencies=allows("instrument.form"))
def new_instrument(
    request: Request, ctx: Reading, customer_id: str = "", model_id: str = ""
) -> Response:
    """Show the form of a new instrument."""
    form = form_of(customer_id=customer_id, model_id=model_id, pieces=1)
    return _instrument_form(request, ctx, form, None)


@router.post("/instruments/new", dependencies=allows("instrument.write"))
def register_instrument(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Register an instrument; on request the form comes again for the next of its kind."""
    done = attempt(ctx, lambda: _register(ctx, typed))
    if isinstance(done, DomainError):
        return _instrument_form(request, ctx, shown_again(typed, done, ctx), None)
    if typed.flag("another"):
        target = f"/instruments/new?customer_id={done.customer_id}&model_id={done.model_id}"
        return RedirectResponse(f"{target}&done=created", status_code=303)
    return RedirectResponse(f"/instruments/{done.id}?done=created", status_code=303)


@router.get("/instruments/labels", dependencies=allows("label.print"))
def print_labels(
    request: Request,
    ctx: Reading,
    wired: Wired,
    id: Annotated[list[int], Query()],  # noqa: A002
) -> Response:
    """Show labels to print: QR code, barcode, serial, owner."""
    found = instruments.get_instruments(ctx, id[:200])
    labels = [
        (found[i], _qr(f"{wired.settings.public_url}/instruments?text={found[i].barcode}"))
        for i in dict.fromkeys(id)
        if i in found
    ]
    return staff_page(request, "registry/labels.html", ctx, labels=labels)


@router.get("/instruments/{instrument_id}", dependencies=allows("instrument.read"))
def show_instrument(instrument_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show an instrument with its history."""
    return _instrument_page(request, ctx, types_of(ctx, wired), instrument_id, Form())


@router.get("/instruments/{instrument_id}/edit", dependencies=allows("instrument.form"))
def edit_instrument(instrument_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form of an instrument."""
    item = instruments.get_instrument(ctx, instrument_id)
    return _instrument_form(request, ctx, _of_instrument(item), item)


@router.post("/instruments/{instrument_id}/edit", dependencies=allows("instrument.write"))
def update_instrument(
    instrument_id: int, request: Request, ctx: Writing, typed: AsTyped
) -> Response:
    """Change an instrument."""
    done = attempt(
        ctx,
        lambda: instruments.update_instrument(ctx, instrument_id, typed.version(), **_given(typed)),
    )
    if isinstance(done, DomainError):
        item = instruments.get_instrument(ctx, instrument_id)
        form = shown_again(typed, done, ctx, _of_instrument(item))
        return _instrument_form(request, ctx, form, item)
    return RedirectResponse(f"/instruments/{instrument_id}?done=saved", status_code=303)


@router.post("/instruments/{instrument_id}/status", dependencies=allows("instrument.status"))
def set_status(
    instrument_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Put an instrument in or out of service, with the reason."""
    done = attempt(
        ctx,
        lambda: instruments.set_status(
            ctx, instrument_id, typed.text("status"), typed.text("reason")
        ),
    )
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _instrument_page(request, ctx, types_of(ctx, wired), instrument_id, form)
    return RedirectResponse(f"/instruments/{instrument_id}?done=saved", status_code=303)


@router.post("/instruments/{instrument_id}/transfer", dependencies=allows("instrument.transfer"))
def transfer(
    instrument_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Pass an instrument to another customer."""
    done = attempt(
        ctx,
        lambda: transfers.transfer_instrument(
            ctx,
            instrument_id,
            typed.version(),
            to_customer_id=typed.chosen("to_customer_id"),
            reason=typed.text("transfer_reason"),
            consent=typed.text("consent"),
            hands_over=typed.flag("hands_over"),
        ),
    )
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _instrument_page(request, ctx, types_of(ctx, wired), instrument_id, form)
    return RedirectResponse(f"/instruments/{instrument_id}?done=saved", status_code=303)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _register(ctx: Context, typed: Typed) -> instruments.InstrumentView:
    return instruments.register_instrument(
        ctx,
        model_id=typed.chosen("model_id"),
        barcode=typed.optional("barcode"),
        **_given(typed),
    )


def _given(typed: Typed) -> Any:
    pieces = typed.whole("pieces")
    if pieces is None:
        raise Invalid(
            "pieces-missing", "The number of pieces is missing. One instrument is 1.", at="/pieces"
        )
    return {
        **{name: typed.text(name) for name in TEXTS},
        "customer_id": typed.chosen("customer_id"),
        "site_id": typed.whole("site_id"),
        "pieces": pieces,
        "interval_months": typed.whole("interval_months"),
    }


def _of_instrument(item: instruments.InstrumentView) -> Form:
    names = (*TEXTS, "version", "customer_id", "site_id", "pieces", "interval_months", "barcode")
    return form_of(**{name: getattr(item, name) for name in names})


def _owners(ctx: Context) -> list[tuple[int, str]]:
    named = [(one.id, one.name.text(ctx.language)) for one in customers.list_customers(ctx)]
    return sorted(named, key=lambda pair: pair[1])


def _places(ctx: Context) -> dict[str, list[tuple[int, str]]]:
    """Return the choices of customers and sites, sites named with their customer."""
    owners = dict(_owners(ctx))
    places = [
        (site.id, f"{owners[site.customer_id]} · {site.name.text(ctx.language)}")
        for site in sites.list_sites(ctx)
    ]
    return {
        "customers": sorted(owners.items(), key=lambda pair: pair[1]),
        "sites": sorted(places, key=lambda pair: pair[1]),
    }


def _instrument_form(
    request: Request, ctx: Context, form: Form, item: instruments.InstrumentView | None
) -> Response:
    known = [(m.id, f"{m.maker} {m.model}") for m in models.list_models(ctx)]
    return staff_page(
        request,
        "registry/instrument_form.html",
        ctx,
        status=form.status(),
        form=form,
        item=item,
        models=known,
        **_places(ctx),
    )


def _instrument_page(
    request: Request, ctx: Context, catalogue: Catalogue, instrument_id: int, form: Form
) -> Response:
    item = instruments.get_instrument(ctx, instrument_id)
    return staff_page(
        request,
        "registry/instrument.html",
        ctx,
        status=form.status(),
        form=form,
        item=item,
        model=models.get_model(ctx, item.model_id),
        statuses=tuple(reversed(transfers.status_history(ctx, instrument_id))),
        people={p.id: p.name for p in people.list_people(ctx)} if ctx.actor.is_staff else {},
        type=catalogue.get(item.type_id),
        history=lookup.instrument_history(ctx, instrument_id),
        due=_due_in_words(item.due_on, ctx.today),
        owners=_owners(ctx) if ctx.may("instrument.transfer") else [],
        **of_instrument(ctx, instrument_id),
    )


def _due_in_words(due_on: date | None, today: date) -> str:
    if due_on is None:
        return ""
    if due_on < today:
        return "red"
    return "yellow" if due_on <= today + timedelta(days=30) else "green"


def _qr(text: str) -> str:
    return segno.make(text, error="m").svg_data_uri(border=2, scale=4, encode_minimal=True)
