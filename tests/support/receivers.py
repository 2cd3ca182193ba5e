"""Receivers of webhooks on this machine: one that takes, and ones that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Heard = tuple[str, dict[str, str], bytes]


@dataclass
class Receiver:
    """What listens on a port of this machine, and what it heard."""

    port: int
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0

    @property
    def address(self) -> str:
        """Return the address messages are sent to."""
        return f"http://127.0.0.1:{self.port}/hook"


Answer = Callable[[socket.socket], None]


def saying(text: bytes) -> Answer:
    """Return what answers with this text."""
    return lambda connection: connection.sendall(text)


TAKEN = saying(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@contextmanager
def a_receiver(answer: Answer = TAKEN) -> Iterator[Receiver]:
    """Listen until the end, answering everybody alike."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Receiver(server.getsockname()[1])
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = server.accept()
                    with connection:
                        made.connections += 1
                        connection.settimeout(5)
                        made.heard.append(_read(connection))
                        answer(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield made
        over.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", made.port)):
            pass
        thread.join(5)


def _read(connection: socket.socket) -> Heard:
    told = b""
    while b"\r\n\r\n" not in told:
        part = connection.recv(65536)
        if not part:
            raise OSError("nothing was said")
        told += part
    head, _, body = told.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return first, headers, body
