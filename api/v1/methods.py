"""Methods of the lab as JSON: copy or import, change, try, submit, approve."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, UploadFile

from api.deps import Key, Language, Reading, VersionSeen, Wired, Writing, allows
from api.files import download, gives
from api.method_documents import (
    changes_document,
    dry_run_document,
    line_document,
    method_document,
)
from api.schemas.methods import NewFigures, NewMethod, NewText, Remark
from api.schemas.work import Reason
from api.strict_routes import StrictRoute
from api.v1.answers import once_per_key, tagged
from calib.services import dry_run
from instruments.services import methods
from instruments.services.method_checks import need_definition
from instruments.services.method_views import (
    MethodView,
    changes_of,
    export_text,
    get_method,
    list_methods,
)

router = APIRouter(prefix="/methods", tags=["methods"], route_class=StrictRoute)


def _answer(response: Response, method: MethodView, language: str) -> dict[str, Any]:
    return method_document(tagged(response, method), language)


@router.get("", dependencies=allows("method.read"))
def show_list(ctx: Reading, type_id: str = "") -> list[dict[str, Any]]:
    """Return every revision of the lab's methods, or of one type."""
    return [line_document(line) for line in list_methods(ctx, type_id)]


@router.post("", status_code=201, dependencies=allows("method.draft"))
def copy_type(body: NewMethod, ctx: Writing, wired: Wired, response: Response) -> dict[str, Any]:
    """Start a draft from a type or from an own revision."""
    made = methods.copy_type(ctx, body.type_id, wired.catalogue, body.version)
    return _answer(response, made, ctx.language)


@router.post("/import", status_code=201, dependencies=allows("method.draft"))
def import_text(file: UploadFile, key: Key, ctx: Writing, wired: Wired) -> Mapping[str, Any]:
    """Start a draft from a type file."""
    content, name = file.file.read(), file.filename or "method.toml"

    def do() -> Mapping[str, Any]:
        made = methods.import_text(ctx, content, name, wired.catalogue)
        return {"id": made.id, "version": made.version, "type_id": made.line.type_id}

    sent = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
    return once_per_key(ctx, "registry:method:import", key, sent, do)


@router.get("/{method_id}", dependencies=allows("method.read"))
def show_method(method_id: int, ctx: Reading, response: Response) -> dict[str, Any]:
    """Return a revision with its definition, or with what is wrong with its text."""
    return _answer(response, get_method(ctx, method_id), ctx.language)


@router.get(
    "/{method_id}/text",
    dependencies=allows("method.read"),
    response_class=Response,
    responses=gives("application/toml"),
)
def show_text(method_id: int, ctx: Reading) -> Response:
    """Return a revision as a type file."""
    name, text = export_text(ctx, method_id)
    return download(text.encode(), "application/toml", name)


@router.get("/{method_id}/changes", dependencies=allows("method.read"))
def show_changes(method_id: int, ctx: Reading, wired: Wired, language: Language) -> dict[str, Any]:
    """Return what a revision says otherwise than the version it started from."""
    base, changes = changes_of(ctx, get_method(ctx, method_id), wired.catalogue)
    return {
        "base": base.version if base else None,
        "changes": changes_document(changes, language),
    }


@router.put("/{method_id}/text", dependencies=allows("method.draft"))
def save_text(
    method_id: int, body: NewText, version: VersionSeen, ctx: Writing, response: Response
) -> dict[str, Any]:
    """Keep the whole text of a draft, with the errors it may have."""
    return _answer(response, methods.save_text(ctx, method_id, version, body.text), ctx.language)


@router.patch("/{method_id}/figures", dependencies=allows("method.draft"))
def change_figures(
    method_id: int, body: NewFigures, version: VersionSeen, ctx: Writing, response: Response
) -> dict[str, Any]:
    """Change single figures of a draft; comments stay."""
    made = methods.change_figures(ctx, method_id, version, body.changes)
    return _answer(response, made, ctx.language)


@router.get("/{method_id}/dry-run", dependencies=allows("method.read"))
def show_dry_run(
    method_id: int,
    ctx: Reading,
    language: Language,
    most: Annotated[int, Query(ge=1, le=5000)] = dry_run.MOST_AT_A_DOOR,
) -> dict[str, Any]:
    """Return what past results would be under a revision."""
    definition = need_definition(get_method(ctx, method_id))
    return dry_run_document(dry_run.dry_run(ctx, definition, most=most), language)


@router.post("/{method_id}/submit", dependencies=allows("method.draft"))
def submit(
    method_id: int,
    body: Reason,
    version: VersionSeen,
    ctx: Writing,
    wired: Wired,
    response: Response,
) -> dict[str, Any]:
    """Hand a draft in for approval, with what a dry run shows."""
    made = dry_run.submit(ctx, method_id, version, body.reason, wired.catalogue)
    return _answer(response, made, ctx.language)


@router.post("/{method_id}/approve", dependencies=allows("method.approve"))
def approve(
    method_id: int,
    body: Remark,
    version: VersionSeen,
    ctx: Writing,
    wired: Wired,
    response: Response,
) -> dict[str, Any]:
    """Let a submitted revision take effect for new records."""
    made = methods.approve(ctx, method_id, version, body.remark, wired.catalogue)
    return _answer(response, made, ctx.language)


@router.post("/{method_id}/return", dependencies=allows("method.draft"))
def give_back(
    method_id: int, body: Remark, version: VersionSeen, ctx: Writing, response: Response
) -> dict[str, Any]:
    """Return a submitted revision to its writer."""
    return _answer(response, methods.give_back(ctx, method_id, version, body.remark), ctx.language)


@router.post("/{method_id}/withdraw", dependencies=allows("method.draft"))
def withdraw(
    method_id: int,
    body: Remark,
    version: VersionSeen,
    ctx: Writing,
    wired: Wired,
    response: Response,
) -> dict[str, Any]:
    """Give a draft up, or take an approved revision out of use."""
    made = methods.withdraw(ctx, method_id, version, body.remark, wired.catalogue)
    return _answer(response, made, ctx.language)
