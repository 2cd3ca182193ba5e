"""Freeze a record into its input, evaluate it, keep input and result as canonical text.

The number of queries does not depend on the number of readings. What was stored can be computed
again from the stored input alone, byte for byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from sqlalchemy import select

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import (
    CalibrationInput,
)
from calib.evaluation.result import CalibrationResult
from calib.evaluation.statement import open_limits
from calib.records.calibrations import Evaluation
from calib.services import calibration_views
from calib.services.calibration_views import CalibrationView
from calib.services.document_standing import standing_notes
from calib.services.freezing import freeze_record, undated
from instruments.canonical import digest
from instruments.context import Context
from instruments.errors import Finding, NotFound, Refused
from instruments.services import audit

SOFTWARE = f"calib {version('calib')}"


@dataclass(frozen=True, slots=True)
class DraftEvaluation:
    """What the record would give now; nothing of it is stored."""

    result: CalibrationResult | None
    """None: an error stands against it."""
    findings: tuple[Finding, ...]
    frozen: CalibrationInput
    """What it would rest on; an undated record is taken as of today."""


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """A stored evaluation."""

    id: int
    calibration_id: int
    input: CalibrationInput
    input_json: str
    input_digest: str
    result: CalibrationResult
    result_json: str
    result_digest: str
    software: str
    evaluated_at: datetime

    @property
    def content_digest(self) -> str:
        """Return what a mark of review is bound to: input and result together."""
        return digest({"input": self.input_digest, "result": self.result_digest})


def freeze(ctx: Context, calibration_id: int) -> CalibrationInput:
    """Return everything the result of a record rests on, as of now.

    Raises
    ------
    NotFound
    Refused
        The date of the work is missing.
    """
    return freeze_record(ctx, calibration_views.view(ctx, calibration_id))[0]


def evaluate_draft(ctx: Context, calibration_id: int) -> DraftEvaluation:
    """Return the result the record gives now with every finding; stores nothing.

    Raises
    ------
    NotFound
    """
    return evaluate_view(ctx, calibration_views.view(ctx, calibration_id))


def evaluate_view(ctx: Context, record: CalibrationView) -> DraftEvaluation:
    """Return what a record gives as it was loaded; stores nothing."""
    ctx.need("calibration.read")
    if record.performed_on is None:
        frozen, _ = freeze_record(ctx, replace(record, performed_on=ctx.today))
        noted = (*_open_limits(frozen), *standing_notes(ctx, record.definition, frozen.kind))
        return DraftEvaluation(result=None, findings=(undated(), *noted), frozen=frozen)
    frozen, against = freeze_record(ctx, record)
    draft = _evaluate(frozen, against)
    noted = (*_open_limits(frozen), *standing_notes(ctx, record.definition, frozen.kind))
    return replace(draft, findings=(*draft.findings, *noted))


def evaluate_and_store(ctx: Context, calibration_id: int) -> EvaluationView:
    """Evaluate the record and keep input and result.

    Raises
    ------
    NotFound
    Refused
        Errors stand against it, or warnings nobody accepted; all of them come along.
    """
    frozen, result = _evaluated(ctx, calibration_id)
    row = Evaluation(
        calibration_id=calibration_id,
        input_json=frozen.canonical().decode(),
        input_digest=frozen.digest(),
        result_json=result.canonical().decode(),
        result_digest=result.digest(),
        software=SOFTWARE,
        person_id=ctx.actor.person_id,
        evaluated_at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(
        ctx,
        "calibration:result:store",
        "calibration",
        calibration_id,
        {
            "evaluation_id": row.id,
            "input": row.input_digest,
            "result": row.result_digest,
            "software": SOFTWARE,
        },
    )
    return _view(row)


def content_of_draft(ctx: Context, calibration_id: int) -> str:
    """Return the content digest that the evaluation would have now; stores nothing.

    Raises
    ------
    NotFound
    Refused
        As `evaluate_and_store`.
    """
    frozen, result = _evaluated(ctx, calibration_id)
    return digest({"input": frozen.digest(), "result": result.digest()})


def _evaluated(ctx: Context, calibration_id: int) -> tuple[CalibrationInput, CalibrationResult]:
    frozen, against = freeze_record(ctx, calibration_views.view(ctx, calibration_id))
    draft = _evaluate(frozen, against)
    result = draft.result
    if result is None:
        errors = tuple(f for f in draft.findings if f.severity == "error")
        raise Refused(
            "record-has-errors",
            "{count} errors stand against the evaluation. Correct them all, then try again.",
            at=errors[0].at,
            facts={"count": len(errors)},
            findings=errors,
        )
    _need_accepted(result)
    return frozen, result


def get_evaluation(ctx: Context, calibration_id: int) -> EvaluationView:
    """Return the newest stored evaluation of a record.

    Raises
    ------
    NotAllowed
        The actor is none of the lab's own people.
    NotFound
    """
    ctx.need("calibration.read")
    row = ctx.session.scalar(
        select(Evaluation)
        .where(Evaluation.calibration_id == calibration_id)
        .order_by(Evaluation.id.desc())
        .limit(1)
    )
    if row is None:
        raise NotFound(
            "evaluation-missing",
            "The record {id} was not evaluated yet. Submit it first.",
            facts={"id": calibration_id},
        )
    return _view(row)


def _evaluate(frozen: CalibrationInput, against: tuple[Finding, ...]) -> DraftEvaluation:
    try:
        result = evaluate(frozen)
    except Refused as stop:
        said = Finding(stop.code, stop.message, "error", stop.at, stop.facts, stop.clause)
        found = (*against, *(stop.findings or (said,)))
        return DraftEvaluation(result=None, findings=found, frozen=frozen)
    found = tuple(
        Finding(f.code, f.message, f.severity, f.at, f.facts, f.clause) for f in result.findings
    )
    stands = None if against else result
    return DraftEvaluation(result=stands, findings=(*against, *found), frozen=frozen)


def _open_limits(frozen: CalibrationInput) -> tuple[Finding, ...]:
    """Return what will stop a certificate, told while the work has hardly begun."""
    if frozen.kind == "check":
        return ()
    return tuple(
        Finding(
            "limits-not-compared",
            "Nobody of the laboratory has compared the limits of {measurand} with {document} yet; "
            "until then no certificate may state conformity with them. Have a manager or "
            "signatory confirm them in the catalogue before this record is submitted; or agree "
            "the order without a statement of conformity, or limits with the customer.",
            severity="note",
            at=f"/limits/{measurand}",
            facts={
                "measurand": frozen.definition.measurand(measurand).name,
                "document": document,
            },
            clause="ISO/IEC 17025:2017 7.8.6.2",
        )
        for measurand, document in open_limits(frozen)
    )


def _need_accepted(result: CalibrationResult) -> None:
    found = tuple(
        Finding(f.code, f.message, f.severity, f.at, f.facts, f.clause)
        for f in result.findings
        if f.severity == "warning" and not f.accepted
    )
    if found:
        raise Refused(
            "warnings-not-accepted",
            "{count} warnings were not accepted. Correct what they name, or accept each one with "
            "a reason, then submit again.",
            at=found[0].at,
            facts={"count": len(found)},
            findings=found,
        )


def _view(row: Evaluation) -> EvaluationView:
    return EvaluationView(
        id=row.id,
        calibration_id=row.calibration_id,
        input=CalibrationInput.from_dict(json.loads(row.input_json)),
        input_json=row.input_json,
        input_digest=row.input_digest,
        result=CalibrationResult.from_dict(json.loads(row.result_json)),
        result_json=row.result_json,
        result_digest=row.result_digest,
        software=row.software,
        evaluated_at=row.evaluated_at,
    )
