"""Choosing a password by a link in a mail: the first one (invitation), or for one forgotten.

Whoever asks learns nothing: for every address the same one row is written, and only later, out of
their sight, is looked up whether it has an account. A link works once and for a limited time; of
its token only a hash is kept. The second factor stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, cast

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from instruments.errors import NotAllowed
from instruments.records.audit import AuditEvent
from instruments.records.links import AccountLink, Letter
from instruments.records.parties import ApiToken, Person, SignIn
from instruments.services import audit, throttle
from instruments.services.accounts import labs_of
from instruments.services.secrets import hash_password, new_token, token_hash
from instruments.services.security_notices import Notice, tell
from instruments.tenancy import InstallationSession

Purpose = Literal["reset", "invitation"] | Notice
LIFE: dict[str, timedelta] = {"reset": timedelta(hours=1), "invitation": timedelta(days=7)}
"""Of the links; the other mails have none."""
LETTER_LIFE = timedelta(days=7)
MOST_BY_ORIGIN = 100
"""Waiting at once that one network address asked for; what is above is dropped in silence."""
MOST_BY_PERSON = 3
"""Links for a forgotten password within an hour; what is above is dropped in silence."""
LEASE = timedelta(minutes=15)
LINK = "calib_l_"
LONGEST_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class Due:
    """A mail that is to be sent now."""

    letter_id: int
    purpose: Purpose
    address: str
    name: str
    language: str
    token: str
    """For the link; empty where there is none."""
    expires_at: datetime
    asked_at: datetime


def ask(session: Session, purpose: Purpose, address: str, *, origin: str, now: datetime) -> None:
    """Put a mail to an address into the queue, whether it has an account or not."""
    waiting = select(func.count()).select_from(Letter).where(Letter.origin == origin)
    if origin and int(session.scalar(waiting) or 0) >= MOST_BY_ORIGIN:
        return
    session.add(
        Letter(
            purpose=purpose,
            address=_plain(address),
            origin=origin,
            asked_at=now,
            next_try_at=now,
        )
    )
    session.flush()


def claim(session: InstallationSession, now: datetime) -> Due | None:
    """Take the mail that has waited longest and make its link; None when none waits.

    What is to nobody, too old or too often asked for is thrown away on the way.
    """
    while True:
        letter = session.scalars(
            select(Letter)
            .where(Letter.next_try_at <= now)
            .order_by(Letter.next_try_at, Letter.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if letter is None:
            return None
        due = _due(session, letter, now)
        if due is not None:
            letter.attempts += 1
            letter.next_try_at = now + LEASE
            return due
        session.delete(letter)
        session.flush()


def sent(session: InstallationSession, letter_id: int) -> None:
    """Forget a mail that was sent, or that no server will ever take."""
    session.execute(delete(Letter).where(Letter.id == letter_id))


def is_open(session: Session, token: str, now: datetime) -> bool:
    """Answer whether a link may still be used."""
    return session.scalar(select(AccountLink.id).where(*_usable(token, now))) is not None


def choose_password(
    session: InstallationSession, token: str, password: str, *, now: datetime
) -> None:
    """Set the password of whose link it is; sign-ins, tokens and other links of theirs end.

    Raises Invalid when the password is weak (the link stays), NotAllowed when the link was used,
    is too old, or never was.
    """
    kept = hash_password(password)
    person_id = session.scalar(select(AccountLink.person_id).where(*_usable(token, now)))
    link = update(AccountLink)  # house: bulk -- a link is used once: two at once get one yes
    done = session.execute(link.where(*_usable(token, now)).values(used_at=now))
    person = session.get(Person, person_id) if person_id is not None else None
    if done.rowcount != 1 or person is None or not person.is_active:  # type: ignore[attr-defined]
        raise gone()
    person.password_hash = kept
    use_up(session, person.id, now)
    throttle.forget(session, person.email)
    tell(session, person.id, "changed", now)
    act = "registry:person:choose_password"
    trail(session, person.id, act, now, before=partial(_end_entries, session, person.id, now))


def use_up(session: InstallationSession, person_id: int, now: datetime) -> None:
    """Let no link of a person work any more."""
    links = select(AccountLink).where(
        AccountLink.person_id == person_id, AccountLink.used_at.is_(None)
    )
    for row in session.scalars(links).all():
        row.used_at = now
    session.flush()


def _end_entries(session: InstallationSession, person_id: int, now: datetime, lab_id: int) -> None:
    """End what was opened in a lab: whoever had the password may have made a token with it."""
    for table in (SignIn, ApiToken):
        mine = select(table).where(
            table.person_id == person_id, table.lab_id == lab_id, table.ended_at.is_(None)
        )
        for row in cast("Sequence[SignIn | ApiToken]", session.scalars(mine).all()):
            row.ended_at = now


def gone() -> NotAllowed:
    """Return the one answer to every link that does not work."""
    return NotAllowed(
        "link-gone",
        "This link was used already, or is too old. Ask for a new one under Password forgotten.",
    )


def _due(session: InstallationSession, letter: Letter, now: datetime) -> Due | None:
    person = session.scalars(select(Person).where(Person.email == letter.address)).one_or_none()
    life = LIFE.get(letter.purpose)
    if person is None or not person.is_active or now >= letter.asked_at + (life or LETTER_LIFE):
        return None
    due = Due(
        letter.id,
        cast("Purpose", letter.purpose),
        person.email,
        person.name,
        person.language,
        new_token(LINK) if life else "",
        now + (life or timedelta(0)),
        letter.asked_at,
    )
    if life is None:
        return due
    lately = (
        select(func.count())
        .select_from(AccountLink)
        .where(
            AccountLink.person_id == person.id,
            AccountLink.purpose == "reset",
            AccountLink.made_at > now - timedelta(hours=1),
        )
    )
    if letter.purpose == "reset" and int(session.scalar(lately) or 0) >= MOST_BY_PERSON:
        return None
    session.add(
        AccountLink(
            person_id=person.id,
            purpose=letter.purpose,
            token_sha256=token_hash(due.token),
            made_at=now,
            expires_at=due.expires_at,
            used_at=None,
        )
    )
    trail(session, person.id, "registry:person:send_link", now, purpose=letter.purpose)
    return due


def _usable(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        AccountLink.token_sha256 == token_hash(token),
        AccountLink.used_at.is_(None),
        AccountLink.expires_at > now,
    )


def trail(
    session: InstallationSession,
    person_id: int,
    act: str,
    now: datetime,
    before: Callable[[int], None] | None = None,
    **facts: str,
) -> None:
    """Write an act, which is nobody's in a lab, into the trail of every lab of the person.

    `before` changes what is each lab's own, so that its trail alone tells it.
    """
    for lab in labs_of(session, person_id):
        if before is not None:
            before(lab.id)
        event = AuditEvent(
            lab_id=lab.id,
            happened_at=now,
            person_id=None,
            act=act,
            object_kind="person",
            object_id=person_id,
            facts=facts,
            request_id="",
        )
        audit.append(session, event)


def _plain(address: str) -> str:
    """Return what was typed without what no address holds, which a database would refuse."""
    seen = "".join(c for c in address.strip().lower() if c.isprintable())
    return seen[:LONGEST_ADDRESS]
