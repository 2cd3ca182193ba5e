"""Signing in through an identity provider: whose account it is, and when that is enough.

Knows no web: what the provider says comes checked, through the `Provider` it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import Conflict, NotAllowed
from instruments.records.identities import LinkedIdentity
from instruments.records.parties import Person
from instruments.services import audit, provider_flows, second_factor, signin, throttle
from instruments.services.entrance import told
from instruments.services.links import trail, use_up
from instruments.services.provider_flows import Flow
from instruments.services.rows import not_found
from instruments.services.security_notices import tell
from instruments.tenancy import InstallationSession, installation_session


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider says of whoever signed in there, its signature checked."""

    issuer: str
    subject: str
    email: str
    """Lower case; empty unless the provider says that it verified it."""
    has_factor: bool
    """Whether it says that it saw a second factor, in the words the operator named."""

    @property
    def subject_sha256(self) -> str:
        """Return the name under which an account is linked."""
        return hashlib.sha256(f"{self.issuer}\n{self.subject}".encode()).hexdigest()


class Provider(Protocol):
    """The identity provider of this installation."""

    @property
    def name(self) -> str:
        """What people call it."""

    def address(self, flow: Flow, now: datetime) -> str:
        """Return where the browser is sent to sign in; raises Unavailable when it is silent."""

    def redeem(self, flow: Flow, code: str, issuer: str, now: datetime) -> Answer:
        """Return what the provider says for a code; `issuer` as the browser brought it, or empty.

        Raises NotAllowed for whatever is not right, Unavailable when the provider is silent.
        """


@dataclass(frozen=True, slots=True)
class Waits:
    """What the person is still asked: to confirm the account, or for its second factor."""

    flow: Flow
    email: str


Outcome = signin.SignedIn | Waits


def begin(engine: Engine, flow: Flow, bound: str, *, origin: str, now: datetime) -> None:
    """Let a sign-in through the provider wait for this browser.

    Raises NotAllowed when too many wait.
    """
    with installation_session(engine) as session:
        provider_flows.put(session, flow, bound, origin=origin, now=now)


def enter(  # noqa: PLR0913 -- what came back, where from, who is told
    engine: Engine,
    provider: Provider,
    *,
    state: str,
    bound: str,
    code: str,
    issuer: str,
    origin: str,
    clock: Callable[[], datetime],
    agent: str = "",
) -> tuple[Outcome, str]:
    """Open a sign-in by what the provider says, or return what is still asked; and the way on.

    Raises NotAllowed when the answer is not right or opens no account, and what
    `signin.open_sign_in` raises.
    """
    with told(engine, "", None, origin, clock):
        with installation_session(engine) as session:
            flow = provider_flows.take(session, ("sign-in",), state, bound, clock())
        answer = provider.redeem(flow, code, issuer, clock())
        with installation_session(engine) as session:
            known = _linked(session, answer)
            waits = _waits(session, flow, answer, known)
            if waits is not None:
                provider_flows.put(session, waits.flow, bound, origin=origin, now=clock())
                return waits, flow.next_path
            assert known is not None  # noqa: S101 -- `_waits` refused everybody else
            flow = replace(flow, person_id=known.id, has_factor=answer.has_factor)
            return _open(session, flow, clock(), agent), flow.next_path


def finish(
    engine: Engine,
    *,
    state: str,
    bound: str,
    code: str,
    origin: str,
    clock: Callable[[], datetime],
    agent: str = "",
) -> tuple[signin.SignedIn, str]:
    """Open a sign-in once the account was confirmed, or its second factor shown.

    Raises NotAllowed when the step is gone or the code is wrong, and what `signin.open_sign_in`
    raises.
    """
    with told(engine, "", None, origin, clock):
        with installation_session(engine) as session:
            flow = provider_flows.take(session, ("confirm", "factor"), state, bound, clock())
            person = session.get(Person, flow.person_id)
            if person is None or not person.is_active:
                raise unknown()
            email = person.email
            throttle.need_calm(session, email, origin, clock())
        with installation_session(engine) as session:
            if flow.step == "confirm":
                _link_first(session, flow, clock())
                return _open(session, flow, clock(), agent), flow.next_path
            if second_factor.passes(session, flow.person_id or 0, code, clock()):
                throttle.forget(session, email)
                return _open(session, flow, clock(), agent), flow.next_path
            throttle.note_failure(session, email, origin, clock())
        raise second_factor.missing(code)


def link(ctx: Context, answer: Answer) -> None:
    """Let the provider open the actor's account from now on.

    Whoever calls has seen to it that the actor showed who they are.

    Raises Conflict when that identity opens an account already, or the account has another one.
    """
    ctx.need("account.change")
    own = ctx.actor.person_id
    _need_free(ctx.session, own, answer.subject_sha256)
    _add(ctx.session, own, answer.subject_sha256, ctx.now)
    audit.record(ctx, "registry:identity:link", "person", own, {"issuer": answer.issuer})


