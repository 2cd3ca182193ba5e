"""Reports and readings as plain JSON, so that one process can hand them to another.

Whoever reads them back believes nothing of their shape: the process they come from had a stranger's
file in its hands. Knows no process.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from calib.certificates.dcc_reading import DCCColumn, DCCItem, DCCReading, DCCTable
from calib.verifier.report import EXIT, STATES, STEP_WORDS, Report, Step
from instruments.errors import DomainError, Finding, Invalid, Refused
from instruments.plain import from_plain, to_plain
from instruments.text import LocalizedText

MOST_FINDINGS = 500
"""Of one step; how many there are stands in its sentence."""
LONGEST_FACT = 2000
_PLACE = re.compile(r"\{[A-Za-z_]\w*\}")
_ERRORS: Final = {"Invalid": Invalid, "Refused": Refused}
_SEVERITIES: Final = ("error", "warning", "note")


def report_plain(report: Report) -> dict[str, Any]:
    """Return a report as plain values."""
    return {
        "verdict": report.verdict,
        "says": dict(report.says),
        "steps": [
            {
                "id": step.id,
                "state": step.state,
                "message": step.message,
                "facts": _facts(step.facts),
                "findings": _findings(step.findings[:MOST_FINDINGS]),
            }
            for step in report.steps
        ],
    }


def read_report(plain: Any) -> Report:
    """Read a report; raises ValueError, TypeError or LookupError for what is none."""
    steps = tuple(
        Step(
            _one_of(one["id"], STEP_WORDS),
            _one_of(one["state"], STATES),
            _sentence(one["message"]),
            _read_facts(one["facts"]),
            _read_findings(one["findings"]),
        )
        for one in plain["steps"]
    )
    says = {_text(name): _text(words) for name, words in plain["says"].items()}
    return Report(_one_of(plain["verdict"], EXIT), steps, says)


def error_plain(error: DomainError) -> dict[str, Any]:
    """Return an error as plain values."""
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "message": error.message,
        "at": error.at,
        "clause": error.clause,
        "facts": _facts(error.facts),
        "findings": _findings(error.findings),
    }


def read_error(plain: Any) -> DomainError:
    """Read an error; raises ValueError, TypeError or LookupError for what is none."""
    kind: Callable[..., DomainError] = _ERRORS[plain["kind"]]
    return kind(
        _text(plain["code"]),
        _sentence(plain["message"]),
        at=_text(plain["at"]),
        clause=_text(plain["clause"]),
        facts=_read_facts(plain["facts"]),
        findings=_read_findings(plain["findings"]),
    )


def reading_plain(reading: DCCReading) -> dict[str, Any]:
    """Return what a DCC says as plain values."""
    return {
        **to_plain(reading),
        "calibrated_on": reading.calibrated_on.isoformat(),
        "notes": _findings(reading.notes),
    }


def read_reading(plain: Any) -> DCCReading:
    """Read what a DCC says; raises ValueError, TypeError or LookupError for what is no such."""
    validity = plain["validity"]
    if validity is not None:
        low, high = (from_plain(DCCColumn, one, "/validity") for one in validity)
        validity = (low, high)
    return DCCReading(
        **{name: _text(plain[name]) for name in ("schema_version", "number", "issuer")},
        calibrated_on=date.fromisoformat(plain["calibrated_on"]),
        items=tuple(from_plain(DCCItem, one, "/items") for one in plain["items"]),
        tables=tuple(from_plain(DCCTable, one, "/tables") for one in plain["tables"]),
        validity=validity,
        is_signed=plain["is_signed"] is True,
        notes=_read_findings(plain["notes"]),
        is_authentic=plain["is_authentic"] is True,
    )


# -------------------------------------------------------------------------------------- findings


def _findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [_finding(one) for one in findings]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "message": finding.message,
        "severity": finding.severity,
        "at": finding.at,
        "clause": finding.clause,
        "facts": _facts(finding.facts),
    }


def _read_findings(plain: Any) -> tuple[Finding, ...]:
    return tuple(_read_finding(one) for one in plain)


def _read_finding(plain: Any) -> Finding:
    texts = {name: _text(plain[name]) for name in ("code", "at", "clause")}
    severity, message = _one_of(plain["severity"], _SEVERITIES), _sentence(plain["message"])
    return Finding(**texts, severity=severity, message=message, facts=_read_facts(plain["facts"]))


def _facts(facts: Mapping[str, object]) -> dict[str, Any]:
    return {name: _fact(fact) for name, fact in facts.items()}


def _fact(fact: object) -> Any:
    """Return a fact so that it is said in either language as it would have been here."""
    if isinstance(fact, Finding):
        return {"finding": _finding(fact)}
    if isinstance(fact, LocalizedText):
        return {"words": fact.as_dict()}
    if fact is None or isinstance(fact, int) or (isinstance(fact, float) and math.isfinite(fact)):
        return fact
    text = str(fact)
    return text if len(text) <= LONGEST_FACT else f"{text[:LONGEST_FACT]} …"


def _read_facts(plain: Any) -> dict[str, object]:
    return {_text(name): _read_fact(fact) for name, fact in plain.items()}


def _read_fact(plain: Any) -> object:
    if not isinstance(plain, dict):
        return plain if isinstance(plain, bool | int | float | None) else _text(plain)
    if "finding" in plain:
        return _read_finding(plain["finding"])
    return from_plain(LocalizedText, plain["words"])


def _text(plain: Any) -> str:
    if not isinstance(plain, str):
        raise TypeError("a text is expected")
    return plain


def _sentence(plain: Any) -> str:
    """Return a sentence that can be filled with facts, and with nothing else."""
    sentence = _text(plain)
    if set("{}") & set(_PLACE.sub("", sentence)):
        raise ValueError("a sentence holds only the names of its facts")
    return sentence


def _one_of(plain: Any, known: Iterable[str]) -> Any:
    if plain not in known:
        raise ValueError("a known word is expected")
    return plain
