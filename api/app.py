"""The application: routers, error handlers, security headers, start and stop."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from api import denied, health
from api.bootstrap import Wiring
from api.cookies import HostCookies, is_secure
from api.declared import methods_at
from api.deps import language_of, origin_of
from api.logs import pseudonym, pseudonym_key
from api.openapi import describe
from api.pages import router as pages
from api.pages.rendering import error_page
from api.problems import AskedTooOften, SignInNeeded, incident, problem, status_of
from api.turnstile import Misses, Turnstile
from api.v1 import router as v1
from calib.jobs.tasks import start_worker, stop_worker
from calib.keeping.restored import is_unacknowledged
from calib.services import recovery
from instruments.db import is_disk_failure
from instruments.errors import Conflict, DomainError, Finding, Invalid, NotFound, Unavailable
from instruments.services.factor_secrets import close_all

log = logging.getLogger("calib")

MAX_REQUEST = 25 * 1024 * 1024
MOST_FINDINGS = 50
MOST_UNPACKED = 600
"""Bytes of a file that are sent as they are: packing would save less than it says."""
BY_CODE = ("/c/", "/calendar/", "/api/v1/public/")
"""Where strangers name a code."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self'; "
    "script-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ONLY_HTTPS = "max-age=63072000; includeSubDomains"
"""Two years, in which browsers that were here once ask by HTTPS alone."""


def create_app(wiring: Wiring) -> FastAPI:
    """Return the application over what was wired."""
    app = FastAPI(
        title="Calib",
        lifespan=_lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.wiring = wiring
    app.state.turnstile = Turnstile()
    app.state.misses = Misses()
    app.state.counted = Counter()
    app.include_router(health.router)
    app.include_router(v1)
    app.include_router(pages)
    describe(app)  # refuses to start with a route that does not say what it does
    static = StaticFiles(directory=Path(__file__).parent / "static")
    # packed on the way: these files hold nothing of anybody that a length could betray
    app.mount("/static", GZipMiddleware(static, minimum_size=MOST_UNPACKED), name="static")
    app.middleware("http")(_guard)
    app.add_middleware(HostCookies)
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(StaleDataError, _stale)
    app.add_exception_handler(DBAPIError, _database_error)
    app.add_exception_handler(PoolTimeout, _database_busy)
    app.add_exception_handler(OverflowError, _overflow)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Finish every reserved certificate before the first request; run jobs if asked to."""
    wired: Wiring = app.state.wiring
    waits = is_unacknowledged(wired.settings.folder)
    if not waits:
        recovery.sweep(wired.engine, wired.store, wired.sealer, wired.clock)
        close_all(wired.engine)
    inline = wired.settings.jobs == "inline" and not waits
    if inline:
        start_worker(wired)
    yield
    if inline:
        stop_worker()
    wired.engine.dispose()


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse oversized bodies early; add the security headers to every answer, failures too."""
    began = time.monotonic()
    response = await _guarded(request, call_next)
    request.app.state.counted[response.status_code // 100] += 1
    _write_down(request, response.status_code, time.monotonic() - began)
    return response


def _write_down(request: Request, status: int, seconds: float) -> None:
    """Log a request by the pattern of its route: addresses hold tokens and numbers."""
    if not log.isEnabledFor(logging.INFO):
        return
    who, wired = getattr(request.state, "who", None), request.app.state.wiring
    extra = {
        "event": "request",
        "request": secrets.token_hex(8),
        "method": request.method,
        "route": getattr(request.scope.get("route"), "path", "none"),
        "status": status,
        "milliseconds": round(seconds * 1000),
    }
    if who is not None:
        key = pseudonym_key(wired.settings.folder)
        extra |= {"lab": who.lab_id, "actor": pseudonym(key, who.person_id)}
    log.info("request", extra=extra)


async def _guarded(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    is_code = request.url.path.startswith(BY_CODE)
    response = _refused_body(request) or (_refused_code(request) if is_code else None)
    if response is None:
        try:
            response = await call_next(request)
        except Exception as fault:  # noqa: BLE001 -- outside of here answers have no headers
            response = _unknown(request, fault)
        if is_code and response.status_code == 404:
            request.app.state.misses.note(origin_of(request), _clock(request)())
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if is_secure(request.app):
        response.headers.setdefault("Strict-Transport-Security", ONLY_HTTPS)
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refused_code(request: Request) -> Response | None:
    """Return the refusal of whoever tried many codes that open nothing."""
    try:
        request.app.state.misses.need_calm(origin_of(request), _clock(request)())
    except AskedTooOften as problem:
        return _answer(request, problem)
    return None


def _clock(request: Request) -> Callable[[], datetime]:
    clock: Callable[[], datetime] = request.app.state.wiring.clock
    return clock


def _refused_body(request: Request) -> Response | None:
    """Return the refusal of a body that is too long, or does not say how long it is."""
    if "transfer-encoding" in request.headers:
        error = Invalid(
            "length-missing",
            "The request does not say how long it is. Send Content-Length instead of a chunked "
            "body.",
        )
        return _answer(request, error, 411)
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and int(length) <= MAX_REQUEST):
        error = Invalid(
            "request-too-large",
            "The request has {got} bytes, at most {most} are taken. Send a smaller file.",
            facts={"got": length, "most": MAX_REQUEST},
        )
        return _answer(request, error, 413)
    return None


def _answer(request: Request, error: DomainError, status: int | None = None) -> Response:
    language = language_of(request)
    if error.code == "changed-meanwhile" and "if-match" in request.headers:
        status = 412  # the version the request was made on is no longer the one that stands
    status = status or status_of(error)
    if request.url.path.startswith("/api/"):
        return JSONResponse(
            problem(error, language) | {"status": status},
            status_code=status,
            media_type="application/problem+json",
        )
    return error_page(request, error, language, status)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)  # noqa: S101 -- registered for this class only
    if denied.is_denial(error):
        await run_in_threadpool(denied.tell_request, request, error, origin_of(request))
    wants_page = not request.url.path.startswith("/api/")
    if isinstance(error, SignInNeeded) and wants_page and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted)}", status_code=303)
    if error.code == "second-factor-demanded" and wants_page and request.method == "GET":
        return RedirectResponse("/account?done=second-factor-demanded#factor", status_code=303)
    return _answer(request, error)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    findings = tuple(_unreadable_part(fault) for fault in error.errors()[:MOST_FINDINGS])
    first = findings[0]
    return _answer(
        request,
        Invalid(first.code, first.message, at=first.at, facts=first.facts, findings=findings),
    )


