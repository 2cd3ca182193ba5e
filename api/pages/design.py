"""How the pages look: the one style sheet, the drawings, light or dark, and a page that shows all.

The page is for whoever builds pages and for whoever wants to know what a sign means; it needs no
account and shows nothing of anybody.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import styling
from api.deps import THEME_COOKIE, THEMES, Language, allows
from api.pages.drawing import shape
from api.pages.home import YEAR, local_path
from api.pages.rendering import page

router = APIRouter(include_in_schema=False)
FOR_GOOD = "public, max-age=31536000, immutable"
_TOKEN = re.compile(r"^  --([a-z0-9-]+): ([^;]+);$", re.MULTILINE)
_SYMBOL = re.compile(r'<symbol id="([a-z-]+)"')


@router.get(styling.STYLE, dependencies=allows("public.design"))
def send_style(request: Request) -> Response:
    """Send the style of every page as one answer."""
    return _joined(request, styling.STYLE, "text/css")


@router.get(styling.PUBLIC, dependencies=allows("public.design"))
def send_public_style(request: Request) -> Response:
    """Send the style of the pages that strangers open."""
    return _joined(request, styling.PUBLIC, "text/css")


@router.get(styling.ICONS, dependencies=allows("public.design"))
def send_icons(request: Request) -> Response:
    """Send the drawings beside words."""
    return _joined(request, styling.ICONS, "image/svg+xml")


def _joined(request: Request, address: str, media_type: str) -> Response:
    sheet = styling.joined(address)
    tag = f'"{sheet.digest}"'
    is_named = request.url.query == sheet.digest
    headers = {
        "ETag": tag,
        "Cache-Control": FOR_GOOD if is_named else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(sheet.packed, headers=headers, media_type=media_type)
    return Response(sheet.plain, headers=headers, media_type=media_type)


@router.post("/theme", dependencies=allows("public.theme"))
def choose_theme(theme: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
    """Remember whether pages are light or dark; anything else follows the system again."""
    response = RedirectResponse(local_path(back), status_code=303)
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, httponly=True, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE)
    return response


@router.get("/design", dependencies=allows("public.design"))
def show_design(request: Request, language: Language) -> HTMLResponse:
    """Show every token and every component in all their states, in type of both languages."""
    sheet = (styling.STATIC / "style" / "tokens.css").read_text("utf-8")
    drawings = (styling.STATIC / "icons.svg").read_text("utf-8")
    light = sheet.partition("\n}")[0]
    return page(
        request,
        "design.html",
        language,
        tokens=_TOKEN.findall(light),
        icons=_SYMBOL.findall(drawings),
        shape=shape,
    )
