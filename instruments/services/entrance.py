"""Signing in at the door of the pages: slowed down after failures, holding no transaction.

Trying a password takes long on purpose; writers of the database must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from instruments.errors import NotAllowed
from instruments.records.parties import Person
from instruments.services import challenges, denials, passkeys, second_factor, signin, throttle
from instruments.services.secrets import is_password
from instruments.tenancy import InstallationSession, installation_session


def enter(  # noqa: PLR0913 -- what is typed, where it comes from, who is told
    engine: Engine,
    *,
    email: str,
    password: str,
    lab_code: str | None,
    origin: str,
    clock: Callable[[], datetime],
    agent: str = "",
    code: str = "",
    halfway: Callable[[InstallationSession, int], None] | None = None,
) -> signin.SignedIn:
    """Open a sign-in, or write down that the attempt failed; `origin` is where it comes from.

    `halfway` is told whose password fitted when the second factor is still missing.

    Raises NotAllowed after too many failures and where the second factor is missing or wrong, and
    whatever `signin.sign_in` raises.
    """
    with told(engine, email, lab_code, origin, clock):
        with installation_session(engine, read_only=True) as session:
            throttle.need_calm(session, email, origin, clock())
            claim = signin.claim_of(session, email)
        fits = is_password(password, claim.password_hash)
        with installation_session(engine) as session:
            known = claim.person_id if fits else None
            if known is not None and second_factor.passes(session, known, code, clock()):
                throttle.forget(session, email)
                return signin.open_sign_in(session, known, lab_code, clock(), agent)
            if known is None or code.strip():  # who has not typed a code has not guessed one
                throttle.note_failure(session, email, origin, clock())
            elif halfway is not None:
                halfway(session, known)
        raise signin.wrong() if known is None else second_factor.missing(code)


def begin_by_passkey(
    session: Session,
    party: passkeys.Party,
    bound: str,
    *,
    person_id: int | None,
    origin: str,
    now: datetime,
) -> str:
    """Return what the browser that holds the secret `bound` is asked, as JSON.

    With a person it is the second factor after the password; without, it stands for both.

    Raises NotAllowed when too many wait that the same network address asked for.
    """
    purpose: challenges.Purpose = "sign-in" if person_id is None else "second-factor"
    challenge = challenges.give(
        session, purpose, bound, person_id=person_id, origin=origin, now=now
    )
    return passkeys.begin_assertion(session, party, person_id, challenge)


def enter_by_passkey(
    engine: Engine,
    party: passkeys.Party,
    bound: str,
    response: str,
    *,
    purpose: challenges.Purpose,
    lab_code: str | None,
    clock: Callable[[], datetime],
    agent: str = "",
) -> signin.SignedIn:
    """Open a sign-in by what a passkey signed.

    Raises NotAllowed when no challenge waits or the answer is not right, and what
    `signin.open_sign_in` raises.
    """
    with told(engine, "", lab_code, "", clock):
        with installation_session(engine) as session:
            taken = challenges.take(session, purpose, bound, clock())
        with installation_session(engine) as session:
            owner, _ = passkeys.check_assertion(
                session, party, taken.person_id, taken.challenge, response, now=clock()
            )
            person = session.get_one(Person, owner)
            if not person.is_active:
                raise passkeys.wrong()
            throttle.forget(session, person.email)
            return signin.open_sign_in(session, owner, lab_code, clock(), agent, "passkey")


@contextmanager
def told(
    engine: Engine, email: str, lab_code: str | None, origin: str, clock: Callable[[], datetime]
) -> Iterator[None]:
    """Tell the trail of an attempt that was refused, once nothing of it is held any more."""
    try:
        yield
    except NotAllowed as refusal:
        denials.tell_sign_in(engine, email, lab_code, origin, refusal.code, clock())
        raise