def _unreadable_part(fault: dict[str, Any]) -> Finding:
    place = "".join(f"/{part}" for part in fault["loc"][1:])
    return Finding(
        "request-invalid",
        "{place}: {problem}. Nothing was changed.",
        at=place,
        facts={"place": place or "/", "problem": fault["msg"]},
    )


async def _overflow(request: Request, error: Exception) -> Response:
    """Answer for a number that no row can have: SQLite's driver refuses it before looking."""
    if "SQLite" not in str(error):
        return _unknown(request, error)
    return _too_large(request)


def _too_large(request: Request) -> Response:
    return _answer(
        request,
        NotFound("no-such-number", "There is nothing with a number that large. Check the number."),
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error.__cause__, DomainError):
        return _answer(request, error.__cause__)  # what `read_json` said, wrapped on its way here
    if error.status_code == 404:
        return _answer(
            request, NotFound("no-such-page", "There is no such page. Start from the first page.")
        )
    answer = _answer(
        request, Invalid("request-invalid", str(error.detail)), status=error.status_code
    )
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(methods_at(request.app, request.url.path))
    return answer


async def _stale(request: Request, _error: Exception) -> Response:
    return _answer(
        request,
        Conflict(
            "changed-meanwhile",
            "Somebody else changed this record meanwhile. Nothing of yours was saved: "
            "open it again, look at the change and repeat yours.",
        ),
    )


async def _database_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)  # noqa: S101
    words = str(error.orig)
    if is_disk_failure(error):
        # whether the commit reached the disk cannot be told: stop, start-up finds out
        log.critical("database I/O error: stopping")
        os._exit(70)
    if isinstance(error, DataError) and "NUL" in words:  # PostgreSQL keeps none
        return _answer(
            request,
            Invalid(
                "text-unreadable",
                "The request holds the character U+0000, which stands for nothing. Leave it out.",
            ),
        )
    if isinstance(error, DataError) and "integer out of range" in words:
        return _too_large(request)  # as SQLite's driver says it
    if "readonly database" in words or "read-only transaction" in words:
        return _answer(request, restored())
    if isinstance(error, OperationalError) and ("full" in words or "locked" in words):
        return _answer(
            request,
            Unavailable(
                "storage-unavailable",
                "The database could not take the change ({words}). Nothing was saved. "
                "Free disk space or try again in a moment.",
                facts={"words": words},
            ),
        )
    return _unknown(request, error)


async def _database_busy(request: Request, _error: Exception) -> Response:
    """Answer whoever waited in vain for a connection: others hold them all."""
    return _answer(
        request,
        Unavailable(
            "database-busy",
            "More is asked of the database at once than it can answer. Nothing was saved. Try "
            "again in a moment.",
        ),
    )


def restored() -> Unavailable:
    """Return why a restored installation takes no change yet."""
    return Unavailable(
        "restored-not-acknowledged",
        "A backup was restored here, and nobody has acknowledged yet what is missing: everything "
        "is read-only. The operator runs calib restore --acknowledge.",
    )


def _unknown(request: Request, error: Exception) -> Response:
    return _answer(
        request,
        Unavailable(
            "incident",
            "Something went wrong here, not with what you sent. It was logged as incident "
            "{number}; nothing was saved. Try again, and tell the operator this number.",
            facts={"number": incident(error)},
        ),
        status=500,
    )
