"""The second factor: set up with a first code, asked for at every sign-in, each code used once.

A passkey is one as well: after it was registered the password alone opens nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import NotAllowed, Refused
from instruments.policy import Thing
from instruments.records.factors import RecoveryCode, SecondFactor
from instruments.records.parties import Membership, Person
from instruments.records.passkeys import Passkey
from instruments.services import audit, factor_secrets, totp
from instruments.services.factors_held import with_factor
from instruments.services.rows import not_found
from instruments.services.secrets import token_hash
from instruments.services.security_notices import tell
from instruments.services.signin import end_sign_ins

RECOVERY_CODES = 8
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for one another."""
_LETTERS_OF_A_CODE = 16


@dataclass(frozen=True, slots=True)
class FactorView:
    """How an account is secured."""

    is_on: bool
    has_authenticator: bool
    recovery_left: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What the authenticator is given, shown this once."""

    secret: str
    address: str


def state(ctx: Context) -> FactorView:
    """Return whether the actor has a second factor, and how many recovery codes are left."""
    ctx.need("account.read")
    row = _of(ctx.session, ctx.actor.person_id)
    left = select(func.count()).where(
        RecoveryCode.person_id == ctx.actor.person_id, RecoveryCode.used_at.is_(None)
    )
    is_on = is_asked_for(ctx.session, ctx.actor.person_id)
    has_authenticator = row is not None and row.confirmed_at is not None
    return FactorView(is_on, has_authenticator, int(ctx.session.scalar(left) or 0) if is_on else 0)


def begin(ctx: Context, *, issuer: str) -> Begun:
    """Make a new secret for the actor's authenticator; it counts after `confirm`.

    Whoever calls has seen to it that the actor showed who they are (`instruments.services.proof`).

    Raises Refused when an authenticator holds already.
    """
    ctx.need("account.change")
    person = ctx.session.get_one(Person, ctx.actor.person_id)
    row = _of(ctx.session, person.id)
    if row is not None and row.confirmed_at is not None:
        raise Refused(
            "second-factor-holds",
            "You have an authenticator already. Take it away first, then set up the new one.",
        )
    if row is None:
        row = SecondFactor(person_id=person.id, secret="", last_step=0, confirmed_at=None)
        ctx.session.add(row)
    secret, row.created_at = totp.new_secret(), ctx.now
    factor_secrets.close(ctx.session, row, secret)
    audit.record(ctx, "registry:factor:begin", "person", person.id, {})
    return Begun(secret, totp.address(secret, person.email, issuer))


def confirm(ctx: Context, code: str) -> tuple[str, ...]:
    """Let the authenticator count from now on; return new recovery codes, shown this once.

    Raises Refused when none was begun, NotAllowed when the code is not of that authenticator.
    """
    ctx.need("account.change")
    row = _of(ctx.session, ctx.actor.person_id)
    if row is None or row.confirmed_at is not None:
        raise Refused(
            "second-factor-not-begun",
            "No second factor waits for its first code. Begin to set one up.",
        )
    step = _step(ctx.session, row, code, ctx.now)
    if step is None:
        raise _wrong()
    row.confirmed_at, row.last_step = ctx.now, step
    tell(ctx.session, row.person_id, "authenticator-added", ctx.now)
    audit.record(ctx, "registry:factor:confirm", "person", row.person_id, {})
    return _new_codes(ctx)


def make_recovery_codes(ctx: Context) -> tuple[str, ...]:
    """Return new recovery codes of the actor, shown this once; the old ones stand no more."""
    ctx.need("account.change")
    tell(ctx.session, ctx.actor.person_id, "recovery-codes", ctx.now)
    return _new_codes(ctx)


def _new_codes(ctx: Context) -> tuple[str, ...]:
    person_id = ctx.actor.person_id
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    _drop(ctx.session, RecoveryCode, person_id)
    ctx.session.add_all(
        RecoveryCode(person_id=person_id, code_sha256=_kept(code), used_at=None) for code in codes
    )
    audit.record(ctx, "registry:factor:recovery_codes", "person", person_id, {})
    return codes


def take_away(ctx: Context) -> None:
    """Take the actor's own authenticator away; passkeys and their recovery codes stay.

    Whoever calls has seen to it that the actor showed who they are.
    """
    ctx.need("account.change")
    own = ctx.actor.person_id
    row = _of(ctx.session, own)
    if row is not None and row.confirmed_at is not None:  # one that only began opens nothing
        tell(ctx.session, own, "authenticator-removed", ctx.now)
    _drop(ctx.session, SecondFactor, own)
    audit.record(ctx, "registry:factor:take_away", "person", own, {})


def reset(ctx: Context, person_id: int) -> None:
    """Take the second factor of a colleague away who lost it; every sign-in of theirs ends.

    They are told by mail. Whoever asks still cannot sign in as them: nobody in a lab sets or
    learns a colleague's password.

    Raises NotAllowed unless a manager asks, Refused when it is their own, NotFound for whoever
    never had a role in this lab.
    """
    ctx.need("person.write")
    ctx.need("role.write", Thing(ctx.lab_id, done_by=frozenset({person_id})))
    known = select(Membership.id).where(Membership.person_id == person_id).limit(1)
    if ctx.session.scalar(known) is None:
        raise not_found("person", person_id)
    _forget(ctx.session, person_id)
    end_sign_ins(ctx, person_id)
    tell(ctx.session, person_id, "factor-reset", ctx.now)
    audit.record(ctx, "registry:factor:reset", "person", person_id, {})


def is_asked_for(session: Session, person_id: int) -> bool:
    """Answer whether a person signs in with a second factor."""
    return bool(with_factor(session, {person_id}))


def passes(session: Session, person_id: int, code: str, now: datetime) -> bool:
    """Answer whether a code lets a person in, and use it up; two at once get one yes."""
    if not is_asked_for(session, person_id):
        return True
    row = _of(session, person_id)
    holds = row is not None and row.confirmed_at is not None
    step = _step(session, row, code, now) if row and holds else None
    if row is not None and step is not None:
        taken = update(SecondFactor).where(  # house: bulk -- a code used: two at once get one yes
            SecondFactor.id == row.id, SecondFactor.last_step < step
        )
        return _changed_one(session, taken.values(last_step=step))
    spent = update(RecoveryCode).where(  # house: bulk -- a code used: two at once get one yes
        RecoveryCode.person_id == person_id,
        RecoveryCode.code_sha256 == _kept(code),
        RecoveryCode.used_at.is_(None),
    )
    return _changed_one(session, spent.values(used_at=now))


def _step(session: Session, row: SecondFactor, code: str, now: datetime) -> int | None:
    """Return the step a code is of; None for a wrong one, and where the key of the secret is gone.

    Recovery codes and passkeys still let people in then.
    """
    secret = factor_secrets.opened(session, row)
    return None if secret is None else totp.matching_step(secret, code, now, row.last_step)


def _changed_one(session: Session, statement: object) -> bool:
    done = session.execute(statement, execution_options={"synchronize_session": "fetch"})  # type: ignore[call-overload]
    return bool(done.rowcount == 1)


def _of(session: Session, person_id: int) -> SecondFactor | None:
    found = select(SecondFactor).where(SecondFactor.person_id == person_id)
    return session.scalars(found).one_or_none()


def _forget(session: Session, person_id: int) -> None:
    for table in (SecondFactor, RecoveryCode, Passkey):
        _drop(session, table, person_id)


def _drop(
    session: Session, table: type[SecondFactor | RecoveryCode | Passkey], person_id: int
) -> None:
    for row in session.scalars(select(table).where(table.person_id == person_id)).all():
        session.delete(row)
    session.flush()


def missing(code: str) -> NotAllowed:
    """Return why nobody is let in by the password alone."""
    if code.strip():
        return _wrong()
    return NotAllowed(
        "second-factor-needed",
        "This account has a second factor. Type the code that your authenticator shows, or one of "
        "your recovery codes, or use your passkey.",
        at="/code",
    )


def _wrong() -> NotAllowed:
    return NotAllowed(
        "second-factor-wrong",
        "The code is not right, or was used already. Wait for the next one and type it.",
        at="/code",
    )


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LETTERS_OF_A_CODE))
    return "-".join(letters[i : i + 4] for i in range(0, _LETTERS_OF_A_CODE, 4))


def _kept(code: str) -> str:
    return token_hash("".join(c for c in code.lower() if c.isalnum()))
