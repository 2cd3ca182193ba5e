"""Methods of the lab: the list, one revision in words, the dry run, and who lets it take effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.bootstrap import Wiring
from api.deps import Reading, Wired, Writing, allows, types_of
from api.files import download
from api.pages.forms import AsTyped, Form, Typed, attempt, shown_again
from api.pages.method_forms import TAGS, changes_typed, form_of_sheet, label_of, sheet_of
from api.pages.rendering import staff_page
from api.type_words import (
    key_words,
    limit_text,
    range_text,
    told,
    value_text,
    when_text,
)
from calib.services import dry_run
from instruments.context import Context
from instruments.errors import DomainError
from instruments.procedure import Component, InstrumentType, Measurand
from instruments.quantities import UNITS
from instruments.services import methods
from instruments.services.method_views import (
    MethodView,
    changes_of,
    export_text,
    get_method,
    list_methods,
)
from instruments.text import LocalizedText

router = APIRouter(include_in_schema=False)
Act = Literal["submit", "approve", "return", "withdraw"]
ACTS: Mapping[Act, tuple[str, str]] = {
    "submit": ("reason", "method-submitted"),
    "approve": ("approval", "method-approved"),
    "return": ("remark", "method-returned"),
    "withdraw": ("withdrawal", "method-withdrawn"),
}
"""The field in which each act is explained, and the notice after it."""
SIZES = (
    "half_width", "relative_half_width", "U", "relative_U", "k", "u", "pooled", "scatter_of", "of",
)  # fmt: skip


@router.get("/methods", dependencies=allows("method.read"))
def show_list(request: Request, ctx: Reading, wired: Wired) -> Response:
    """List every revision of the lab's methods."""
    return _list_page(request, ctx, wired, Form())


