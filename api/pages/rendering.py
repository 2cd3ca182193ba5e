"""Templates to pages: one environment, strict about missing values, in the reader's language."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.routing import Match

from api import glossary, styling
from api.deps import theme_of
from api.pages.forms import Form
from api.pages.words import COLOURS, NOTICES, WORDS, choices
from api.problems import finding_document, say
from calib.i18n import format_date, translate
from instruments.context import Context
from instruments.errors import DomainError, Finding
from instruments.quantities import UNITS

TEMPLATES = Path(__file__).parent.parent / "templates"


@functools.cache
def environment() -> Environment:
    """Return the one template environment; data never becomes template source."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=200,
    )


def page(
    request: Request, template: str, language: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a page; `values` are what the template shows."""

    def t(message: str, **facts: object) -> str:
        return translate(message, language, **facts)

    def finding(found: Finding) -> dict[str, str]:
        return finding_document(found, language)

    def word(group: str, code: str | None) -> str:
        return t(WORDS[group].get(code or "", code or ""))

    shown = {
        "t": t,
        "word": word,
        "colour": lambda group, code: COLOURS[group].get(code, ""),
        "options": lambda group: [(code, t(words)) for code, words in choices(group)],
        "unit": lambda name: UNITS[name].symbol if name in UNITS else name,
        "choices_of": lambda named: [(code, w.text(language)) for code, w in named.items()],
        "notice": NOTICES.get(request.query_params.get("done", ""), ""),
        "query": request.query_params,
        "date": lambda day: format_date(day, language) if day else "",
        "instant": lambda at: at.strftime("%Y-%m-%d %H:%M") if at else "",
        "words": lambda text: text.text(language),
        "finding": finding,
        "term_of": lambda code: glossary.told(code, language),
        "language": language,
        "path": request.url.path,
        "here": _here(request),
        "theme": theme_of(request),
        "style": styling.address_of(styling.STYLE),
        "drawings": styling.address_of(styling.ICONS),
        "actor": None,
        "may": lambda _act: False,
        "form": Form(),
        **values,
    }
    html = environment().get_template(template).render(shown)
    return HTMLResponse(html, status_code=status)


def staff_page(request: Request, template: str, ctx: Context, **values: Any) -> HTMLResponse:
    """Render a page for somebody signed in: menu by role, times in the lab's zone."""
    return page(
        request,
        template,
        ctx.language,
        actor=ctx.actor,
        may=ctx.may,
        instant=lambda at: at.astimezone(ctx.zone).strftime("%Y-%m-%d %H:%M") if at else "",
        **values,
    )


def error_page(request: Request, error: DomainError, language: str, status: int) -> HTMLResponse:
    """Render what went wrong: what, where, what to do."""
    return page(
        request,
        "error.html",
        language,
        status=status,
        message=say(error.message, error.facts, language),
        findings=error.findings,
        code=error.code,
        at=error.at,
        back=_came_from(request),
    )


def _here(request: Request) -> str:
    """Return where what is shown can be opened again: of a refused form, the page that held it."""
    if request.method != "POST":
        query = urlencode([one for one in request.query_params.multi_items() if one[0] != "done"])
        return request.url.path + (f"?{query}" if query else "")
    came = _came_from(request)
    if came and _opens(request, urlsplit(came).path):
        return came
    path = request.url.path
    while path != "/" and not _opens(request, path):
        path = path.rpartition("/")[0] or "/"
    return path


def _opens(request: Request, path: str) -> bool:
    """Answer whether there is a page under the path."""
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def _came_from(request: Request) -> str:
    """Return the page of this site that led here; empty when there is none or it is this one."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.url.netloc or came.path == request.url.path:
        return ""
    return came.path + (f"?{came.query}" if came.query else "")
