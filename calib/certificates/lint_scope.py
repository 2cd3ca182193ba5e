"""Lints on the scope of the laboratory: what it may claim, and how small an uncertainty (CMC)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from calib.certificates.document import CertificateDocument
from calib.certificates.lint_rules import Hit, decimal_of, last_place, rule
from calib.evaluation.floor import capability, covers, outside_scope

MOST_DIGITS = 2


@rule(
    "uncertainty-below-capability",
    "ILAC-P14:09/2020; CNAS-CL01-G003",
    "Point {key}: U = {U} is smaller than the accredited capability {capability} there. Evaluate "
    "the record again; the capability is the least that may be stated.",
)
def _below(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        U, x = decimal_of(point.printed.U), point.printed.nominal
        rows = document.measurement.scope
        least = max(
            (capability(row, x) for row in rows if covers(row, point.measurand, x)),
            default=Decimal(0),
        )
        # both are rounded alike, so that a rounded U is never below a rounded capability
        if U is not None and U + last_place(U) / 2 < least:
            facts = {"key": point.key, "U": point.printed.U, "capability": f"{least.normalize():f}"}
            yield f"/result/points/{i}/printed/U", facts


@rule(
    "accreditation-outside-scope",
    "ILAC-P8:03/2019; CNAS-R01; ISO/IEC 17025:2017 8.1.3",
    "The accreditation {number} is named, but {count} results lie outside its scope on the day of "
    "the work; the first: {measurand} at {nominal}. Leave it out, or enter the scope as granted.",
)
def _outside(document: CertificateDocument) -> Iterator[Hit]:
    number = document.lab.accreditation
    outside = list(outside_scope(document.measurement.scope, document.result))
    if number and outside:
        measurand, nominal = outside[0]
        facts = {"number": number, "count": len(outside), "measurand": measurand}
        yield "/lab/accreditation", {**facts, "nominal": nominal}


@rule(
    "accreditation-simulated",
    "ILAC-P8:03/2019; CNAS-R01",
    "The accreditation {number} is named on simulated readings. It covers calibrations of "
    "instruments only; leave it out.",
)
def _simulated(document: CertificateDocument) -> Iterator[Hit]:
    if document.simulated and document.lab.accreditation:
        yield "/lab/accreditation", {"number": document.lab.accreditation}


@rule(
    "uncertainty-digits",
    "JCGM 100:2008 7.2.6; JJF 1059.1-2012 5.3.8; ILAC-P14:09/2020",
    "Point {key}: U = {U} has more than {most} significant digits, which no uncertainty has.",
)
def _digits(document: CertificateDocument) -> Iterator[Hit]:
    for i, point in enumerate(document.result.points):
        U = decimal_of(point.printed.U)
        if U is not None and _significant(U) > MOST_DIGITS:
            facts = {"key": point.key, "U": point.printed.U, "most": MOST_DIGITS}
            yield f"/result/points/{i}/printed/U", facts


def _significant(value: Decimal) -> int:
    """Return how many digits are significant; zeros before the point only hold places."""
    shown = value.as_tuple()
    return len(value.normalize().as_tuple().digits if shown.exponent == 0 else shown.digits)
