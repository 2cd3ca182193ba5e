"""The style sheet and the drawings of the pages: readable files here, one answer on the wire.

Joined and packed once for what lies on the disk; the address bears the digest, so that browsers
keep an answer for good and yet never show a page in yesterday's clothes. Knows no page.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLE = "/static/style.css"
PUBLIC = "/static/public.css"
"""The same with what strangers' pages have beside it: one answer, for they come once."""
ICONS = "/static/icons.svg"
SHEETS = (
    "tokens",
    "type",
    "layout",
    "rooms",
    "components",
    "forms",
    "tables",
    "keys",
    "terms",
    "print",
)
"""Files of the style in the order they are read: later ones speak over earlier ones."""
_FILES = {
    STYLE: tuple(f"style/{name}.css" for name in SHEETS),
    PUBLIC: tuple(f"style/{name}.css" for name in (*SHEETS, "public", "authenticate")),
    ICONS: ("icons.svg",),
}


@dataclass(frozen=True, slots=True)
class Joined:
    """What is sent."""

    plain: bytes
    packed: bytes
    digest: str


def joined(address: str) -> Joined:
    """Return what stands at one of these addresses; raises KeyError for another."""
    files = tuple(STATIC / name for name in _FILES[address])
    return _read(files, tuple(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=4)
def _read(files: tuple[Path, ...], _written_at: tuple[int, ...]) -> Joined:
    plain = b"\n".join(file.read_bytes() for file in files)
    packed = gzip.compress(plain, mtime=0)  # the same bytes on every machine
    return Joined(plain, packed, hashlib.sha256(plain).hexdigest()[:16])


def address_of(address: str) -> str:
    """Return the address with the digest of what stands there now."""
    return f"{address}?{joined(address).digest}"
