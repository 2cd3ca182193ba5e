"""Frozen records into their results: checks, budget, curve, statement; pure and deterministic.

The same input gives the same bytes on every machine and in any company: no clock, no database, no
environment. One record goes the same way as many. What the engine refuses is put here in terms of
point and reading.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from calib.engine.errors import EngineError
from calib.evaluation.budget import Budgets, make_budgets
from calib.evaluation.checks import check_record, not_calibratable
from calib.evaluation.curve import fit_curves
from calib.evaluation.floor import floor_findings
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.order import in_order
from calib.evaluation.places import numbers_of_pieces
from calib.evaluation.pointresults import PointBudget, by_point, not_computable, point_result
from calib.evaluation.quiet import Quiet, quiet_series
from calib.evaluation.result import (
    CalibrationResult,
    CurveResult,
    FoundFinding,
    PieceVerdict,
    PointResult,
)
from calib.evaluation.series import Measured, arrange
from calib.evaluation.shared import with_shared
from calib.evaluation.statement import judge_pieces, judge_whole, unconfirmed
from instruments.errors import Finding, Refused
from instruments.procedure import READ, Measurand

Answer = CalibrationResult | Refused


def evaluate(calibration_input: CalibrationInput) -> CalibrationResult:
    """Return the result of a frozen record.

    Raises
    ------
    Refused
        ``checks-failed`` with every finding, ``definition-invalid``, ``curve-points-few``,
        or ``not-computable`` naming the point.
    """
    (answer,) = evaluate_alike([calibration_input])
    if isinstance(answer, Refused):
        raise answer
    return answer


def evaluate_alike(inputs: Sequence[CalibrationInput], digests: Sequence[str] = ()) -> list[Answer]:
    """Return the results of records of one definition, in their order, computed as arrays.

    A record does not depend on those beside it, to the last bit; one that is refused has its
    refusal in its place. Digests that are known need not be computed again.
    """
    if len(inputs) != len(digests):
        digests = [given.digest() for given in inputs]
    answers: dict[int, Answer] = {}
    measured: dict[int, _Checked] = {}
    records = [in_order(given) for given in inputs]
    for i, quiet in enumerate(quiet_series(records)):
        try:
            checked = _check(records[i], digests[i], quiet)
        except Refused as refusal:
            answers[i] = _at_rest(refusal)
            continue
        if not_calibratable(checked.record):
            answers[i] = _without_measurement(checked)
        else:
            measured[i] = checked
    answers |= zip(measured, _compute(list(measured.values())), strict=True)
    return [answers[i] for i in range(len(inputs))]


@dataclass(frozen=True, slots=True)
class _Checked:
    """A record that may be computed, with what the checks had to say."""

    record: CalibrationInput
    digest: str
    findings: tuple[Finding, ...]


def _check(record: CalibrationInput, digest: str, quiet: Quiet | None) -> _Checked:
    findings = check_record(record, quiet)
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        raise Refused(
            "checks-failed",
            "{errors} errors stand against an evaluation. Correct them and evaluate again.",
            facts={"errors": errors},
            findings=findings,
        )
    return _Checked(with_shared(record), digest, findings)


def _compute(checked: list[_Checked]) -> list[Answer]:
    """Compute all together; where one cannot be, in halves, until it stands alone."""
    if not checked:
        return []
    try:
        return _compute_together(checked)
    except (EngineError, Refused) as fault:
        if len(checked) == 1:
            if isinstance(fault, EngineError):
                raise
            return [_at_rest(fault)]
        half = len(checked) // 2
        return _compute(checked[:half]) + _compute(checked[half:])


def _compute_together(checked: list[_Checked]) -> list[Answer]:
    sheets = [_Sheet(one, list(one.findings)) for one in checked]
    records = [one.record for one in checked]
    for measurand in records[0].definition.measurands:
        measured = arrange(records, measurand)
        if measured.points:
            budgets = _budgets(measured)
            rows = by_point(budgets)
            for i, own in measured.by_record():
                sheets[i].add(measured, budgets, rows, own)
    return [sheet.answer() for sheet in sheets]


def _budgets(measured: Measured) -> Budgets:
    try:
        return make_budgets(measured)
    except EngineError as fault:
        if len(measured.records) > 1:
            raise
        raise not_computable(measured, fault) from fault


@dataclass(slots=True)
class _Sheet:
    """What is found of one record, measurand after measurand."""

    checked: _Checked
    findings: list[Finding]
    points: list[PointResult] = field(default_factory=list)
    curves: list[CurveResult] = field(default_factory=list)
    refusal: Refused | None = None

    def add(
        self, measured: Measured, budgets: Budgets, rows: list[PointBudget], own: range
    ) -> None:
        """Add the points and curves of one measurand; the first refusal stands."""
        if self.refusal is not None:
            return
        record, measurand = self.checked.record, measured.measurand
        try:
            self.points += [
                point_result(record, measurand, rows[i], measured.points[i]) for i in own
            ]
            curves, said = fit_curves(record, measured, budgets, own)
        except Refused as refusal:
            self.refusal = _at_rest(refusal)
        except EngineError as fault:
            self.refusal = _no_curve(measurand, fault)
            self.refusal.__cause__ = fault.with_traceback(None)
        else:
            self.curves += curves
            self.findings += said

    def answer(self) -> Answer:
        """Return the result, or why there is none."""
        if self.refusal is not None:
            return self.refusal
        record = self.checked.record
        pieces = judge_pieces(record, self.points)
        said = [*self.findings, *floor_findings(record, self.points), *_examinations(record)]
        return CalibrationResult(
            input_digest=self.checked.digest,
            points=tuple(self.points),
            curves=tuple(self.curves),
            pieces=pieces,
            verdict=judge_whole(record, pieces),
            unconfirmed_limits=unconfirmed(self.points),
            findings=_found(record, said),
        )


def _at_rest(refusal: Refused) -> Refused:
    """Return a refusal without the frames it came through: they hold all the other records."""
    fault: BaseException | None = refusal
    while fault is not None:
        fault.__traceback__ = None
        fault = fault.__cause__ or fault.__context__
    return refusal


def _no_curve(measurand: Measurand, fault: EngineError) -> Refused:
    return Refused(
        "curve-not-computable",
        "The curve of {measurand} cannot be fitted: {reason}",
        at=f"/points/{measurand.id}",
        facts={"measurand": measurand.id, "reason": fault.message},
    )


def evaluate_points(calibration_input: CalibrationInput) -> tuple[PointResult, ...]:
    """Return what the complete points give so far, whatever stands against the record as a whole.

    For the page beside the entry while a record is still being measured: no curve, no statement on
    the item, and nothing of it is ever stored. A measurand that cannot be computed yet is left out.
    """
    found: list[PointResult] = []
    entered = with_shared(in_order(calibration_input))
    for measurand in entered.definition.measurands:
        read = {name for name, quantity in measurand.inputs.items() if quantity.source in READ}
        complete = tuple(
            point
            for point in entered.points
            if point.measurand == measurand.id and all(point.readings.get(n) for n in read)
        )
        if not complete:
            continue
        others = tuple(p for p in entered.points if p.measurand != measurand.id)
        record = replace(entered, points=(*complete, *others))
        with contextlib.suppress(EngineError, Refused):
            rows = by_point(make_budgets(arrange([record], measurand)))
            found += [
                point_result(record, measurand, row, point)
                for row, point in zip(rows, complete, strict=True)
            ]
    return tuple(found)


def _without_measurement(checked: _Checked) -> CalibrationResult:
    record = checked.record
    return CalibrationResult(
        input_digest=checked.digest,
        points=(),
        curves=(),
        pieces=tuple(
            PieceVerdict(piece, "not_calibratable") for piece in numbers_of_pieces(record)
        ),
        verdict="not_calibratable",
        unconfirmed_limits=(),
        findings=_found(record, checked.findings),
    )


def _examinations(record: CalibrationInput) -> Iterable[Finding]:
    """Without an agreed rule nothing is stated; a failed examination is told all the same."""
    for examination in record.examinations:
        if not examination.passed and record.decision_rule.id == "none":
            yield Finding(
                "examination-failed",
                "The examination {examination} was not passed ({remark}); no statement of"
                " conformity was agreed, so it stands as an observation.",
                "note",
                f"/examinations/{examination.id}",
                {"examination": examination.id, "remark": examination.remark or "no remark"},
            )


def _found(record: CalibrationInput, findings: Iterable[Finding]) -> tuple[FoundFinding, ...]:
    accepted = set(record.accepted_warnings)
    return tuple(
        FoundFinding(
            code=finding.code,
            severity=finding.severity,
            message=finding.message,
            at=finding.at,
            facts={name: str(value) for name, value in finding.facts.items()},
            clause=finding.clause,
            accepted=finding.severity == "warning" and f"{finding.code}@{finding.at}" in accepted,
        )
        for finding in findings
    )
