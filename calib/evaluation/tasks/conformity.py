"""Tasks of kind ``conformity``: a value, its uncertainty, limits and an agreed rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from calib.engine.conformity import DEFAULT_R, RULES, assess_conformity
from calib.engine.temperature.resistance import IEC_60751, resistance
from calib.engine.tolerances import CLASSES, RANGES, platinum_slope, platinum_tolerance
from calib.engine.types import ConformityVerdict
from calib.evaluation.tasks.reader import Fields, TaskRefused, place, read_decimal

KEYS = (
    "kind", "value", "u", "U", "k", "u_relative", "lower", "upper", "limits", "rule", "r",
    "minimum", "accept_lower", "accept_upper", "prior",
)  # fmt: skip
FAR = 20
"""Tolerances beyond which a value may be a reading in place of its error."""
LIMITS = ("standard", "class", "t", "quantity", "element", "R0")
_MODELS = {
    "simple": "Acceptance limits are the tolerance limits",
    "guard_U": "Acceptance limits are U inside the tolerance limits",
    "guard_U_nonbinary": "Acceptance limits are U inside the tolerance limits, rejection limits U"
    " outside; between them the statement is conditional",
    "guard_rU": "Acceptance limits are {r} U inside the tolerance limits",
    "iso14253_1": "Conformity is proven 1.65 u inside the tolerance limits, non-conformity 1.65 u"
    " outside",
    "z5403": "Acceptance limits are inside the tolerance limits by U times a multiplier that"
    " follows from the test uncertainty ratio and holds the global risk of false acceptance at"
    " about 2 %, whatever the process",
    "tur4": "Acceptance limits are the tolerance limits, provided the test uncertainty ratio is at"
    " least 4",
    "jjf1094": "U is neglected when at most a third of the maximum permissible error; otherwise"
    " conformity is stated U inside the limits and non-conformity U outside",
    "probability": "Accepted when conformity is at least {minimum:g} probable",
    "acceptance": "Acceptance limits are as agreed",
    "guarded_rejection": "Rejected only when non-conformity is at least {minimum:g} probable",
}


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
    exact = {key: fields.maybe_decimal(key) for key in ("u", "U", "k", "u_relative", "r")}
    for key in ("u", "U", "u_relative"):
        if (given := exact[key]) is not None and given < 0:
            raise TaskRefused("out-of-range", f"{key} must not be negative, got {given}.", key)
    agreed = {key: fields.maybe_decimal(key) for key in ("accept_lower", "accept_upper")}
    lower, upper = _limits(fields, value)
    minimum = fields.maybe_number("minimum")
    prior = _prior(fields)
    with place(""):
        found = assess_conformity(
            value, lower=lower, upper=upper, rule=rule, minimum=minimum, prior=prior,
            **exact, **agreed,
        )  # fmt: skip
    out = _result(found)
    if fields.has("limits"):
        out |= {"lower": _number(lower), "upper": _number(upper)}
    words = _MODELS[rule].format(minimum=minimum or 0.0, r=exact["r"] or DEFAULT_R)
    out["model"] = f"{_belief(found, prior)} {words}."
    return out


def _limits(fields: Fields, value: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Limits as given, or those of a tolerance class."""
    lower, upper = fields.maybe_decimal("lower"), fields.maybe_decimal("upper")
    if not fields.has("limits"):
        return lower, upper
    if lower is not None or upper is not None:
        raise TaskRefused("bad-task", "Give either limits or lower and upper.", "limits")
    given = Fields(fields.get("limits"), "limits", LIMITS)
    given.word("standard", ("IEC 60751",))
    t = read_decimal(given.need("t"), "limits.t")
    quantity = given.word("quantity", ("temperature", "resistance"), "temperature")
    name = given.word("class", tuple(CLASSES))
    element = given.word("element", tuple(RANGES), "wire_wound")
    with place("limits.t"):
        width = platinum_tolerance(t, name, element)
        if quantity == "resistance":
            width *= platinum_slope(t, given.maybe_decimal("R0") or Decimal(100))
        elif given.has("R0"):
            raise TaskRefused("bad-task", "R0 goes with quantity 'resistance'.", "limits.R0")
    if abs(value) > FAR * width:
        _refuse_reading(value, t, given, quantity)
    return -width, width


def _refuse_reading(value: Decimal, t: Decimal, given: Fields, quantity: str) -> None:
    """Refuse a value that is nearer to what the thermometer should show than to its error."""
    nominal, words = t, f"value - t = {value - t}"
    if quantity == "resistance":
        curve = replace(IEC_60751, R0=given.number("R0", IEC_60751.R0))
        nominal = Decimal(float(resistance([float(t)], curve).values[0]))
        words = f"value - R(t) = {value - nominal:.6g}"
    if abs(value - nominal) < abs(value):
        msg = (
            f"value is the error, not the reading: {value} is more than {FAR} tolerances."
            f" If it was read at t, give {words}."
        )
        raise TaskRefused("bad-value", msg, "value")


def _prior(fields: Fields) -> tuple[Decimal, Decimal] | None:
    if not fields.has("prior"):
        return None
    prior = Fields(fields.get("prior"), "prior", ("distribution", "mean", "u"))
    prior.word("distribution", ("normal",), "normal")
    mean = read_decimal(prior.need("mean"), "prior.mean")
    return mean, read_decimal(prior.need("u"), "prior.u")


def _result(found: ConformityVerdict) -> dict[str, Any]:
    out: dict[str, Any] = {
        "kind": "conformity",
        "rule": found.rule,
        "verdict": found.verdict,
        "acceptance_lower": _number(found.acceptance_lower),
        "acceptance_upper": _number(found.acceptance_upper),
        "conformance_probability": found.conformance_probability,
        "probability_below": found.below,
        "probability_above": found.above,
        "specific_risk": found.specific_risk,
        "tur": found.tur,
        "cpk": found.cpk,
    }
    if found.rejection_lower is not None or found.rejection_upper is not None:
        out["rejection_lower"] = _number(found.rejection_lower)
        out["rejection_upper"] = _number(found.rejection_upper)
    if found.posterior is not None:
        out["posterior"] = {"value": found.posterior.value, "u": found.posterior.u}
    return out


def _belief(found: ConformityVerdict, prior: tuple[Decimal, Decimal] | None) -> str:
    """Say what the probabilities rest on."""
    if prior is None or found.posterior is None:
        return (
            "The quantity is taken as normally distributed about the measured value with its"
            " standard uncertainty; no prior knowledge of the item is used."
        )
    return (
        f"Before the measurement the quantity is taken as normally distributed with mean"
        f" {prior[0]} and standard deviation {prior[1]}; with the measured value and its normal"
        f" error this gives {found.posterior.value:.6g} with standard uncertainty"
        f" {found.posterior.u:.6g}, on which the probabilities rest."
    )


def _number(limit: Decimal | None) -> float | None:
    return None if limit is None else float(limit)
