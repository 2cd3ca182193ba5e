"""HTTPS to whoever the settings name: small bodies, short patience, no redirects.

Without encryption only this machine is spoken to.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from instruments.errors import Unavailable

SECONDS = 10
LARGEST = 16 * 1024 * 1024
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leads nowhere: whoever was named answers, or nobody."""

    def redirect_request(self, *_args: Any, **_options: Any) -> None:
        """Follow nothing."""


def is_encrypted_or_here(address: str) -> bool:
    """Answer whether nobody on the way can read what is said to an address."""
    try:
        parts = urlsplit(address)
        here = parts.hostname in HERE
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and here)


def ask(
    address: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> tuple[int, bytes]:
    """Send a body, or fetch without one; return status and answer.

    Raises
    ------
    Unavailable
        Nobody answers there, or what answers does not speak HTTP.
    """
    if not is_encrypted_or_here(address):
        raise _silent(address, "it is no https address, and not of this machine")
    handlers: list[Any] = [NoRedirect]
    if urlsplit(address).hostname in HERE:  # no proxy reads along what is said in clear
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(  # noqa: S310 -- the scheme was looked at
        address, data=body, headers=dict(headers or {})
    )
    try:
        with opener.open(request, timeout=seconds) as answer:
            return int(answer.status), bytes(answer.read(LARGEST))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return int(refusal.code), bytes(refusal.read(LARGEST))
    except (OSError, http.client.HTTPException) as problem:
        raise _silent(address, str(problem) or type(problem).__name__) from problem
    except ValueError:  # its words may hold a header, and so a secret
        raise _silent(address, "the request cannot be sent") from None


def post(address: str, body: bytes) -> tuple[int, bytes]:
    """Send a body; return status and answer.

    Raises
    ------
    Unavailable
        Nobody answers there.
    """
    return ask(address, body)


def fetcher(base: str) -> Callable[[str], bytes]:
    """Return what fetches files below an address.

    It raises Unavailable when a file is not served.
    """

    def fetch(path: str) -> bytes:
        address = f"{base.rstrip('/')}/{path}"
        status, content = ask(address)
        if status != 200:
            raise _silent(address, f"it answers {status}")
        return content

    return fetch


def _silent(address: str, reason: str) -> Unavailable:
    return Unavailable(
        "address-silent",
        "{address} does not answer ({reason}). Check the address and the network, then try again.",
        facts={"address": address, "reason": reason},
    )
