"""Files that the doors hand out."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response


def download(content: bytes, media_type: str, name: str, *, inline: bool = False) -> Response:
    """Return a file to keep, or to look at; the browser neither guesses its type nor runs it."""
    how = "inline" if inline else "attachment"
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}"},
    )
