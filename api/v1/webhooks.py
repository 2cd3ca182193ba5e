"""Addresses that are told what happens, as JSON."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import Reading, Wired, Writing, allows
from api.schemas.webhooks import NewWebhook, WebhookState
from api.strict_routes import StrictRoute
from calib.services import webhooks

router = APIRouter(tags=["webhooks"], route_class=StrictRoute)


@router.get("/webhooks", dependencies=allows("webhook.read"))
def list_webhooks(ctx: Reading) -> tuple[webhooks.WebhookView, ...]:
    """Return the addresses that are told."""
    return webhooks.list_webhooks(ctx)


@router.post("/webhooks", status_code=201, dependencies=allows("webhook.write"))
def register_webhook(body: NewWebhook, ctx: Writing, wired: Wired) -> webhooks.Shown:
    """Have an address told; the answer holds its secret, which is shown this once."""
    return webhooks.register(
        ctx,
        address=body.address,
        events=body.events,
        loopback=wired.settings.webhooks == "loopback",
    )


@router.post("/webhooks/{webhook_id}/secret", dependencies=allows("webhook.write"))
def renew_secret(webhook_id: int, ctx: Writing) -> webhooks.Shown:
    """Give an address a new secret; the one before signs beside it for a day."""
    return webhooks.renew_secret(ctx, webhook_id)


@router.post("/webhooks/{webhook_id}/state", dependencies=allows("webhook.write"))
def switch_webhook(webhook_id: int, body: WebhookState, ctx: Writing) -> webhooks.WebhookView:
    """Switch an address on or off, or end it."""
    return webhooks.switch(ctx, webhook_id, body.state)


@router.get("/webhooks/{webhook_id}/deliveries", dependencies=allows("webhook.read"))
def list_deliveries(webhook_id: int, ctx: Reading) -> tuple[webhooks.DeliveryView, ...]:
    """Return what was told to an address, newest first."""
    return webhooks.deliveries(ctx, webhook_id)
