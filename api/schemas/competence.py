"""Competence and the rules of approval on the wire."""

from __future__ import annotations

from api.schemas.wire import Day, Decimal, Wire, Words


class NewCompetence(Wire):
    """An authorisation to grant."""

    person_id: int
    act: Words
    type_id: Words = ""
    document: Words = ""
    measurand: Words = ""
    low: Decimal | None = None
    high: Decimal | None = None
    starts_on: Day
    ends_on: Day | None = None
    basis: Words
    evidence: Words


class EndOfCompetence(Wire):
    """The last day of an authorisation, and why it ends."""

    ends_on: Day
    reason: Words


class NewApprovalRules(Wire):
    """How strictly the lab has its work approved."""

    keeps_competence: bool
    demands_signatures: bool
    separates_signatory: bool
    demands_second_factor: bool
