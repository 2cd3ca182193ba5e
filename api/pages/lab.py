"""Settings of the lab: facts, people and roles, numbers, accreditation scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError, Invalid
from instruments.policy import Role
from instruments.procedure import InstrumentType, Measurand
from instruments.quantities import UNITS
from instruments.services import customers, humans, labs, numbers, people, scope, second_factor
from instruments.services.factors_held import with_factor

router = APIRouter(include_in_schema=False)
FACTS = (
    "name_zh",
    "name_en",
    "address_zh",
    "address_en",
    "phone",
    "email",
    "accreditation",
    "authorisation",
    "time_zone",
    "language",
)


@router.get("/lab", dependencies=allows("lab.read"))
def show_lab(request: Request, ctx: Reading) -> Response:
    """Show what the lab says of itself."""
    return _lab_page(request, ctx, _said(labs.get_lab(ctx)))


@router.post("/lab", dependencies=allows("lab.write"))
def update_lab(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change what the lab says of itself."""
    done = attempt(ctx, lambda: labs.update_lab(ctx, **_facts(typed)))
    if isinstance(done, DomainError):
        return _lab_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/lab?done=saved", status_code=303)


@router.post("/lab/retention", dependencies=allows("lab.write"))
def set_retention(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change how long names stay on the records."""
    done = attempt(ctx, lambda: labs.set_retention(ctx, typed.whole("years") or 0))
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        values = {**_said(labs.get_lab(ctx)).values, **form.values}
        return _lab_page(request, ctx, Form(values, form.problems, form.code))
    return RedirectResponse("/lab?done=saved", status_code=303)


@router.get("/lab/people", dependencies=allows("person.read"))
def list_people(request: Request, ctx: Reading) -> Response:
    """Show who holds which role."""
    return _people_page(request, ctx, Form())


@router.post("/lab/people", dependencies=allows("person.write"))
def add_person(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Open an account if need be, and give the person a role."""
    return _done(request, ctx, typed, lambda: _add(ctx, typed), "admitted")


@router.post("/lab/people/roles/{membership_id}/end", dependencies=allows("role.write"))
def end_role(membership_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Set the last day of a role."""
    return _done(
        request,
        ctx,
        typed,
        lambda: people.end_role(ctx, membership_id, typed.day("ends_on") or ctx.today),
        "ended",
    )


@router.post("/lab/people/{person_id}/account", dependencies=allows("person.write"))
def set_active(person_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Close or reopen an account."""
    return _done(
        request,
        ctx,
        typed,
        lambda: people.set_active(ctx, person_id, is_active=typed.flag("is_active")),
        "saved",
    )


@router.post("/lab/people/{person_id}/factor", dependencies=allows("role.write"))
def reset_factor(person_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Take the second factor of somebody away who lost it."""
    return _done(request, ctx, typed, lambda: second_factor.reset(ctx, person_id), "saved")


@router.post("/lab/people/{person_id}/human", dependencies=allows("role.write"))
def join_accounts(person_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Say whose further account this is, or that it is nobody else's."""
    return _done(
        request,
        ctx,
        typed,
        lambda: humans.join_accounts(ctx, person_id, typed.whole("first_id")),
        "saved",
    )


@router.get("/lab/numbers", dependencies=allows("number.read"))
def show_numbers(request: Request, ctx: Reading) -> Response:
    """Show how numbers are written."""
    return _numbers_page(request, ctx, form_of(**numbers.templates(ctx)))


@router.post("/lab/numbers", dependencies=allows("number.write"))
def set_numbers(request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change how numbers are written from now on."""
    done = attempt(ctx, lambda: _set_templates(ctx, typed))
    if isinstance(done, DomainError):
        return _numbers_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse("/lab/numbers?done=saved", status_code=303)


@router.get("/lab/scope", dependencies=allows("scope.read"))
def show_scope(request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show the accreditation scope."""
    return _scope_page(request, ctx, types_of(ctx, wired), Form())


@router.post("/lab/scope", dependencies=allows("scope.write"))
def add_scope_row(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Add a row to the scope."""
    done = attempt(ctx, lambda: scope.add_row(ctx, _entry(typed), catalogue=types_of(ctx, wired)))
    if isinstance(done, DomainError):
        return _scope_page(request, ctx, types_of(ctx, wired), shown_again(typed, done, ctx))
    return RedirectResponse("/lab/scope?done=created", status_code=303)


@router.post("/lab/scope/{row_id}/end", dependencies=allows("scope.write"))
def end_scope_row(
    row_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Set the last day of a row of the scope."""
    done = attempt(ctx, lambda: scope.end_row(ctx, row_id, typed.day("ends_on") or ctx.today))
    if isinstance(done, DomainError):
        return _scope_page(request, ctx, types_of(ctx, wired), shown_again(typed, done, ctx))
    return RedirectResponse("/lab/scope?done=ended", status_code=303)


def _said(lab: labs.LabView) -> Form:
    return form_of(
        **{name: getattr(lab, name) for name in FACTS if not name.startswith("name_")},
        name_zh=lab.name.zh,
        name_en=lab.name.en,
        mode=lab.rounding_mode,
        digits=lab.rounding_digits,
        years=lab.retention_years,
    )


def _facts(typed: Typed) -> Any:
    return {name: typed.text(name) for name in FACTS} | {
        "rounding": {"mode": typed.text("mode"), "digits": typed.whole("digits")}
    }


def _add(ctx: Context, typed: Typed) -> int:
    return people.admit(
        ctx,
        email=typed.text("email"),
        name=typed.text("name"),
        language=typed.text("language"),
        role=typed.text("role"),
        starts_on=typed.day("starts_on"),
        ends_on=typed.day("ends_on"),
        customer_id=typed.whole("customer_id"),
    )


def _set_templates(ctx: Context, typed: Typed) -> None:
    for name, before in numbers.templates(ctx).items():
        template = typed.text(name).strip()
        if template == before:
            continue
        try:
            numbers.set_template(ctx, name, template)
        except Invalid as problem:
            problem.at = f"/{name}"
            raise


def _entry(typed: Typed) -> scope.ScopeEntry:
    type_id, _, measurand = typed.text("measurand").partition(" ")
    return scope.ScopeEntry(
        type_id=type_id,
        measurand=measurand,
        document=typed.text("document"),
        low=typed.text("low").strip(),
        high=typed.text("high").strip(),
        U=typed.text("U").strip(),
        U_fraction=typed.text("U_fraction").strip() or "0",
        starts_on=typed.needed_day("starts_on"),
        ends_on=typed.day("ends_on"),
    )


def _lab_page(request: Request, ctx: Context, form: Form) -> Response:
    return staff_page(
        request,
        "lab/facts.html",
        ctx,
        status=form.status(),
        form=form,
        lab=labs.get_lab(ctx),
        tab="facts",
    )


def _done(
    request: Request, ctx: Context, typed: Typed, act: Callable[[], object], told: str
) -> Response:
    """Do what a form of the people's page asks for, and show the page with what came of it."""
    done = attempt(ctx, act)
    if isinstance(done, DomainError):
        return _people_page(request, ctx, shown_again(typed, done, ctx))
    return RedirectResponse(f"/lab/people?done={told}", status_code=303)


def _people_page(request: Request, ctx: Context, form: Form) -> Response:
    known = customers.list_customers(ctx)
    shown = people.list_people(ctx)
    return staff_page(
        request,
        "lab/people.html",
        ctx,
        status=form.status(),
        form=form,
        people=shown,
        secured=with_factor(ctx.session, {person.id for person in shown}),
        roles=get_args(Role),
        customers=[(c.id, c.name.text(ctx.language)) for c in known],
        today=ctx.today,
        tab="people",
    )


def _numbers_page(request: Request, ctx: Context, form: Form) -> Response:
    return staff_page(
        request,
        "lab/numbers.html",
        ctx,
        status=form.status(),
        form=form,
        names=tuple(numbers.DEFAULT_TEMPLATES),
        tab="numbers",
    )


def _scope_page(request: Request, ctx: Context, catalogue: Catalogue, form: Form) -> Response:
    types = catalogue.list()
    measurands = [
        (f"{type_.id} {m.id}", _measured(type_, m, ctx.language))
        for type_ in types
        for m in type_.measurands
    ]
    return staff_page(
        request,
        "lab/scope.html",
        ctx,
        status=form.status(),
        form=form,
        scope=scope.list_rows(ctx),
        types={type_.id: type_ for type_ in types},
        measurands=measurands,
        today=ctx.today,
        tab="scope",
    )


def _measured(type_: InstrumentType, measurand: Measurand, language: str) -> str:
    units = f"{UNITS[measurand.unit].symbol}, U {UNITS[measurand.output_unit].symbol}"
    return f"{type_.name.text(language)}: {measurand.name.text(language)} ({units})"
