"""The ledger of problems: what an authority found, what it ordered, what the laboratory answered.

Both sides write rows of their own and change nothing that stands. A laboratory sees what concerns
it; an authority sees its own ledger and the answers to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from calib.records.oversight import PROBLEM_KINDS, Problem, ProblemAnswer, ProblemStep
from calib.services.oversight import overseen
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Conflict, Invalid
from instruments.records.instruments import Instrument
from instruments.records.mandates import EVERYWHERE, Mandate
from instruments.records.parties import Lab, Person
from instruments.records.sites import Site
from instruments.services import audit, fields
from instruments.services.rows import check_version, not_found
from instruments.tenancy import beyond_the_lab, hold_lab
from instruments.text import LocalizedText

State = Literal["open", "answered", "closed"]
MOST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class StepView:
    """One thing that happened to a problem."""

    step: str
    """opened, answered, returned, closed."""
    words: str
    person: str
    """Of the reader's own side; empty: the other's."""
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A problem with all that was done about it."""

    id: int
    number: int
    kind: str
    authority: LocalizedText
    lab_code: str
    lab: LocalizedText
    place: str
    finding: str
    demand: str
    until: date
    state: State
    is_late: bool
    """Not closed, and its day is over."""
    version: int
    """How much was done about it."""
    steps: tuple[StepView, ...]


def open_problem(
    ctx: Context,
    *,
    kind: str,
    finding: str,
    demand: str,
    until: date,
    instrument_id: int | None = None,
    lab_code: str = "",
    catalogue: Catalogue,
) -> ProblemView:
    """Write a problem into the ledger: with an instrument of the mandate, or with a laboratory.

    Raises NotAllowed without a mandate, NotFound for what lies outside it, Invalid for unusable
    fields and unless exactly one of the two is named.
    """
    ctx.need("oversight.problem")
    fields.choice(kind, PROBLEM_KINDS, "/kind")
    if until < ctx.today:
        raise Invalid(
            "problem-until-past",
            "The day {day} is over. Name a day until which the problem is to be put right.",
            at="/until",
            facts={"day": until.isoformat()},
        )
    if (instrument_id is None) == (not lab_code):
        raise Invalid(
            "problem-concerns-one",
            "A problem is with an instrument or with a laboratory. Name one of the two.",
            at="/lab_code",
        )
    with beyond_the_lab(ctx.session) as wide:
        lab_id, site_id, place = _concerned(ctx, wide, instrument_id, lab_code, catalogue)
    hold_lab(ctx.session, ctx.lab_id)  # the next number is still the next at commit
    last = ctx.session.scalar(select(func.max(Problem.number)))
    row = Problem(
        number=int(last or 0) + 1,
        kind=kind,
        concerned_lab_id=lab_id,
        instrument_id=instrument_id,
        site_id=site_id,
        place=place,
        finding=fields.words(finding, "/finding", required=True, limit=MOST_WORDS),
        demand=fields.words(demand, "/demand", required=True, limit=MOST_WORDS),
        ordered_until=until,
    )
    ctx.session.add(row)
    ctx.session.flush()
    _step(ctx, row, 1, "opened", "")
    facts = {"number": row.number, "kind": kind, "until": until.isoformat()}
    audit.record(ctx, "oversight:problem:open", "problem", row.id, facts)
    return get_problem(ctx, row.id)


def return_answer(ctx: Context, problem_id: int, version: int, words: str) -> ProblemView:
    """Say that the laboratory's answer does not do, and why.

    Raises NotAllowed without a mandate, NotFound, Conflict unless it was answered or when more was
    done about it since that version, Invalid without words.
    """
    return _decide(ctx, problem_id, version, "returned", words)


def close_problem(ctx: Context, problem_id: int, version: int, words: str) -> ProblemView:
    """Close a problem, naming the evidence it rests on.

    Raises NotAllowed without a mandate, NotFound, Conflict when it is closed or more was done
    about it since that version, Invalid without words.
    """
    return _decide(ctx, problem_id, version, "closed", words)


