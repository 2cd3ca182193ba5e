"""The audit trail to read and search, and one's own acts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Reading, allows
from api.exporting import exports
from api.pages.audit_words import ACT_WORDS, ADDRESSES, FIELD_LABELS, OBJECT_WORDS
from api.pages.rendering import staff_page
from api.sheets import csv_file, xlsx_file
from calib.i18n import translate
from instruments.context import Context
from instruments.errors import Invalid
from instruments.services import trail

router = APIRouter(include_in_schema=False)
Act = trail.ActView | trail.OwnActView
PAGE = 50
HEADINGS = (
    "Place", "Time (UTC)", "Person", "By way of", "Act", "Thing", "Number of the thing",
    "Further facts", "Before and after", "Request", "Digest",
)  # fmt: skip
"""Columns of an exported trail."""


@router.get("/lab/audit", dependencies=allows("audit.read"))
def list_acts(request: Request, ctx: Reading, before: int = 0) -> Response:
    """Show the acts of the lab, newest first, narrowed as asked."""
    wanted, query = wanted_of(request)
    acts = trail.list_acts(ctx, wanted, before=before or None, limit=PAGE + 1)
    return _page(
        request,
        ctx,
        "lab/audit.html",
        acts[:PAGE],
        acts[PAGE - 1].place if len(acts) > PAGE else None,
        query=urlencode(query),
        asked=query,
        people=trail.people_told(ctx),
        kinds=[(code, translate(words, ctx.language)) for code, words in OBJECT_WORDS.items()],
        all_acts=[(code, translate(words, ctx.language)) for code, words in ACT_WORDS.items()],
        tab="audit",
    )


@router.get("/lab/audit.csv", dependencies=[*allows("audit.export"), *exports("audit_trail")])
def export_csv(request: Request, ctx: Reading) -> Response:
    """Hand out the acts that are asked for, as CSV."""
    return csv_file(sheet(ctx, wanted_of(request)[0]), "audit.csv")


@router.get("/lab/audit.xlsx", dependencies=[*allows("audit.export"), *exports("audit_trail")])
def export_xlsx(request: Request, ctx: Reading) -> Response:
    """Hand out the acts that are asked for, as a workbook."""
    return xlsx_file(sheet(ctx, wanted_of(request)[0]), "audit.xlsx")


@router.get("/account/acts", dependencies=allows("account.read"))
def own_acts(request: Request, ctx: Reading, before: int = 0) -> Response:
    """Show what the person did in this lab."""
    acts = trail.own_acts(ctx, before=before or None, limit=PAGE + 1)
    older = acts[PAGE - 1].number if len(acts) > PAGE else None
    return _page(request, ctx, "account_acts.html", acts[:PAGE], older, query="")


def wanted_of(request: Request) -> tuple[trail.Wanted, dict[str, str]]:
    """Return which acts a request asks for, and the same as it was typed.

    Raises Invalid for a number or a day that is none.
    """
    names = ("person", "act", "kind", "object", "from", "until", "text")
    query = {n: request.query_params.get(n, "").strip() for n in names}
    wanted = trail.Wanted(
        person_id=_whole(query["person"], "person"),
        act=query["act"],
        object_kind=query["kind"],
        object_id=_whole(query["object"], "object"),
        first_on=_day(query["from"], "from"),
        last_on=_day(query["until"], "until"),
        text=query["text"],
    )
    return wanted, {name: value for name, value in query.items() if value}


def sheet(ctx: Context, wanted: trail.Wanted) -> Iterator[tuple[str, ...]]:
    """Yield the rows of an exported trail, newest first, after their headings."""
    yield tuple(translate(heading, ctx.language) for heading in HEADINGS)
    before: int | None = None
    while acts := trail.list_acts(ctx, wanted, before=before, limit=trail.MOST):
        for act in acts:
            yield (
                str(act.place),
                act.happened_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                act.person,
                act.via,
                act_words(act.act, ctx.language),
                translate(OBJECT_WORDS.get(act.object_kind, act.object_kind), ctx.language),
                "" if act.object_id is None else str(act.object_id),
                _json(act.facts),
                _json(act.changes),
                act.request_id,
                act.digest,
            )
        before = acts[-1].place


def act_words(act: str, language: str) -> str:
    """Return what an act is called."""
    whole = act.removesuffix(":more")
    words = translate(ACT_WORDS.get(whole, whole), language)
    return words if whole == act else translate("{act}, continued", language, act=words)


def _page(
    request: Request,
    ctx: Context,
    template: str,
    acts: tuple[trail.ActView, ...] | tuple[trail.OwnActView, ...],
    older: int | None,
    *,
    query: str,
    **values: Any,
) -> Response:
    return staff_page(
        request,
        template,
        ctx,
        acts=acts,
        older=f"?{query}{'&' if query else ''}before={older}" if older else "",
        query=query,
        act_words=lambda act: act_words(act, ctx.language),
        lines=_lines(ctx.language),
        address=lambda act: _address(ctx, act),
        object_words=OBJECT_WORDS,
        **values,
    )


def _address(ctx: Context, act: Act) -> str:
    """Return where the thing is shown; empty for whoever may not look at it."""
    pattern, needed = ADDRESSES.get(act.object_kind, ("", ""))
    is_open = act.object_id is not None and needed and ctx.may(needed)
    return pattern.format(id=act.object_id) if is_open else ""


def _lines(language: str) -> Callable[[Act], list[tuple[str, str, str]]]:
    """Return what makes the small table of an act: field, before, after."""

    def field(name: str) -> str:
        return translate(FIELD_LABELS.get(name, name), language)

    def lines(act: Act) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        changed: set[str] = set()
        for row in act.changes:
            for name, (before, after) in row.get("fields", {}).items():
                changed.add(name)
                found.append((field(name), _text(before), _text(after)))
            for name, before in row.get("gone", {}).items():
                found.append((field(name), _text(before), ""))
        told = ((n, v) for n, v in act.facts.items() if n not in changed and v not in ("", None))
        for name, value in told:
            both = isinstance(value, list) and len(value) == 2
            before, after = value if both else ("", value)
            found.append((field(name), _text(before), _text(after)))
        return found

    return lines


def _text(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _whole(text: str, name: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Invalid(
            "whole-number-expected",
            "Got {got}, expected a whole number. Write it in digits, like 12.",
            at=f"/{name}",
            facts={"got": text},
        )
    return int(text)


def _day(text: str, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as problem:
        raise Invalid(
            "day-malformed",
            "{got} is no date. Write it like 2026-03-31.",
            at=f"/{name}",
            facts={"got": text},
        ) from problem
