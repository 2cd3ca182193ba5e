"""Real mail servers on loopback: one that takes mail and answers as told, one that falls silent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """What a server took, and how it answers; tests change the answers while it runs."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """What clients called themselves."""
    at_sender: str = "250 OK"
    at_recipient: str = "250 OK"
    at_end: str = "250 OK"

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list
    ) -> list:
        self.names.append(hostname)
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:
        envelope.mail_from = address
        return self.at_sender

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        envelope.rcpt_tos.append(address)
        return self.at_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.at_end.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            mail["X-Envelope"] = f"{envelope.mail_from} > {','.join(envelope.rcpt_tos)}"
            self.received.append(mail)
        return self.at_end


@contextlib.contextmanager
def mail_server(**options) -> Iterator[MailServer]:
    """Run a mail server on a free port of loopback."""
    server = MailServer()
    server.port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def rude_server(greeting: bytes | None) -> Iterator[int]:
    """Accept connections, say `greeting` (None: nothing) and hang (no greeting) or close (some)."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if greeting is None:
                held.append(connection)
            else:
                connection.sendall(greeting)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()
