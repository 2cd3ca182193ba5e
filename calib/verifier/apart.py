"""Strangers' files, read in a process of their own that is ended when it asks for too much.

Whatever a file does to its parser happens there: bytes are handed over, plain JSON comes back.
Nothing is kept of either. A file that costs too much is not said to be forged; nothing is known.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calib.verifier.bounds import form_of
from calib.verifier.handing import read_error, read_reading, read_report
from calib.verifier.report import Report, not_established, report_of
from instruments.errors import Refused
from instruments.plain import to_plain

if TYPE_CHECKING:
    from calib.certificates.dcc_reading import DCCReading
    from calib.verifier.evidence import Evidence

PATIENCE = 90
"""Seconds by the clock, for a machine that is busy; the processor time is bounded in the child."""
MOST_ANSWERED = 8 * 1024**2
_COMMAND = (sys.executable, "-I", "-m", "calib.verifier.inside")
# one thread each: every further one takes addresses, and there are few
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
_KEPT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "PATH", "XDG_CACHE_HOME")
_ODD = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def examine_apart(content: bytes, evidence: Evidence) -> Report:
    """Return what can be said of a certificate, as `examine` does; its parsers run apart."""
    if form_of(content) == "code":  # a short text, which no parser sees
        from calib.verifier.examine import examine

        return examine(content, evidence)
    trust = evidence.trust
    request = {
        "now": evidence.now.isoformat(),
        "trust": None if trust is None else to_plain(trust),
    }
    parts = {"content": content, "proof": evidence.proof, "status": evidence.status}
    try:
        return read_report(_answer("examine", request, parts))
    except _ODD:
        problem = _too_costly()
        return report_of([not_established("file", problem.message)])


def read_dcc_apart(content: bytes) -> DCCReading:
    """Return what a DCC says, as `read_dcc` does; its parser runs apart.

    Raises Invalid and Refused as `read_dcc`, and Refused when reading the file costs too much.
    """
    try:
        answer = _answer("read_dcc", {}, {"content": content})
        if "error" not in answer:
            return read_reading(answer["reading"])
        problem = read_error(answer["error"])
    except _ODD:
        raise _too_costly() from None
    raise problem


def _too_costly() -> Refused:
    return Refused(
        "file-too-costly",
        "Reading the file takes more time or memory than any certificate does, or breaks the "
        "program that reads it. It was stopped, and nothing is known of the file: ask whoever "
        "issued it for the original.",
    )


def _answer(task: str, request: Mapping[str, Any], parts: Mapping[str, bytes | None]) -> Any:
    """Return the last whole answer of the child; raises ValueError when there is none."""
    given = {name: part for name, part in parts.items() if part is not None}
    sizes = {name: len(part) for name, part in given.items()}
    head = json.dumps({"task": task, **request, "parts": sizes}).encode() + b"\n"
    lines = _told(b"".join((head, *given.values()))).split(b"\n")[:-1]
    if not lines:
        raise ValueError("no answer")
    return json.loads(lines[-1])


def _told(request: bytes) -> bytes:
    """Return what the child says to a request until it ends, or is ended."""
    child = subprocess.Popen(  # noqa: S603 -- our own program, no shell
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    clock = threading.Timer(PATIENCE, _end, (child,))
    clock.start()
    with child:
        try:
            told = _exchanged(child, request)
            return told if len(told) <= MOST_ANSWERED else b""
        finally:
            clock.cancel()
            _end(child)


def _exchanged(child: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Return what the child says until its end, or a little more than it may say."""
    if child.stdin is None or child.stdout is None:
        raise TypeError("a child without pipes")
    with contextlib.suppress(BrokenPipeError):  # it ended before it had read everything
        child.stdin.write(request)
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
    told = child.stdout.read(MOST_ANSWERED + 1)
    if len(told) <= MOST_ANSWERED:
        child.wait()
    return told


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Return where things lie on this machine, and nothing that is secret."""
    around = os.environ  # house: environment -- what the child may know of it is picked here
    return {**{name: around[name] for name in _KEPT if name in around}, **_ENVIRONMENT}
