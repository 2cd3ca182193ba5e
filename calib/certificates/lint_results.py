"""Lints on results: uncertainty, conditions, statements (17025 7.8.4, 7.8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from calib.certificates.document import CertificateDocument
from calib.certificates.lint_rules import ISO17025, Hit, decimal_of, last_place, rule
from calib.evaluation.statement import is_open


@rule(
    "uncertainty-missing",
    ISO17025 + "7.8.4.1 (a)",
    "Point {key} has no positive expanded uncertainty with its coverage factor.",
)
def _uncertainty(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        U, k = decimal_of(point.printed.U), decimal_of(point.printed.k)
        if U is None or k is None or U <= 0 or k <= 0:
            yield f"/result/points/{i}/printed/U", {"key": point.key}


@rule(
    "printed-differs",
    ISO17025 + "7.8.1.2",
    "Point {key}: {name} is printed as {printed}, but the computed value is {value}.",
)
def _printed(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        shown = point.printed
        for name, text, value in (
            ("error", shown.error, point.error),
            ("correction", shown.correction, -point.error),
            ("U", shown.U, point.U),
        ):
            printed = decimal_of(text)
            if printed is None or abs(printed - Decimal(repr(value))) > last_place(printed):
                yield (
                    f"/result/points/{i}/printed/{name}",
                    {"key": point.key, "name": name, "printed": text, "value": repr(value)},
                )


@rule(
    "rounding-uneven",
    "JCGM 100:2008 7.2.6; JJF 1059.1-2012 5.3.8",
    "Point {key}: {error} and U = {U} do not end at the same decimal place.",
)
def _rounding(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        error, U = decimal_of(point.printed.error), decimal_of(point.printed.U)
        if error is None or U is None or last_place(error) != last_place(U):
            yield (
                f"/result/points/{i}/printed",
                {"key": point.key, "error": point.printed.error, "U": point.printed.U},
            )


@rule(
    "conditions-missing",
    ISO17025 + "7.8.4.1 (b)",
    "No ambient temperature was recorded; it influences every result here.",
)
def _conditions(document: CertificateDocument) -> Iterator[Hit]:
    if not any(c.quantity == "temperature" for c in document.measurement.conditions):
        yield "/measurement/conditions", {}


@rule(
    "before-adjustment-missing",
    ISO17025 + "7.8.4.1 (d)",
    "Results after adjustment are given without those before. Add them, or say in the "
    "deviations why there are none.",
)
def _before(document: CertificateDocument) -> Iterator[Hit]:
    stages = {point.stage for point in document.result.points}
    if stages == {"as_left"} and not document.deviations:
        yield "/result/points", {}


@rule(
    "statement-without-rule",
    ISO17025 + "7.8.4.1 (e), 7.8.6, 7.1.3",
    "{where} carries the verdict {verdict}, but no decision rule was agreed.",
)
def _rule(document: CertificateDocument) -> Iterator[Hit]:
    if document.measurement.rule.id != "none":
        return
    said = [("/result/verdict", document.result.verdict)]
    said += [(f"/result/points/{i}", p.verdict) for i, p in enumerate(document.result.points)]
    for at, verdict in said:
        if verdict not in {"not_stated", "cannot_be_stated"}:
            yield at, {"where": at, "verdict": verdict}


@rule(
    "limits-unnamed",
    ISO17025 + "7.8.6.2",
    "Point {key} was judged, but its limits or the document they come from are not named.",
)
def _limits(document: CertificateDocument) -> Iterator[Hit]:
    silent = {"not_stated", "cannot_be_stated"}
    for i, point in enumerate(document.result.points):
        limited = point.printed.lower is not None or point.printed.upper is not None
        if point.verdict not in silent and not (limited and point.limit_document):
            yield f"/result/points/{i}", {"key": point.key}


@rule(
    "limits-open",
    ISO17025 + "7.8.6.2, 7.11.1",
    "The limits of {measurand} from {document} decided here, and nobody of the laboratory has "
    "compared them with the bought document. A manager or signatory confirms them in the "
    "catalogue, and the record is given back and submitted again; or agree the order without a "
    "statement of conformity, or limits with the customer.",
)
def _open(document: CertificateDocument) -> Iterator[Hit]:
    for measurand, name in sorted(_open_limits(document)):
        words = document.measurement.measurand(measurand)
        yield f"/measurement/limits/{measurand}", {"measurand": words.name, "document": name}


def _open_limits(document: CertificateDocument) -> set[tuple[str, str]]:
    """Return measurand and document of the type's limits that decided and are not confirmed."""
    if document.kind == "check_record":  # no certificate: it says so in a loud word
        return set()
    return {
        (point.measurand, point.limit_document)
        for point in document.result.points
        if point.limit_origin == "type" and is_open(point)
    }


@rule(
    "limits-unconfirmed",
    ISO17025 + "7.8.6",
    "The limits from {document} have not been confirmed against the published document; the "
    "document says so in a loud word.",
    "warning",
)
def _unconfirmed(document: CertificateDocument) -> Iterator[Hit]:
    stopped = {name for _, name in _open_limits(document)}
    for i, name in enumerate(document.result.unconfirmed_limits):
        if name not in stopped:
            yield f"/result/unconfirmed_limits/{i}", {"document": name}
