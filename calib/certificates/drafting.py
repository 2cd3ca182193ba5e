"""From a frozen input and its result to the parts of a certificate; words come later.

Knows nothing of customers, orders or numbers: the use case that issues adds those.
"""

from __future__ import annotations

from decimal import Decimal

from calib.certificates.document import (
    ComponentWords,
    ConditionRange,
    DocumentKind,
    ExaminationOutcome,
    LimitSource,
    MeasurandWords,
    Measurement,
    MethodDocument,
    StandardUsed,
)
from calib.certificates.wording import span
from calib.evaluation.inputs import CalibrationInput, StandardInput
from calib.evaluation.result import CalibrationResult, Verdict
from instruments.confirmed import Confirmed
from instruments.errors import Refused
from instruments.procedure import GoverningDocument, InstrumentType, RecordKind
from instruments.quantities import unit


def kind_of(record: RecordKind, verdict: Verdict) -> DocumentKind:
    """Return the kind of document a record may become.

    Raises
    ------
    Refused
        A verification that did not end in a verdict: it concludes nothing yet.
    """
    if record == "calibration":
        return "calibration_certificate"
    if record == "check":
        return "check_record"
    if verdict == "pass":
        return "verification_certificate"
    if verdict == "fail":
        return "verification_notice"
    raise Refused(
        "verification-without-verdict",
        "A verification ends in pass or fail; this one is {verdict}. Complete the points or the "
        "limits, or record the work as a calibration.",
        facts={"verdict": verdict},
        clause="JJF 1094; 计量法 检定",
    )


def measurement_of(frozen: CalibrationInput, result: CalibrationResult) -> Measurement:
    """Return what a certificate says of the measurement, taken from the frozen input alone."""
    definition = frozen.definition
    used = {point.measurand for point in result.points}
    return Measurement(
        type_id=definition.id,
        type_version=definition.version,
        definition_digest=definition.digest(),
        legal_class=definition.legal_class,
        methods=tuple(
            MethodDocument(id=d.id, title=d.title, role=d.role, confidence=d.confidence)
            for d in documents_of(definition, frozen.kind)
        ),
        measurands=tuple(
            MeasurandWords(
                id=m.id,
                name=m.name,
                unit=m.unit,
                output=m.output,
                output_unit=m.output_unit,
                function=m.function,
                components=tuple(ComponentWords(id=c.id, name=c.name) for c in m.components),
                optional=m.optional,
            )
            for m in definition.measurands
            if m.id in used
        ),
        standards=tuple(_standard(standard) for standard in frozen.standards),
        conditions=_conditions(frozen),
        rule=frozen.decision_rule,
        limits=_limits(frozen, result),
        examinations=_examinations(frozen),
        mode_required=definition.calibration_mode == "required",
        acclimatisation_minutes=frozen.acclimatisation_minutes,
        stages=tuple(
            stage
            for stage in ("as_found", "as_left")
            if any(point.stage == stage for point in result.points)
        ),
        scope=tuple(row for row in frozen.cmc if row.measurand in used),
        validity_months=definition.validity_months if frozen.kind == "verification" else None,
    )


def documents_of(definition: InstrumentType, kind: RecordKind) -> tuple[GoverningDocument, ...]:
    """Return the documents this kind of work rests on: a JJG for 检定, other methods otherwise.

    A type names the methods of every kind of work; where only the other sort exists (a JJG applied
    to a calibration), it stays.
    """
    documents = definition.documents
    verifying = kind == "verification"
    methods = [d for d in documents if d.role == "method"]
    fitting = [d for d in methods if d.id.startswith("JJG") == verifying] or methods
    return tuple(d for d in documents if d.role != "method" or d in fitting)


def _standard(standard: StandardInput) -> StandardUsed:
    ends = [standard.low, standard.high, *(v.indication for v in standard.values)]
    covered = span([end for end in ends if end is not None])
    return StandardUsed(
        key=standard.key,
        name=standard.name,
        model=standard.model,
        serial=standard.serial,
        certificate_number=standard.certificate_number,
        issuer=standard.issuer,
        calibrated_on=standard.calibrated_on,
        valid_until=standard.valid_until,
        range=f"{covered} {unit(standard.unit).symbol}" if covered else "",
        uncertainty=f"U = {span([v.U for v in standard.values])} {unit(standard.unit).symbol}"
        f" (k = {span([v.k for v in standard.values])})"
        if standard.values
        else "",
    )


def _conditions(frozen: CalibrationInput) -> tuple[ConditionRange, ...]:
    """Return the span of each influence quantity; the texts stay as they were entered."""
    ranges: list[ConditionRange] = []
    for quantity, unit_id in dict.fromkeys((c.quantity, c.unit) for c in frozen.conditions):
        seen = [c.value for c in frozen.conditions if (c.quantity, c.unit) == (quantity, unit_id)]
        ranges.append(
            ConditionRange(
                quantity=quantity,
                unit=unit_id,
                low=min(seen, key=Decimal),
                high=max(seen, key=Decimal),
            )
        )
    return tuple(ranges)


def _limits(frozen: CalibrationInput, result: CalibrationResult) -> tuple[LimitSource, ...]:
    sources: dict[tuple[str, str, Confirmed | None], LimitSource] = {}
    for point in result.points:
        if point.limit_origin is None:
            continue
        key = (point.measurand, point.limit_document, point.limit_confirmed)
        agreed = frozen.limits.get(point.measurand)
        clauses = {
            row.clause
            for row in (agreed.rows if agreed else ())
            if row.document == point.limit_document and row.clause
        }
        sources.setdefault(
            key,
            LimitSource(
                measurand=point.measurand,
                origin=point.limit_origin,
                document=point.limit_document,
                confidence=point.limit_confidence or "BG",
                clause=", ".join(sorted(clauses)),
                confirmed=point.limit_confirmed,
            ),
        )
    return tuple(sources.values())


def _examinations(frozen: CalibrationInput) -> tuple[ExaminationOutcome, ...]:
    wanted = {examination.id: examination for examination in frozen.definition.examinations}
    return tuple(
        ExaminationOutcome(
            id=seen.id,
            name=wanted[seen.id].name,
            document=wanted[seen.id].document,
            confidence=wanted[seen.id].confidence,
            passed=seen.passed,
            remark=seen.remark,
            rejected_pieces=seen.rejected_pieces,
        )
        for seen in frozen.examinations
        if seen.id in wanted
    )
