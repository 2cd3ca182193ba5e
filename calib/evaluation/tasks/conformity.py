"""Tasks of kind ``conformity``: a value, its uncertainty, limits and an agreed rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from calib.engine.conformity import RULES, assess_conformity
from calib.evaluation.tasks.reader import Fields, place, read_decimal

KEYS = (
    "kind", "value", "u", "U", "k", "u_relative", "lower", "upper", "rule", "r", "minimum",
    "accept_lower", "accept_upper",
)  # fmt: skip


def compute_conformity(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``conformity``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or the rule does not apply.
    """
    fields = Fields(task, "", KEYS)
    rule = fields.word("rule", RULES)
    value = read_decimal(fields.need("value"), "value")
    exact = {
        key: fields.maybe_decimal(key)
        for key in ("lower", "upper", "u", "U", "k", "u_relative", "r")
    }
    agreed = {key: fields.maybe_decimal(key) for key in ("accept_lower", "accept_upper")}
    with place(""):
        found = assess_conformity(
            value, rule=rule, minimum=fields.maybe_number("minimum"), **exact, **agreed
        )
    out: dict[str, Any] = {
        "kind": "conformity",
        "rule": rule,
        "verdict": found.verdict,
        "acceptance_lower": _number(found.acceptance_lower),
        "acceptance_upper": _number(found.acceptance_upper),
        "conformance_probability": found.conformance_probability,
        "specific_risk": found.specific_risk,
        "tur": found.tur,
        "cpk": found.cpk,
    }
    if found.rejection_lower is not None or found.rejection_upper is not None:
        out["rejection_lower"] = _number(found.rejection_lower)
        out["rejection_upper"] = _number(found.rejection_upper)
    return out


def _number(limit: Decimal | None) -> float | None:
    return None if limit is None else float(limit)
