"""Files that would unpack to more than any certificate has, told before a parser unpacks them.

Certificates pack each stream once and by one method; whatever is packed otherwise is none of them.
Knows nothing of what a file says.
"""

from __future__ import annotations

import re
import zlib
from typing import Literal

from instruments.errors import Refused

MAX_UNPACKED = 64 * 1024**2
"""Bytes that all streams of a certificate unpack to; a genuine one has less than a hundredth."""
MAX_STREAMS = 5000
MAX_READINGS = 8 * 1024**2
"""Bytes of an input; a batch of a thousand thermometers has half."""
MAX_POINTS = 20_000
_FILTER = re.compile(rb"/((?:#[0-9A-Fa-f]{2}|[A-Za-z]){6})(?![A-Za-z#])")
_ALLOWED = re.compile(rb"\s*/(?:FlateDecode|Adobe\.PPKLite)(?![\w#.])")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream[^\r\n]*(?:\r\n|\n|\r)")
_STEP = 64 * 1024
_LIKE_CODE = re.compile(rb"\A[ \t\r\n\f\v]*(?:#|https?:)|[A-Za-z0-9_-]{60}")


def form_of(content: bytes) -> Literal["pdf", "xml", "code"]:
    """Return what a content looks like; whatever is no file is taken for the text of a code."""
    if content.startswith(b"%PDF-"):
        return "pdf"
    return "xml" if content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "code"


def is_like_code(content: bytes) -> bool:
    """Answer whether a text could have stood in a code: an address, or a long run of base64url."""
    return _LIKE_CODE.search(content) is not None


def need_bounded(content: bytes) -> None:
    """Make sure that a PDF file stays small when it is unpacked.

    Raises
    ------
    Refused
        It is packed as no certificate is, or unpacks to too much.
    """
    for name in _FILTER.finditer(content):
        if _plain(name[1]) == b"Filter" and not _ALLOWED.match(content, name.end()):
            raise _refused("it is packed by a method that no certificate uses")
    left = MAX_UNPACKED
    for count, found in enumerate(_STREAM.finditer(content)):
        left -= _unpacked(content, found.end(), left)
        if left <= 0 or count > MAX_STREAMS:
            raise _refused("it unpacks to more than any certificate")


def is_computable(content: bytes) -> bool:
    """Answer whether frozen readings are small enough to be computed again for a stranger."""
    return len(content) <= MAX_READINGS and content.count(b'"nominal":') <= MAX_POINTS


def _plain(name: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), name)


def _unpacked(content: bytes, start: int, limit: int) -> int:
    """Return to how many bytes the stream unpacks that starts here, counted up to the limit."""
    unpacker, size = zlib.decompressobj(), 0
    try:
        while size < limit and not unpacker.eof and start < len(content):
            packed = unpacker.unconsumed_tail or content[start : start + _STEP]
            start += 0 if unpacker.unconsumed_tail else _STEP
            size += len(unpacker.decompress(packed, _STEP))
    except zlib.error:
        return size  # not packed, or damaged from here on: a parser gets no further either
    return size


def _refused(reason: str) -> Refused:
    return Refused(
        "certificate-unbounded",
        "The file is built to cost memory: {reason}. It was not opened.",
        facts={"reason": reason},
    )
