"""The page that tells genuine certificates from forged ones, and what it needs without a network.

Most of it happens in the browser, with the scripts served here; only what somebody sends on purpose
comes to this server, is examined and forgotten.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api import styling
from api.deps import Language, Wired, allows
from api.examining import examined
from api.pages.authenticate_words import FACT_WORDS, SAYS_WORDS
from api.pages.drawing import shape
from api.pages.rendering import page
from api.problems import say
from calib.i18n import catalogue
from calib.verifier.advice import NEXT_WORDS, STRANGERS, advice
from calib.verifier.evidence import NOBODY
from calib.verifier.report import NO_CERTIFICATE, STEP_WORDS, VERDICT_WORDS

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).parent.parent / "static"
SHELL = ("/authenticate", styling.PUBLIC, "/static/icon.svg", "/authenticate/manifest.webmanifest",
         "/authenticate/words.json")  # fmt: skip
"""What the page consists of beside its scripts."""
HEADERS = {
    # nothing but this page may ask for the camera, and it only on this page's own behalf
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
}
_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00)?(?:Z|\+00:00)$")
STATES = {"established": "green", "contradicted": "red", "not_established": "yellow"}
SIGNS = {
    "valid": "green", "superseded": "yellow", "withdrawn": "red", "expired": "yellow",
    "simulated": "red", "invalid": "red", "cannot_tell": "yellow",
}  # fmt: skip


@router.get("/authenticate", dependencies=allows("public.examine_form"))
def show_page(request: Request, wired: Wired, language: Language) -> HTMLResponse:
    """Return the page; it is the same for everybody, so that it can be kept."""
    host = wired.settings.host
    return _page(request, "public/authenticate.html", language, host=host)


@router.post("/authenticate", dependencies=allows("public.examine"))
def examine_files(
    request: Request,
    wired: Wired,
    language: Language,
    file: list[UploadFile] | None = None,
    code: Annotated[str, Form(max_length=4000)] = "",
) -> HTMLResponse:
    """Examine everything that was sent, and show what was found; nothing of it is kept."""
    found = examined(request, wired, file or [], code)
    return _page(request, "public/examined.html", language, found=found)


@router.get("/authenticate/manifest.webmanifest", dependencies=allows("public.examine_form"))
def show_manifest() -> Response:
    """Return what an installed page is called."""
    manifest = {
        "name": "Calib 证书核验 · Authenticate",
        "short_name": "证书核验",
        "id": "/authenticate",
        "start_url": "/authenticate",
        "scope": "/authenticate",
        "display": "standalone",
        "background_color": "#f6f7f6",
        "theme_color": "#0b5c6b",
        "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }
    return JSONResponse(manifest, media_type="application/manifest+json")


@router.get("/authenticate/worker.js", dependencies=allows("public.examine_form"))
def show_worker() -> Response:
    """Return the script that keeps the page; it changes whenever a file of the page does."""
    files = [*SHELL, *(f"/static/authenticate/{one.name}" for one in _scripts())]
    text = (STATIC / "authenticate" / "worker.js").read_text(encoding="utf-8")
    made = f"const VERSION = {json.dumps(_version())};\nconst FILES = {json.dumps(files)};\n"
    headers = {"Service-Worker-Allowed": "/authenticate", "Cache-Control": "no-cache"}
    return Response(made + text, media_type="text/javascript", headers=headers)


@router.get("/authenticate/words.json", dependencies=allows("public.examine_form"))
def show_words(request: Request) -> Response:
    """Return what the scripts say: they ask for it once the page stands."""
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    words = json.dumps(script_words(), ensure_ascii=False).encode()
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        words = _packed(words)
    return Response(words, headers=headers, media_type="application/json")


@functools.cache
def _packed(plain: bytes) -> bytes:
    return gzip.compress(plain, mtime=0)


@functools.cache
def _scripts() -> tuple[Path, ...]:
    return tuple(sorted((STATIC / "authenticate").glob("*.js")))


@functools.cache
def _version() -> str:
    """Return a digest over everything that is kept."""
    files = (one for one in SHELL if one.startswith("/static") and one != styling.PUBLIC)
    kept = [*_scripts(), *(STATIC / Path(one).name for one in files)]
    kept += sorted((STATIC.parent / "templates" / "public").glob("*.html"))
    whole = b"".join(hashlib.sha256(one.read_bytes()).digest() for one in kept)
    whole += styling.joined(styling.PUBLIC).plain
    words = json.dumps(script_words(), sort_keys=True).encode()
    return hashlib.sha256(whole + words).hexdigest()[:16]


@functools.cache
def script_words() -> dict[str, Any]:
    """Return every sentence that the scripts say, in both languages."""
    chinese = catalogue("zh")
    source = "".join(one.read_text(encoding="utf-8") for one in _scripts())
    sentences = {*STEP_WORDS.values(), *VERDICT_WORDS.values(), *SAYS_WORDS.values()}
    sentences |= {NO_CERTIFICATE, *NEXT_WORDS.values()}
    sentences |= {words for table in FACT_WORDS.values() for words in table.values()}
    sentences |= {one for one in chinese if json.dumps(one, ensure_ascii=False) in source}
    return {
        "sentences": {one: chinese[one] for one in sorted(sentences)},
        "steps": dict(STEP_WORDS),
        "verdicts": dict(VERDICT_WORDS),
        "says": dict(SAYS_WORDS),
        "order": list(SAYS_WORDS),
        "facts": {name: dict(table) for name, table in FACT_WORDS.items()},
        "signs": SIGNS,
        "next": dict(NEXT_WORDS),
        "no_certificate": NO_CERTIFICATE,
        "strangers": list(STRANGERS),
        "nobody": list(NOBODY),
    }


@functools.cache
def fragment_words() -> dict[str, Any]:
    """Return what the script of a certificate's page says, in both languages: three sentences."""
    source = (STATIC / "authenticate" / "fragment.js").read_text(encoding="utf-8")
    chinese = catalogue("zh")
    said = (one for one in chinese if json.dumps(one, ensure_ascii=False) in source)
    return {"sentences": {one: chinese[one] for one in sorted(said)}, "facts": {}}


def _readable(name: str, fact: object, language: str) -> object:
    """Return a fact as people read it: words for words of the program, instants with a space."""
    if isinstance(fact, str):
        words = FACT_WORDS.get(name, {}).get(fact, "") if language == "en" else ""
        return words or _INSTANT.sub(r"\1 \2 UTC", fact)
    return fact


def _page(request: Request, template: str, language: str, **values: Any) -> HTMLResponse:
    """Render a page that holds both languages and shows the one that is asked for."""

    def spoken(of: str, message: str, /, **facts: object) -> str:
        return say(message, {name: _readable(name, fact, of) for name, fact in facts.items()}, of)

    answer = page(
        request,
        template,
        language,
        shape=shape,
        zh=partial(spoken, "zh"),
        en=partial(spoken, "en"),
        advice=advice,
        step_words=STEP_WORDS,
        says_words=SAYS_WORDS,
        fact_words=FACT_WORDS,
        signs=SIGNS,
        states=STATES,
        **values,
    )
    answer.headers.update(HEADERS)
    return answer
