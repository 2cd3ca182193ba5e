"""The certificate of a standard as it is handed in, and what must be true of it.

Every problem is found at once. Knows no database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from instruments.errors import Finding, Invalid
from instruments.quantities import parse_decimal
from instruments.services import fields

T = TypeVar("T")
MAX_LINES = 1000
ORIGINS = ("typed", "dcc")


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """One line of a standard's certificate, as decimal text in the standard's unit."""

    indication: str
    reference: str
    U: str
    k: str = "2"
    dof: str | None = None
    """Effective degrees of freedom; None: infinite."""


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate of a standard as typed in or read from a DCC."""

    number: str
    issuer: str
    calibrated_on: date
    values: tuple[CertificateLine, ...]
    valid_until: date | None = None
    low: str | None = None
    high: str | None = None
    """Range of validity the certificate states, if any."""
    origin: str = "typed"
    file_sha256: str | None = None


def checked_entry(entry: CertificateEntry, *, today: date) -> CertificateEntry:
    """Return the entry trimmed and ordered by indication.

    Raises Invalid carrying a finding for every problem.
    """
    findings: list[Finding] = []
    tried = _Tried(findings)
    number = tried.run(lambda: fields.mark(entry.number, "/number", required=True)) or ""
    issuer = tried.run(lambda: fields.words(entry.issuer, "/issuer", required=True)) or ""
    tried.run(lambda: fields.choice(entry.origin, ORIGINS, "/origin"))
    tried.run(lambda: _check_dates(entry, today))
    tried.run(lambda: _check_range(entry))
    tried.run(lambda: _check_count(entry))
    indications: dict[Decimal, int] = {}
    ordered: list[tuple[Decimal, CertificateLine]] = []
    for place, line in enumerate(entry.values[:MAX_LINES]):
        indication = _check_line(line, f"/values/{place}", tried)
        if indication is None:
            continue
        if indication in indications:
            findings.append(
                Finding(
                    "certificate-line-twice",
                    "Lines {first} and {second} both stand at the indication {indication}. "
                    "Keep one of them.",
                    at=f"/values/{place}/indication",
                    facts={
                        "first": indications[indication] + 1,
                        "second": place + 1,
                        "indication": line.indication,
                    },
                )
            )
        indications.setdefault(indication, place)
        ordered.append((indication, line))
    if findings:
        first = findings[0]
        raise Invalid(
            first.code,
            first.message,
            at=first.at,
            clause=first.clause,
            facts=first.facts,
            findings=tuple(findings),
        )
    ordered.sort(key=lambda pair: pair[0])
    return replace(entry, number=number, issuer=issuer, values=tuple(line for _, line in ordered))


class _Tried:
    """Runs checks and keeps what they find, so that one problem does not hide the next."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def run(self, check: Callable[[], T]) -> T | None:
        try:
            return check()
        except Invalid as problem:
            self.findings.append(
                Finding(
                    problem.code,
                    problem.message,
                    at=problem.at,
                    clause=problem.clause,
                    facts=problem.facts,
                )
            )
            return None


def _check_dates(entry: CertificateEntry, today: date) -> None:
    if entry.calibrated_on > today:
        raise Invalid(
            "calibrated-in-future",
            "The standard would be calibrated on {on}, after today ({today}). Correct the date.",
            at="/calibrated_on",
            facts={"on": entry.calibrated_on.isoformat(), "today": today.isoformat()},
        )
    fields.period(entry.calibrated_on, entry.valid_until, "/valid_until")


def _check_range(entry: CertificateEntry) -> None:
    if (entry.low is None) != (entry.high is None):
        raise Invalid(
            "range-half",
            "The range of validity has one end only. Give both ends, or none.",
            at="/low" if entry.low is None else "/high",
        )
    if entry.low is not None and entry.high is not None:
        low, high = parse_decimal(entry.low, at="/low"), parse_decimal(entry.high, at="/high")
        if low > high:
            raise Invalid(
                "range-backwards",
                "The range of validity runs from {low} to {high}. Put the smaller value first.",
                at="/low",
                facts={"low": entry.low, "high": entry.high},
            )


def _check_count(entry: CertificateEntry) -> None:
    if not 1 <= len(entry.values) <= MAX_LINES:
        raise Invalid(
            "certificate-lines",
            "The certificate has {count} lines; it needs 1 to {limit}.",
            at="/values",
            facts={"count": len(entry.values), "limit": MAX_LINES},
        )


def _check_line(line: CertificateLine, at: str, tried: _Tried) -> Decimal | None:
    indication = tried.run(lambda: parse_decimal(line.indication, at=f"{at}/indication"))
    tried.run(lambda: parse_decimal(line.reference, at=f"{at}/reference"))
    tried.run(lambda: _check_uncertainty(line, at))
    tried.run(lambda: _check_coverage_factor(line, at))
    if line.dof is not None:
        tried.run(lambda: _check_dof(line.dof or "", at))
    return indication


def _check_uncertainty(line: CertificateLine, at: str) -> None:
    if parse_decimal(line.U, at=f"{at}/U") <= 0:
        raise Invalid(
            "certificate-without-uncertainty",
            "The expanded uncertainty is {got}; it must be greater than zero. A certificate "
            "without uncertainty does not support traceability.",
            at=f"{at}/U",
            clause="ISO/IEC 17025:2017 6.5.2",
            facts={"got": line.U},
        )


def _check_coverage_factor(line: CertificateLine, at: str) -> None:
    if parse_decimal(line.k, at=f"{at}/k") < 1:
        raise Invalid(
            "coverage-factor-too-small",
            "The coverage factor is {got}; it must be at least 1. Read k from the certificate.",
            at=f"{at}/k",
            clause="GUM 6.2.1",
            facts={"got": line.k},
        )


def _check_dof(dof: str, at: str) -> None:
    if parse_decimal(dof, at=f"{at}/dof") < 1:
        raise Invalid(
            "dof-too-small",
            "The degrees of freedom are {got}; they must be at least 1, or left out for infinite.",
            at=f"{at}/dof",
            facts={"got": dof},
        )
