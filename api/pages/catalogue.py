"""The catalogue of instrument types: how sure each figure is, and who of the lab confirmed it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.forms import AsTyped, Form, Typed, attempt, shown_again
from api.pages.rendering import staff_page
from api.type_figures import figure_text, size_text
from api.type_plan import between, input_text, plan_lines, points_text, variant_lines
from api.type_words import (
    PART_WORDS,
    TAG_WORDS,
    limit_text,
    range_text,
    told,
    value_text,
    when_text,
)
from instruments.catalogue.account import TAGS, count, figures, still_open
from instruments.catalogue.difference import differences
from instruments.catalogue.figures import figure_digest
from instruments.context import Context
from instruments.errors import DomainError
from instruments.procedure import InstrumentType, Limit
from instruments.services import confirmations
from instruments.services.confirmations import ConfirmationEntry, ConfirmationView

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit as the page shows it."""

    limit: Limit
    range: str
    when: str
    text: str
    digest: str
    confirmation: ConfirmationView | None


@router.get("/catalogue", dependencies=allows("figure.read"))
def list_types(request: Request, ctx: Reading, wired: Wired, q: str = "") -> Response:
    """List the types by what they are called, with their figures by tag and what is open here."""
    types = types_of(ctx, wired).list()
    waiting = confirmations.list_open(ctx, types)
    listed = [
        {
            "type": type_,
            "figures": count(figures(type_)),
            "open": sum(one.figure.type_id == type_.id for one in waiting),
        }
        for type_ in types
        if _is_meant(type_, q)
    ]
    return staff_page(
        request, "catalogue/list.html", ctx,
        q=q, listed=listed, known=len(types), waiting=len(waiting), tags=TAGS, legend=TAG_WORDS,
        value_text=lambda value, key: value_text(value, ctx.language, key),
    )  # fmt: skip


def _is_meant(type_: InstrumentType, q: str) -> bool:
    """Answer whether every word typed stands in id, names or documents of the type."""
    said = [type_.id, type_.name.en, type_.name.zh, *(d.id for d in type_.documents)]
    said += [part for m in type_.measurands for part in (m.name.en, m.name.zh)]
    text = "\n".join(said).casefold()
    return all(word in text for word in q.casefold().split())


@router.get("/catalogue/{type_id}", dependencies=allows("figure.read"))
def show_type(type_id: str, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show a whole type with tags and sources, and a form beside each open limit."""
    return _type_page(request, ctx, wired, type_id, Form())


@router.post("/catalogue/{type_id}/confirm", dependencies=allows("figure.confirm"))
def confirm(type_id: str, request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Record that the actor compared a limit with its document."""
    definition = types_of(ctx, wired).get(type_id)
    done = attempt(
        ctx,
        lambda: confirmations.confirm(
            ctx, definition, typed.text("measurand"), typed.text("figure"), _entry(typed)
        ),
    )
    if isinstance(done, DomainError):
        return _type_page(request, ctx, wired, type_id, shown_again(typed, done, ctx))
    return RedirectResponse(f"/catalogue/{type_id}?done=confirmed#limits", status_code=303)


@router.post("/catalogue/{type_id}/revoke", dependencies=allows("figure.confirm"))
def revoke(type_id: str, request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Take a confirmation back."""
    done = attempt(
        ctx,
        lambda: confirmations.revoke(ctx, type_id, typed.text("figure"), typed.text("reason")),
    )
    if isinstance(done, DomainError):
        return _type_page(request, ctx, wired, type_id, shown_again(typed, done, ctx))
    return RedirectResponse(f"/catalogue/{type_id}?done=revoked#limits", status_code=303)


def _entry(typed: Typed) -> ConfirmationEntry:
    return ConfirmationEntry(
        document=typed.text("document"),
        clause=typed.text("clause"),
        confirmed_on=typed.needed_day("confirmed_on"),
        remark=typed.text("remark"),
    )


def _type_page(request: Request, ctx: Context, wired: Wired, type_id: str, form: Form) -> Response:
    known = types_of(ctx, wired)
    type_ = known.get(type_id)
    shipped = wired.catalogue.get(type_id) if type_id in wired.catalogue else type_
    lines = _limits(ctx, type_)
    tagged = figures(type_)
    language = ctx.language
    return staff_page(
        request, "catalogue/type.html", ctx,
        status=form.status(), form=form, type=type_, lines=lines, versions=known.versions(type_id),
        own=[told(one, language) for one in differences(shipped, type_)], shipped=shipped,
        figures=count(tagged), tags=TAGS, legend=TAG_WORDS, parts=PART_WORDS,
        waiting=still_open(type_), may_confirm=ctx.may("figure.confirm"), today=ctx.today,
        value_text=lambda value, key="": value_text(value, language, key),
        between=lambda low, high, unit: between(low, high, unit, language),
        points_text=lambda m: points_text(type_, m, language),
        plan_lines=lambda m: plan_lines(type_, m, language),
        input_text=lambda name, quantity: input_text(name, quantity, language),
        variant_lines=list(variant_lines(type_, language)),
        size_text=lambda line: size_text(line, language),
        figure_text=lambda path: figure_text(type_, path, language),
        when_text=lambda when: when_text(type_, when, language),
    )  # fmt: skip


def _limits(ctx: Context, type_: InstrumentType) -> dict[str, list[LimitLine]]:
    known = confirmations.confirmed(ctx, type_.id)
    found: dict[str, list[LimitLine]] = {}
    for measurand in type_.measurands:
        for limit in measurand.limits:
            digest = figure_digest(type_.id, measurand.id, limit)
            found.setdefault(measurand.id, []).append(
                LimitLine(
                    limit,
                    range_text(type_, measurand, limit, ctx.language),
                    when_text(type_, limit.when, ctx.language),
                    limit_text(type_, measurand, limit, ctx.language),
                    digest,
                    known.get(digest) if limit.confidence == "BG" else None,
                )
            )
    return found
