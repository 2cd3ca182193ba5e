"""Liveness, readiness and figures for whoever watches the installation."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse

from api.deps import Language, Wired, allows
from api.readiness import look
from instruments.errors import NotFound

router = APIRouter(include_in_schema=False)


@router.get("/livez", dependencies=allows("public.health"))
def live() -> dict[str, str]:
    """Answer as long as the event loop turns."""
    return {"status": "alive"}


@router.get("/readyz", dependencies=allows("public.health"))
def ready(wired: Wired, response: Response, language: Language) -> dict[str, Any]:
    """Answer what works and what does not; 503 when the installation cannot do its work."""
    found = look(wired, language)
    response.status_code = 503 if found.red else 200
    return {"status": "not ready" if found.red else "ready", "checks": found.checks}


@router.get("/metrics", dependencies=allows("public.health"))
def figures(
    request: Request, wired: Wired, authorization: Annotated[str, Header()] = ""
) -> Response:
    """Answer figures for whoever has the token of the settings; for all others there is no page."""
    wanted = f"Bearer {wired.settings.metrics_token}"
    given = authorization.encode("utf-8", "replace")
    if not wired.settings.metrics_token or not hmac.compare_digest(given, wanted.encode()):
        raise NotFound("no-such-page", "There is no such page. Start from the first page.")
    found = look(wired, "en")
    lines = [
        f'calib_ready{{part="{part}"}} {int(said == "ok" or part == "journal")}'
        for part, said in sorted(found.checks.items())
    ]
    lines += [f"calib_{name} {value}" for name, value in sorted(found.figures.items())]
    counted = request.app.state.counted
    lines += [f'calib_requests{{status="{k}xx"}} {counted[k]}' for k in sorted(counted)]
    return PlainTextResponse("\n".join(lines) + "\n")
