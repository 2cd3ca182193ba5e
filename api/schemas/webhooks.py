"""Addresses that are told, on the wire."""

from __future__ import annotations

from pydantic import Field

from api.schemas.wire import Wire, Words


class NewWebhook(Wire):
    """An address that is to be told."""

    address: Words
    events: list[Words] = Field(min_length=1, max_length=20)


class WebhookState(Wire):
    """What an address is to be."""

    state: Words
    """on, off or ended."""
