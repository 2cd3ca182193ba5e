"""Statements of conformity: which limits hold, what the agreed rule says, the verdict on the whole.

Figures are judged as printed, limits exactly, so the reader of a certificate can repeat the
decision. Knows no wording.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from calib.engine.conformity import assess_conformity
from calib.engine.errors import EngineError
from calib.engine.types import ConformityVerdict
from calib.evaluation.decimals import kept, number
from calib.evaluation.inputs import AgreedLimits, CalibrationInput, DecisionRule
from calib.evaluation.places import last_stages, numbers_of_pieces, rejected_by_examination
from calib.evaluation.printing import plain
from calib.evaluation.result import PieceVerdict, PointResult, PrintedPoint, Verdict
from instruments.procedure import Limit, Measurand

WORSE: tuple[Verdict, ...] = (
    "not_stated",
    "pass",
    "conditional_pass",
    "undetermined",
    "cannot_be_stated",
    "conditional_fail",
    "fail",
)
"""From harmless to grave: a piece is as good as its worst point. 待定 is not 合格."""
_NO_LIMITS = AgreedLimits(origin="customer", rows=())
_GUARD_PLACES = 2
"""Acceptance limits are printed to this many places more than U."""


def covering(record: CalibrationInput, measurand: str, nominal: Decimal) -> tuple[Limit, ...]:
    """Return the agreed limits whose range holds the nominal value."""
    agreed = record.limits.get(measurand)
    return tuple(row for row in agreed.rows if row.covers(nominal)) if agreed else ()


class Statement(NamedTuple):
    """What is stated at one point, and against which limits."""

    verdict: Verdict
    lower: str | None = None
    upper: str | None = None
    """The limits at the nominal value; shown also without an agreed rule."""
    agreed: AgreedLimits | None = None
    row: Limit | None = None
    probability: float | None = None
    acceptance: tuple[str, ...] = ()


def state(
    record: CalibrationInput, measurand: Measurand, printed: PrintedPoint, k: float
) -> Statement:
    """Return what the agreed rule says of the figures as printed."""
    nominal, rule = Decimal(printed.nominal), record.decision_rule.id
    rows = covering(record, measurand.id, nominal)
    if not rows:
        return Statement("not_stated" if rule == "none" else "cannot_be_stated")
    lower, upper = rows[0].at(nominal)
    said = Statement(
        "not_stated",
        None if lower is None else plain(lower),
        None if upper is None else plain(upper),
        record.limits[measurand.id],
        rows[0],
    )
    if rule == "none":
        return said
    value = printed.correction if measurand.output == "correction" else printed.error
    try:
        found = _assess(record.decision_rule, value, (lower, upper), printed.U, k)
    except EngineError:
        # the rule does not apply to these limits, e.g. a test uncertainty ratio with one limit
        return said._replace(verdict="cannot_be_stated")
    return said._replace(
        verdict=found.verdict,
        probability=kept(found.conformance_probability),
        acceptance=_acceptance(found, Decimal(printed.U)),
    )


def _assess(
    rule: DecisionRule,
    value: str,
    limits: tuple[Decimal | None, Decimal | None],
    U: str,
    k: float,
) -> ConformityVerdict:
    return assess_conformity(
        value,
        lower=limits[0],
        upper=limits[1],
        rule="simple" if rule.id == "regulation" else rule.id,
        U=U,
        k=k,
        r=rule.parameter if rule.id == "guard_rU" else None,
        minimum=number(rule.parameter) if rule.id == "probability" and rule.parameter else None,
    )


def _acceptance(found: ConformityVerdict, U: Decimal) -> tuple[str, ...]:
    limits = (found.acceptance_lower, found.acceptance_upper)
    if limits == (None, None):
        return ()
    return tuple("-" if limit is None else _printed(limit, U) for limit in limits)


def _printed(limit: Decimal, U: Decimal) -> str:
    """Return a guarded limit as text; digits beyond the second behind U mean nothing."""
    finest = int(U.as_tuple().exponent) - _GUARD_PLACES
    if int(limit.as_tuple().exponent) < finest:
        limit = limit.quantize(Decimal((0, (1,), finest)), ROUND_HALF_EVEN)
    return plain(limit)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of some verdicts; none at all is ``not_stated``."""
    return max(verdicts, key=WORSE.index, default="not_stated")


def judge_pieces(
    record: CalibrationInput, points: Iterable[PointResult]
) -> tuple[PieceVerdict, ...]:
    """Return the verdict on each piece: all measurands, last stage measured, examinations."""
    last = last_stages(record)
    rejected = rejected_by_examination(record)
    found: dict[int, list[Verdict]] = {
        piece: ["fail"] if piece in rejected else [] for piece in numbers_of_pieces(record)
    }
    for point in points:
        if point.stage == last[point.measurand, point.piece]:
            found[point.piece].append(point.verdict)
    return tuple(PieceVerdict(piece, worst(verdicts)) for piece, verdicts in found.items())


def judge_whole(record: CalibrationInput, pieces: tuple[PieceVerdict, ...]) -> Verdict:
    """Return the verdict on the record; of a batch, on the pieces that are not rejected."""
    verdicts = [piece.verdict for piece in pieces]
    kept = [verdict for verdict in verdicts if verdict != "fail"]
    return worst(kept if record.item.pieces and kept else verdicts)


def unconfirmed(points: Iterable[PointResult]) -> tuple[str, ...]:
    """Return the documents whose limits decided here and are background knowledge still."""
    return tuple(sorted({point.limit_document for point in points if is_open(point)}))


def is_open(point: PointResult) -> bool:
    """Answer whether a limit decided here that is background knowledge nobody confirmed."""
    return (
        point.limit_confidence == "BG"
        and point.limit_confirmed is None
        and point.conformance_probability is not None
    )


def open_limits(record: CalibrationInput) -> tuple[tuple[str, str], ...]:
    """Return measurand and document of the type's limits that would decide and are open.

    Before a reading is there: every planned point counts.
    """
    if record.decision_rule.id == "none":
        return ()
    found = {
        (point.measurand, row.document)
        for point in record.points
        if record.limits.get(point.measurand, _NO_LIMITS).origin == "type"
        for row in covering(record, point.measurand, Decimal(point.nominal))
        if row.confidence == "BG" and row.confirmed is None
    }
    return tuple(sorted(found))
