"""The audit trail as JSON, and the audit pack of a certificate."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Acting, Reading, Wired, allows
from api.files import download, gives
from api.packing import taken
from api.schemas.wire import Day
from api.strict_routes import StrictRoute
from instruments.services import trail

router = APIRouter(tags=["audit"], route_class=StrictRoute)
Id = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("/audit", dependencies=allows("audit.read"))
def list_acts(
    ctx: Reading,
    *,
    text: Annotated[str, Query(max_length=200)] = "",
    act: Annotated[str, Query(max_length=100)] = "",
    object_kind: Annotated[str, Query(max_length=100)] = "",
    object_id: Id = None,
    person_id: Id = None,
    first_on: Day | None = None,
    last_on: Day | None = None,
    before: Id = None,
    limit: Annotated[int, Query(ge=1, le=trail.MOST)] = 50,
) -> tuple[trail.ActView, ...]:
    """Return acts of the lab, newest first; go on with the smallest place as `before`."""
    wanted = trail.Wanted(person_id, act, object_kind, object_id, first_on, last_on, text)
    return trail.list_acts(ctx, wanted, before=before, limit=limit)


@router.get("/account/acts", dependencies=allows("account.read"))
def own_acts(
    ctx: Reading, before: Id = None, limit: Annotated[int, Query(ge=1, le=trail.MOST)] = 50
) -> tuple[trail.OwnActView, ...]:
    """Return what the person did here, newest first; go on with the smallest number as `before`."""
    return trail.own_acts(ctx, before=before, limit=limit)


@router.get(
    "/certificates/{certificate_id}/audit-pack",
    dependencies=allows("audit.export"),
    response_class=Response,
    responses=gives("application/zip"),
)
def audit_pack(certificate_id: int, act: Acting, wired: Wired) -> Response:
    """Return everything behind a certificate as one ZIP file."""
    made = taken(act, wired, certificate_id)
    return download(made.content, "application/zip", made.name)
