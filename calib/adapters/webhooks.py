"""Brings messages to addresses that labs name, and to none inside: resolved once, then pinned.

A name is looked up once and every address found is checked; the connection goes to one of those
very addresses, so a name that leads elsewhere a moment later changes nothing. The certificate is
asked for by the original name. Of the answer only its first line is read.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from calib.services.webhook_targets import Target, need_outside, read_target
from instruments.errors import Unavailable

SECONDS = 10
"""For everything: looking up, connecting, sending, and the first line of the answer."""
LARGEST = 64 * 1024
"""Bytes of an answer that are read at most."""
Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address a name leads to, as the system looks it up."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """Return a connection to an address, which is no name."""
    return socket.create_connection((address, port), seconds)


class PinnedCourier:
    """Sends to checked addresses only; `loopback`: this machine may be named as well."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolve: Resolve = resolve,
        connect: Connect = connect,
        trusting: ssl.SSLContext | None = None,
    ) -> None:
        """Take what looks names up, what connects, and whose certificates are trusted."""
        self._loopback = loopback
        self._resolve = resolve
        self._connect = connect
        self._trusting = trusting

    def send(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send the message and return the status answered.

        Raises Invalid or Refused when the address leads inside, Unavailable when nobody answers.
        """
        ends = time.monotonic() + SECONDS
        target = read_target(address, loopback=self._loopback)
        try:
            found = _within(SECONDS, lambda: self._resolve(target.host, target.port))
        except (OSError, UnicodeError) as problem:
            raise _silent(address, str(problem)) from problem
        need_outside(target.host, found, loopback=self._loopback)
        try:
            return self._exchange(target, found[0], _request(target, body, headers), ends)
        except (OSError, ValueError) as problem:
            raise _silent(address, str(problem)) from problem

    def _exchange(self, target: Target, to: str, request: bytes, ends: float) -> int:
        with self._connect(to, target.port, _left(ends)) as plain:
            if not target.is_secure:
                return _told(plain, request, ends)
            trusting = self._trusting or ssl.create_default_context()
            plain.settimeout(_left(ends))  # holds for the whole handshake
            with trusting.wrap_socket(plain, server_hostname=target.host) as secured:
                return _told(secured, request, ends)


def _told(connection: socket.socket, request: bytes, ends: float) -> int:
    connection.settimeout(_left(ends))
    connection.sendall(request)
    return _status(connection, ends)


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        "User-Agent: calib",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line of the request holds a line end")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


def _status(connection: socket.socket, ends: float) -> int:
    """Return the status of the answer; raises ValueError when it is none."""
    told = b""
    while b"\n" not in told and len(told) < LARGEST:
        connection.settimeout(_left(ends))
        part = connection.recv(4096)
        if not part:
            break
        told += part
    words = told.partition(b"\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ValueError("what it answers is no HTTP")
    status = int(words[1])
    if not 100 <= status <= 999:
        raise ValueError("what it answers is no HTTP")
    return status


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"no answer within {SECONDS} seconds")
    return left


def _within(seconds: float, act: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Return what `act` returns, or give up waiting: looking up a name cannot be interrupted."""
    found: list[Sequence[str]] = []
    problems: list[Exception] = []

    def run() -> None:
        try:
            found.append(act())
        except Exception as problem:  # noqa: BLE001 -- raised below, in the thread that asked
            problems.append(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if problems:
        raise problems[0]
    if not found:
        raise TimeoutError(f"the name was not looked up within {seconds} seconds")
    return found[0]


def _silent(address: str, reason: str) -> Unavailable:
    return Unavailable(
        "address-silent",
        "{address} does not answer ({reason}). Check the address and the network, then try again.",
        facts={"address": address, "reason": reason},
    )
