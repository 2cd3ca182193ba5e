"""Acceptance checks before any arithmetic: every finding at once, as values.

An error stops the evaluation; a warning must be accepted by a person; a note is only shown. Here
stand the checks of the record as a whole; `pointchecks` looks at points and readings,
`standardchecks` at the standards. Places are ``/points/<key of the point>/readings/<input>/<id of
the reading>`` and the like: they stay the same when a point is added. Knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from calib.evaluation.decimals import check_decimals, check_figures
from calib.evaluation.givenchecks import check_given
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.pointchecks import Quiet, check_points
from calib.evaluation.shared import with_shared
from calib.evaluation.standardchecks import check_standards
from calib.evaluation.statement import covering
from instruments.errors import Finding
from instruments.procedure import EnvironmentLimit

RULES_WITH_PARAMETER = {"guard_rU": "r", "probability": "the minimum probability"}


def check_record(record: CalibrationInput, quiet: Quiet | None = None) -> tuple[Finding, ...]:
    """Return all that is wrong or remarkable; empty when there is nothing to say.

    `quiet`: its decimals are known to be plain, and these series to have nothing to say.
    """
    if not_calibratable(record):
        return (_no_mode(record),)
    findings = [f for check in _WITHOUT_NUMBERS for f in check(record)]
    bad = list(check_decimals(record) if quiet is None else check_figures(record.definition))
    if bad:
        # what cannot be read cannot be compared; these come first, the rest after correction
        return (*bad, *findings)
    findings += [f for check in _WITH_NUMBERS for f in check(record)]
    findings += check_points(record, quiet or frozenset())
    findings += check_standards(record, quiet or frozenset())
    return tuple(findings)


def not_calibratable(record: CalibrationInput) -> bool:
    """Answer whether the item gives no access to its measurement: no known calibration mode."""
    return (
        record.definition.calibration_mode == "required"
        and not (record.item.calibration_mode or "").strip()
    )


def _no_mode(record: CalibrationInput) -> Finding:
    return Finding(
        "not-calibratable",
        "{maker} {model} has no known calibration mode, without which its measurement cannot be"
        " reached; {points} points were not evaluated. This is not a failure: enter the key"
        " sequence of the model when it becomes known.",
        "note",
        "/item/calibration_mode",
        {
            "maker": record.item.maker,
            "model": record.item.model,
            "points": len(record.points),
        },
    )


def _kind(record: CalibrationInput) -> Iterator[Finding]:
    definition = record.definition
    if record.kind not in definition.kinds:
        yield Finding(
            "kind-not-allowed",
            "The type {type} has no {kind} (it has: {known}). Choose another kind of record.",
            at="/kind",
            facts={
                "type": definition.id, "kind": record.kind, "known": ", ".join(definition.kinds)
            },
        )  # fmt: skip
    if record.kind == "verification" and definition.verification_kinds:
        given = record.item.attributes.get("verification")
        if given not in definition.verification_kinds:
            yield Finding(
                "verification-kind-missing",
                "Kind of verification: got {given}, expected one of {known}. Enter it.",
                at="/item/attributes/verification",
                facts={
                    "given": given or "nothing", "known": ", ".join(definition.verification_kinds)
                },
            )  # fmt: skip


def _rule(record: CalibrationInput) -> Iterator[Finding]:
    rule = record.decision_rule
    if (rule.id == "regulation") != (record.kind == "verification"):
        yield Finding(
            "rule-not-for-kind",
            "The decision rule {rule} does not go with a {kind}: a verification is judged by the"
            " rule of its regulation, and only a verification is. Choose another rule.",
            at="/decision_rule/id",
            facts={"rule": rule.id, "kind": record.kind},
        )
    wanted = RULES_WITH_PARAMETER.get(rule.id)
    if (wanted is None) != (rule.parameter is None):
        yield Finding(
            "rule-parameter",
            "The decision rule {rule} takes {wanted}, got {given}. Correct the agreed rule.",
            at="/decision_rule/parameter",
            facts={
                "rule": rule.id,
                "wanted": wanted or "no parameter",
                "given": rule.parameter or "nothing",
            },
            clause="ISO/IEC 17025:2017 7.1.3",
        )


def _variants(record: CalibrationInput) -> Iterator[Finding]:
    for name, values in record.definition.variants.items():
        given = record.item.attributes.get(name)
        if given not in values:
            yield Finding(
                "variant-missing",
                "Attribute {name} of the model: got {given}, expected one of {known}. Enter it.",
                at=f"/item/attributes/{name}",
                facts={"name": name, "given": given or "nothing", "known": ", ".join(values)},
            )


def _dates(record: CalibrationInput) -> Iterator[Finding]:
    places = [(record.performed_on, "/performed_on")]
    for standard in record.standards:
        at = f"/standards/{standard.key}"
        places.append((standard.calibrated_on, f"{at}/calibrated_on"))
        if standard.valid_until is not None:
            places.append((standard.valid_until, f"{at}/valid_until"))
    for text, at in places:
        if not _is_date(text):
            yield Finding(
                "date-invalid",
                "{given} is not a date. Write it as 2026-03-02.",
                at=at,
                facts={"given": text},
            )


def _is_date(text: str) -> bool:
    try:
        # the one spelling in which dates compare as text
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _rounding(record: CalibrationInput) -> Iterator[Finding]:
    if record.rounding.digits not in (1, 2):
        yield Finding(
            "rounding-invalid",
            "U cannot be given to {digits} significant digits. Choose 1 or 2.",
            at="/rounding/digits",
            facts={"digits": record.rounding.digits},
            clause="ILAC-P14:09/2020",
        )


def _parameter(record: CalibrationInput) -> Iterator[Finding]:
    rule = record.decision_rule
    if rule.parameter is None:
        return
    given = Decimal(rule.parameter)
    inside, wanted = Decimal(-1) <= given <= Decimal(3), "-1 ≤ r ≤ 3"  # ILAC-G8:09/2019, table 1
    if rule.id == "probability":
        inside, wanted = Decimal("0.5") <= given < 1, "0.5 ≤ p < 1"
    if not inside:
        yield Finding(
            "rule-parameter-range",
            "The decision rule {rule} cannot work with {given}: {wanted}. Correct the agreed rule.",
            at="/decision_rule/parameter",
            facts={"rule": rule.id, "given": rule.parameter, "wanted": wanted},
            clause="ISO/IEC 17025:2017 7.1.3",
        )


def _acclimatisation(record: CalibrationInput) -> Iterator[Finding]:
    wanted = record.definition.acclimatisation_minutes
    given = record.acclimatisation_minutes
    if wanted and given is None:
        yield Finding(
            "acclimatisation-missing",
            "The acclimatisation was not entered; the method asks for {wanted} min. Enter it.",
            at="/acclimatisation_minutes",
            facts={"wanted": wanted},
        )
    elif given is not None and given < wanted:
        yield Finding(
            "acclimatisation-short",
            "The item was acclimatised for {given} min; the method asks for {wanted} min. Wait"
            " and repeat, or accept this as a deviation from the method.",
            "warning",
            "/acclimatisation_minutes",
            {"given": given, "wanted": wanted},
            "ISO/IEC 17025:2017 7.8.2.1 (n)",
        )


def _environment(record: CalibrationInput) -> Iterator[Finding]:
    for limit in record.definition.environment:
        found = [c for c in record.conditions if c.quantity == limit.quantity]
        at = f"/conditions/{limit.quantity}"
        facts = {"quantity": limit.quantity, "range": _range(limit), "document": limit.document}
        if not found:
            yield Finding(
                "environment-missing",
                "The {quantity} while measuring was not entered; {document} asks for {range}."
                " Enter it.",
                at=at,
                facts=facts,
                clause="ISO/IEC 17025:2017 7.8.4.1 (b)",
            )
        for condition in found:
            facts = {**facts, "given": f"{condition.value} {condition.unit}"}
            if condition.unit != limit.unit:
                yield Finding(
                    "environment-unit",
                    "The {quantity} is {given}, expected in {unit}. Convert it.",
                    at=at,
                    facts={**facts, "unit": limit.unit},
                )
            elif not _inside(Decimal(condition.value), limit.low, limit.high):
                yield Finding(
                    "environment-out-of-range",
                    "The {quantity} was {given} ({when}), outside {range} of {document}. Repeat"
                    " under proper conditions, or accept this as a deviation from the method.",
                    "warning",
                    f"{at}/{condition.when}",
                    {**facts, "when": condition.when},
                    "ISO/IEC 17025:2017 7.8.2.1 (n)",
                )


def _range(limit: EnvironmentLimit) -> str:
    return f"{limit.low or '-∞'} ... {limit.high or '∞'} {limit.unit}"


def _inside(value: Decimal, low: str | None, high: str | None) -> bool:
    return (low is None or value >= Decimal(low)) and (high is None or value <= Decimal(high))


def _examinations(record: CalibrationInput) -> Iterator[Finding]:
    known = {examination.id for examination in record.definition.examinations}
    given = {examination.id for examination in record.examinations}
    for id_ in sorted(known - given):
        yield Finding(
            "examination-missing",
            "The finding of the examination {examination} was not entered. Enter it, or accept"
            " that it was not done.",
            "error" if record.kind == "verification" else "warning",
            f"/examinations/{id_}",
            {"examination": id_},
        )
    for examination in record.examinations:
        facts = {"examination": examination.id, "known": ", ".join(sorted(known)) or "none"}
        at = f"/examinations/{examination.id}"
        if examination.id not in known:
            yield Finding(
                "examination-unknown",
                "The type has no examination {examination} (it has: {known}). Remove it.",
                at=at,
                facts=facts,
            )
        unknown = [p for p in examination.rejected_pieces if not 1 <= p <= len(record.item.pieces)]
        if unknown or (examination.passed and examination.rejected_pieces):
            yield Finding(
                "examination-contradicted",
                "The examination {examination} rejects pieces {rejected} of {pieces}, passed:"
                " {passed}. Name existing pieces, and only where it was not passed.",
                at=at,
                facts={
                    **facts,
                    "rejected": ", ".join(map(str, examination.rejected_pieces)),
                    "pieces": len(record.item.pieces),
                    "passed": examination.passed,
                },
            )


def _limits(record: CalibrationInput) -> Iterator[Finding]:
    """Limits must be unambiguous where they are used; a verification takes its regulation's."""
    known = {m.id for m in record.definition.measurands}
    for id_, agreed in record.limits.items():
        if id_ not in known or (record.kind == "verification" and agreed.origin != "type"):
            yield Finding(
                "limits-not-usable",
                "The limits of {measurand} ({origin}) do not belong to this record: the measurand"
                " must exist, and a verification uses the limits of its regulation alone.",
                at=f"/limits/{id_}",
                facts={"measurand": id_, "origin": agreed.origin},
            )
    for point in with_shared(record).points:
        rows = covering(record, point.measurand, Decimal(point.nominal))
        if record.kind == "verification" and not rows:
            yield Finding(
                "limits-missing",
                "At {nominal} the regulation has no limits of {measurand} in this record: a"
                " verification ends in a verdict. Choose another point or kind of record.",
                at=f"/points/{point.key}",
                facts={"nominal": point.nominal, "measurand": point.measurand},
            )
        if len({row.at(Decimal(point.nominal)) for row in rows}) > 1:
            yield Finding(
                "limits-ambiguous",
                "At {nominal} the limits of {measurand} are given more than once, differently, by"
                " {documents}. Agree on one of them.",
                at=f"/points/{point.key}",
                facts={
                    "nominal": point.nominal,
                    "measurand": point.measurand,
                    "documents": ", ".join(dict.fromkeys(row.document for row in rows)),
                },
            )


_Check = Callable[[CalibrationInput], Iterator[Finding]]
_WITHOUT_NUMBERS: tuple[_Check, ...] = (
    _kind,
    _rule,
    _variants,
    _dates,
    _rounding,
    _acclimatisation,
    _examinations,
)
_WITH_NUMBERS: tuple[_Check, ...] = (
    _parameter,
    _environment,
    check_given,
    _limits,
)
