"""One-time codes of an authenticator (RFC 6238: SHA-1, six digits, thirty seconds). Pure."""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

STEP = 30
DIGITS = 6
SECRET_SIZE = 20
LEEWAY = 1
"""Steps a clock may be wrong by, either way."""


def new_secret() -> str:
    """Return a new secret as an authenticator takes it: base32, 160 random bits."""
    return base64.b32encode(secrets.token_bytes(SECRET_SIZE)).decode()


def step_of(now: datetime) -> int:
    """Return the number of the thirty seconds an instant lies in."""
    return int(now.timestamp()) // STEP


def code_at(secret: str, step: int) -> str:
    """Return the code of a step."""
    hotp = HOTP(base64.b32decode(secret), DIGITS, SHA1())  # noqa: S303 -- what RFC 6238 says
    return hotp.generate(step).decode()


def matching_step(secret: str, code: str, now: datetime, after: int) -> int | None:
    """Return the step a code is of, None when it is of none that may still be used.

    `after` is the last step that was used: a code is taken once, however it is written.
    """
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    here = step_of(now)
    found = None
    for step in range(here - LEEWAY, here + LEEWAY + 1):
        if hmac.compare_digest(code_at(secret, step), typed) and step > after:
            found = step
    return found


def address(secret: str, account: str, issuer: str) -> str:
    """Return what the picture for the authenticator says."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}"
