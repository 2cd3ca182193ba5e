"""Handing out the lab's data is an act: a row of the trail is written before, or nothing goes out.

The row stands in a transaction of its own: what is handed out is only read.
"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request

from api.deps import MakeContext, acting
from instruments.services import audit

EXPORT = "access:list:export"


class Exporting:
    """What a route declares that hands out more than a page: what it is."""

    def __init__(self, what: str) -> None:
        """Declare what is handed out."""
        self.what = what

    def __call__(self, request: Request, act: MakeContext = Depends(acting)) -> None:
        """Write down who takes what, as narrowed by the request."""
        asked = f"{request.url.path}?{request.url.query}".rstrip("?")[:500]
        with act() as ctx:
            audit.record(ctx, EXPORT, self.what, None, {"asked": asked})


def exports(what: str) -> list[Any]:
    """Return the declaration of a route that hands out data; it stands behind `allows`."""
    return [Depends(Exporting(what))]
