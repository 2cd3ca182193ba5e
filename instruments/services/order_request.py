"""What a customer asks for, and what must be true of it before it becomes an order.

Knows no database: what the registry says of the instruments is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from instruments.catalogue.loader import Catalogue
from instruments.errors import Invalid, Refused
from instruments.procedure import InstrumentType, Measurand
from instruments.quantities import parse_decimal
from instruments.records.orders import KINDS
from instruments.services import fields
from instruments.services.instruments import MAX_INTERVAL, InstrumentView
from instruments.services.models import check_known, read_limits

DECISION_RULES = (
    "none",
    "regulation",
    "simple",
    "guard_U",
    "guard_U_nonbinary",
    "guard_rU",
    "iso14253_1",
    "z5403",
    "tur4",
    "jjf1094",
    "probability",
)
"""The rules an order may agree on; how they judge is no matter of the registry."""
_PARAMETER = {"guard_rU": (Decimal(-1), Decimal(3)), "probability": (Decimal("0.5"), Decimal(1))}
"""Rules with a parameter and its range: r from -1 (uncritical) to 3 (six sigma) as in ILAC-G8."""
LANGUAGES = ("zh", "en", "zh+en")
MAX_LINES = 1000
MAX_POINTS = 200
"""Of one measurand; more is a slip."""
_GONE = ("lost", "scrapped")


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One instrument of a request and what is wanted of it beyond its type."""

    instrument_id: int
    verification_kind: str | None = None
    customer_limits: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    """By measurand: limits as plain values."""
    points: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By measurand: points asked for, as decimal text; empty: those of the type."""
    predict: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By measurand: where the fitted curve is to be printed."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A request for work: whose, which, how it will be judged and what will be printed."""

    customer_id: int
    kind: str
    decision_rule: str
    lines: tuple[LineRequest, ...]
    decision_parameter: str | None = None
    print_due: bool = False
    interval_months: int | None = None
    include_budget: bool = False
    language: str = "zh+en"
    green_channel: bool = False
    fee: str | None = None
    fee_waiver: str = ""
    remark: str = ""
    requested_by: str = ""
    requested_on: date | None = None
    """None: today."""


def check_head(asked: OrderRequest) -> None:
    """Check what holds for the whole order.

    Raises Invalid for unusable fields, Refused for what the standard does not allow.
    """
    fields.choice(asked.kind, KINDS, "/kind")
    fields.choice(asked.language, LANGUAGES, "/language")
    fields.whole(asked.interval_months, "/interval_months", low=1, high=MAX_INTERVAL)
    _check_rule(asked)
    if asked.print_due and asked.interval_months is None and asked.kind != "verification":
        raise Refused(
            "due-date-not-agreed",
            "A next-due date may be printed only when the customer agreed on an interval, and none "
            "is given. Give the agreed interval, or print no due date.",
            at="/interval_months",
            clause="ISO/IEC 17025:2017 7.8.4.3",
        )
    if asked.fee is not None and parse_decimal(asked.fee, at="/fee") < 0:
        raise Invalid(
            "fee-negative",
            "The fee is {got}; it cannot be negative. Give the fee, and a waiver with its reason.",
            at="/fee",
            facts={"got": asked.fee},
        )
    fields.few(asked.lines, "/lines", MAX_LINES)
    if not asked.lines:
        raise Invalid(
            "order-empty", "The order names no instrument. Name at least one.", at="/lines"
        )


def check_lines(
    asked: OrderRequest, known: Mapping[int, InstrumentView], catalogue: Catalogue
) -> None:
    """Check every line against the instrument and its type.

    Raises Invalid for unusable fields, Refused when the instrument cannot be ordered so.
    """
    seen: set[int] = set()
    for place, line in enumerate(asked.lines):
        at = f"/lines/{place}"
        item = known[line.instrument_id]
        if line.instrument_id in seen:
            raise Invalid(
                "order-line-twice",
                "The instrument {barcode} stands in the order twice. Keep one line.",
                at=f"{at}/instrument_id",
                facts={"barcode": item.barcode},
            )
        seen.add(line.instrument_id)
        _check_item(asked, item, at)
        type_ = catalogue.get(item.type_id)
        _check_kind(asked.kind, line, item, type_, at)
        _check_wishes(line, type_, at)


