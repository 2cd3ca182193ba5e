"""What an authority keeps of its own: reports as they were handed in, and its ledger of problems.

Everything here is insert-only and the authority's, but for what a laboratory answers. One that is
named in a problem sees it through `calib.services.problems` and nowhere else.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from instruments.db import Base, insert_only
from instruments.tenancy import LabScoped, scoped, to_same_lab

PROBLEM_KINDS = (
    "overdue",
    "out_of_tolerance",
    "wrong_kind",
    "no_certificate",
    "certificate_doubtful",
    "laboratory",
    "other",
)
STEPS = ("opened", "returned", "closed")
"""Of the authority; ``returned``: the laboratory's answer does not do."""


class WeeklyReport(LabScoped, Base):
    """The figures of a week as they were handed in; handed in again, it is another edition."""

    __tablename__ = "weekly_reports"
    __table_args__ = scoped(UniqueConstraint("lab_id", "week", "edition"))

    week: Mapped[str]
    """ISO 8601: ``2026-W47``."""
    edition: Mapped[int]
    """1, 2 ... for one week."""
    since_on: Mapped[date]
    """First day of what is counted as cumulative."""
    body: Mapped[str]
    """Canonical text of `calib.services.weekly.Report`: figures and the rows behind them."""
    digest: Mapped[str]
    """SHA-256 of the body."""
    made_by: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    made_at: Mapped[datetime]


class Problem(LabScoped, Base):
    """One line of the ledger of problems: what, where, what was ordered, until when."""

    __tablename__ = "problems"
    __table_args__ = scoped(
        UniqueConstraint("lab_id", "number"),
        CheckConstraint(f"kind IN {PROBLEM_KINDS}", "kind"),
    )

    number: Mapped[int]
    """1, 2 ... of the authority."""
    kind: Mapped[str]
    concerned_lab_id: Mapped[int] = mapped_column(ForeignKey("labs.id"), index=True)
    """The laboratory that keeps the instrument or the venue, or that is itself meant."""
    instrument_id: Mapped[int | None]
    site_id: Mapped[int | None]
    place: Mapped[str]
    """District, venue and instrument in words, as they were when it was opened."""
    finding: Mapped[str]
    demand: Mapped[str]
    """What is to be done."""
    ordered_until: Mapped[date]


class ProblemStep(LabScoped, Base):
    """What the authority did about a problem."""

    __tablename__ = "problem_steps"
    __table_args__ = scoped(
        to_same_lab("problem_id", "problems"),
        CheckConstraint(f"step IN {STEPS}", "step"),
        CheckConstraint("step = 'opened' OR words <> ''", "words"),
    )

    problem_id: Mapped[int] = mapped_column(index=True)
    place: Mapped[int]
    """1, 2 ... among the steps and the answers of the problem, as far as the writer saw."""
    step: Mapped[str]
    words: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    happened_at: Mapped[datetime]


class ProblemAnswer(LabScoped, Base):
    """What the laboratory concerned did about a problem; its own row."""

    __tablename__ = "problem_answers"
    __table_args__ = scoped(CheckConstraint("words <> ''", "words"))

    problem_id: Mapped[int] = mapped_column(ForeignKey("problems.id"), index=True)
    place: Mapped[int]
    words: Mapped[str]
    """What was done, and where the evidence is."""
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    happened_at: Mapped[datetime]


for _table in (WeeklyReport, Problem, ProblemStep, ProblemAnswer):
    insert_only(_table.__table__)  # type: ignore[arg-type]
