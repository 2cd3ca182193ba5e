"""The public log and the status list as files, and the proof of one certificate: no account needed.

What is served here was signed before; nothing is computed for whoever asks but the path of a proof.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from api.bootstrap import Wiring
from api.deps import PublicReading, Wired, allows
from calib.services import public
from calib.services.log import CHECKPOINT, proof_of
from calib.services.statuses import LIST
from instruments.errors import NotFound

router = APIRouter(include_in_schema=False)
_TILE = re.compile(
    r"(?:entries|[0-9]|[1-5][0-9]|6[0-3])(?:/x[0-9]{3})*/[0-9]{3}(?:\.p/[0-9]{1,3})?"
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOTE = "text/plain; charset=utf-8"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_MOMENTS = {"Cache-Control": "public, max-age=5"}
_MINUTE = {"Cache-Control": "public, max-age=60"}
_OPEN = {"Access-Control-Allow-Origin": "*"}
"""Anybody's page may read what everybody may check."""


@router.get("/log/checkpoint", dependencies=allows("public.log"))
def show_checkpoint(wired: Wired) -> Response:
    """Return the newest head of the log with its signatures (C2SP tlog-tiles)."""
    content = wired.publisher.log_files.read(CHECKPOINT)
    return _file(content, _NOTE, _MOMENTS)


@router.get("/log/tile/{path:path}", dependencies=allows("public.log"))
def show_tile(path: Annotated[str, Path(max_length=200)], wired: Wired) -> Response:
    """Return a tile of hashes or a bundle of entries (C2SP tlog-tiles)."""
    if _TILE.fullmatch(path) is None:
        raise _absent()
    content = wired.publisher.log_files.read(f"tile/{path}")
    return _file(content, "application/octet-stream", _FOR_EVER)


@router.get("/status/list", dependencies=allows("public.status"))
def show_status(wired: Wired) -> Response:
    """Return the signed list of certificates that no longer stand."""
    return _file(wired.publisher.status_files.read(LIST), _NOTE, _MINUTE)


@router.get("/c/{token}/proof", dependencies=allows("public.log"))
def show_proof(token: str, session: PublicReading, wired: Wired) -> Response:
    """Return the proof that a certificate stands in the log (C2SP tlog-proof)."""
    number, content = _proof(public.issued_of(session, token), session, wired)
    quoted = re.sub(r"[^A-Za-z0-9._-]", "_", number)
    disposition = {"Content-Disposition": f'attachment; filename="{quoted}.tlog-proof"'}
    return Response(content, media_type=_NOTE, headers={**_MINUTE, **_OPEN, **disposition})


@router.get("/authenticate/proof/{digest}", dependencies=allows("public.log"))
def show_proof_of_file(digest: str, session: PublicReading, wired: Wired) -> Response:
    """Return the proof of the certificate whose file has this SHA-256: who asks has the file."""
    found = public.issued_by_digest(session, digest) if _DIGEST.fullmatch(digest) else None
    _, content = _proof(found, session, wired)
    return Response(content, media_type=_NOTE, headers=_MINUTE)


def _proof(
    found: tuple[int, str] | None, session: PublicReading, wired: Wiring
) -> tuple[str, bytes]:
    log = wired.publisher.log(wired.clock())
    if found is None or log is None:
        raise _absent()
    id_, number = found
    return number, proof_of(log, session, id_, "issued").text().encode()


def _file(content: bytes | None, kind: str, caching: dict[str, str]) -> Response:
    if content is None:
        raise _absent()
    return Response(content, media_type=kind, headers={**caching, **_OPEN})


def _absent() -> NotFound:
    return NotFound("no-such-page", "There is no such page. Start from the first page.")
