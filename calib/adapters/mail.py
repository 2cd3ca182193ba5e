"""Mail leaves the house here: by SMTP, or as .eml files in a folder where there is no network.

Knows no rows and no reasons: it is handed one finished mail. A server that may take the mail later
is `Unavailable`; one that refuses this mail for good is `Refused`. What is wrong with the settings
(sign-in, sender, encryption) is `Unavailable` too: once they are right, every mail goes out.
"""

from __future__ import annotations

import contextlib
import os
import re
import smtplib
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import Literal

from instruments.errors import DomainError, Refused, Unavailable

Security = Literal["none", "starttls", "tls"]
SHOWN = 300
"""Characters of a server's answer that are kept."""
NEUTRAL_NAME = "[127.0.0.1]"
"""What is said in EHLO: the machine's own name is nobody's business."""


def compose(
    *,
    sender: str,
    recipient: str,
    subject: str,
    body: str,
    message_id: str,
    calendar: str | None,
) -> EmailMessage:
    """Return the mail; no text that is handed in can become a header of its own.

    Raises
    ------
    Refused
        An address is not one address, or a header holds a line break.
    """
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = sender
        mail["To"] = Address(addr_spec=recipient)
        # what looks like an encoded word is decoded by the library, line breaks in it and all
        mail["Subject"] = subject.replace("=?", "= ?")
        mail["Message-ID"] = message_id
        if any(set(str(value)) & set("\r\n") for value in mail.values()):
            raise ValueError("a header holds a line break")
    except (ValueError, IndexError, MessageError) as problem:
        raise Refused(
            "mail-not-writable",
            "The mail to {recipient} cannot be written: {problem}. Correct the address.",
            facts={"recipient": repr(recipient), "problem": _one_line(str(problem))},
        ) from problem
    mail["Date"] = formatdate()
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    if calendar is not None:
        mail.add_attachment(
            calendar, subtype="calendar", filename="due.ics", params={"method": "PUBLISH"}
        )
    return mail


@dataclass(frozen=True, slots=True)
class SMTPMailer:
    """Hands mails to an SMTP server, one connection each."""

    host: str
    port: int
    sender: str
    """From address, with or without a name."""
    user: str = ""
    password: str = field(default="", repr=False)
    security: Security = "none"
    timeout: float = 30
    """Seconds any single answer of the server may take."""
    local_hostname: str = NEUTRAL_NAME
    certificates: str | None = None
    """File of trusted authorities; None: those of the system."""

    def send(
        self,
        *,
        recipient: str,
        subject: str,
        body: str,
        message_id: str,
        calendar: str | None,
    ) -> None:
        """Send one mail.

        Raises
        ------
        Unavailable
            The server did not answer, answered "later", or the settings are wrong.
        Refused
            The server refused this mail for good.
        """
        mail = compose(
            sender=self.sender,
            recipient=recipient,
            subject=subject,
            body=body,
            message_id=message_id,
            calendar=calendar,
        )
        try:
            with self._connection() as server:
                server.send_message(mail, parseaddr(self.sender)[1], [recipient])
        except (OSError, smtplib.SMTPException, UnicodeError) as problem:
            raise self._judged(problem, recipient) from problem

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self._connected()
        try:
            if self.security == "starttls":
                server.starttls(context=self._trust())
            if self.user:
                server.login(self.user, self.password)
            yield server
        except BaseException:
            server.close()
            raise
        # the mail is taken: what goes wrong while parting must not send it again
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(
                self.host,
                self.port,
                local_hostname=self.local_hostname,
                timeout=self.timeout,
                context=self._trust(),
            )
        return smtplib.SMTP(
            self.host, self.port, local_hostname=self.local_hostname, timeout=self.timeout
        )

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificates)

    def _judged(self, problem: Exception, recipient: str) -> DomainError:
        """Return what the failure means for this mail: try again, or never."""
        facts = {"server": f"{self.host}:{self.port}", "recipient": recipient}
        if isinstance(problem, smtplib.SMTPRecipientsRefused):
            code, words = problem.recipients[recipient]
            return _answered(code, words, facts)
        if isinstance(problem, smtplib.SMTPDataError):
            return _answered(problem.smtp_code, problem.smtp_error, facts)
        if isinstance(problem, UnicodeError) or (
            isinstance(problem, smtplib.SMTPNotSupportedError) and not recipient.isascii()
        ):
            return Refused(
                "mail-address-not-supported",
                "The mail server {server} cannot write to {recipient}: the address has letters "
                "outside ASCII. Give an address without them.",
                facts=facts,
            )
        return Unavailable(
            "mail-server-unavailable",
            "The mail server {server} did not take the mail to {recipient}: {problem}. "
            "It is tried again; check the mail settings if this stays.",
            facts=facts | {"problem": _words(problem)},
        )


def _answered(code: int, words: bytes | str, facts: dict[str, str]) -> DomainError:
    answer = facts | {"answer": f"{code} {_text(words)}"}
    if 500 <= code <= 599:
        return Refused(
            "mail-refused",
            "The mail server {server} refused the mail to {recipient} for good: {answer}. "
            "Correct the address.",
            facts=answer,
        )
    return Unavailable(
        "mail-postponed",
        "The mail server {server} wants the mail to {recipient} later: {answer}.",
        facts=answer,
    )


def _words(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"{problem.smtp_code} {_text(problem.smtp_error)}"
    return _one_line(f"{type(problem).__name__} {problem}")


def _text(words: bytes | str) -> str:
    return _one_line(words.decode("utf-8", "replace") if isinstance(words, bytes) else words)


def _one_line(words: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:SHOWN]


@dataclass(frozen=True, slots=True)
class FolderMailer:
    """Writes mails as .eml files for a site without a mail server; a person carries them on."""

    folder: Path
    sender: str

    def send(
        self,
        *,
        recipient: str,
        subject: str,
        body: str,
        message_id: str,
        calendar: str | None,
    ) -> None:
        """Write one mail; the same Message-ID writes the same file, so a mail is there once.

        Raises
        ------
        Unavailable
            The folder cannot be written.
        Refused
            The mail cannot be written as a mail.
        """
        mail = compose(
            sender=self.sender,
            recipient=recipient,
            subject=subject,
            body=body,
            message_id=message_id,
            calendar=calendar,
        )
        name = re.sub(r"[^A-Za-z0-9._@-]", "_", message_id.strip("<>")).lstrip(".") + ".eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self.folder / name, bytes(mail))
        except OSError as problem:
            raise Unavailable(
                "mail-folder-unavailable",
                "The mail to {recipient} cannot be written into the mail folder: {problem}. "
                "It is tried again; free disk space or give the folder write permission.",
                facts={"recipient": recipient, "problem": problem.strerror or str(problem)},
            ) from problem


def _write_whole(path: Path, content: bytes) -> None:
    """Write the file so that it is either there whole, after a power cut too, or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
