"""Who of the lab may do which work, and how strictly the lab has its work approved."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.forms import AsTyped, Form, Typed, attempt, shown_again
from api.pages.rendering import staff_page
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError
from instruments.policy import STAFF
from instruments.procedure import InstrumentType
from instruments.quantities import UNITS
from instruments.services import approval_rules, competence, people
from instruments.services.competence import CompetenceEntry, CompetenceView

router = APIRouter(include_in_schema=False)


@router.get("/lab/competence", dependencies=allows("competence.read"))
def show_competence(request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show who is authorised for what."""
    return _page(request, ctx, types_of(ctx, wired), Form())


@router.post("/lab/competence", dependencies=allows("competence.write"))
def grant(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Authorise a colleague."""
    types = types_of(ctx, wired)
    done = attempt(ctx, lambda: competence.grant(ctx, _entry(typed), catalogue=types))
    return _after(request, ctx, types, typed, done, "created")


@router.post("/lab/competence/rules", dependencies=allows("competence.write"))
def set_rules(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Change how strictly the lab has its work approved."""
    new = approval_rules.ApprovalRules(
        keeps_competence=typed.flag("keeps_competence"),
        demands_signatures=typed.flag("demands_signatures"),
        separates_signatory=typed.flag("separates_signatory"),
        demands_second_factor=typed.flag("demands_second_factor"),
    )
    done = attempt(ctx, lambda: approval_rules.set_rules(ctx, new))
    return _after(request, ctx, types_of(ctx, wired), typed, done, "saved")


@router.post("/lab/competence/{row_id}/end", dependencies=allows("competence.write"))
def end(row_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Set the last day of an authorisation, with the reason."""
    done = attempt(
        ctx,
        lambda: competence.end(
            ctx, row_id, typed.day("ends_on") or ctx.today, typed.text("reason")
        ),
    )
    return _after(request, ctx, types_of(ctx, wired), typed, done, "ended")


def _entry(typed: Typed) -> CompetenceEntry:
    type_id, _, measurand = typed.text("work").partition(" ")
    return CompetenceEntry(
        person_id=typed.chosen("person_id"),
        act=typed.text("act"),
        type_id=type_id,
        measurand=measurand,
        document=typed.text("document"),
        low=typed.optional("low"),
        high=typed.optional("high"),
        starts_on=typed.needed_day("starts_on"),
        ends_on=typed.day("ends_on"),
        basis=typed.text("basis"),
        evidence=typed.text("evidence"),
    )


def _after(
    request: Request, ctx: Context, types: Catalogue, typed: Typed, done: object, told: str
) -> Response:
    if isinstance(done, DomainError):
        return _page(request, ctx, types, shown_again(typed, done, ctx))
    return RedirectResponse(f"/lab/competence?done={told}", status_code=303)


def _page(request: Request, ctx: Context, types: Catalogue, form: Form) -> Response:
    rows = competence.list_rows(ctx)
    held = [row for row in rows if _holds(row, ctx)]
    known = {type_.id: type_ for type_ in types.list()}
    staff = [
        one
        for one in people.list_people(ctx)
        if one.is_active and any(m.role in STAFF for m in one.memberships)
    ]
    return staff_page(
        request,
        "lab/competence.html",
        ctx,
        status=form.status(),
        form=form,
        rows=rows,
        held=frozenset(row.id for row in held),
        holders=frozenset(row.entry.person_id for row in held),
        columns=_columns(held, known, ctx.language),
        matrix=_matrix(held),
        staff=staff,
        colleagues=[(p.id, p.name) for p in staff if p.id != ctx.actor.person_id],
        types=known,
        works=_works(types, ctx.language),
        rules=approval_rules.rules(ctx),
        today=ctx.today,
        tab="competence",
    )


def _holds(row: CompetenceView, ctx: Context) -> bool:
    entry = row.entry
    return entry.starts_on <= ctx.today and (entry.ends_on is None or ctx.today <= entry.ends_on)


def _columns(
    held: list[CompetenceView], known: Mapping[str, InstrumentType], language: str
) -> list[tuple[str, str]]:
    """Return key and heading of every kind of work that somebody holds today."""
    found: dict[str, str] = {}
    for row in held:
        type_ = known.get(row.entry.type_id)
        name = type_.name.text(language) if type_ is not None else row.entry.type_id
        found[_key(row)] = " · ".join(part for part in (name, row.entry.document) if part)
    return sorted(found.items(), key=lambda one: one[1])


def _matrix(held: list[CompetenceView]) -> dict[tuple[int, str], list[str]]:
    """Return by person and kind of work what they may do there today, at least in part."""
    found: dict[tuple[int, str], list[str]] = {}
    for row in held:
        acts = found.setdefault((row.entry.person_id, _key(row)), [])
        if row.entry.act not in acts:
            acts.append(row.entry.act)
    return found


def _key(row: CompetenceView) -> str:
    return f"{row.entry.type_id} {row.entry.document}"


def _works(types: Catalogue, language: str) -> list[tuple[str, str]]:
    """Return every type, whole and by quantity with its unit, to choose from."""
    found = []
    for type_ in types.list():
        name = type_.name.text(language)
        found.append((type_.id, name))
        found += [
            (f"{type_.id} {m.id}", f"{name}: {m.name.text(language)} ({UNITS[m.unit].symbol})")
            for m in type_.measurands
        ]
    return found
