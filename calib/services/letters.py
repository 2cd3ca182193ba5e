"""Mails about accounts: their words, and sending them. A link stands in its mail alone."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
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
    "password": "Your password was changed",
    "authenticator-added": "An authenticator was set up for your account",
    "authenticator-removed": "Your authenticator was taken away",
    "recovery-codes": "New recovery codes were made for your account",
    "passkey-added": "A passkey was added to your account",
    "passkey-removed": "A passkey was removed from your account",
    "identity-added": "An identity provider opens your account now",
    "identity-removed": "No identity provider opens your account any more",
}
_IF_NOT_YOU: Final = (
    "If it was not you, choose a new password at once (Password forgotten on the sign-in page) "
    "and tell your laboratory."
)
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
    "password": (
        "{name}, the password of your account at {host} was changed on {when} by somebody who was "
        "signed in, and every sign-in has ended."
    ),
    "authenticator-added": (
        "{name}, an authenticator was set up for your account at {host} on {when}. Its codes are "
        "asked for at every sign-in."
    ),
    "authenticator-removed": (
        "{name}, the authenticator of your account at {host} was taken away on {when} by somebody "
        "who was signed in."
    ),
    "recovery-codes": (
        "{name}, new recovery codes were made for your account at {host} on {when}. The old ones "
        "stand no more."
    ),
    "passkey-added": (
        "{name}, a passkey was added to your account at {host} on {when}. It opens the account "
        "without the password."
    ),
    "passkey-removed": "{name}, a passkey was removed from your account at {host} on {when}.",
    "identity-added": (
        "{name}, your account at {host} was connected with an identity provider on {when}. Whoever "
        "signs in there as you can open it."
    ),
    "identity-removed": (
        "{name}, your account at {host} was disconnected from its identity provider on {when}."
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
        "when": due.asked_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "link": f"\n\n{public_url.rstrip('/')}/password?token={due.token}\n\n",
    }
    body = translate(_BODIES[due.purpose], due.language, **facts)
    if "{when}" in _BODIES[due.purpose]:
        body += "\n\n" + translate(_IF_NOT_YOU, due.language)
    mailer.send(
        recipient=due.address,
        subject=translate(_SUBJECTS[due.purpose], due.language, **facts),
        body=body + "\n",
        message_id=f"<{secrets.token_hex(16)}@{urlsplit(public_url).hostname or 'calib.invalid'}>",
        calendar=None,
    )
