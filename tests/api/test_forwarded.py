"""Where somebody comes from is said by the web server in front alone."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn

from api.commands.serving import configured


async def seen_from(host: str, forwarded: str) -> str:
    told = []

    async def application(scope, receive, send):
        told.append(scope["client"][0])

    config: uvicorn.Config = configured(application)
    config.load()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/", "raw_path": b"/", "query_string": b"",
        "client": (host, 4000), "server": ("127.0.0.1", 8000),
        "headers": [(b"x-forwarded-for", forwarded.encode())],
    }  # fmt: skip
    await config.loaded_app(scope, None, None)
    return told[0]


@pytest.mark.parametrize(
    ("host", "forwarded", "wanted"),
    [
        ("203.0.113.5", "198.51.100.9", "203.0.113.5"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "127.0.0.1, 198.51.100.9", "198.51.100.9"),
    ],
)
def test_only_the_web_server_in_front_says_where_somebody_is(monkeypatch, host, forwarded, wanted):
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    assert asyncio.run(seen_from(host, forwarded)) == wanted
