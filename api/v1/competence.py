"""Who of the lab may do which work, as JSON."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import Reading, Wired, Writing, allows, types_of
from api.schemas.competence import EndOfCompetence, NewApprovalRules, NewCompetence
from api.strict_routes import StrictRoute
from instruments.services import approval_rules, competence
from instruments.services.approval_rules import ApprovalRules
from instruments.services.competence import CompetenceEntry, CompetenceView

router = APIRouter(tags=["competence"], route_class=StrictRoute)


@router.get("/competence", dependencies=allows("competence.read"))
def list_competence(ctx: Reading) -> tuple[CompetenceView, ...]:
    """Return every authorisation, ended ones included."""
    return competence.list_rows(ctx)


@router.post("/competence", status_code=201, dependencies=allows("competence.write"))
def grant(body: NewCompetence, ctx: Writing, wired: Wired) -> dict[str, int]:
    """Authorise a colleague."""
    entry = CompetenceEntry(**body.model_dump())
    return {"id": competence.grant(ctx, entry, catalogue=types_of(ctx, wired))}


@router.post("/competence/{row_id}/end", status_code=204, dependencies=allows("competence.write"))
def end(row_id: int, body: EndOfCompetence, ctx: Writing) -> None:
    """Set the last day of an authorisation, with the reason."""
    competence.end(ctx, row_id, body.ends_on, body.reason)


@router.get("/approval-rules", dependencies=allows("competence.read"))
def get_rules(ctx: Reading) -> ApprovalRules:
    """Return how strictly the lab has its work approved."""
    return approval_rules.rules(ctx)


@router.put("/approval-rules", dependencies=allows("competence.write"))
def set_rules(body: NewApprovalRules, ctx: Writing) -> ApprovalRules:
    """Change how strictly the lab has its work approved."""
    return approval_rules.set_rules(ctx, ApprovalRules(**body.model_dump()))
