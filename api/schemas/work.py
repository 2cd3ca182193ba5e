"""Orders, records of work, and certificates on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.schemas.wire import Day, Decimal, Wire, Words


class NewOrderLine(Wire):
    """One instrument of a request."""

    instrument_id: int
    verification_kind: Words | None = None
    customer_limits: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    points: dict[str, list[Decimal]] = Field(default_factory=dict)
    predict: dict[str, list[Decimal]] = Field(default_factory=dict)


class NewOrder(Wire):
    """A request for work with what is agreed about it."""

    customer_id: int
    kind: Words
    decision_rule: Words
    lines: list[NewOrderLine]
    decision_parameter: Decimal | None = None
    print_due: bool = False
    interval_months: int | None = None
    include_budget: bool = False
    language: Words = "zh+en"
    green_channel: bool = False
    fee: Decimal | None = None
    fee_waiver: Words = ""
    remark: Words = ""
    requested_by: Words = ""
    requested_on: Day | None = None


class Receipt(Wire):
    """What came in and in which condition."""

    condition: Words
    pieces: int | None = None


class Reason(Wire):
    """Why an act is done."""

    reason: Words


class SignatureAnswer(Wire):
    """Who signs, for one challenge: password and code, or what a passkey answered."""

    challenge: Words
    password: Words = ""
    code: Words = ""
    passkey: Annotated[str, StringConstraints(max_length=20_000)] = ""
    """As the browser gives it, in JSON."""


class NewConsent(Wire):
    """The consent of the second person, proved."""

    proposal_id: int
    signature: SignatureAnswer


class WhatToSign(Wire):
    """The meaning of the signature that is asked for."""

    meaning: Words


class Submission(Wire):
    """What goes with handing a record over."""

    signature: SignatureAnswer | None = None


class Comment(Wire):
    """What a reviewer or signatory says; may be empty."""

    comment: Words = ""
    signature: SignatureAnswer | None = None


class ReturnedLines(Wire):
    """Which lines go back to the customer; None: all that are here."""

    line_ids: list[int] | None = None


class NewPlan(Wire):
    """What of a plan is to change; absent parts stay."""

    points: dict[str, list[Decimal]] | None = None
    standards: dict[str, list[int]] | None = None
    predict: dict[str, list[Decimal]] | None = None
    pieces: list[Words] | None = None


class NewReading(Wire):
    """One value with the revision that was seen (0: the place was empty)."""

    measurand: Words
    stage: Words
    piece: int = 0
    point: Words
    input: Words
    place: int
    value: Decimal | None
    revision: int
    standard_certificate_id: int | None = None
    reason: Words = ""
    unit: Words | None = None


class NewReadings(Wire):
    """Values entered together, all or none."""

    entries: list[NewReading]


class ReadingsOfRecord(NewReadings):
    """Values of one of several records."""

    calibration_id: int


class ReadingsOfRecords(Wire):
    """Values of several records, all or none of each."""

    records: Annotated[list[ReadingsOfRecord], Field(max_length=24)]


class NewCondition(Wire):
    """One observed influence quantity."""

    quantity: Words
    moment: Words = "start"
    value: Decimal | None
    unit: Words
    revision: int
    reason: Words = ""


class Examination(Wire):
    """What a qualitative part of the work found."""

    passed: bool
    remark: Words = ""
    rejected_pieces: list[int] = Field(default_factory=list)


class Facts(Wire):
    """Circumstances of the work; absent facts stay."""

    performed_on: Day | None = None
    place: Words | None = None
    acclimatisation_minutes: int | None = None
    simulated: bool | None = None
    examinations: dict[str, Examination] | None = None
    adjustment: Words | None = None
    remark: Words | None = None


class AcceptedWarning(Wire):
    """A warning a person has looked at: ``code@place`` and why the work stands."""

    warning: Words
    reason: Words


class TwoPersons(Wire):
    """An act that needs a second person, with its reason."""

    reason: Words
    second_person_id: int


class CompromisedKey(TwoPersons):
    """A key that may be in other hands, and since when."""

    since: Words
    """An instant with its zone, like 2026-03-02T08:00:00Z."""
