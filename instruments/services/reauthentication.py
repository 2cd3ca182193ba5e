"""Somebody who is signed in proves once more who they are, before an act of weight.

Happens outside the act's transaction: trying a password takes long on purpose, and a failed try
must stay written down when the act is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from instruments.errors import DomainError, NotAllowed
from instruments.records.parties import Person
from instruments.services import passkeys, second_factor, throttle
from instruments.services.passkeys import Party
from instruments.services.secrets import is_password
from instruments.tenancy import installation_session


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person gives to prove who they are."""

    challenge: str
    """Token of what they were asked to sign."""
    password: str = ""
    code: str = ""
    assertion: str = ""
    """What a passkey answered, as the browser's JSON; empty: password and code."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a person proved who they are, for one challenge, in one session."""

    challenge: str
    person_id: int
    session_sha256: str
    way: str = ""
    """``password``, ``password+code`` or ``passkey``."""
    evidence: Mapping[str, object] = field(default_factory=dict)
    fault: DomainError | None = None
    """Why it was not proved; raised by the act, so that its door can show it in place."""

    def need(self) -> None:
        """Raise what was wrong."""
        if self.fault is not None:
            raise self.fault


@dataclass(frozen=True, slots=True)
class Asker:
    """Who proves, in which session, from where, at which installation."""

    person_id: int
    session_sha256: str
    origin: str
    party: Party | None
    """None: browsers make no passkeys for this installation."""


def prove(
    engine: Engine,
    asker: Asker,
    answer: Answer,
    signed: bytes | None,
    clock: Callable[[], datetime],
) -> Proof:
    """Return the proof, with its fault where there is one; `signed` is what a passkey signs."""
    try:
        if answer.assertion:
            way, evidence = _by_passkey(engine, asker, answer, signed, clock)
        else:
            way, evidence = _by_password(engine, asker, answer, clock)
    except DomainError as stop:
        stop.at = stop.at or ("/assertion" if answer.assertion else "/password")
        return Proof(answer.challenge, asker.person_id, asker.session_sha256, fault=stop)
    return Proof(answer.challenge, asker.person_id, asker.session_sha256, way, evidence)


def _by_passkey(
    engine: Engine,
    asker: Asker,
    answer: Answer,
    signed: bytes | None,
    clock: Callable[[], datetime],
) -> tuple[str, Mapping[str, object]]:
    if signed is None or asker.party is None:
        raise NotAllowed(
            "signature-challenge-unknown",
            "There is no such thing for you to sign in this session. Begin again.",
            at="/challenge",
        )
    with installation_session(engine) as session:
        email = session.get_one(Person, asker.person_id).email
        throttle.need_calm(session, email, asker.origin, clock())
    try:
        with installation_session(engine) as session:
            _, evidence = passkeys.check_assertion(
                session, asker.party, asker.person_id, signed, answer.assertion, now=clock()
            )
    except DomainError:
        with installation_session(engine) as session:
            throttle.note_failure(session, email, asker.origin, clock())
        raise
    return "passkey", {**asdict(evidence), **asdict(asker.party)}


def _by_password(
    engine: Engine, asker: Asker, answer: Answer, clock: Callable[[], datetime]
) -> tuple[str, Mapping[str, object]]:
    with installation_session(engine, read_only=True) as session:
        person = session.get_one(Person, asker.person_id)
        email, kept = person.email, person.password_hash
        throttle.need_calm(session, email, asker.origin, clock())
        has_factor = second_factor.is_asked_for(session, person.id)
    fits = is_password(answer.password, kept)
    with installation_session(engine) as session:
        if fits and second_factor.passes(session, asker.person_id, answer.code, clock()):
            throttle.forget(session, email)
            return ("password+code" if has_factor else "password"), {"second_factor": has_factor}
        if not fits or answer.code.strip():
            throttle.note_failure(session, email, asker.origin, clock())
    if not fits:
        raise NotAllowed(
            "signature-password-wrong",
            "The password is wrong. Nothing was signed; type it again.",
            at="/password",
        )
    raise second_factor.missing(answer.code)
