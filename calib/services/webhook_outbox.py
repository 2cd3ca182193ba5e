"""What waits for addresses is sent here, signed; whoever fails again and again is stopped.

A message is marked ``sending`` and committed before anybody is spoken to. What a crash leaves in
that state is sent again when its lease ends, under the same id, by which receivers know it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from calib.i18n import translate
from calib.records.webhooks import Delivery, Webhook
from calib.records.work import Mail
from calib.services.outbox import LEASE, Sent, kept_problem, pause_after
from calib.services.ports import Courier
from calib.services.webhooks import SECRET, place_of
from instruments.errors import DomainError, Refused, Unavailable
from instruments.records.audit import AuditEvent
from instruments.records.parties import Lab
from instruments.services import audit
from instruments.services.factor_secrets import opened_text
from instruments.tenancy import InstallationSession, installation_session

Clock = Callable[[], datetime]
MOST_ATTEMPTS = 12
"""Of one message; a day and a half with the pauses between."""
STOP_AFTER = 15
"""Failures in a row, of whatever messages, after which an address is told nothing more."""
log = logging.getLogger("calib.webhooks")


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    attempts: int
    webhook_id: int
    address: str
    event_id: str
    body: bytes
    secrets: tuple[str, ...]


def signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message: HMAC-SHA256 over its id, its instant and its body."""
    key = base64.b64decode(secret.removeprefix(SECRET))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send_deliveries(
    engine: Engine, courier: Courier, clock: Clock, *, limit: int = 200, public_url: str = ""
) -> Sent:
    """Send what waits; an address that fails is left alone until the next sweep."""
    sent = postponed = refused = 0
    failing: set[int] = set()
    while sent + postponed + refused < limit:
        claimed = _claim(engine, clock(), failing)
        if claimed is None:
            break
        status, failure = _attempt(courier, claimed, clock())
        if failure is None:
            _sent(engine, claimed, status, clock())
            sent += 1
            continue
        failing.add(claimed.webhook_id)
        if _failed(engine, claimed, status, failure, clock(), public_url):
            refused += 1
        else:
            postponed += 1
    return Sent(sent, postponed, refused)


def _attempt(
    courier: Courier, claimed: _Claimed, now: datetime
) -> tuple[int | None, DomainError | None]:
    """Return what was answered, and what went wrong; None: nothing."""
    if not claimed.secrets:
        return None, Unavailable(
            "webhook-secret-closed",
            "The secret of this address cannot be opened: the key of this installation is another "
            "one since. Give the address a new secret, and tell its receiver.",
        )
    try:
        status = courier.send(claimed.address, claimed.body, _headers(claimed, now))
    except Exception as problem:  # noqa: BLE001 -- one bad address must not stop the others
        return None, _known(problem, claimed)
    return status, None if 200 <= status < 300 else _answered(claimed, status)


def _headers(claimed: _Claimed, now: datetime) -> Mapping[str, str]:
    timestamp = str(int(now.timestamp()))
    signed = (signature(s, claimed.event_id, timestamp, claimed.body) for s in claimed.secrets)
    return {
        "Webhook-Id": claimed.event_id,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": " ".join(signed),
    }


def _claim(engine: Engine, now: datetime, without: set[int]) -> _Claimed | None:
    """Take the message that has waited longest, so that nobody else takes it meanwhile."""
    with installation_session(engine) as session:
        row = session.execute(
            select(Delivery, Webhook)
            .join(
                Webhook,
                (Webhook.id == Delivery.webhook_id) & (Webhook.lab_id == Delivery.lab_id),
            )
            .where(
                Delivery.state.in_(("waiting", "sending")),
                Delivery.next_try_at <= now,
                Webhook.state == "on",
                Webhook.id.not_in(without),
            )
            .order_by(Delivery.next_try_at, Delivery.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=Delivery)
        ).one_or_none()
        if row is None:
            return None
        delivery, webhook = row.Delivery, row.Webhook
        delivery.state = "sending"
        delivery.attempts += 1
        delivery.next_try_at = now + LEASE
        old = webhook.old_secret if webhook.old_ends_at and now < webhook.old_ends_at else ""
        return _Claimed(
            id=delivery.id,
            attempts=delivery.attempts,
            webhook_id=webhook.id,
            address=webhook.address,
            event_id=delivery.event_id,
            body=delivery.body.encode(),
            secrets=_opened(session, webhook, (webhook.secret, old) if old else (webhook.secret,)),
        )


