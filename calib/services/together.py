"""Several items measured at once on one set of reference readings; each keeps its own record.

A record is told nothing of the others: the same figures are entered into each, with a revision, a
name and a line in the trail of its own. What one refuses keeps no other back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from calib.services import calibration_views, readings, review
from calib.services.calibration_views import CalibrationView, ReadingView
from calib.services.readings import ConditionEntry, ReadingEntry
from instruments.context import Context
from instruments.errors import DomainError, Finding, Invalid, NotAllowed

MOST_ITEMS = 24
"""Items side by side; more do not fit a bench, nor a screen."""
Done = TypeVar("Done")
Outcomes = dict[int, Done | DomainError]
"""What came of an act for each record, by the id of the record."""


@dataclass(frozen=True, slots=True)
class Together:
    """Records that can be measured side by side."""

    records: tuple[CalibrationView, ...]
    left_out: tuple[tuple[CalibrationView, Finding], ...]
    """Those that cannot go along, each with the reason."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is noted for one item of several."""

    version: int
    facts: Mapping[str, Any]
    """As `readings.set_facts` takes them."""
    conditions: tuple[ConditionEntry, ...] = ()


def together(ctx: Context, calibration_ids: Sequence[int]) -> Together:
    """Return the drafts that go side by side with most of the others, in the order given.

    Raises
    ------
    NotFound
    Invalid
        Nothing was chosen, or too much.
    """
    ids = list(dict.fromkeys(calibration_ids))
    if not 0 < len(ids) <= MOST_ITEMS:
        raise Invalid(
            "items-side-by-side",
            "{count} records were chosen; 1 to {most} go side by side. Choose them in the list of "
            "records.",
            at="/id",
            facts={"count": len(ids), "most": MOST_ITEMS},
        )
    records = [calibration_views.view(ctx, id_) for id_ in ids]
    kinds = Counter(_kind(record) for record in records if _alone(record) is None)
    lead = next((r for r in records if kinds and _kind(r) == kinds.most_common(1)[0][0]), None)
    fit, left_out = [], []
    for record in records:
        reason = _alone(record) or (_apart(record, lead) if lead else None)
        if reason is None:
            fit.append(record)
        else:
            left_out.append((record, reason))
    return Together(tuple(fit), tuple(left_out))


def enter_together(
    ctx: Context, batches: Mapping[int, Sequence[ReadingEntry]]
) -> Outcomes[tuple[ReadingView, ...]]:
    """Enter values into several drafts: all or none of each record, whatever the others do."""
    ctx.need("calibration.enter")
    return _each(ctx, batches, lambda id_, entries: readings.enter(ctx, id_, entries))


def note_together(
    ctx: Context, circumstances: Mapping[int, Circumstances]
) -> Outcomes[CalibrationView]:
    """Note the circumstances of several records: all or none of each record."""
    ctx.need("calibration.enter")

    def note(id_: int, noted: Circumstances) -> CalibrationView:
        record = readings.set_facts(ctx, id_, noted.version, **noted.facts)
        for condition in noted.conditions:
            readings.enter_condition(ctx, id_, condition)
        return record

    return _each(ctx, circumstances, note)


def submit_together(ctx: Context, versions: Mapping[int, int]) -> Outcomes[str]:
    """Hand several records over for review; returns the digest of each result."""
    ctx.need("calibration.submit")
    return _each(
        ctx, versions, lambda id_, version: review.submit(ctx, id_, version).content_digest
    )


Given = TypeVar("Given")


def _each(
    ctx: Context, given: Mapping[int, Given], act: Callable[[int, Given], Done]
) -> Outcomes[Done]:
    """Do the same with each record, in one order for everybody; a refusal undoes its own only."""
    done: Outcomes[Done] = {}
    for id_ in sorted(given):
        try:
            with ctx.session.begin_nested():
                done[id_] = act(id_, given[id_])
        except NotAllowed:
            raise
        except DomainError as refused:
            done[id_] = refused
    return done


def _kind(record: CalibrationView) -> tuple[object, ...]:
    plan = record.plan
    return (
        record.definition.digest(),
        tuple(sorted(plan.points.items())),
        tuple(sorted((m, ids) for m, ids in plan.standards.items() if ids)),
    )


def _alone(record: CalibrationView) -> Finding | None:
    """Return why a record goes with no other."""
    if record.state != "draft":
        return Finding(
            "side-not-draft",
            "It is {state}; only drafts are measured.",
            facts={"state": record.state},
        )
    if record.plan.pieces:
        return Finding("side-is-lot", "It is a lot; its pieces stand side by side in its own grid.")
    return None


def _apart(record: CalibrationView, lead: CalibrationView) -> Finding | None:
    """Return why a record does not go with the first one that most are like."""
    if record.definition.digest() != lead.definition.digest():
        return Finding(
            "side-other-type",
            "It is measured after another definition: {type} {version}.",
            facts={"type": record.definition.name, "version": record.definition.version},
        )
    if record.plan.points != lead.plan.points:
        return Finding("side-other-points", "Its points are others. Plan the same points in it.")
    if _kind(record) != _kind(lead):
        return Finding(
            "side-other-standards", "Its standards are others. Plan the same standards in it."
        )
    return None
