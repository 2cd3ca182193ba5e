"""What reads strangers' files, run by `calib.verifier.apart` as a process of its own.

It has little memory and time, and opens few files; a hostile file costs this process and no other.
A request comes in on standard input, answers go out on standard output: a line of JSON each, of
which the last counts. Knows no database, and reaches no network and no other program.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from instruments.errors import DomainError

MEMORY = 1024 * 1024**2
"""Addresses, of which less is ever used; a large certificate takes half."""
SECONDS = 30
"""Of the processor; a large certificate takes a third."""
FILES = 64
WRITTEN = 64 * 1024**2
"""Bytes of one file: the fonts of the pages are unpacked before they are read."""


def main() -> int:
    """Answer the request on standard input."""
    _limit()
    sys.addaudithook(_refuse)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    request, parts = _received(sys.stdin.buffer)

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer, ensure_ascii=True).encode() + b"\n")
        answers.flush()

    TASKS[request["task"]](request, parts, tell)
    return 0


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _received(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the request and the bytes behind it, of which it says how many there are."""
    request = json.loads(stream.readline())
    return request, {name: stream.read(size) for name, size in request["parts"].items()}


_FORBIDDEN = frozenset(
    {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.fork", "os.system"}
)


def _refuse(event: str, _of: object) -> None:
    if event in _FORBIDDEN:
        raise PermissionError(f"{event}: a stranger's file reaches nothing from here")


Tell = Callable[[dict[str, Any]], None]


def _examine(request: Mapping[str, Any], parts: Mapping[str, bytes], tell: Tell) -> None:
    from calib.ledger.trust import TrustBundle
    from calib.verifier.evidence import Evidence
    from calib.verifier.examine import examine
    from calib.verifier.handing import report_plain
    from instruments.plain import from_plain

    trust = request["trust"]
    evidence = Evidence(
        now=datetime.fromisoformat(request["now"]),
        trust=None if trust is None else from_plain(TrustBundle, trust),
        proof=parts.get("proof"),
        status=parts.get("status"),
    )
    report = examine(parts["content"], evidence, lambda found: tell(report_plain(found)))
    tell(report_plain(report))


def _read_dcc(_request: Mapping[str, Any], parts: Mapping[str, bytes], tell: Tell) -> None:
    from calib.certificates.dcc import read_dcc
    from calib.verifier.handing import error_plain, reading_plain

    try:
        tell({"reading": reading_plain(read_dcc(parts["content"]))})
    except DomainError as problem:
        tell({"error": error_plain(problem)})


TASKS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, bytes], Tell], None]] = {
    "examine": _examine,
    "read_dcc": _read_dcc,
}


if __name__ == "__main__":
    sys.exit(main())
