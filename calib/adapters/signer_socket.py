"""The signer as a process of its own: JSON lines over a Unix socket that only this user may open.

One line asks, one line answers. Whoever asks sees signatures and refusals, never keys.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import resource
import socket
import socketserver
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calib.services.ports import Form, Signer, SigningRequest
from instruments.canonical import canonical_json
from instruments.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
)
from instruments.plain import NotPlain, from_plain, to_plain

log = logging.getLogger("calib.signer")
LONGEST = 8 * 1024 * 1024
"""Bytes of a line."""
PATIENCE = 30.0
"""Seconds until a silent side is given up."""
AT_ONCE = 16
_KINDS: dict[str, type[DomainError]] = {
    kind.__name__: kind for kind in (NotFound, NotAllowed, Conflict, Invalid, Refused, Unavailable)
}


@dataclass(frozen=True, slots=True)
class _Spelt:
    """A request as it travels."""

    key_id: int
    form: Form
    content: str
    token: str


class SocketSigner:
    """Asks the signer process."""

    def __init__(self, path: Path) -> None:
        """Keep where its socket is."""
        self._path = path

    def sign(self, request: SigningRequest) -> bytes:
        """Return the signature.

        Raises
        ------
        Refused, NotFound
            The rule of the signer says no.
        Unavailable
            It does not run, or does not answer in time.
        """
        content = base64.b64encode(request.content).decode()
        spelt = _Spelt(request.key_id, request.form, content, request.token)
        plain = {**to_plain(spelt), "format": 1}
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
                asking.settimeout(PATIENCE)
                asking.connect(str(self._path))
                asking.sendall(canonical_json(plain) + b"\n")
                with asking.makefile("rb") as answers:
                    answer = json.loads(answers.readline(LONGEST))
            return _signature(answer)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise _away(self._path, problem) from problem


def knock(path: Path) -> None:
    """Find out whether the signer process listens.

    Raises Unavailable when it does not.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(str(path))
    except OSError as problem:
        raise _away(path, problem) from problem


def _away(path: Path, problem: Exception) -> Unavailable:
    return Unavailable(
        "signer-away",
        "The signer does not answer at {path} ({reason}). Start it with calib signer; what "
        "is reserved is then finished.",
        facts={"path": str(path), "reason": str(problem)[:200]},
    )


class SignerServer(socketserver.ThreadingUnixStreamServer):
    """Answers for a signer until it is shut down."""

    daemon_threads = True
    request_queue_size = AT_ONCE

    def __init__(self, path: Path, signer: Signer) -> None:
        """Listen at the path; one that a dead signer left there is taken over.

        Raises
        ------
        Conflict
            A signer runs there already.
        """
        self.signer = signer
        self._place = path
        _clear(path)
        before = os.umask(0o177)
        try:
            super().__init__(str(path), _Asked)
        finally:
            os.umask(before)

    def server_close(self) -> None:
        """Stop listening and take the socket away."""
        super().server_close()
        with suppress(FileNotFoundError):
            self._place.unlink()


class _Asked(socketserver.StreamRequestHandler):
    timeout = PATIENCE
    server: SignerServer

    def handle(self) -> None:
        """Answer each line until the other side goes."""
        with suppress(OSError):
            while line := self.rfile.readline(LONGEST):
                self.wfile.write(canonical_json(_answered(self.server.signer, line)) + b"\n")


def keep_no_core() -> None:
    """Make sure that a crash writes no memory, and with it no key, to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answered(signer: Signer, line: bytes) -> dict[str, Any]:
    try:
        return {"signature": base64.b64encode(signer.sign(_request(line))).decode()}
    except DomainError as stop:
        return _told(stop)
    except Exception:
        log.exception("a request failed")  # its text stays here: it may hold what nobody may see
        return _told(
            Unavailable(
                "signer-fault",
                "The signer failed; its own log says where. Nothing was signed.",
            )
        )


def _told(stop: DomainError) -> dict[str, Any]:
    return {
        "error": type(stop).__name__,
        "code": stop.code,
        "message": stop.message,
        "facts": {name: str(fact) for name, fact in stop.facts.items()},
        "clause": stop.clause,
    }


def _request(line: bytes) -> SigningRequest:
    try:
        plain = json.loads(line)
        if not isinstance(plain, dict) or plain.pop("format", None) != 1:
            raise NotPlain("", "another format")
        spelt = from_plain(_Spelt, plain)
        content = base64.b64decode(spelt.content, validate=True)
        return SigningRequest(spelt.key_id, spelt.form, content, spelt.token)
    except (ValueError, NotPlain, RecursionError) as problem:
        raise Invalid(
            "signing-request-unreadable",
            "The signer cannot read what it was asked ({reason}). Use the program that belongs "
            "to it.",
            facts={"reason": str(problem)[:200]},
        ) from problem


def _signature(answer: dict[str, Any]) -> bytes:
    """Read an answer: a signature, or the refusal in the words of the signer."""
    if "signature" in answer:
        return base64.b64decode(answer["signature"])
    stop = _KINDS[answer["error"]]("signer-fault", answer["message"], facts=answer["facts"])
    stop.code, stop.clause = answer["code"], answer["clause"]
    raise stop


def _clear(path: Path) -> None:
    """Take away the socket of a signer that is gone."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(str(path))
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except ConnectionRefusedError:
        path.unlink()
    else:
        raise Conflict(
            "signer-runs",
            "A signer runs at {path} already. Stop that one first.",
            facts={"path": str(path)},
        )
