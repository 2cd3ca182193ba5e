"""Models of instruments: fields driven by the type chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.attribute_words import attribute_name
from api.deps import Reading, Wired, Writing, allows, types_of
from api.pages.forms import AsTyped, Form, Typed, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError
from instruments.plain import to_plain
from instruments.procedure import InstrumentType, Limit
from instruments.services import models

router = APIRouter(include_in_schema=False)
TEXTS = ("maker", "model", "use", "calibration_mode", "calibration_mode_source")
SHOWN = ("lower", "upper", "plus_fraction", "start", "end", "document")
"""What of a limit the form shows; the rest travels along unseen and is kept."""


@router.get("/models", dependencies=allows("model.browse"))
def list_models(request: Request, ctx: Reading, wired: Wired) -> Response:
    """List the models of the lab."""
    return staff_page(
        request,
        "registry/models.html",
        ctx,
        models=models.list_models(ctx),
        types={type_.id: type_ for type_ in types_of(ctx, wired).list()},
    )


@router.get("/models/new", dependencies=allows("model.form"))
def new_model(request: Request, ctx: Reading, wired: Wired, type_id: str = "") -> Response:
    """Choose a type, then show the form of a new model of it."""
    if not type_id:
        types = types_of(ctx, wired).list()
        return staff_page(request, "registry/model_type.html", ctx, types=types)
    type_ = types_of(ctx, wired).get(type_id)
    return _model_form(request, ctx, form_of(type_id=type_id, use="clinical"), type_, None)


@router.post("/models/new", dependencies=allows("model.write"))
def create_model(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Register a model."""
    type_ = types_of(ctx, wired).get(typed.text("type_id"))
    given = _given(typed, type_)
    if typed.flag("more"):
        return _model_form(request, ctx, _closed_up(typed.form(), given), type_, None, 4)
    done = attempt(
        ctx,
        lambda: models.create_model(ctx, catalogue=types_of(ctx, wired), type_id=type_.id, **given),
    )
    if isinstance(done, DomainError):
        form = _closed_up(shown_again(typed, done, ctx), given)
        return _model_form(request, ctx, form, type_, None)
    return RedirectResponse(f"/models/{done.id}?done=created", status_code=303)


@router.get("/models/{model_id}", dependencies=allows("model.browse"))
def show_model(model_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show a model."""
    model = models.get_model(ctx, model_id)
    type_ = types_of(ctx, wired).get(model.type_id)
    return staff_page(
        request,
        "registry/model.html",
        ctx,
        model=model,
        type=type_,
        attribute_name=lambda name: attribute_name(name, ctx.language),
    )


@router.get("/models/{model_id}/edit", dependencies=allows("model.form"))
def edit_model(model_id: int, request: Request, ctx: Reading, wired: Wired) -> Response:
    """Show the form of a model."""
    model = models.get_model(ctx, model_id)
    type_ = types_of(ctx, wired).get(model.type_id)
    return _model_form(request, ctx, _of_model(model), type_, model)


@router.post("/models/{model_id}/edit", dependencies=allows("model.write"))
def update_model(
    model_id: int, request: Request, ctx: Writing, wired: Wired, typed: AsTyped
) -> Response:
    """Change a model; what the form does not show stays."""
    before = models.get_model(ctx, model_id)
    type_ = types_of(ctx, wired).get(before.type_id)
    given = _given(typed, type_)
    if typed.flag("more"):
        return _model_form(request, ctx, _closed_up(typed.form(), given), type_, before, 4)
    done = attempt(ctx, lambda: _update(ctx, types_of(ctx, wired), before.id, typed, given))
    if isinstance(done, DomainError):
        model = models.get_model(ctx, model_id)
        form = _closed_up(shown_again(typed, done, ctx, _of_model(model)), given)
        return _model_form(request, ctx, form, type_, model)
    return RedirectResponse(f"/models/{model_id}?done=saved", status_code=303)


def _update(
    ctx: Context, catalogue: Catalogue, model_id: int, typed: Typed, given: Any
) -> models.ModelView:
    return models.update_model(ctx, model_id, typed.version(), catalogue=catalogue, **given)


def _given(typed: Typed, type_: InstrumentType) -> Any:
    limits = {m.id: _limits(typed.rows(f"maker_limits/{m.id}")) for m in type_.measurands}
    return {
        **{name: typed.text(name) for name in TEXTS},
        "attributes": dict(typed.under("attributes/")),
        "resolution": dict(typed.under("resolution/")),
        "maker_limits": {name: rows for name, rows in limits.items() if rows},
    }


def _limits(typed_rows: list[dict[str, str]]) -> list[dict[str, object]]:
    limits = []
    for row in typed_rows:
        kept = json.loads(row.get("rest", "{}"))
        shown = {name: row[name] for name in SHOWN if name in row}
        if shown:
            limits.append({"document": "", "confidence": "V", **kept, **shown})
    return limits


def _limit_rows(limits: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Return limits as rows of the form."""
    shown: dict[str, list[dict[str, str]]] = {}
    for measurand, several in limits.items():
        for limit in several:
            plain = dict(to_plain(limit) if isinstance(limit, Limit) else limit)
            row = {name: str(plain.pop(name) or "") for name in SHOWN if name in plain}
            row["rest"] = json.dumps(plain)
            shown.setdefault(measurand, []).append(row)
    return shown


def _closed_up(form: Form, given: Mapping[str, Any]) -> Form:
    for measurand, several in _limit_rows(given["maker_limits"]).items():
        form = form.with_rows(f"maker_limits/{measurand}", several)
    return form


def _of_model(model: models.ModelView) -> Form:
    form = form_of(
        version=model.version,
        type_id=model.type_id,
        **{name: getattr(model, name) for name in TEXTS},
        **{f"attributes/{name}": value for name, value in model.attributes.items()},
        **{f"resolution/{name}": value for name, value in model.resolution.items()},
    )
    return _closed_up(form, {"maker_limits": model.maker_limits})


def _model_form(
    request: Request,
    ctx: Context,
    form: Form,
    type_: InstrumentType,
    model: models.ModelView | None,
    more: int = 1,
) -> Response:
    return staff_page(
        request,
        "registry/model_form.html",
        ctx,
        attribute_name=lambda name: attribute_name(name, ctx.language),
        status=form.status(),
        form=form,
        type=type_,
        model=model,
        more=more,
    )
