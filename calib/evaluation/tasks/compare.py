"""Tasks of kind ``compare``: how laboratories perform, and what they agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

from calib.engine import comparisons, consensus
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    join,
    place,
    read_choice,
    read_decimal,
    read_list,
)

_SCORES: dict[str, tuple[str, ...]] = {
    "en": (), "z": ("sigma_pt",), "z_prime": ("sigma_pt",), "zeta": (), "pa": ("delta_E",),
}  # fmt: skip
KEYS: dict[str, tuple[str, ...]] = {
    **{name: ("participants", "assigned", *more) for name, more in _SCORES.items()},
    "algorithm_a": ("values",),
    "weighted_mean": ("values", "u"),
    "dersimonian_laird": ("values", "u", "coverage_probability"),
    "mandel_paule": ("values", "u", "coverage_probability"),
    "maximum_likelihood": ("values", "u", "s", "n", "coverage_probability"),
}
"""Keys of each score or mean."""
DEFAULT_K = 2.0
_EXACT = Context(prec=2000)
"""Digits enough for the difference of any two numbers that a task may hold."""


def compute_compare(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``compare``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or its figures give no score or mean.
    """
    score, fields = read_choice(task, "score", ("kind", "score"), KEYS)
    if score in _SCORES:
        found = _perform(fields, score)
    elif score == "algorithm_a":
        found = _robust(fields)
    elif score == "weighted_mean":
        found = _weighted(fields)
    else:
        found = _consensus(fields, score)
    return {"kind": "compare", "score": score} | found


def _stated(one: Fields, *, needed: bool) -> tuple[Decimal, float, float]:
    """Value, standard and expanded uncertainty as stated; U without k has k = 2."""
    value = read_decimal(one.need("value"), one.place("value"))
    if one.has("u") and one.has("U"):
        raise TaskRefused("bad-task", "Give u or U, not both.", one.place("U"))
    if needed and not (one.has("u") or one.has("U")):
        msg = f"{one.at} needs its uncertainty: U (with its k, else 2) or u."
        raise TaskRefused("missing-key", msg, one.place("u"))
    k = _factor(one)
    key = "U" if one.has("U") else "u"
    given = one.number(key, 0.0)
    if given < 0:
        msg = f"An uncertainty is never negative, got {given:g}."
        raise TaskRefused("out-of-range", msg, one.place(key))
    return (value, given / k, given) if key == "U" else (value, given, k * given)


def _factor(one: Fields) -> float:
    """Coverage factor of a stated uncertainty."""
    k = one.number("k", DEFAULT_K)
    if k <= 0:
        raise TaskRefused("bad-number", "k must be positive.", one.place("k"))
    return k


def _other_factors(rows: Sequence[Fields], assigned: Fields) -> list[str]:
    """Say of whom U is expanded by another k than that of the assigned value."""
    k = _factor(assigned)
    return [
        f"k is {own:g} in {row.at} and {k:g} in assigned: each U was taken as it is stated."
        f" For one k of all state U {DEFAULT_K:g}/k."
        for row in rows
        if (own := _factor(row)) != k
    ]


def _perform(fields: Fields, score: str) -> dict[str, Any]:
    """Score every participant against the assigned value."""
    allowed = ("value", "u", "U", "k")
    by_own = score in ("en", "zeta")
    rows = read_list(fields.need("participants"), "participants")
    read = [Fields(row, join("participants", i), allowed) for i, row in enumerate(rows)]
    stated = [_stated(row, needed=by_own) for row in read]
    x, u, U = (list(v) for v in zip(*stated, strict=True))
    given = Fields(fields.need("assigned"), "assigned", allowed)
    X, u_X, U_X = _stated(given, needed=by_own or score == "z_prime")
    # Subtracted as written: doubles of nearly equal values lose the digits that decide.
    d = [float(_EXACT.subtract(value, X)) for value in x]
    out: dict[str, Any] = {}
    with place("participants"):
        if score == "en":
            scores = comparisons.en_scores(d, U, 0.0, U_X)
        elif score == "zeta":
            scores = comparisons.zeta_scores(d, u, 0.0, u_X)
        elif score == "pa":
            scores = 100 * comparisons.z_scores(d, 0.0, fields.number("delta_E"))
        else:
            sigma = fields.number("sigma_pt")
            scores = comparisons.z_scores(d, 0.0, sigma, u_X if score == "z_prime" else 0.0)
            out["assigned_negligible"] = u_X <= comparisons.NEGLIGIBLE * sigma
    bounds = {"en": (1.0, None), "pa": (100.0, None)}.get(score, (3.0, 2.0))
    out |= {"scores": scores.tolist(), "verdicts": comparisons.judge_scores(scores, *bounds)}
    if score == "en" and (remarks := _other_factors(read, given)):
        out["remarks"] = remarks
    return out


def _robust(fields: Fields) -> dict[str, Any]:
    values = fields.numbers("values")
    with place("values"):
        found = comparisons.algorithm_a(values)
    assigned = {"value": found.value, "u": found.u}
    return {"assigned": assigned, "s": found.s, "rounds": found.rounds}


def _weighted(fields: Fields) -> dict[str, Any]:
    values, u = fields.numbers("values"), fields.numbers("u")
    with place("u"):
        found = comparisons.weighted_mean(values, u)
    rows = zip(found.deviations.tolist(), found.u_deviations.tolist(), strict=True)
    return {
        "assigned": {"value": found.value, "u": found.u},
        "chi2": found.chi2, "chi2_critical": found.chi2_critical, "dof": found.dof,
        "consistent": found.consistent, "birge": found.birge,
        "deviations": [{"d": d, "u": u} for d, u in rows],
    }  # fmt: skip


def _consensus(fields: Fields, method: str) -> dict[str, Any]:
    """Mean of laboratories that differ by more than they state."""
    p = fields.number("coverage_probability", 0.95)
    values = fields.numbers("values")
    if fields.has("u") == (fields.has("s") or fields.has("n")):
        msg = "Give either u, or s and n of the readings (maximum_likelihood only)."
        raise TaskRefused("bad-task", msg, "u")
    with place("values"):
        if fields.has("u"):
            found = consensus.find_consensus(values, fields.numbers("u"), method, p)
        else:
            s, n = fields.numbers("s"), fields.numbers("n")
            found = consensus.find_likeliest(values, s, n, p)
    return {
        "assigned": {"value": found.value, "u": found.u},
        "interval": list(found.interval), "s_between": found.s_between,
        "within": found.within.tolist(), "log_likelihood": found.log_likelihood,
    }  # fmt: skip