def answer_problem(ctx: Context, problem_id: int, version: int, words: str) -> ProblemView:
    """Tell the authority what was done; the laboratory may add to its answer until it is closed.

    Raises NotAllowed, NotFound for a problem of another laboratory, Conflict when it is closed or
    more was done about it since that version, Invalid without words.
    """
    ctx.need("problem.answer")
    found = _open_at(ctx, problem_id, version)
    ctx.session.add(
        ProblemAnswer(
            problem_id=problem_id,
            place=len(found.steps) + 1,
            words=fields.words(words, "/words", required=True, limit=MOST_WORDS),
            person_id=ctx.actor.person_id,
            happened_at=ctx.now,
        )
    )
    ctx.session.flush()
    facts = {"number": found.number, "authority": found.authority.text("en")}
    audit.record(ctx, "oversight:problem:answer", "problem", problem_id, facts)
    return get_problem(ctx, problem_id)


@dataclass(frozen=True, slots=True)
class OverseenBy:
    """A mandate that reaches venues of the laboratory."""

    authority: LocalizedText
    district: str
    """Empty: every district."""
    purpose: str
    starts_on: date
    ends_on: date | None


def overseen_by(ctx: Context) -> tuple[OverseenBy, ...]:
    """Return which authorities oversee districts the laboratory has venues in, and what for.

    Raises NotAllowed.
    """
    ctx.need("problem.read")
    districts = set(ctx.session.scalars(select(Site.district).distinct()))
    with beyond_the_lab(ctx.session) as wide:
        rows = wide.execute(
            select(
                Lab.name_en, Lab.name_zh, Mandate.district, Mandate.purpose, Mandate.starts_on,
                Mandate.ends_on,
            )
            .join(Lab, Lab.id == Mandate.lab_id)
            .where(
                Mandate.starts_on <= ctx.today,
                or_(Mandate.ends_on.is_(None), Mandate.ends_on >= ctx.today),
            )
            .order_by(Lab.code, Mandate.district, Mandate.id)
        ).all()  # fmt: skip
    found = (
        OverseenBy(LocalizedText(row[0], row[1]), row[2], row[3], row[4], row[5])
        for row in rows
        if row[2] == EVERYWHERE or row[2] in districts
    )
    return tuple(dict.fromkeys(found))  # several people of an authority: said once


def list_problems(ctx: Context) -> tuple[ProblemView, ...]:
    """Return the ledger: the authority's own, or what concerns the laboratory; open ones first.

    Raises NotAllowed.
    """
    found = _views(ctx)
    return tuple(sorted(found, key=lambda one: (one.state == "closed", one.until, one.id)))


def problems_after(
    ctx: Context, state: State | None, *, after: int, limit: int
) -> tuple[ProblemView, ...]:
    """Return so many problems of the reader's ledger by their ids, the next after one.

    Raises NotAllowed.
    """
    later = _views(ctx, Problem.id > after, most=limit if state is None else None)
    return tuple([one for one in later if state in (None, one.state)][:limit])


def get_problem(ctx: Context, problem_id: int) -> ProblemView:
    """Return a problem of the reader's ledger.

    Raises NotAllowed, NotFound.
    """
    found = _views(ctx, Problem.id == problem_id)
    if not found:
        raise not_found("problem", problem_id)
    return found[0]


def _decide(
    ctx: Context, problem_id: int, version: int, step: Literal["returned", "closed"], words: str
) -> ProblemView:
    ctx.need("oversight.problem")
    found = _open_at(ctx, problem_id, version)
    if step == "returned" and found.state != "answered":
        raise Conflict(
            "problem-not-answered",
            "The laboratory has not answered problem {number} since. There is nothing to return.",
            facts={"number": found.number},
        )
    row = ctx.session.get_one(Problem, problem_id)
    said = fields.words(words, "/words", required=True, limit=MOST_WORDS)
    _step(ctx, row, len(found.steps) + 1, step, said)
    facts = {"number": row.number, "words": said}
    audit.record(ctx, f"oversight:problem:{step}", "problem", row.id, facts)
    return get_problem(ctx, problem_id)


def _open_at(ctx: Context, problem_id: int, version: int) -> ProblemView:
    """Return a problem that is open, and of which no more is known than the writer saw.

    Both sides take turns at the ledger of the authority: what is found still holds at commit.
    """
    get_problem(ctx, problem_id)  # theirs, before anybody waits for it
    with beyond_the_lab(ctx.session) as wide:
        hold_lab(wide, wide.scalars(select(Problem.lab_id).where(Problem.id == problem_id)).one())
    found = get_problem(ctx, problem_id)
    if found.state == "closed":
        raise Conflict(
            "problem-closed",
            "Problem {number} is closed. Open a new one if it is there again.",
            facts={"number": found.number},
        )
    check_version(found, version, "problem")
    return found


