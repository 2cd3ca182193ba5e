"""What JSON answers share: the ETag of a record, and the header a file goes out under."""

from __future__ import annotations

from typing import Protocol, TypeVar
from urllib.parse import quote

from fastapi import Response


class Versioned(Protocol):
    """A view that carries the version of its record."""

    @property
    def version(self) -> int:
        """Return the version."""


View = TypeVar("View", bound=Versioned)


def tagged(response: Response, view: View) -> View:
    """Set the ETag a change of this record must send back as If-Match."""
    response.headers["ETag"] = f'"{view.version}"'
    return view


def download(content: bytes, media_type: str, name: str, *, inline: bool = False) -> Response:
    """Return a file answer; the browser neither guesses its type nor runs it."""
    how = "inline" if inline else "attachment"
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f"{how}; filename*=UTF-8''{quote(name)}"},
    )
