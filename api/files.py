"""Files that the doors hand out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Response


def gives(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """Return what the description of a route says of the files it answers with."""
    return {200: {"content": {one: {} for one in media_types}}}


def download(content: bytes, media_type: str, name: str, *, inline: bool = False) -> Response:
    """Return a file to keep, or to look at; the browser neither guesses its type nor runs it."""
    how = "inline" if inline else "attachment"
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}"},
    )