@router.post("/methods/copy", dependencies=allows("method.draft"))
def copy_type(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Start a draft from a type or from an own revision."""
    done = attempt(
        ctx,
        lambda: methods.copy_type(
            ctx, typed.text("type_id"), wired.catalogue, typed.text("version")
        ),
    )
    return _started(request, ctx, wired, typed, done)


@router.post("/methods/import", dependencies=allows("method.draft"))
def import_text(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Start a draft from a file."""

    def read() -> MethodView:
        name, content = typed.file("file")
        return methods.import_text(ctx, content, name, wired.catalogue)

    return _started(request, ctx, wired, typed, attempt(ctx, read))


@router.get("/methods/{method_id}", dependencies=allows("method.read"))
def show_method(method_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show a revision in words, with what it changes."""
    return _method_page(request, ctx, wired, method_id, Form())


@router.get("/methods/{method_id}/dry-run", dependencies=allows("method.read"))
def show_dry_run(method_id: int, request: Request, ctx: Reading) -> Response:
    """Show what past results would be under a revision."""
    method = get_method(ctx, method_id)
    tried = None
    if method.definition is not None:
        tried = dry_run.dry_run(ctx, method.definition, most=dry_run.MOST_AT_A_DOOR)
    names: dict[str, LocalizedText] = {}
    if method.definition is not None:
        names = {m.id: m.name for m in method.definition.measurands}
    return staff_page(request, "methods/dry_run.html", ctx, method=method, tried=tried, names=names)


@router.get("/methods/{method_id}/export", dependencies=allows("method.read"))
def export(method_id: int, ctx: Reading) -> Response:
    """Hand a revision out as a type file."""
    name, text = export_text(ctx, method_id)
    return download(text.encode(), "application/toml", name)


@router.get("/methods/{method_id}/edit", dependencies=allows("method.form"))
def edit_method(method_id: int, request: Request, ctx: Reading) -> Response:
    """Show the form of a draft."""
    return _edit_page(request, ctx, get_method(ctx, method_id))


@router.post("/methods/{method_id}/figures", dependencies=allows("method.draft"))
def change_figures(method_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Change single figures."""
    before = get_method(ctx, method_id)

    def change() -> MethodView:
        changes = changes_typed(typed, sheet_of(before.text))
        return methods.change_figures(ctx, method_id, typed.version(), changes)

    return _edited(request, ctx, before, typed, attempt(ctx, change))


@router.post("/methods/{method_id}/text", dependencies=allows("method.draft"))
def save_text(method_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Keep the whole text."""
    before = get_method(ctx, method_id)
    done = attempt(
        ctx, lambda: methods.save_text(ctx, method_id, typed.version(), typed.text("text"))
    )
    return _edited(request, ctx, before, typed, done)


@router.post("/methods/{method_id}/{act}", dependencies=allows("method.draft"))
def act_on(
    method_id: int, act: Act, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Hand a draft in, or let it take effect, return it, take it out of use."""
    field, told_as = ACTS[act]

    def do() -> MethodView:
        version, why = typed.version(), typed.text(field)
        if act == "submit":
            return dry_run.submit(ctx, method_id, version, why, wired.catalogue)
        if act == "approve":
            return methods.approve(ctx, method_id, version, why, wired.catalogue)
        if act == "return":
            return methods.give_back(ctx, method_id, version, why)
        return methods.withdraw(ctx, method_id, version, why, wired.catalogue)

    done = attempt(ctx, do)
    if isinstance(done, DomainError):
        return _method_page(request, ctx, wired, method_id, shown_again(typed, done, ctx))
    return RedirectResponse(f"/methods/{method_id}?done={told_as}", status_code=303)


def _started(
    request: Request, ctx: Context, wired: Wiring, typed: Typed, done: MethodView | DomainError
) -> Response:
    if isinstance(done, DomainError):
        return _list_page(request, ctx, wired, shown_again(typed, done, ctx))
    return RedirectResponse(f"/methods/{done.id}/edit?done=created", status_code=303)


def _edited(
    request: Request,
    ctx: Context,
    before: MethodView,
    typed: Typed,
    done: MethodView | DomainError,
) -> Response:
    if not isinstance(done, DomainError):
        return RedirectResponse(f"/methods/{before.id}/edit?done=saved", status_code=303)
    current = form_of_sheet(sheet_of(before.text), before, ctx.language)
    shown = shown_again(typed, done, ctx, current)
    # the other form of the page keeps what is stored
    form = Form({**current.values, **shown.values}, shown.problems, shown.code, shown.theirs)
    return _edit_page(request, ctx, before, form)


def _list_page(request: Request, ctx: Context, wired: Wiring, form: Form) -> Response:
    lines = list_methods(ctx)
    types = types_of(ctx, wired).list()
    return staff_page(
        request,
        "methods/list.html",
        ctx,
        status=form.status(),
        form=form,
        lines=lines,
        names={type_.id: type_.name for type_ in types},
        types=[(t.id, f"{t.name.text(ctx.language)} ({t.version})") for t in types],
    )


def _method_page(
    request: Request, ctx: Context, wired: Wiring, method_id: int, form: Form
) -> Response:
    method = get_method(ctx, method_id)
    base, changes = changes_of(ctx, method, wired.catalogue)
    person = ctx.actor.person_id
    took_part = person == method.line.written.person_id or (
        method.line.submitted is not None and person == method.line.submitted.person_id
    )
    return staff_page(
        request,
        "methods/show.html",
        ctx,
        status=form.status(),
        form=form,
        method=method,
        base=base,
        name=_name(method, base),
        before={m.id: m for m in base.measurands} if base else {},
        newest=_newer(wired, method),
        changes=[told(one, ctx.language) for one in changes],
        others=list_methods(ctx, method.line.type_id),
        may_approve=ctx.may("method.approve"),
        took_part=took_part,
        is_sender=method.line.submitted is not None and person == method.line.submitted.person_id,
        **_in_words(method.definition, ctx.language),
    )


def _name(method: MethodView, base: InstrumentType | None) -> LocalizedText:
    known = method.definition or base
    return known.name if known else LocalizedText(en=method.line.type_id)


def _newer(wired: Wiring, method: MethodView) -> str:
    """Return the version of the catalogue where it is another than the one this rests on."""
    type_id, based_on = method.line.type_id, method.line.based_on
    if type_id not in wired.catalogue:
        return ""
    newest = wired.catalogue.get(type_id).version
    return "" if based_on.partition("+")[0] == newest else newest


def _in_words(type_: InstrumentType | None, language: str) -> dict[str, Any]:
    """Return what the template says figures with."""
    return {
        "size": lambda m, component: _size(m, component, language),
        "limit_text": lambda m, limit: limit_text(type_, m, limit, language),  # type: ignore[arg-type]
        "range_text": lambda m, limit: range_text(type_, m, limit, language),  # type: ignore[arg-type]
        "when_text": lambda when: when_text(type_, when, language),  # type: ignore[arg-type]
    }


def _size(measurand: Measurand, component: Component, language: str) -> str:
    """Return how large a component is, as far as the definition says."""
    read = measurand.inputs.get(component.input)
    unit = UNITS[read.unit if read else measurand.unit].symbol
    if component.half_width and not component.relative_half_width:
        return f"± {component.half_width} {unit}"
    if component.U and not component.relative_U:
        return f"U = {component.U} {unit}, k = {component.k}"
    parts = ((key, getattr(component, key)) for key in SIZES)
    return "; ".join(
        f"{key_words(key, language)} {value_text(value, language)}" for key, value in parts if value
    )


def _edit_page(
    request: Request, ctx: Context, method: MethodView, form: Form | None = None
) -> Response:
    sheet = sheet_of(method.text)
    shown = form or form_of_sheet(sheet, method, ctx.language)
    return staff_page(
        request,
        "methods/edit.html",
        ctx,
        status=200 if form is None else form.status(),
        form=shown,
        is_refused=form is not None,
        method=method,
        sheet=sheet,
        tags=[(tag, tag) for tag in TAGS],
        documents=[(id_, id_) for id_ in sheet.documents],
        label=lambda place: label_of(place, ctx.language),
        lines=method.text.count("\n") + 1,
    )
