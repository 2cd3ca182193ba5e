"""A label before the camera of a phone: to the instrument it is on, or what else it is.

The code is read in the browser; what comes here is the text. It leads nowhere but into this site.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, allows
from api.pages.rendering import staff_page
from calib.services import lookup
from calib.services.standing import is_token
from instruments.context import Context
from instruments.services import instruments

router = APIRouter(include_in_schema=False)
HEADERS = {"Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}
"""This page may ask for the camera."""
LONGEST = 2000
_MARK = re.compile(r"[^\x00-\x1f]{1,80}")
Answer = Literal["", "empty", "foreign", "certificate", "unknown", "several"]


@router.get("/scan", dependencies=allows("instrument.read"))
def scan(request: Request, ctx: Reading, wired: Wired, code: str = "") -> Response:
    """Show the camera, or go where a code leads; what is no label of one's own is told."""
    text = code.strip()[:LONGEST]
    answer: Answer = ""
    found: tuple[instruments.InstrumentView, ...] = ()
    token = ""
    if text:
        hosts = {urlsplit(wired.settings.public_url).netloc, request.url.netloc}
        answer, found, token = _read(ctx, text, hosts)
        if len(found) == 1:
            return RedirectResponse(f"/instruments/{found[0].id}", status_code=303)
    page = staff_page(
        request,
        "registry/scan.html",
        ctx,
        code=text,
        answer=answer,
        found=found,
        token=token,
        host=_host(text) if answer == "foreign" else "",
    )
    page.headers.update(HEADERS)
    return page


def _read(
    ctx: Context, text: str, hosts: set[str]
) -> tuple[Answer, tuple[instruments.InstrumentView, ...], str]:
    """Return what a code is, the instruments it may mean, and the token of a certificate."""
    if not re.match(r"https?:", text, re.IGNORECASE):
        return _marked(ctx, text)
    if _host(text) not in hosts:
        return "foreign", (), ""
    address = urlsplit(text)
    if address.path.startswith("/c/") and is_token(token := address.path.removeprefix("/c/")):
        id_ = lookup.instrument_of_token(ctx, token)
        mine = instruments.get_instruments(ctx, () if id_ is None else (id_,))
        return "certificate", tuple(mine.values()), token
    if address.path == "/instruments":
        return _marked(ctx, parse_qs(address.query).get("text", [""])[0])
    return "unknown", (), ""


def _host(address: str) -> str:
    """Return where an address leads; empty when it is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _marked(ctx: Context, mark: str) -> tuple[Answer, tuple[instruments.InstrumentView, ...], str]:
    if not _MARK.fullmatch(mark):
        return "unknown", (), ""
    found = instruments.marked_instruments(ctx, mark)
    return ("several" if found else "unknown"), found, ""
