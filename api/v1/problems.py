"""The ledger of problems as JSON: on the authority's side, and on the laboratory's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import Key, Reading, VersionSeen, Wired, Writing, allows
from api.schemas.oversight import NewProblem, Said
from api.strict_routes import StrictRoute
from api.v1.answers import once_per_key, tagged
from calib.services import problems
from calib.services.problems import OverseenBy, ProblemView, State

router = APIRouter(tags=["problems"], route_class=StrictRoute)
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]


@router.get("/oversight/problems", dependencies=allows("oversight.read"))
def list_ledger(
    ctx: Reading, state: State | None = None, limit: Limit = 100, after: After = 0
) -> tuple[ProblemView, ...]:
    """Return the authority's ledger, a page at a time: send the last id as `after` to go on."""
    return problems.problems_after(ctx, state, after=after, limit=limit)


@router.post("/oversight/problems", status_code=201, dependencies=allows("oversight.problem"))
def open_problem(
    body: NewProblem, key: Key, ctx: Writing, wired: Wired, response: Response
) -> ProblemView:
    """Write a problem into the ledger; the laboratory concerned finds it among its own."""

    def do() -> dict[str, int]:
        made = problems.open_problem(
            ctx,
            kind=body.kind,
            finding=body.finding,
            demand=body.demand,
            until=body.until,
            instrument_id=body.instrument_id,
            lab_code=body.lab_code,
            catalogue=wired.catalogue,
        )
        return {"problem": made.id}

    sent = body.model_dump(mode="json")
    made = once_per_key(ctx, "oversight:problem:open", key, sent, do)
    return tagged(response, problems.get_problem(ctx, made["problem"]))


@router.get("/oversight/problems/{problem_id}", dependencies=allows("oversight.read"))
def show_problem(problem_id: int, ctx: Reading, response: Response) -> ProblemView:
    """Return a problem of the authority with all that was done about it."""
    return tagged(response, problems.get_problem(ctx, problem_id))


@router.post("/oversight/problems/{problem_id}/return", dependencies=allows("oversight.problem"))
def return_answer(
    problem_id: int, body: Said, version: VersionSeen, ctx: Writing, response: Response
) -> ProblemView:
    """Say that the laboratory's answer does not do, and why."""
    return tagged(response, problems.return_answer(ctx, problem_id, version, body.words))


@router.post("/oversight/problems/{problem_id}/close", dependencies=allows("oversight.problem"))
def close_problem(
    problem_id: int, body: Said, version: VersionSeen, ctx: Writing, response: Response
) -> ProblemView:
    """Close a problem, naming the evidence it rests on."""
    return tagged(response, problems.close_problem(ctx, problem_id, version, body.words))


@router.get("/problems", dependencies=allows("problem.read"))
def list_concerning(
    ctx: Reading, state: State | None = None, limit: Limit = 100, after: After = 0
) -> tuple[ProblemView, ...]:
    """Return what authorities found and ordered, a page at a time: go on with the last id."""
    return problems.problems_after(ctx, state, after=after, limit=limit)


@router.get("/problems/{problem_id}", dependencies=allows("problem.read"))
def show_concerning(problem_id: int, ctx: Reading, response: Response) -> ProblemView:
    """Return a problem that concerns the laboratory."""
    return tagged(response, problems.get_problem(ctx, problem_id))


@router.post("/problems/{problem_id}/answer", dependencies=allows("problem.answer"))
def answer_problem(
    problem_id: int, body: Said, version: VersionSeen, ctx: Writing, response: Response
) -> ProblemView:
    """Tell the authority what was done; until it is closed there may be more to tell."""
    return tagged(response, problems.answer_problem(ctx, problem_id, version, body.words))


@router.get("/overseen-by", dependencies=allows("problem.read"))
def list_overseers(ctx: Reading) -> tuple[OverseenBy, ...]:
    """Return which authorities oversee districts the laboratory has venues in, and what for."""
    return problems.overseen_by(ctx)