def unlink(ctx: Context) -> None:
    """Let the provider open the actor's account no more.

    Whoever calls has seen to it that the actor showed who they are.

    Raises NotFound when it does not.
    """
    ctx.need("account.change")
    row = _of(ctx.session, ctx.actor.person_id)
    if row is None:
        raise not_found("identity", ctx.actor.person_id)
    ctx.session.delete(row)
    ctx.session.flush()
    tell(ctx.session, row.person_id, "identity-removed", ctx.now)
    audit.record(ctx, "registry:identity:unlink", "person", row.person_id, {})


def is_linked(ctx: Context) -> bool:
    """Answer whether the provider opens the actor's account."""
    ctx.need("account.read")
    return _of(ctx.session, ctx.actor.person_id) is not None


def unknown() -> NotAllowed:
    """Return the one answer to an identity that opens no account here."""
    return NotAllowed(
        "identity-unknown",
        "This identity opens no account here. Who has an account signs in as before and connects "
        "it under Your account; who has none asks a lab manager for an invitation.",
    )


def _linked(session: InstallationSession, answer: Answer) -> Person | None:
    found = (
        select(Person)
        .join(LinkedIdentity, LinkedIdentity.person_id == Person.id)
        .where(LinkedIdentity.subject_sha256 == answer.subject_sha256)
    )
    return session.scalars(found).one_or_none()


def _waits(
    session: InstallationSession, flow: Flow, answer: Answer, known: Person | None
) -> Waits | None:
    """Return what is still asked; None when the provider's word is enough."""
    person = known or _invited(session, answer.email)
    if person is None or not person.is_active:
        raise unknown()
    given = {
        "person_id": person.id,
        "subject_sha256": answer.subject_sha256,
        "has_factor": answer.has_factor,
        "lab_code": flow.lab_code,
        "next_path": flow.next_path,
    }
    if known is None:
        return Waits(provider_flows.begun("confirm", **given), person.email)
    if second_factor.is_asked_for(session, person.id) and not answer.has_factor:
        return Waits(provider_flows.begun("factor", **given), person.email)
    return None


def _invited(session: InstallationSession, email: str) -> Person | None:
    """Return whose account waits for its first sign-in under this verified address.

    An account with a password or a second factor is linked from within alone: a provider that gives
    an address to somebody new gives them nothing here.
    """
    if not email:
        return None
    person = session.scalars(select(Person).where(Person.email == email)).one_or_none()
    return person if person is not None and _is_fresh(session, person) else None


def _is_fresh(session: InstallationSession, person: Person) -> bool:
    secured = person.password_hash or second_factor.is_asked_for(session, person.id)
    return not secured and _of(session, person.id) is None


def _link_first(session: InstallationSession, flow: Flow, now: datetime) -> None:
    person = session.get_one(Person, flow.person_id)
    if not _is_fresh(session, person):
        raise unknown()
    _need_free(session, person.id, flow.subject_sha256)
    _add(session, person.id, flow.subject_sha256, now)
    use_up(session, person.id, now)
    trail(session, person.id, "registry:identity:link", now)


def _open(session: InstallationSession, flow: Flow, now: datetime, agent: str) -> signin.SignedIn:
    """Open the sign-in; whoever has nothing else to show who they are has just shown it."""
    person = session.get_one(Person, flow.person_id)
    row = _of(session, person.id)
    if row is not None:
        row.used_at = now
    opened = signin.open_sign_in(session, person.id, flow.lab_code or None, now, agent, "provider")
    has_other = person.password_hash or second_factor.is_asked_for(session, person.id)
    signin.mark(
        session,
        opened.token,
        has_factor=flow.has_factor,
        proved_at=None if has_other else now,
    )
    return opened


def _need_free(session: Session, person_id: int, subject_sha256: str) -> None:
    taken = (LinkedIdentity.person_id == person_id) | (
        LinkedIdentity.subject_sha256 == subject_sha256
    )
    if session.scalar(select(LinkedIdentity.id).where(taken)) is not None:
        raise Conflict(
            "identity-taken",
            "This identity opens an account already, or this account is opened by another one. "
            "Disconnect that first.",
        )


def _add(session: Session, person_id: int, subject_sha256: str, now: datetime) -> None:
    row = LinkedIdentity(
        person_id=person_id, subject_sha256=subject_sha256, linked_at=now, used_at=None
    )
    session.add(row)
    session.flush()
    tell(session, person_id, "identity-added", now)


def _of(session: Session, person_id: int) -> LinkedIdentity | None:
    found = select(LinkedIdentity).where(LinkedIdentity.person_id == person_id)
    return session.scalars(found).one_or_none()
