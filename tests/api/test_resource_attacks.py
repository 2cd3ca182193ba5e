"""Whoever holds sockets, sends too much or asks oddly keeps nobody else waiting.

Every night 500 sockets are held for CALIB_FUZZ_SECONDS, 300 if they are not said, and every flood
comes meanwhile.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from tests.support.door import a_door
from tests.support.mail_server import free_port
from tests.support.served import running

pytestmark = pytest.mark.slow
SLOW, MANY = 50, 500
LONG = float(os.environ.get("CALIB_FUZZ_SECONDS", "300"))
CALM, AFTER = 1.0, 10.0
"""Seconds for p95 of the answers meanwhile, and until all is as before."""
DEEP = b"[" * 100_000 + b"]" * 100_000
PARTS = b"".join(
    b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(20_000)
) + b"--x--\r\n"  # fmt: skip
JSON = b"Content-Type: application/json\r\n"
SLOW_BODY = (
    b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 1000000\r\n\r\nemail="
)
RANGES = b",".join(b"%d-" % n for n in range(3000))


def posted(path: bytes, head: bytes, body: bytes) -> bytes:
    said = b"Content-Length: %d\r\n" % len(body)
    return (
        b"POST "
        + path
        + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        + head
        + said
        + b"\r\n"
        + body
    )


ATTACKS = {
    "ranges": b"GET /static/app.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes="
    + RANGES
    + b"\r\n\r\n",
    "parts": posted(b"/sign-in", b"Content-Type: multipart/form-data; boundary=x\r\n", PARTS),
    "parts without end": posted(
        b"/authenticate", b"Content-Type: multipart/form-data; boundary=x\r\n", PARTS[:-7]
    ),
    "depth": posted(b"/api/v1/customers", JSON, DEEP),
    "depth in a form": posted(b"/sign-in/passkey/begin", JSON, DEEP),
    "said to be large": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n",
    "chunks": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    "headers": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    + b"".join(b"X-%d: y\r\n" % n for n in range(20_000))
    + b"\r\n",
    "one long header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n",
    "a long address": b"GET /" + b"y" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "cookies": b"GET /today HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: "
    + b"; ".join(b"a%d=b" % n for n in range(3000))
    + b"\r\n\r\n",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("held")
    door = a_door(f"sqlite+pysqlite:///{folder / 'calib.db'}", folder)
    port = free_port()
    with running(door.app, port):
        yield port


def answered(port, times=20):
    """Return how long the answers took, the longest last."""
    spans = []
    for _ in range(times):
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=30) as answer:
            assert answer.status == 200
        spans.append(time.monotonic() - began)
    return sorted(spans)


def attack(port, content):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 30) as line:
        line.sendall(content)
        with contextlib.suppress(TimeoutError):
            line.settimeout(10)
            return line.recv(65536)
    return b""


def p95(spans):
    """Return how long all but the slowest twentieth of the answers took at most."""
    return sorted(spans)[int(len(spans) * 0.95) - 1]


def flooded(port, name):
    """Return how long health took to answer while a flood came, and what the flood was answered."""
    heard = []
    senders = [
        threading.Thread(target=lambda: heard.append(attack(port, ATTACKS[name]))) for _ in range(4)
    ]
    for one in senders:
        one.start()
    spans = answered(port)
    for one in senders:
        one.join(30)
    return spans, [answer for answer in heard if answer]


def need_refused(name, heard):
    for answer in heard:
        status = int(answer.split(b" ", 2)[1])
        assert status < 500, answer[:300]
        assert status >= 300 or name in ("ranges", "cookies", "depth in a form"), answer[:300]


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_odd_or_too_much_is_refused_and_health_answers_meanwhile(port, name):
    spans, heard = flooded(port, name)
    assert p95(spans) <= CALM, spans
    need_refused(name, heard)


def a_slow_line(port, number):
    """Open a socket that begins a request and does not end it: a header, or a body."""
    line = socket.create_connection(("127.0.0.1", port), 10)
    line.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: " if number % 2 else SLOW_BODY)
    return line


def is_held(line):
    """Send one more byte; answer whether the server goes on waiting for the rest."""
    try:
        line.sendall(b"a")
        line.setblocking(False)
        line.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        line.settimeout(10)
    return False  # answered, or closed


def test_sockets_that_say_little_keep_nobody_waiting(port):
    answered(port, 3)
    with contextlib.ExitStack() as held:
        lines = [held.enter_context(a_slow_line(port, number)) for number in range(SLOW)]
        spans = answered(port)
        assert p95(spans) <= CALM, spans
        assert [number for number, line in enumerate(lines) if not is_held(line)] == []
    began = time.monotonic()
    answered(port, 3)
    assert time.monotonic() - began <= AFTER


@pytest.mark.nightly
def test_many_sockets_say_little_for_long_while_every_flood_comes(port):
    answered(port, 3)
    ends, spans, lost = time.monotonic() + LONG, [], 0
    with contextlib.ExitStack() as held:
        lines = [held.enter_context(a_slow_line(port, number)) for number in range(MANY)]
        for name in itertools.cycle(ATTACKS):
            found, heard = flooded(port, name)
            need_refused(name, heard)
            spans += found
            for number, line in enumerate(lines):
                if not is_held(line):
                    lines[number] = held.enter_context(a_slow_line(port, number))
                    lost += 1
            if time.monotonic() > ends:
                break
    told = f"{len(spans)} answers, p95 {p95(spans):.3f} s, at most {max(spans):.3f} s"
    print(f"{told}; {MANY} lines held, {lost} opened anew")  # noqa: T201 -- the figures
    assert p95(spans) <= CALM, spans
    assert lost < MANY / 10  # whoever was not held was no burden
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=30) as answer:
        assert answer.status == 200
    answered(port, 3)
    assert time.monotonic() - began <= AFTER
