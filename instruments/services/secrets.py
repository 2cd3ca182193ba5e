"""Passwords and tokens: hashed before they are kept, compared in constant work. Knows no table."""

from __future__ import annotations

import functools
import hashlib
import secrets
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from instruments.errors import Invalid
from instruments.services.guessable import is_guessable, is_leaked

MIN_PASSWORD = 8
MAX_PASSWORD = 200
SIGN_IN, API = "calib_s_", "calib_t_"
"""How a token begins tells which table knows it."""
_leaked: list[Path] = []


def hash_password(password: str) -> str:
    """Return the argon2id hash of a new password.

    Raises Invalid when it is too short, too long, or one of those that are tried first.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD or len(set(password)) < 4:
        raise Invalid(
            "password-weak",
            "The password has {length} characters; it needs {low} to {high}, at least four of them "
            "different. Choose a longer one, for instance four words.",
            at="/password",
            facts={"length": len(password), "low": MIN_PASSWORD, "high": MAX_PASSWORD},
        )
    if is_guessable(password) or any(is_leaked(password, file) for file in _leaked):
        raise Invalid(
            "password-common",
            "This password is among those that are tried first: a common word with figures "
            "around it, keys in a row, a date, or one that was stolen elsewhere. Choose another, "
            "for instance four words that do not belong together.",
            at="/password",
        )
    return _hasher().hash(password)


def refuse_leaked(file: Path | None) -> None:
    """Let this process refuse passwords that stand in a file (None: in none), from now on."""
    _leaked[:] = [file] if file else []


def is_password(password: str, kept: str | None) -> bool:
    """Answer whether the password fits the hash; takes as long when there is no hash."""
    fits = _hasher().verify(password[:MAX_PASSWORD], kept or _nobody())
    return fits and kept is not None


def new_token(kind: str) -> str:
    """Return a token of 256 random bits that begins with its kind."""
    return kind + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the SHA-256 under which a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


@functools.cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@functools.cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
