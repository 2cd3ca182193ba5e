"""Addresses that are told what happens in the lab, and what was told to each."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows
from api.pages.forms import AsTyped, Form, attempt, shown_again
from api.pages.rendering import staff_page
from calib.services import webhooks
from calib.services.webhooks import EVENTS
from instruments.context import Context
from instruments.errors import DomainError

router = APIRouter(include_in_schema=False)


@router.get("/lab/webhooks", dependencies=allows("webhook.read"))
def list_webhooks(request: Request, ctx: Reading) -> Response:
    """Show which addresses are told."""
    return _page(request, ctx, Form())


@router.post("/lab/webhooks", dependencies=allows("webhook.write"))
def register(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Have an address told; the page after it shows its secret this once."""
    done = attempt(
        ctx,
        lambda: webhooks.register(
            ctx,
            address=typed.text("address"),
            events=typed.many("events"),
            loopback=wired.settings.webhooks == "loopback",
        ),
    )
    if isinstance(done, DomainError):
        return _page(request, ctx, shown_again(typed, done, ctx))
    return _page(request, ctx, Form(), done)


@router.get("/lab/webhooks/{webhook_id}", dependencies=allows("webhook.read"))
def show_deliveries(webhook_id: int, request: Request, ctx: Reading) -> Response:
    """Show what was told to an address."""
    told = webhooks.deliveries(ctx, webhook_id)
    known = [one for one in webhooks.list_webhooks(ctx) if one.id == webhook_id]
    return staff_page(
        request,
        "lab/deliveries.html",
        ctx,
        deliveries=told,
        address=known[0].address if known else "",
        tab="webhooks",
    )


@router.post("/lab/webhooks/{webhook_id}/secret", dependencies=allows("webhook.write"))
def renew_secret(webhook_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Give an address a new secret; the page after it shows it this once."""
    done = attempt(ctx, lambda: webhooks.renew_secret(ctx, webhook_id))
    if isinstance(done, DomainError):
        return _page(request, ctx, shown_again(typed, done, ctx))
    return _page(request, ctx, Form(), done)


@router.post("/lab/webhooks/{webhook_id}/state", dependencies=allows("webhook.write"))
def switch(webhook_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Switch an address on or off, or end it."""
    done = attempt(ctx, lambda: webhooks.switch(ctx, webhook_id, typed.text("state")))
    if isinstance(done, DomainError):
        return _page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/lab/webhooks?done=saved", status_code=303)


def _page(
    request: Request, ctx: Context, form: Form, shown: webhooks.Shown | None = None
) -> Response:
    return staff_page(
        request,
        "lab/webhooks.html",
        ctx,
        status=form.status(),
        form=form,
        webhooks=webhooks.list_webhooks(ctx),
        events=EVENTS,
        shown=shown,
        tab="webhooks",
    )