def _step(ctx: Context, row: Problem, place: int, step: str, words: str) -> None:
    ctx.session.add(
        ProblemStep(
            problem_id=row.id,
            place=place,
            step=step,
            words=words,
            person_id=ctx.actor.person_id,
            happened_at=ctx.now,
        )
    )
    ctx.session.flush()


def _concerned(
    ctx: Context,
    wide: Session,
    instrument_id: int | None,
    lab_code: str,
    catalogue: Catalogue,
) -> tuple[int, int | None, str]:
    """Return the laboratory and the venue that are meant, and the place in words."""
    if instrument_id is not None:
        found = overseen(
            wide, ctx.actor.districts, ctx.today, catalogue, Instrument.id == instrument_id
        )
        if not found:
            raise not_found("instrument", instrument_id, "/instrument_id")
        item = found[0]
        venue = item.venue.text(ctx.language) if item.venue else ""
        named = f"{item.maker} {item.model} {item.barcode}".strip()
        place = " · ".join(part for part in (item.district, venue, named) if part)
        return item.lab_id, item.site_id, place
    lab = wide.scalars(
        select(Lab).where(Lab.code == lab_code, Lab.kind == "laboratory")
    ).one_or_none()
    if lab is None:
        raise not_found("laboratory", lab_code, "/lab_code")
    return lab.id, None, lab.code


def _views(ctx: Context, *conditions: Any, most: int | None = None) -> tuple[ProblemView, ...]:
    """Return problems of the reader's ledger, in three queries however many there are."""
    if ctx.actor.office == "regulator":
        ctx.need("oversight.read")
        whose = Problem.lab_id == ctx.lab_id
    else:
        ctx.need("problem.read")
        whose = Problem.concerned_lab_id == ctx.lab_id
    authority, lab = aliased(Lab), aliased(Lab)
    with beyond_the_lab(ctx.session) as wide:
        rows = wide.execute(
            select(
                Problem, authority.name_en, authority.name_zh, lab.code, lab.name_en,
                lab.name_zh,
            )
            .join(authority, authority.id == Problem.lab_id)
            .join(lab, lab.id == Problem.concerned_lab_id)
            .where(whose, *conditions)
            .order_by(Problem.id)
            .limit(most)
        ).all()  # fmt: skip
        steps = _steps(ctx, wide, [row[0].id for row in rows])
        return tuple(
            _view(
                ctx, row[0], LocalizedText(row[1], row[2]), row[3], LocalizedText(row[4], row[5]),
                steps.get(row[0].id, ()),
            )
            for row in rows
        )  # fmt: skip


def _steps(ctx: Context, wide: Session, ids: list[int]) -> dict[int, list[StepView]]:
    """Return what happened to each problem, the oldest first; people of the other side unnamed."""
    found: dict[int, list[tuple[int, StepView]]] = {}
    kinds: tuple[Any, ...] = (ProblemStep, ProblemAnswer)
    for kind in kinds:
        rows = wide.execute(
            select(kind, Person.name)
            .join(Person, Person.id == kind.person_id)
            .where(kind.problem_id.in_(ids))
            .order_by(kind.id)
        )
        for row, name in rows:
            step = row.step if isinstance(row, ProblemStep) else "answered"
            person = name if row.lab_id == ctx.lab_id else ""
            view = StepView(step, row.words, person, row.happened_at)
            found.setdefault(row.problem_id, []).append((row.place, view))
    return {
        key: [view for _, view in sorted(some, key=lambda one: (one[0], one[1].happened_at))]
        for key, some in found.items()
    }


def _view(
    ctx: Context,
    row: Problem,
    authority: LocalizedText,
    lab_code: str,
    lab: LocalizedText,
    steps: Iterable[StepView],
) -> ProblemView:
    told = tuple(steps)
    last = told[-1].step if told else "opened"
    state: State = "closed" if last == "closed" else "answered" if last == "answered" else "open"
    return ProblemView(
        id=row.id,
        number=row.number,
        kind=row.kind,
        authority=authority,
        lab_code=lab_code,
        lab=lab,
        place=row.place,
        finding=row.finding,
        demand=row.demand,
        until=row.ordered_until,
        state=state,
        is_late=state != "closed" and row.ordered_until < ctx.today,
        version=len(told),
        steps=told,
    )
