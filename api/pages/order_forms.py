"""The form of a new order: from what was typed to a request, and problems back to their fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from api.pages.forms import Form, Typed
from instruments.context import Context
from instruments.errors import Invalid
from instruments.services.order_request import LineRequest, OrderRequest

COMMON_RULES = ("none", "simple", "guard_U", "jjf1094", "regulation")
MORE_RULES = ("guard_U_nonbinary", "guard_rU", "iso14253_1", "z5403", "tur4", "probability")
_BETWEEN = re.compile(r"[\s;；、，]+|,\s+")


def chosen_ids(typed: Typed) -> list[int]:
    """Return the instruments ticked, in order.

    Raises Invalid when what was sent is no number.
    """
    for text in typed.many("chosen"):
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Invalid(
                "whole-number-expected",
                "Got {got}, expected a whole number. Write it in digits, like 12.",
                at="/chosen",
                facts={"got": text},
            )
    return list(dict.fromkeys(int(text) for text in typed.many("chosen")))


def request_of(ctx: Context, typed: Typed, ids: Sequence[int]) -> OrderRequest:
    """Return the request as typed; a verification is judged by its regulation unless told else.

    Raises Invalid for numbers and dates that cannot be read.
    """
    kind = typed.text("kind")
    rule = typed.text("decision_rule") or ("regulation" if kind == "verification" else "")
    staff = ctx.actor.is_staff
    return OrderRequest(
        customer_id=typed.chosen("customer_id"),
        kind=kind,
        decision_rule=rule,
        decision_parameter=typed.optional("decision_parameter"),
        lines=tuple(_line(typed, id_, kind) for id_ in ids),
        print_due=typed.flag("print_due"),
        interval_months=typed.whole("interval_months"),
        include_budget=typed.flag("include_budget"),
        language=typed.text("language"),
        green_channel=staff and typed.flag("green_channel"),
        fee=typed.optional("fee") if staff else None,
        fee_waiver=typed.text("fee_waiver") if staff else "",
        remark=typed.text("remark"),
        requested_by=typed.text("requested_by"),
        requested_on=typed.day("requested_on") if staff else None,
    )


def _line(typed: Typed, instrument_id: int, kind: str) -> LineRequest:
    wish = f"wish/{instrument_id}"
    verification = typed.optional(f"{wish}/verification_kind")
    if kind == "verification":
        verification = verification or typed.optional("verification_kind")
    return LineRequest(
        instrument_id=instrument_id,
        verification_kind=verification,
        customer_limits=_limits(typed, f"{wish}/limits/"),
        points={name: _decimals(text) for name, text in typed.under(f"{wish}/points/")},
        predict={name: _decimals(text) for name, text in typed.under(f"{wish}/predict/")},
    )


def _limits(typed: Typed, prefix: str) -> dict[str, list[dict[str, object]]]:
    limits: dict[str, dict[str, object]] = {}
    for name, text in typed.under(prefix):
        measurand, _, side = name.partition("/")
        if side in ("lower", "upper", "document"):
            limit = limits.setdefault(measurand, {"document": "", "confidence": "V"})
            limit[side] = text
    return {measurand: [limit] for measurand, limit in limits.items()}


def _decimals(text: str) -> tuple[str, ...]:
    return tuple(part.rstrip(",") for part in _BETWEEN.split(text) if part.strip(","))


def beside_fields(form: Form, ids: Sequence[int]) -> Form:
    """Return the form with every problem at the field of the page it concerns."""
    problems: dict[str, list[str]] = {}
    for name, sentences in form.problems.items():
        problems.setdefault(_field(name, ids), []).extend(sentences)
    return replace(form, problems=problems)


def _field(name: str, ids: Sequence[int]) -> str:
    parts = name.split("/")
    if parts[0] != "lines":
        return name
    if len(parts) < 3 or not parts[1].isdecimal() or int(parts[1]) >= len(ids):
        return "chosen"
    wish = f"wish/{ids[int(parts[1])]}"
    match parts[2:]:
        case ["points" | "predict" as what, measurand, *_]:
            return f"{wish}/{what}/{measurand}"
        case ["customer_limits", measurand, _, side]:
            return f"{wish}/limits/{measurand}/{side}"
        case ["customer_limits", measurand, *_]:
            return f"{wish}/limits/{measurand}/lower"
        case ["verification_kind"]:
            return "verification_kind"
    return "chosen"
