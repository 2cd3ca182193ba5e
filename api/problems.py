"""The one table from kind of error to status, problem+json and error page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from api.usage import WrongUsage
from calib.i18n import translate
from instruments.errors import (
    Conflict,
    DomainError,
    Finding,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)

log = logging.getLogger("calib")


class SignInNeeded(DomainError):
    """Nobody is signed in; pages lead to the sign-in form."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "sign-in-needed", "You are not signed in, or your session has ended. Sign in."
        )


class PreconditionMissing(DomainError):
    """A change came without If-Match."""


class AskedTooOften(DomainError):
    """One network address asked for too much within a while."""


STATUS: Mapping[type[DomainError], int] = {
    SignInNeeded: 401,
    PreconditionMissing: 428,
    AskedTooOften: 429,
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    Invalid: 422,
    Refused: 409,
    Unavailable: 503,
}
OF_CODE: Mapping[str, int] = {
    "idempotency-key-missing": 400,
    "idempotency-key-malformed": 400,
    "idempotency-key-reused": 422,
}
"""What the draft standard of Idempotency-Key asks for, whatever kind of error it is here."""
EXIT: Mapping[type[DomainError], int] = {WrongUsage: 3, Unavailable: 2}
"""Exit codes of the command line; all else is 1, refused or invalid."""


def status_of(error: DomainError) -> int:
    """Return the HTTP status of an error."""
    kind = (status for kind, status in STATUS.items() if isinstance(error, kind))
    return OF_CODE.get(error.code) or next(kind)


def exit_code(error: DomainError) -> int:
    """Return the exit code of the command line for an error."""
    return next((code for kind, code in EXIT.items() if isinstance(error, kind)), 1)


def say(message: str, facts: Mapping[str, object], language: str) -> str:
    """Return the sentence in the reader's language with its facts filled in."""
    return translate(message, language, **facts)


def problem(error: DomainError, language: str) -> dict[str, Any]:
    """Return the problem+json document (RFC 9457) of an error."""
    document: dict[str, Any] = {
        "type": f"/docs/errors#{error.code}",
        "title": type(error).__name__,
        "status": status_of(error),
        "code": error.code,
        "detail": say(error.message, error.facts, language),
        "at": error.at,
        "clause": error.clause,
    }
    if error.findings:
        document["findings"] = [finding_document(f, language) for f in error.findings]
    return document


def finding_document(finding: Finding, language: str) -> dict[str, str]:
    """Return one finding as plain values in the reader's language."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": say(finding.message, finding.facts, language),
        "at": finding.at,
        "clause": finding.clause,
    }


def incident(error: BaseException) -> str:
    """Log an unknown failure under a fresh incident number and return the number."""
    number = secrets.token_hex(6)
    log.error("incident %s", number, exc_info=error)
    return number
