"""Secrets of authenticators and webhooks as they lie in the database: closed, each with its row.

AES-256-GCM under a key outside the database, which comes with the engine. Whoever moves a closed
secret to another row or person has nothing.
"""

from __future__ import annotations

import base64
import secrets
from typing import Protocol, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from instruments.records.factors import SecondFactor
from instruments.tenancy import installation_session

OPTION = "calib_factor_key"
CLOSED = "v1."
"""How a closed secret begins; base32, which one in clear is, has no full stop."""
_NONCE = 12


class Key(Protocol):
    """Where the key comes from."""

    def __call__(self, *, make: bool) -> bytes | None:
        """Return the key; None when there is none and none is to be made."""


def use_key(engine: Engine, key: Key) -> None:
    """Let everything that is done through an engine take the key from here."""
    engine.update_execution_options(**{OPTION: key})


def close(session: Session, row: SecondFactor, secret: str) -> None:
    """Write a secret into its row, closed.

    Raises what the key raises, KeyError for an engine without one.
    """
    session.flush()  # the row has its number from here on
    row.secret = closed_text(session, _place(row), secret)
    session.flush()


def opened(session: Session, row: SecondFactor) -> str | None:
    """Return the secret of a row; None when it was closed with a key that is not here."""
    return opened_text(session, _place(row), row.secret)


def closed_text(session: Session, place: str, secret: str) -> str:
    """Return a secret closed for one place in the database.

    Raises what the key raises, KeyError for an engine without one.
    """
    key = _key(session)(make=True)
    assert key is not None  # noqa: S101 -- it was just made
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, secret.encode(), place.encode())
    return CLOSED + base64.b64encode(nonce + sealed).decode()


def opened_text(session: Session, place: str, kept: str) -> str | None:
    """Return what was closed for a place; None when it was closed with a key that is not here."""
    if not kept.startswith(CLOSED):
        return kept
    key = _key(session)(make=False)
    if key is None:
        return None
    content = base64.b64decode(kept.removeprefix(CLOSED))
    try:
        return AESGCM(key).decrypt(content[:_NONCE], content[_NONCE:], place.encode()).decode()
    except InvalidTag:
        return None


def close_all(engine: Engine) -> int:
    """Close every secret that still lies in clear, from before there was a key; return how many."""
    in_clear = select(SecondFactor).where(~SecondFactor.secret.startswith(CLOSED, autoescape=True))
    with installation_session(engine, read_only=True) as session:
        if session.scalars(in_clear.limit(1)).first() is None:
            return 0
    with installation_session(engine) as session:
        rows = session.scalars(in_clear).all()
        for row in rows:
            close(session, row, row.secret)
        return len(rows)


def _key(session: Session) -> Key:
    return cast("Key", session.get_bind().get_execution_options()[OPTION])


def _place(row: SecondFactor) -> str:
    return f"calib/second_factors/{row.id}/{row.person_id}"
