"""Addresses that a lab has told what happens: kept, switched, given new secrets, and looked over.

What happens is written as deliveries in the transaction of its cause; `webhook_outbox` sends them.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from calib.records.certificates import Certificate
from calib.records.webhooks import EVENTS, Delivery, Webhook
from calib.services.outbox import problem_of
from calib.services.webhook_targets import need_outside, read_target
from instruments.canonical import canonical_json
from instruments.context import Context
from instruments.errors import Conflict, Finding, Invalid, Refused
from instruments.records.parties import Lab
from instruments.services import audit
from instruments.services.factor_secrets import closed_text
from instruments.services.rows import get_row
from instruments.tenancy import LabSession

__all__ = [
    "EVENTS",
    "DeliveryView",
    "Shown",
    "WebhookView",
    "announce_certificate",
    "announce_due",
    "deliveries",
    "list_webhooks",
    "register",
    "renew_secret",
    "switch",
]
MOST = 20
"""Addresses of one lab: everything that happens is written once for each."""
OVERLAP = timedelta(hours=24)
"""How long the secret before goes on signing beside the new one."""
SECRET = "whsec_"  # noqa: S105 -- how a secret begins, so that people know it for one
_STATES = {"on": ("off", "stopped"), "off": ("on", "stopped"), "ended": ("on", "off", "stopped")}
"""What an address can be made, and from what."""


@dataclass(frozen=True, slots=True)
class WebhookView:
    """An address that is told."""

    id: int
    address: str
    events: tuple[str, ...]
    state: str
    failures: int
    made_at: datetime
    first_failed_at: datetime | None
    waiting: int
    """Messages that are not out."""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One message and what became of it."""

    id: int
    event_id: str
    event: str
    state: str
    attempts: int
    status: int | None
    problem: Finding | None
    made_at: datetime
    next_try_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An address with its secret, which is shown this once."""

    id: int
    secret: str


def list_webhooks(ctx: Context) -> tuple[WebhookView, ...]:
    """Return the addresses of the lab that have not ended, the oldest first.

    Raises NotAllowed.
    """
    ctx.need("webhook.read")
    rows = ctx.session.scalars(
        select(Webhook).where(Webhook.state != "ended").order_by(Webhook.id)
    ).all()
    counted = select(Delivery.webhook_id, func.count()).where(
        Delivery.state.in_(("waiting", "sending"))
    )
    counts = ctx.session.execute(counted.group_by(Delivery.webhook_id)).all()
    waiting = {id_: count for id_, count in counts}  # noqa: C416 -- rows are no pairs to mypy
    return tuple(_view(row, waiting.get(row.id, 0)) for row in rows)


def deliveries(ctx: Context, webhook_id: int, *, limit: int = 50) -> tuple[DeliveryView, ...]:
    """Return what was told to an address, newest first.

    Raises NotAllowed, NotFound.
    """
    ctx.need("webhook.read")
    row = get_row(ctx, Webhook, webhook_id, "webhook")
    found = select(Delivery).where(Delivery.webhook_id == row.id)
    return tuple(
        DeliveryView(
            id=one.id,
            event_id=one.event_id,
            event=one.event,
            state=one.state,
            attempts=one.attempts,
            status=one.status,
            problem=problem_of(one.last_error),
            made_at=one.made_at,
            next_try_at=one.next_try_at,
            sent_at=one.sent_at,
        )
        for one in ctx.session.scalars(found.order_by(Delivery.id.desc()).limit(limit))
    )


def register(
    ctx: Context, *, address: str, events: Sequence[str] = EVENTS, loopback: bool = False
) -> Shown:
    """Have an address told; its secret is returned this once.

    Raises NotAllowed, Invalid for an address or event that is none, Refused for one inside.
    """
    ctx.need("webhook.write")
    address = address.strip()
    target = read_target(address, loopback=loopback)
    if target.host.replace(".", "").isdigit() or ":" in target.host:
        need_outside(target.host, [target.host], loopback=loopback)
    chosen = _chosen(events)
    known = ctx.session.scalars(select(Webhook.address).where(Webhook.state != "ended")).all()
    if address in known:
        raise Conflict(
            "webhook-known",
            "The address {address} is told already. Give it a new secret, or end it first.",
            at="/address",
            facts={"address": address},
        )
    if len(known) >= MOST:
        raise Refused(
            "webhooks-too-many",
            "A laboratory has at most {most} addresses told. End one that is not needed.",
            facts={"most": MOST},
        )
    row = Webhook(
        address=address,
        events=" ".join(chosen),
        secret="",
        made_by=ctx.actor.person_id,
        made_at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    secret = _renewed(ctx, row)
    facts = {"address": address, "events": list(chosen)}
    audit.record(ctx, "webhook:webhook:register", "webhook", row.id, facts)
    return Shown(row.id, secret)


def renew_secret(ctx: Context, webhook_id: int) -> Shown:
    """Give an address a new secret, shown this once; the one before signs beside it for a day.

    Raises NotAllowed, NotFound, Conflict when it has ended.
    """
    row = _living(ctx, webhook_id)
    row.old_secret, row.old_ends_at = row.secret, ctx.now + OVERLAP
    secret = _renewed(ctx, row)
    audit.record(ctx, "webhook:webhook:renew_secret", "webhook", row.id, {"address": row.address})
    return Shown(row.id, secret)


def switch(ctx: Context, webhook_id: int, state: str) -> WebhookView:
    """Switch an address on or off, or end it for good; what waits for one that ends is given up.

    Raises NotAllowed, NotFound, Conflict when it is so already, Invalid for another state.
    """
    row = _living(ctx, webhook_id)
    if state not in _STATES:
        raise Invalid(
            "webhook-state-unknown",
            "Got {got}, expected on, off or ended.",
            at="/state",
            facts={"got": state},
        )
    if row.state not in _STATES[state]:
        raise Conflict(
            "webhook-state",
            "The address {address} is {state} already. Look at the list.",
            facts={"address": row.address, "state": state},
        )
    facts = {"address": row.address, "state": [row.state, state]}
    row.state, row.failures, row.first_failed_at = state, 0, None
    waiting = select(Delivery).where(Delivery.webhook_id == row.id, Delivery.state == "waiting")
    for one in ctx.session.scalars(waiting):
        if state == "ended":
            one.state = "given_up"
        elif state == "on":
            one.next_try_at = ctx.now
    if state == "ended":
        row.secret = row.old_secret = ""
    ctx.session.flush()
    audit.record(ctx, "webhook:webhook:switch", "webhook", row.id, facts)
    return _view(row, 0)


def announce_certificate(
    session: LabSession, certificate: Certificate, event: str, now: datetime
) -> None:
    """Write what happened to a certificate for every address that wants to know."""
    amended = event == "issued" and certificate.replaces_id is not None
    name = {"issued": "certificate.amended" if amended else "certificate.issued"}.get(
        event, f"certificate.{event}"
    )
    if name not in EVENTS:
        return
    wanting = _wanting(session, name)
    if not wanting:
        return
    replaced = session.scalar(
        select(Certificate.number).where(Certificate.id == certificate.replaces_id)
    )
    told = {
        "number": certificate.number,
        "code": certificate.token,
        "kind": certificate.kind,
        "performed_on": certificate.performed_on.isoformat(),
        "due_on": certificate.due_on.isoformat() if certificate.due_on else None,
        "verdict": certificate.verdict,
        "replaces": replaced,
    }
    _write(session, wanting, f"{name}:{certificate.id}", name, {"certificate": told}, now)


def announce_due(session: LabSession, due: Collection[tuple[int, str, date]], now: datetime) -> int:
    """Write which instruments fall due, each due date once; return how many are new.

    Each is given by its id, its barcode and the day it falls due.
    """
    name = "instrument.due"
    wanting = _wanting(session, name)
    if not wanting or not due:
        return 0
    rows = select(Delivery.webhook_id, Delivery.event_id).where(Delivery.event == name)
    known = {(webhook_id, event_id) for webhook_id, event_id in session.execute(rows)}
    new = 0
    for instrument_id, barcode, due_on in due:
        event_id = f"{name}:{instrument_id}:{due_on.isoformat()}"
        missing = [one for one in wanting if (one.id, event_id) not in known]
        told = {"id": instrument_id, "barcode": barcode, "due_on": due_on.isoformat()}
        _write(session, missing, event_id, name, {"instrument": told}, now)
        new += len(missing)
    return new


def _write(
    session: LabSession,
    to: Sequence[Webhook],
    event_id: str,
    event: str,
    told: Mapping[str, Any],
    now: datetime,
) -> None:
    if not to:
        return
    lab = session.get_one(Lab, session.lab_id)
    body = canonical_json(
        {
            "id": event_id,
            "event": event,
            "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lab": lab.code,
            **told,
        }
    ).decode()
    session.add_all(
        Delivery(
            webhook_id=one.id,
            event_id=event_id,
            event=event,
            body=body,
            made_at=now,
            next_try_at=now,
        )
        for one in to
    )
    session.flush()


def _wanting(session: LabSession, event: str) -> list[Webhook]:
    rows = session.scalars(
        select(Webhook).where(Webhook.state.in_(("on", "stopped"))).order_by(Webhook.id)
    )
    return [row for row in rows if event in row.events.split()]


def _chosen(events: Sequence[str]) -> tuple[str, ...]:
    unknown = [event for event in events if event not in EVENTS]
    if unknown or not events:
        raise Invalid(
            "webhook-events",
            "Got {got}, expected one or more of {known}.",
            at="/events",
            facts={"got": ", ".join(unknown)[:200] or "none", "known": ", ".join(EVENTS)},
        )
    return tuple(event for event in EVENTS if event in events)


def _living(ctx: Context, webhook_id: int) -> Webhook:
    ctx.need("webhook.write")
    row = get_row(ctx, Webhook, webhook_id, "webhook")
    if row.state == "ended":
        raise Conflict(
            "webhook-ended",
            "The address {address} has ended. Register it anew.",
            facts={"address": row.address},
        )
    return row


def _renewed(ctx: Context, row: Webhook) -> str:
    """Give the row a new secret, which lies closed in it, and return it."""
    secret = SECRET + base64.b64encode(secrets.token_bytes(32)).decode()
    row.secret = closed_text(ctx.session, place_of(row), secret)
    return secret


def place_of(row: Webhook) -> str:
    """Return the place for which the secrets of an address are closed."""
    return f"calib/webhooks/{row.lab_id}/{row.id}"


def _view(row: Webhook, waiting: int) -> WebhookView:
    return WebhookView(
        id=row.id,
        address=row.address,
        events=tuple(row.events.split()),
        state=row.state,
        failures=row.failures,
        made_at=row.made_at,
        first_failed_at=row.first_failed_at,
        waiting=waiting,
    )
