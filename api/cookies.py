"""Cookies over HTTPS: they bear the prefix that keeps every other host from setting them.

Inside, a cookie has its short name; the prefix is put on and taken off here, for all of them, so
that no route can forget it. Without HTTPS (somebody tries the program out) browsers take no such
cookie, and the names stay as they are.
"""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OURS = b"calib_"
PREFIX = b"__Host-"
"""Taken by browsers only from this host itself, over HTTPS, for every path."""
_ALWAYS = (b"Secure", b"HttpOnly")


class HostCookies:
    """Renames the cookies of this program on their way in and out."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not is_secure(scope["app"]):
            await self._app(scope, receive, send)
            return

        async def outward(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [_outward(*one) for one in message["headers"]]}
            await send(message)

        inward = [_inward(*one) for one in scope["headers"]]
        await self._app({**scope, "headers": inward}, receive, outward)


def is_secure(app: Any) -> bool:
    """Answer whether people reach the installation by HTTPS."""
    return bool(app.state.wiring.settings.public_url.startswith("https://"))


def _inward(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Take the prefix off; one of ours without it was set by somebody else."""
    if name.lower() != b"cookie":
        return name, value
    pairs = (pair.strip() for pair in value.split(b";"))
    return name, b"; ".join(
        pair.removeprefix(PREFIX) for pair in pairs if not pair.startswith(OURS)
    )


def _outward(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Put the prefix on, with what browsers ask for beside it."""
    if name.lower() != b"set-cookie" or not value.startswith(OURS):
        return name, value
    said = value.lower()
    missing = [word for word in _ALWAYS if b"; " + word.lower() not in said]
    return name, b"; ".join([PREFIX + value, *missing])
