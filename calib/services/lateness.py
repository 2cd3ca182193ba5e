"""What waits longer than it ever should: messages that are not out, lines that are not published.

And the clock: it must not stand before what already happened. Counts and spans only, of no lab.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calib.records.certificates import LedgerLeaf
from calib.records.webhooks import Delivery, Webhook
from calib.records.work import Mail
from instruments.records.audit import AuditEvent

STUCK = timedelta(minutes=30)
"""How long something may lie in an outbox once its turn has come; it is swept each minute."""
PUBLISHED_WITHIN = timedelta(minutes=2)
AHEAD = timedelta(minutes=2)
"""How far what happened may lie ahead of the clock; two hosts never agree on the second."""
_OPEN = ("waiting", "sending")


def outbox_waits(session: Session, now: datetime) -> timedelta:
    """Return how long the oldest mail or message has been waiting since its turn came."""
    mails = select(func.min(Mail.next_try_at)).where(Mail.state.in_(_OPEN))
    messages = (
        select(func.min(Delivery.next_try_at))
        .join(Webhook, (Webhook.id == Delivery.webhook_id) & (Webhook.lab_id == Delivery.lab_id))
        .where(Delivery.state.in_(_OPEN), Webhook.state == "on")
    )
    oldest = [at for at in (session.scalar(mails), session.scalar(messages)) if at is not None]
    return max(now - min(oldest), timedelta(0)) if oldest else timedelta(0)


def unpublished(session: Session, published: int, now: datetime) -> int:
    """Return how many lines of the ledger wait longer for a signed head than they should."""
    waiting = select(func.count()).where(
        LedgerLeaf.place >= published, LedgerLeaf.added_at <= now - PUBLISHED_WITHIN
    )
    return session.scalar(waiting) or 0


def clock_behind(session: Session, now: datetime) -> timedelta:
    """Return how far the clock stands before the newest act of the trail; 0: it does not."""
    newest: datetime | None = session.scalar(select(func.max(AuditEvent.happened_at)))
    if newest is None or newest <= now + AHEAD:
        return timedelta(0)
    return newest - now
