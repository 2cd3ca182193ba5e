"""Mails about accounts: their words, and sending them. A link stands in its mail alone."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine

from calib.i18n import translate
from calib.services.ports import Mailer
from instruments.errors import DomainError, Refused
from instruments.services import links
from instruments.tenancy import installation_session

log = logging.getLogger("calib.letters")
AT_ONCE = 200

_SUBJECTS: Final[Mapping[str, str]] = {
    "reset": "Choose a new password",
    "invitation": "You are invited to {host}",
    "changed": "Your password was changed",
    "factor-reset": "Your second factor was taken away",
}
_BODIES: Final[Mapping[str, str]] = {
    "reset": (
        "{name}, somebody asked for a new password of your account at {host}. If it was you, "
        "choose it here within an hour: {link} Your second factor stays as it is. If it was not "
        "you, do nothing."
    ),
    "invitation": (
        "{name}, a laboratory opened an account for you at {host}. Choose your password here "
        "within seven days: {link}"
    ),
    "changed": (
        "{name}, the password of your account at {host} was changed by a link in a mail, and "
        "every sign-in has ended. If it was not you, ask for a new password at once and tell "
        "your laboratory."
    ),
    "factor-reset": (
        "{name}, a colleague took your second factor and your passkeys at {host} away, and every "
        "sign-in has ended. Set up new ones under your account. If you did not ask for it, tell "
        "your laboratory at once."
    ),
}


def send_letters(
    engine: Engine, mailer: Mailer, clock: Callable[[], datetime], public_url: str
) -> int:
    """Send what waits; return how many left. What fails is tried again later with a new link."""
    left = 0
    for _ in range(AT_ONCE):
        with installation_session(engine) as session:
            due = links.claim(session, clock())
        if due is None:
            return left
        try:
            _send(mailer, due, public_url)
            left += 1
        except Refused as problem:
            log.warning("letter %d was refused for good: %s", due.letter_id, problem.code)
        except DomainError as problem:
            log.warning("letter %d failed and is tried again: %s", due.letter_id, problem.code)
            return left
        with installation_session(engine) as session:
            links.sent(session, due.letter_id)
    return left


def _send(mailer: Mailer, due: links.Due, public_url: str) -> None:
    host = urlsplit(public_url).netloc
    facts = {
        "name": due.name,
        "host": host,
        "link": f"\n\n{public_url.rstrip('/')}/password?token={due.token}\n\n",
    }
    mailer.send(
        recipient=due.address,
        subject=translate(_SUBJECTS[due.purpose], due.language, **facts),
        body=translate(_BODIES[due.purpose], due.language, **facts) + "\n",
        message_id=f"<{secrets.token_hex(16)}@{urlsplit(public_url).hostname or 'calib.invalid'}>",
        calendar=None,
    )
