"""Fetches schemas from the address of one of them and from the places it imports others from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import OpenerDirector, Request, build_opener

from calib.adapters.http import NoRedirect
from calib.certificates.dcc_schema import MAX_BYTES, imports_of
from instruments.errors import Refused, Unavailable

MOST_FILES: Final = 10
SECONDS: Final = 20.0


def fetch_schemas(address: str) -> Iterator[bytes]:
    """Yield the schema at an address and everything it imports, each once.

    Raises
    ------
    Refused
        An address is not https (http only on this machine).
    Unavailable
        An address does not answer.
    """
    waiting, seen = [address], {address}
    opener = build_opener(NoRedirect)  # an address that moved is told to who typed it
    while waiting:
        place = waiting.pop(0)
        content = _fetched(opener, place)
        yield content
        for written in imports_of(content):
            found = urljoin(place, written)
            if found not in seen and len(seen) < MOST_FILES:
                seen.add(found)
                waiting.append(found)


def _fetched(opener: OpenerDirector, place: str) -> bytes:
    parts = urlsplit(place)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
        raise Refused(
            "schema-address-open",
            "The address {address} is not https. Schemas are fetched over https only.",
            facts={"address": place},
        )
    request = Request(place, headers={"User-Agent": "calib"})  # noqa: S310 -- the scheme is checked
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (URLError, OSError) as problem:
        if isinstance(problem, HTTPError):
            problem.close()
        raise Unavailable(
            "schema-address-silent",
            "The address {address} does not give the schema: {problem}. Download the schemas "
            "and name their folder instead.",
            facts={"address": place, "problem": str(getattr(problem, "reason", problem))},
        ) from problem
    return content


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
