"""What this process writes down of itself: a line of JSON each, with no name, mail, token or value.

A person appears as a pseudonym under a key of the installation; whoever has the database and the
key can say who it was, whoever has the lines alone cannot. Of a failure the kind and the places in
the program are told, never its words: those may hold what somebody typed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

KEY = "log.key"
_OURS = ("event", "request", "method", "route", "status", "milliseconds", "lab", "actor")
"""What a record may carry besides its sentence."""


class AsJSON(logging.Formatter):
    """Formats a record as one line of JSON; control characters are escaped by it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "says": record.getMessage() if _is_ours(record) else record.msg,
        }
        line |= {name: getattr(record, name) for name in _OURS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["failure"] = _kinds(record.exc_info[1])
            line["places"] = _places(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=str)


def write_json_lines(level: int = logging.INFO) -> None:
    """Let every logger of this process write lines of JSON to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AsJSON())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "huey", "fontTools", "pyhanko", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def pseudonym_key(folder: Path) -> bytes:
    """Return the key of pseudonyms of this installation; made when there is none."""
    path = folder / KEY
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key


def pseudonym(key: bytes, person_id: int) -> str:
    """Return what a person is called in the lines."""
    return hmac.new(key, f"person {person_id}".encode(), hashlib.sha256).hexdigest()[:16]


def _is_ours(record: logging.LogRecord) -> bool:
    """Answer whether the facts of a sentence were chosen by this program."""
    return record.name.partition(".")[0] == "calib"


def _kinds(problem: BaseException) -> list[str]:
    kinds: list[str] = []
    seen: BaseException | None = problem
    while seen is not None and len(kinds) < 5:
        kinds.append(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__
    return kinds


def _places(problem: BaseException) -> list[str]:
    frames = traceback.extract_tb(problem.__traceback__)[-12:]
    return [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames]
