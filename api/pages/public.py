"""What needs no account: the page behind the code of a certificate, its file, the calendar feed."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.bootstrap import trust_of
from api.deps import PublicReading, Wired, allows
from api.pages.authenticate import fragment_words
from api.pages.drawing import shape
from api.pages.rendering import page
from api.problems import say
from calib.i18n import format_date
from calib.services import public, recall
from calib.services.log import CHECKPOINT
from instruments.quantities import UNITS

router = APIRouter(include_in_schema=False)
SHOWN = 60
"""Lines of results on the page; the file holds all."""


@router.get("/c/{token}", dependencies=allows("public.certificate"))
def show_certificate(
    token: str, request: Request, session: PublicReading, wired: Wired
) -> HTMLResponse:
    """Show what was issued under a code, in both languages; any other text gives one answer."""
    found = public.public_certificate(session, token, wired.clock())
    if found is None:
        return _unknown(request)
    base = wired.settings.public_url.rstrip("/")
    stages = {line.stage for line in found.results}
    return _page(
        request,
        "public/certificate.html",
        200,
        certificate=found,
        token=token,
        is_logged=wired.publisher.log_files.read(CHECKPOINT) is not None,
        file_digest=public.file_digest(session, token),
        host=base.partition("://")[2],
        shown=SHOWN,
        is_batch=any(line.piece for line in found.results),
        has_stages=len(stages) > 1,
        unit=lambda name: UNITS[name].symbol if name in UNITS else name,
        verdict_words=public.VERDICT_WORDS,
        expired_words=public.EXPIRED_WORDS,
        unsigned_words=public.UNSIGNED_WORDS,
        sealed_words=public.SEALED_WORDS,
        simulated_words=public.SIMULATED_WORDS,
        script_words=fragment_words(),
    )


@router.get("/.well-known/calib-trust", dependencies=allows("public.trust"))
def show_trust(wired: Wired) -> Response:
    """Return what verifiers pin of this installation, as canonical JSON."""
    return Response(trust_of(wired).canonical(), media_type="application/json")


@router.get("/calendar/{token}.ics", dependencies=allows("public.calendar"))
def calendar(token: str, session: PublicReading, wired: Wired) -> Response:
    """Return the due dates of a customer as a calendar to subscribe to."""
    feed = recall.calendar(session, token, wired.clock(), public_url=wired.settings.public_url)
    return Response(feed, media_type="text/calendar; charset=utf-8")


def _unknown(request: Request) -> HTMLResponse:
    return _page(request, "public/unknown.html", 404)


def _page(request: Request, template: str, status: int, **values: Any) -> HTMLResponse:
    """Render a page that speaks both languages at once."""

    def spoken(language: str, message: str, **facts: object) -> str:
        return say(message, facts, language)

    return page(
        request,
        template,
        "zh",
        status=status,
        shape=shape,
        zh=partial(spoken, "zh"),
        en=partial(spoken, "en"),
        day_zh=lambda day: format_date(day, "zh") if day else "",
        day_en=lambda day: format_date(day, "en") if day else "",
        **values,
    )
