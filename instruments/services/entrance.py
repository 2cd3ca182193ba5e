"""Signing in at the door of the pages: slowed down after failures, holding no transaction.

Trying a password takes long on purpose; writers of the database must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from instruments.services import second_factor, signin, throttle
from instruments.services.secrets import is_password
from instruments.tenancy import installation_session


def enter(
    engine: Engine,
    *,
    email: str,
    password: str,
    lab_code: str | None,
    origin: str,
    clock: Callable[[], datetime],
    agent: str = "",
    code: str = "",
) -> signin.SignedIn:
    """Open a sign-in, or write down that the attempt failed; `origin` is where it comes from.

    Raises NotAllowed after too many failures and where the second factor is missing or wrong, and
    whatever `signin.sign_in` raises.
    """
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
    raise signin.wrong() if known is None else second_factor.missing(code)
