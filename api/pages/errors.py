"""The page that the ``type`` of every problem points to: what each code means and what to do.

Shows what `make docs` read from the source, the same as docs/errors.md; needs no account.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.deps import Language, allows
from api.pages.rendering import page

router = APIRouter(include_in_schema=False)
TOLD = Path(__file__).parent.parent / "errors.json"


@router.get("/docs/errors", dependencies=allows("public.errors"))
def show_errors(request: Request, language: Language) -> HTMLResponse:
    """Show every code with its sentences in the reader's language."""
    return page(request, "errors.html", language, errors=told())


@cache
def told() -> dict[str, list[str]]:
    """Return the English sentences of every code."""
    found: dict[str, list[str]] = json.loads(TOLD.read_text("utf-8"))
    return found
