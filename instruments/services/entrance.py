"""Signing in at the door of the pages: slowed down after failures, holding no transaction.

Trying a password takes long on purpose; writers of the database must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from instruments.services import signin, throttle
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
) -> signin.SignedIn:
    """Open a sign-in, or write down that the attempt failed; `origin` is where it comes from.

    Raises NotAllowed after too many failures, and whatever `signin.sign_in` raises.
    """
    with installation_session(engine, read_only=True) as session:
        throttle.need_calm(session, email, origin, clock())
        claim = signin.claim_of(session, email)
    fits = is_password(password, claim.password_hash)
    with installation_session(engine) as session:
        if fits and claim.person_id is not None:
            throttle.forget(session, email)
            return signin.open_sign_in(session, claim.person_id, lab_code, clock(), agent)
        throttle.note_failure(session, email, origin, clock())
    raise signin.wrong()