def _opened(session: Session, webhook: Webhook, kept: tuple[str, ...]) -> tuple[str, ...]:
    """Return the secrets that can be opened: none without the key they were closed with."""
    found = (opened_text(session, place_of(webhook), one) for one in kept)
    return tuple(one for one in found if one is not None)


def _sent(engine: Engine, claimed: _Claimed, status: int | None, now: datetime) -> None:
    with installation_session(engine) as session:
        delivery = session.get_one(Delivery, claimed.id, with_for_update=True)
        delivery.state, delivery.status, delivery.last_error = "sent", status, ""
        delivery.sent_at = now
        webhook = session.get_one(Webhook, claimed.webhook_id, with_for_update=True)
        webhook.failures, webhook.first_failed_at = 0, None


def _failed(
    engine: Engine,
    claimed: _Claimed,
    status: int | None,
    failure: DomainError,
    now: datetime,
    public_url: str,
) -> bool:
    """Write down that an attempt failed; return whether the message is given up."""
    with installation_session(engine) as session:
        delivery = session.get_one(Delivery, claimed.id, with_for_update=True)
        if delivery.state != "sending" or delivery.attempts != claimed.attempts:
            return False  # somebody claimed it anew after our lease had ended
        given_up = delivery.attempts >= MOST_ATTEMPTS
        delivery.state = "given_up" if given_up else "waiting"
        delivery.next_try_at = now + pause_after(delivery.attempts)
        delivery.status, delivery.last_error = status, kept_problem(failure)
        webhook = session.get_one(Webhook, claimed.webhook_id, with_for_update=True)
        webhook.failures += 1
        webhook.first_failed_at = webhook.first_failed_at or now
        if webhook.state == "on" and webhook.failures >= STOP_AFTER:
            webhook.state = "stopped"
            _tell_stopped(session, webhook, now, public_url)
        return given_up


def _tell_stopped(
    session: InstallationSession, webhook: Webhook, now: datetime, public_url: str
) -> None:
    """Tell the lab by mail and in the trail that an address is told nothing more."""
    facts = {"address": webhook.address, "count": webhook.failures}
    audit.append(
        session,
        AuditEvent(
            lab_id=webhook.lab_id,
            happened_at=now,
            person_id=None,
            act="webhook:webhook:stop",
            object_kind="webhook",
            object_id=webhook.id,
            facts=facts,
        ),
    )
    lab = session.get_one(Lab, webhook.lab_id)
    if not lab.email:
        return
    page = f"{public_url.rstrip('/')}/lab/webhooks"
    said = translate(
        "Calib told {address} what happens, and {count} attempts in a row failed. It is told "
        "nothing more until somebody switches it on again; what happens meanwhile waits. "
        "See {page}.",
        lab.language,
        **facts,
        page=page,
    )
    host = urlsplit(public_url).hostname or "calib.invalid"
    session.add(
        Mail(
            lab_id=webhook.lab_id,
            recipient=lab.email,
            subject=translate("An address is no longer told", lab.language),
            body=said,
            calendar=None,
            message_id=f"<{secrets.token_hex(16)}@{host}>",
            made_at=now,
            next_try_at=now,
        )
    )


def _answered(claimed: _Claimed, status: int) -> DomainError:
    return Refused(
        "webhook-refused",
        "{address} answered {status} instead of 2xx. It is tried again; redirects are not "
        "followed.",
        facts={"address": claimed.address, "status": status},
    )


def _known(problem: Exception, claimed: _Claimed) -> DomainError:
    if isinstance(problem, DomainError):
        return problem
    log.error("delivery %d failed in an unknown way", claimed.id, exc_info=problem)
    return DomainError(
        "webhook-failed",
        "Sending to {address} failed in an unknown way ({kind}). It is tried again; the log of "
        "the worker says more.",
        facts={"address": claimed.address, "kind": type(problem).__name__},
    )
