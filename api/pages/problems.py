"""The ledger of problems: on the authority's side, and on that of the laboratory concerned."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.deps import Reading, Wired, Writing, allows
from api.pages.forms import AsTyped, Form, attempt, form_of, shown_again
from api.pages.rendering import staff_page
from calib.services import laboratories, oversight, problems
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import DomainError

router = APIRouter(include_in_schema=False)


@router.get("/oversight/problems", dependencies=allows("oversight.read"))
def list_ledger(request: Request, ctx: Reading) -> Response:
    """Show the authority's ledger."""
    return _list(request, ctx, "/oversight/problems")


@router.get("/oversight/problems/new", dependencies=allows("oversight.read"))
def new_problem(
    request: Request, ctx: Reading, wired: Wired, instrument: str = "", lab: str = ""
) -> Response:
    """Show the form of a new problem."""
    form = form_of(instrument_id=instrument, lab_code=lab)
    return _form(request, ctx, wired.catalogue, form)


@router.post("/oversight/problems/new", dependencies=allows("oversight.problem"))
def open_problem(request: Request, ctx: Writing, wired: Wired, typed: AsTyped) -> Response:
    """Write a problem into the ledger."""
    done = attempt(
        ctx,
        lambda: problems.open_problem(
            ctx,
            kind=typed.text("kind"),
            finding=typed.text("finding"),
            demand=typed.text("demand"),
            until=typed.needed_day("until"),
            instrument_id=typed.whole("instrument_id"),
            lab_code=typed.text("lab_code"),
            catalogue=wired.catalogue,
        ),
    )
    if isinstance(done, DomainError):
        return _form(request, ctx, wired.catalogue, shown_again(typed, done, ctx))
    return RedirectResponse(f"/oversight/problems/{done.id}?done=created", status_code=303)


@router.get("/oversight/problems/{problem_id}", dependencies=allows("oversight.read"))
def show_problem(problem_id: int, request: Request, ctx: Reading) -> Response:
    """Show a problem with all that was done about it."""
    return _show(request, ctx, problem_id, "/oversight/problems", Form())


@router.post("/oversight/problems/{problem_id}/return", dependencies=allows("oversight.problem"))
def return_answer(problem_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Say that the answer does not do."""
    done = attempt(
        ctx,
        lambda: problems.return_answer(ctx, problem_id, typed.version(), typed.text("words")),
    )
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _show(request, ctx, problem_id, "/oversight/problems", form)
    return RedirectResponse(f"/oversight/problems/{problem_id}?done=returned-answer", 303)


@router.post("/oversight/problems/{problem_id}/close", dependencies=allows("oversight.problem"))
def close_problem(problem_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Close a problem on its evidence."""
    done = attempt(
        ctx,
        lambda: problems.close_problem(ctx, problem_id, typed.version(), typed.text("words")),
    )
    if isinstance(done, DomainError):
        form = shown_again(typed, done, ctx)
        return _show(request, ctx, problem_id, "/oversight/problems", form)
    return RedirectResponse(f"/oversight/problems/{problem_id}?done=problem-closed", 303)


@router.get("/problems", dependencies=allows("problem.read"))
def list_concerning(request: Request, ctx: Reading) -> Response:
    """Show the laboratory what authorities found and ordered."""
    return _list(request, ctx, "/problems")


@router.get("/problems/{problem_id}", dependencies=allows("problem.read"))
def show_concerning(problem_id: int, request: Request, ctx: Reading) -> Response:
    """Show the laboratory a problem that concerns it."""
    return _show(request, ctx, problem_id, "/problems", Form())


@router.post("/problems/{problem_id}/answer", dependencies=allows("problem.answer"))
def answer_problem(problem_id: int, request: Request, ctx: Writing, typed: AsTyped) -> Response:
    """Tell the authority what was done."""
    done = attempt(
        ctx,
        lambda: problems.answer_problem(ctx, problem_id, typed.version(), typed.text("words")),
    )
    if isinstance(done, DomainError):
        return _show(request, ctx, problem_id, "/problems", shown_again(typed, done, ctx))
    return RedirectResponse(f"/problems/{problem_id}?done=answered", status_code=303)


def _list(request: Request, ctx: Context, address: str) -> Response:
    return staff_page(
        request,
        "problems/list.html",
        ctx,
        problems=problems.list_problems(ctx),
        overseen_by=problems.overseen_by(ctx) if address == "/problems" else (),
        address=address,
    )


def _show(request: Request, ctx: Context, problem_id: int, address: str, form: Form) -> Response:
    return staff_page(
        request,
        "problems/show.html",
        ctx,
        status=form.status(),
        form=form,
        problem=problems.get_problem(ctx, problem_id),
        address=address,
    )


def _form(request: Request, ctx: Context, catalogue: Catalogue, form: Form) -> Response:
    named = form.value("instrument_id")
    item = None
    if named.isdecimal() and len(named) < 10:
        item = oversight.overseen_item(ctx, int(named), catalogue=catalogue)
    return staff_page(
        request,
        "problems/form.html",
        ctx,
        status=form.status(),
        form=form,
        item=item,
        labs=[(lab.code, lab.name.text(ctx.language)) for lab in laboratories.directory(ctx)],
    )
