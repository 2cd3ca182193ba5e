"""The outbox: mails that were written with their cause, and are handed to the mail server here.

A mail is marked ``sending`` and committed before the server is spoken to. What a crash leaves in
that state is taken again when its lease ends, under the same Message-ID.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from calib.records.work import Mail
from calib.services.ports import Mailer
from instruments.canonical import canonical_json
from instruments.context import Context
from instruments.errors import Conflict, DomainError, Finding, Refused
from instruments.services import audit
from instruments.services.rows import not_found
from instruments.tenancy import installation_session

Clock = Callable[[], datetime]
LEASE = timedelta(minutes=15)
"""Longer than any server may take over one mail; then whoever claimed it is taken for dead."""
LONGEST_PAUSE = timedelta(hours=6)
GIVE_UP = 3
"""Failures in a row after which the server is left alone until the next sweep."""
log = logging.getLogger("calib.outbox")


@dataclass(frozen=True, slots=True)
class Sent:
    """What one sweep of the outbox did."""

    sent: int
    postponed: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    attempts: int
    recipient: str
    subject: str
    body: str
    message_id: str
    calendar: str | None


def pause_after(attempts: int) -> timedelta:
    """Return how long a mail rests after so many failures: 1, 2, 4 ... minutes, at most 6 hours."""
    return min(timedelta(minutes=2 ** min(attempts - 1, 20)), LONGEST_PAUSE)


def send_waiting(engine: Engine, mailer: Mailer, clock: Clock, *, limit: int = 500) -> Sent:
    """Send what is waiting, one by one, until nothing is left or the server keeps failing."""
    sent = postponed = refused = in_a_row = 0
    while sent + postponed + refused < limit and in_a_row < GIVE_UP:
        mail = _claim(engine, clock())
        if mail is None:
            break
        try:
            mailer.send(
                recipient=mail.recipient,
                subject=mail.subject,
                body=mail.body,
                message_id=mail.message_id,
                calendar=mail.calendar,
            )
        except Refused as problem:
            _refuse(engine, mail, problem)
            refused += 1
            in_a_row = 0
        except Exception as problem:  # noqa: BLE001 -- one bad mail must not stop the others
            _postpone(engine, mail, problem, clock())
            postponed += 1
            in_a_row += 1
        else:
            _sent(engine, mail, clock())
            sent += 1
            in_a_row = 0
    return Sent(sent, postponed, refused)


def _claim(engine: Engine, now: datetime) -> _Claimed | None:
    """Take the mail that has waited longest, so that nobody else takes it while the lease runs."""
    with installation_session(engine) as session:
        mail = session.scalars(
            select(Mail)
            .where(Mail.state.in_(("waiting", "sending")), Mail.next_try_at <= now)
            .order_by(Mail.next_try_at, Mail.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if mail is None:
            return None
        mail.state = "sending"
        mail.attempts += 1
        mail.next_try_at = now + LEASE
        return _Claimed(
            id=mail.id,
            attempts=mail.attempts,
            recipient=mail.recipient,
            subject=mail.subject,
            body=mail.body,
            message_id=mail.message_id,
            calendar=mail.calendar,
        )


def _sent(engine: Engine, claimed: _Claimed, now: datetime) -> None:
    with installation_session(engine) as session:
        mail = session.get_one(Mail, claimed.id, with_for_update=True)
        mail.state = "sent"
        mail.sent_at = now
        mail.last_error = ""


def _refuse(engine: Engine, claimed: _Claimed, problem: Refused) -> None:
    with installation_session(engine) as session:
        mail = session.get_one(Mail, claimed.id, with_for_update=True)
        if _is_still_ours(mail, claimed):
            mail.state = "refused"
            mail.last_error = kept_problem(problem)


def _postpone(engine: Engine, claimed: _Claimed, problem: Exception, now: datetime) -> None:
    if not isinstance(problem, DomainError):
        log.error("mail %d failed in an unknown way", claimed.id, exc_info=problem)
        problem = DomainError(
            "mail-failed",
            "The mail to {recipient} failed in an unknown way ({kind}). It is tried again; "
            "the log of the worker says more.",
            facts={"recipient": claimed.recipient, "kind": type(problem).__name__},
        )
    with installation_session(engine) as session:
        mail = session.get_one(Mail, claimed.id, with_for_update=True)
        if _is_still_ours(mail, claimed):
            mail.state = "waiting"
            mail.next_try_at = now + pause_after(mail.attempts)
            mail.last_error = kept_problem(problem)


def _is_still_ours(mail: Mail, claimed: _Claimed) -> bool:
    """Answer whether nobody claimed the mail anew after our lease had ended."""
    return mail.state == "sending" and mail.attempts == claimed.attempts


def kept_problem(problem: DomainError) -> str:
    """Return the problem as text that can still be translated when it is shown."""
    facts = {name: str(value) for name, value in problem.facts.items()}
    return canonical_json(
        {"code": problem.code, "facts": facts, "message": problem.message}
    ).decode()


def problem_of(last_error: str) -> Finding | None:
    """Return the last problem of a mail as a finding; None when there was none."""
    if not last_error:
        return None
    kept = json.loads(last_error)
    return Finding(code=kept["code"], message=kept["message"], facts=kept["facts"])


@dataclass(frozen=True, slots=True)
class FailedMail:
    """A mail that is not out and why."""

    id: int
    recipient: str
    subject: str
    state: str
    attempts: int
    made_at: datetime
    next_try_at: datetime
    problem: Finding | None


def failed_mails(ctx: Context, *, limit: int = 20) -> tuple[FailedMail, ...]:
    """Return mails that were refused, or failed at least once and wait, newest first."""
    rows = ctx.session.scalars(
        select(Mail)
        .where(Mail.state.in_(("waiting", "sending", "refused")), Mail.last_error != "")
        .order_by(Mail.id.desc())
        .limit(limit)
    )
    return tuple(
        FailedMail(
            id=mail.id,
            recipient=mail.recipient,
            subject=mail.subject,
            state=mail.state,
            attempts=mail.attempts,
            made_at=mail.made_at,
            next_try_at=mail.next_try_at,
            problem=problem_of(mail.last_error),
        )
        for mail in rows
    )


def send_again(ctx: Context, mail_id: int) -> None:
    """Put a refused mail back into the outbox, after its address was set right at the server.

    Raises
    ------
    NotFound
        There is no such mail.
    Conflict
        The mail was not refused.
    """
    ctx.need("mail.resend")
    mail = ctx.session.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise not_found("mail", mail_id)
    if mail.state != "refused":
        raise Conflict(
            "mail-not-refused",
            "The mail to {recipient} was not refused (it is {state}): nothing to send again.",
            facts={"recipient": mail.recipient, "state": mail.state},
        )
    mail.state = "waiting"
    mail.next_try_at = ctx.now
    audit.record(ctx, "mail:mail:send-again", "mail", mail.id, {"recipient": mail.recipient})
