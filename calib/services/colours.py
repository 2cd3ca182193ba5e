"""Three-colour marks (三色标识): green fit for use, yellow limited use, red out of service.

Pure: from what is known of an instrument to a colour, always with the words. What is not known
counts as red: performance unknown is not performance proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from calib.reminders import due
from calib.services.standing import CertificateLine

Colour = Literal["green", "yellow", "red"]
COLOURS: tuple[Colour, ...] = ("red", "yellow", "green")


@dataclass(frozen=True, slots=True)
class Standing:
    """All that decides the colour of one instrument."""

    status: str
    reason: str
    """Of the status."""
    is_for_people_but_industrial: bool
    is_mode_unknown: bool
    """The type needs a calibration mode and the model's is not known."""
    certificate: CertificateLine | None
    """The newest that was issued and not replaced, withdrawn or not."""
    check: CertificateLine | None
    """The newest check record, when newer than the certificate."""
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A colour and why."""

    colour: Colour
    code: str
    message: str
    """English sentence with ``{named}`` placeholders."""
    facts: Mapping[str, object] = field(default_factory=dict)


def judge(standing: Standing, today: date) -> Judgement:
    """Return colour and words; the gravest reason wins."""
    return (
        _by_status(standing)
        or _by_kind(standing)
        or _by_certificate(standing)
        or _by_date(standing, today)
        or _limited(standing)
        or _soon(standing, today)
        or _fit(standing)
    )


def _by_status(standing: Standing) -> Judgement | None:
    facts = {"reason": standing.reason or "-"}
    if standing.status == "lost":
        return Judgement(
            "red", "lost", "Reported lost ({reason}). Send it in if it turns up.", facts
        )
    if standing.status == "scrapped":
        return Judgement("red", "scrapped", "Scrapped ({reason}). Do not use it.", facts)
    if standing.status == "out_of_service":
        return Judgement("red", "out-of-service", "Out of service: {reason}.", facts)
    return None


def _by_kind(standing: Standing) -> Judgement | None:
    if standing.is_for_people_but_industrial:
        return Judgement(
            "red",
            "industrial-not-for-people",
            "Industrial, not for people: it cannot tell a fever. Use a clinical thermometer.",
        )
    return None


def _by_certificate(standing: Standing) -> Judgement | None:
    certificate, check = standing.certificate, standing.check
    if check is not None and check.verdict in ("fail", "conditional_fail"):
        return Judgement(
            "red",
            "check-failed",
            "Failed its check ({number}). Do not use it until it is calibrated again.",
            {"number": check.number},
        )
    if certificate is None:
        return _without_certificate(standing)
    facts = {"number": certificate.number}
    if certificate.state == "withdrawn":
        return Judgement(
            "red",
            "withdrawn",
            "Certificate {number} was withdrawn: do not rely on it. Request a new calibration.",
            facts,
        )
    if certificate.verdict in ("fail", "conditional_fail"):
        return Judgement(
            "red", "failed", "Failed: it does not conform ({number}). Do not use it.", facts
        )
    if certificate.verdict == "not_calibratable":
        return _not_calibratable()
    return None


def _without_certificate(standing: Standing) -> Judgement:
    if standing.is_mode_unknown:
        return _not_calibratable()
    if standing.check is not None:
        return Judgement(
            "yellow",
            "checked-only",
            "Checked only ({number}), not calibrated. Request a calibration.",
            {"number": standing.check.number},
        )
    return Judgement(
        "red",
        "never-certified",
        "No certificate yet: how well it measures is unknown. Request a calibration.",
    )


def _not_calibratable() -> Judgement:
    return Judgement(
        "red",
        "not-calibratable",
        "Not calibratable: the way into its calibration mode is not known. This is no failure; "
        "ask the maker for the key sequence, or replace it.",
    )


def _by_date(standing: Standing, today: date) -> Judgement | None:
    if standing.due_on is None or not due.is_overdue(standing.due_on, today):
        return None
    return Judgement(
        "red",
        "overdue",
        "Overdue since {day} ({days} days). Put it aside and request a calibration.",
        {"day": standing.due_on.isoformat(), "days": (today - standing.due_on).days},
    )


def _limited(standing: Standing) -> Judgement | None:
    if standing.status == "limited":
        return Judgement(
            "yellow", "limited", "Limited use: {reason}.", {"reason": standing.reason or "-"}
        )
    assert standing.certificate is not None  # noqa: S101 -- judged red or yellow before
    facts: dict[str, object] = {"number": standing.certificate.number}
    if standing.certificate.passed_of is not None:
        passed, pieces = standing.certificate.passed_of
        return Judgement(
            "yellow",
            "pieces-failed",
            "{passed} of {all} pieces pass ({number}). Use none of those that the certificate "
            "names as not passing.",
            {**facts, "passed": passed, "all": pieces},
        )
    if standing.certificate.verdict in ("conditional_pass", "undetermined"):
        return Judgement(
            "yellow",
            "conditional",
            "Close to its limit: conformity is not certain ({number}). Look at the certificate.",
            facts,
        )
    if standing.certificate.verdict == "cannot_be_stated":
        return Judgement(
            "yellow",
            "cannot-be-stated",
            "Calibrated, but conformity could not be stated ({number}). Look at the certificate.",
            facts,
        )
    return None


def _soon(standing: Standing, today: date) -> Judgement | None:
    if standing.due_on is None or not due.is_due_soon(standing.due_on, today):
        return None
    facts = {"day": standing.due_on.isoformat(), "days": (standing.due_on - today).days}
    if standing.due_on == today:
        return Judgement("yellow", "due-today", "Due today, {day}. Request a calibration.", facts)
    return Judgement(
        "yellow", "due-soon", "Due on {day} (in {days} days). Request a calibration.", facts
    )


def _fit(standing: Standing) -> Judgement:
    assert standing.certificate is not None  # noqa: S101 -- judged red or yellow before
    facts = {
        "number": standing.certificate.number,
        "day": standing.due_on.isoformat() if standing.due_on else "",
    }
    if standing.certificate.verdict == "pass":
        message = "Passed ({number}), due on {day}." if standing.due_on else "Passed ({number})."
        return Judgement("green", "passed", message, facts)
    if standing.due_on:
        message = "Calibrated ({number}), no statement of conformity was agreed; due on {day}."
    else:
        message = "Calibrated ({number}), no statement of conformity was agreed."
    return Judgement("green", "calibrated", message, facts)
