"""How sure the figures of types are, what changed in them, who confirmed a limit, as JSON."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import Reading, Wired, Writing, allows, types_of
from api.schemas.catalogue import NewConfirmation, Revocation
from api.strict_routes import StrictRoute
from api.type_words import told
from instruments.catalogue.account import count, figures
from instruments.catalogue.difference import differences
from instruments.catalogue.figures import figure_of
from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.services import confirmations
from instruments.services.confirmations import ConfirmationEntry, ConfirmationView, FigureView

router = APIRouter(prefix="/catalogue", tags=["catalogue"], route_class=StrictRoute)


@router.get("", dependencies=allows("figure.read"))
def list_types(ctx: Reading, wired: Wired) -> list[dict[str, Any]]:
    """Return every type with its figures by tag and the limits this lab has not confirmed."""
    types = types_of(ctx, wired).list()
    waiting = [one.figure.type_id for one in confirmations.list_open(ctx, types)]
    return [_line(type_) | {"open": waiting.count(type_.id)} for type_ in types]


@router.get("/{type_id}", dependencies=allows("figure.read"))
def get_figures(type_id: str, ctx: Reading, wired: Wired) -> dict[str, Any]:
    """Return every figure of a type with its tag, and its BG limits as this lab holds them."""
    type_ = types_of(ctx, wired).get(type_id)
    limits = _limits(ctx, type_)
    tagged = [
        {
            "part": one.part,
            "at": "".join(f"/{part}" for part in one.path),
            "measurand": one.measurand,
            "confidence": one.confidence,
            "document": one.document,
            "clause": one.clause,
            "source": one.source,
        }
        for one in figures(type_)
    ]
    return _line(type_) | {"entries": tagged, "limits": limits}


@router.get("/{type_id}/differences", dependencies=allows("figure.read"))
def get_differences(
    type_id: str, ctx: Reading, wired: Wired, old: str = "", new: str | None = None
) -> list[dict[str, Any]]:
    """Return what a version of a type says otherwise than another: the newest than the oldest."""
    known = types_of(ctx, wired)
    oldest = next(iter(known.versions(type_id)), None)
    found = differences(known.get(type_id, old or oldest), known.get(type_id, new))
    return [
        {
            "place": one.place,
            "change": one.change,
            "measurand": one.measurand,
            "said": told(one, ctx.language),
        }
        for one in found
    ]


@router.post("/{type_id}/confirmations", status_code=201, dependencies=allows("figure.confirm"))
def confirm(type_id: str, body: NewConfirmation, ctx: Writing, wired: Wired) -> ConfirmationView:
    """Record that the actor compared a limit with its document."""
    entry = ConfirmationEntry(body.document, body.clause, body.confirmed_on, body.remark)
    type_ = types_of(ctx, wired).get(type_id)
    return confirmations.confirm(ctx, type_, body.measurand, body.figure, entry)


@router.post("/{type_id}/confirmations/{figure}/revoke", dependencies=allows("figure.confirm"))
def revoke(
    type_id: str, figure: str, body: Revocation, ctx: Writing, wired: Wired
) -> list[dict[str, Any]]:
    """Take a confirmation back; returns the limits as they stand now."""
    confirmations.revoke(ctx, type_id, figure, body.reason)
    return _limits(ctx, types_of(ctx, wired).get(type_id))


def _limits(ctx: Context, type_: InstrumentType) -> list[dict[str, Any]]:
    return [_limit(one) for one in confirmations.list_figures(ctx, [type_])]


def _line(type_: InstrumentType) -> dict[str, Any]:
    return {
        "id": type_.id,
        "version": type_.version,
        "name": type_.name.as_dict(),
        "kinds": type_.kinds,
        "measurands": [m.id for m in type_.measurands],
        "figures": count(figures(type_)),
    }


def _limit(one: FigureView) -> dict[str, Any]:
    return {
        "measurand": one.figure.measurand.id,
        "figure": one.figure.digest,
        "limit": figure_of(one.figure.limit),
        "confirmation": one.confirmation,
    }
