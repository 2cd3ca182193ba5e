"""The glossary for readers: words of certificates and of the bench, in both languages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.deps import Language, allows
from api.glossary import TERMS, told
from api.pages.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/glossary", dependencies=allows("public.glossary"))
def show_glossary(request: Request, language: Language) -> HTMLResponse:
    """Show every word with its name in both languages, what it means and its source."""
    return page(request, "glossary.html", language, terms=[told(code, language) for code in TERMS])