def _check_rule(asked: OrderRequest) -> None:
    rule, parameter = asked.decision_rule, asked.decision_parameter
    if not rule:
        raise Refused(
            "decision-rule-missing",
            "No decision rule is agreed. Agree on one with the customer before the work, or on "
            "none when no statement of conformity is asked for.",
            at="/decision_rule",
            clause="ISO/IEC 17025:2017 7.1.3",
        )
    fields.choice(rule, DECISION_RULES, "/decision_rule")
    if (rule == "regulation") != (asked.kind == "verification"):
        raise Refused(
            "decision-rule-not-of-kind",
            "The rule {rule} does not go with a {kind}: a verification is judged by its "
            "regulation, and nothing else is. Choose another rule or another kind of record.",
            at="/decision_rule",
            facts={"rule": rule, "kind": asked.kind},
        )
    bounds = _PARAMETER.get(rule)
    if bounds is None:
        if parameter is not None:
            raise Invalid(
                "decision-parameter-unused",
                "The rule {rule} takes no parameter, got {got}. Leave it out.",
                at="/decision_parameter",
                facts={"rule": rule, "got": parameter},
            )
        return
    low, high = bounds
    value = None if parameter is None else parse_decimal(parameter, at="/decision_parameter")
    if value is None or not low <= value <= high or (rule == "probability" and value == high):
        raise Invalid(
            "decision-parameter-out-of-range",
            "The rule {rule} needs a parameter from {low} to {high}, got {got}. "
            "Give the one agreed.",
            at="/decision_parameter",
            facts={"rule": rule, "low": str(low), "high": str(high), "got": parameter or "none"},
        )


def _check_item(asked: OrderRequest, item: InstrumentView, at: str) -> None:
    if item.customer_id != asked.customer_id:
        raise Refused(
            "instrument-of-another-customer",
            "The instrument {barcode} belongs to another customer. "
            "Order it for its owner, or change the owner first.",
            at=f"{at}/instrument_id",
            facts={"barcode": item.barcode},
        )
    if item.status in _GONE:
        raise Refused(
            "instrument-gone",
            "The instrument {barcode} is {status}. Put it back in service first, if it was found.",
            at=f"{at}/instrument_id",
            facts={"barcode": item.barcode, "status": item.status},
        )


def _check_kind(
    kind: str, line: LineRequest, item: InstrumentView, type_: InstrumentType, at: str
) -> None:
    if kind not in type_.kinds:
        raise Refused(
            "kind-not-allowed",
            "The type {type} has no {kind} (it has: {known}). Choose another kind of record.",
            at=f"{at}/instrument_id",
            facts={"type": type_.id, "kind": kind, "known": ", ".join(type_.kinds)},
        )
    if item.pieces > 1 and not type_.batch:
        raise Refused(
            "type-without-lots",
            "The instrument {barcode} counts {pieces} pieces, but a {type} is worked on one by "
            "one. Register each piece as an instrument of its own.",
            at=f"{at}/instrument_id",
            facts={"barcode": item.barcode, "pieces": item.pieces, "type": type_.id},
        )
    if kind == "verification":
        wanted = tuple(type_.verification_kinds)
        fields.choice(line.verification_kind or "", wanted, f"{at}/verification_kind")
    elif line.verification_kind is not None:
        raise Invalid(
            "verification-kind-unused",
            "A {kind} has no kind of verification, got {got}. Leave it out.",
            at=f"{at}/verification_kind",
            facts={"kind": kind, "got": line.verification_kind},
        )


def _check_wishes(line: LineRequest, type_: InstrumentType, at: str) -> None:
    read_limits(line.customer_limits, type_, f"{at}/customer_limits")
    known = {m.id for m in type_.measurands}
    for name, points in line.points.items():
        check_known(name, known, f"{at}/points")
        _check_points(points, type_.measurand(name), f"{at}/points/{name}")
    for name, places in line.predict.items():
        check_known(name, known, f"{at}/predict")
        if type_.measurand(name).fit.kind == "none":
            raise Invalid(
                "measurand-without-curve",
                "No curve is fitted to {measurand}, so none can be printed. Leave it out.",
                at=f"{at}/predict/{name}",
                facts={"measurand": name},
            )
        _decimals(places, f"{at}/predict/{name}")


def _check_points(points: Sequence[str], measurand: Measurand, at: str) -> None:
    rule = measurand.points
    values = _decimals(points, at)
    if points and len(values) < rule.minimum:
        raise Refused(
            "points-too-few",
            "{count} points are asked for {measurand}; {document} wants at least {minimum}. "
            "Add points.",
            at=at,
            clause=rule.document,
            facts={
                "count": len(values),
                "measurand": measurand.id,
                "minimum": rule.minimum,
                "document": rule.document or "the type",
            },
        )
    for place, value in enumerate(values):
        too_low = rule.low is not None and value < Decimal(rule.low)
        too_high = rule.high is not None and value > Decimal(rule.high)
        if too_low or too_high:
            raise Refused(
                "point-outside-range",
                "The point {point} {unit} lies outside {low} to {high} {unit}. "
                "Choose points inside.",
                at=f"{at}/{place}",
                clause=rule.document,
                facts={
                    "point": points[place],
                    "unit": measurand.unit,
                    "low": rule.low or "−∞",
                    "high": rule.high or "∞",
                },
            )


def _decimals(texts: Sequence[str], at: str) -> list[Decimal]:
    if isinstance(texts, str):
        raise Invalid(
            "list-expected", "Got one text, expected a list of values. Put it in a list.", at=at
        )
    fields.few(texts, at, MAX_POINTS)
    return [parse_decimal(text, at=f"{at}/{place}") for place, text in enumerate(texts)]
