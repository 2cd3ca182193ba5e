"""Statements of conformity: decision rules, guard bands, probabilities.

Comparisons are made on the decimal figures as given, so a value that meets a limit exactly
is inside. Rules are named here; their widths and zones stand in `decision`. This module must
not know which rule a customer agreed, nor rounding of results.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from scipy import special

from calib.engine import decision
from calib.engine.coverage import check_probability
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.rounding import exact
from calib.engine.types import ConformityVerdict, Estimate

if TYPE_CHECKING:
    from calib.engine.rounding import Exact

RULES = (
    "simple",
    "guard_U",
    "guard_U_nonbinary",
    "guard_rU",
    "iso14253_1",
    "z5403",
    "tur4",
    "jjf1094",
    "probability",
    "acceptance",
    "guarded_rejection",
)
#: Usual multiplier of U for about 5 % one-sided risk (ILAC-G8).
DEFAULT_R = Decimal("0.83")


def assess_conformity(  # noqa: PLR0913  (each rule has its own argument)
    value: Exact,
    *,
    lower: Exact | None,
    upper: Exact | None,
    rule: str,
    u: Exact | None = None,
    U: Exact | None = None,
    k: Exact | None = None,
    u_relative: Exact | None = None,
    r: Exact | None = None,
    minimum: float | None = None,
    accept_lower: Exact | None = None,
    accept_upper: Exact | None = None,
    prior: tuple[Exact, Exact] | None = None,
) -> ConformityVerdict:
    """Decide whether a measured value conforms to its limits.

    Parameters
    ----------
    value : Decimal, str, int or float
        Measured value (or error); floats are taken through ``repr``.
    lower, upper : as `value` or None
        Tolerance limits, at least one.
    rule : str
        One of `RULES`.
    u, U, k, u_relative : as `value`, optional
        Exactly one of `u`, `U` and `u_relative`; `k` (default 2) links u and U.
    r : as `value`, optional
        Multiplier of U for ``guard_rU``, default 0.83.
    minimum : float, optional
        Probability for ``probability`` and ``guarded_rejection``.
    accept_lower, accept_upper : as `value`, optional
        Agreed limits for ``acceptance``.
    prior : pair as `value`, optional
        Mean and standard deviation of what is known of the item beforehand (normal). It moves
        the probabilities, and with them the rules that demand one; all others compare readings.

    Returns
    -------
    ConformityVerdict
        Verdict, limits of the rule, probability, risk, tur and cpk.

    Raises
    ------
    DegenerateData
        Limits missing or crossed, or arguments that do not belong to the rule.
    OutOfRange
        A figure is not finite, or a rule does not apply to it.

    Notes
    -----
    Source: ILAC-G8:09/2019; JCGM 106:2012 (prior: 7.1); ISO 14253-1:2017; ANSI/NCSL Z540.3
    method 6; JJF 1094-2002.
    Checked against: tests/reference/conformity.toml.
    Limits: a normal distribution of the measurand with u, and of what is known beforehand.

    Examples
    --------
    >>> assess_conformity("0.1", lower="-0.2", upper="0.2", rule="guard_U", U="0.1").verdict
    'pass'
    """
    with localcontext(prec=60):
        case = _read_case(value, lower, upper, u, U, k, u_relative)
        _check_arguments(rule, r, minimum, accept_lower, accept_upper)
        belief = _read_prior(case, prior)
        made = _decide(case, rule, r, minimum, (accept_lower, accept_upper), belief)
        known = case if belief is None else belief.posterior(case)
        inside, below, above = _probabilities(known)
        return ConformityVerdict(
            made.verdict,
            rule,
            *made.accept,
            *made.reject,
            inside,
            {"pass": below + above, "fail": inside}.get(made.verdict),
            case.tur,
            _cpk(case),
            None if case.lower is None else below,
            None if case.upper is None else above,
            None if belief is None else Estimate(float(known.value), float(known.u)),
        )


def _read_case(
    value: Exact,
    lower: Exact | None,
    upper: Exact | None,
    u: Exact | None,
    U: Exact | None,
    k: Exact | None,
    u_relative: Exact | None,
) -> decision.Case:
    """Turn the figures into decimals and check them."""
    v = exact(value, "value")
    low = None if lower is None else exact(lower, "lower")
    high = None if upper is None else exact(upper, "upper")
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        raise DegenerateData("At least one limit is needed, and lower must be below upper.")
    if sum(x is not None for x in (u, U, u_relative)) != 1:
        raise DegenerateData("Give exactly one of u, U (with k) and u_relative.")
    factor = decision.DEFAULT_K if k is None else exact(k, "k")
    if factor <= 0:
        raise OutOfRange("The coverage factor k must be positive.")
    share = None
    if u_relative is not None:
        share = exact(u_relative, "u_relative")
        small = share * abs(v)
        large = factor * small
    elif U is not None:
        large = exact(U, "U")
        small = large / factor
    else:
        small = exact(u, "u") if u is not None else Decimal(0)
        large = factor * small
    if small < 0 or (share is not None and share < 0):
        raise OutOfRange("An uncertainty is never negative.")
    whole = None if share is None else factor * share
    return decision.Case(v, low, high, small, large, share, whole)


def _read_prior(case: decision.Case, prior: tuple[Exact, Exact] | None) -> decision.Belief | None:
    """Read what is known beforehand."""
    if prior is None:
        return None
    belief = decision.Belief(exact(prior[0], "prior mean"), exact(prior[1], "prior u"))
    if belief.u <= 0:
        raise OutOfRange("The standard deviation of prior knowledge must be positive.")
    if case.relative is not None:
        raise DegenerateData("Prior knowledge goes with an absolute uncertainty only.")
    return belief


def _check_arguments(
    rule: str, r: object, minimum: float | None, accept_lower: object, accept_upper: object
) -> None:
    """Refuse unknown rules and arguments of another rule."""
    if rule not in RULES:
        msg = f"Unknown decision rule {rule!r}. Known are {', '.join(RULES)}."
        raise DegenerateData(msg, {"rule": rule})
    needs_minimum = rule in ("probability", "guarded_rejection")
    if needs_minimum != (minimum is not None):
        raise DegenerateData(f"Rule {rule!r} {'needs' if needs_minimum else 'takes no'} minimum.")
    if minimum is not None:
        check_probability(minimum, "minimum")
    given = accept_lower is not None or accept_upper is not None
    if (rule == "acceptance") != given:
        word = "needs" if rule == "acceptance" else "takes no"
        raise DegenerateData(f"Rule {rule!r} {word} accept_lower and accept_upper.")
    if r is not None and rule != "guard_rU":
        raise DegenerateData(f"Rule {rule!r} takes no r.")


def _decide(
    case: decision.Case,
    rule: str,
    r: Exact | None,
    minimum: float | None,
    agreed: tuple[Exact | None, Exact | None],
    belief: decision.Belief | None,
) -> decision.Decision:
    """Apply the rule."""
    one = Decimal(1)
    if rule == "simple":
        return decision.binary(case, case.acceptance(Decimal(0)))
    if rule == "guard_U":
        return decision.binary(case, case.acceptance(case.width(one)))
    if rule == "guard_rU":
        factor = DEFAULT_R if r is None else exact(r, "r")
        return decision.binary(case, case.acceptance(case.width(factor)))
    if rule == "acceptance":
        low = None if agreed[0] is None else exact(agreed[0], "accept_lower")
        high = None if agreed[1] is None else exact(agreed[1], "accept_upper")
        if low is not None and high is not None and low > high:
            raise DegenerateData("accept_lower must not be above accept_upper.")
        return decision.binary(case, (low, high))
    if rule == "guard_U_nonbinary":
        return decision.nonbinary(case)
    if rule == "iso14253_1":
        return decision.iso14253(case)
    if rule == "jjf1094":
        return decision.jjf1094(case)
    if rule in ("z5403", "tur4"):
        return decision.by_tur(case, rule)
    return decision.by_probability(case, rule, minimum or 0.0, belief)


def _probabilities(case: decision.Case) -> tuple[float, float, float]:
    """Probability inside, below and above the limits, each with full relative precision."""
    if case.u == 0:
        low = 1.0 if case.lower is not None and case.value < case.lower else 0.0
        high = 1.0 if case.upper is not None and case.value > case.upper else 0.0
        return 1 - low - high, low, high
    to_lower = -math.inf if case.lower is None else float((case.lower - case.value) / case.u)
    to_upper = math.inf if case.upper is None else float((case.upper - case.value) / case.u)
    below, above = float(special.ndtr(to_lower)), float(special.ndtr(-to_upper))
    if to_lower > 0:
        return float(special.ndtr(-to_lower) - special.ndtr(-to_upper)), below, above
    return float(special.ndtr(to_upper) - special.ndtr(to_lower)), below, above


def _cpk(case: decision.Case) -> float | None:
    """Distance to the nearer limit over 3 u."""
    if case.u == 0:
        return None
    gaps = []
    if case.lower is not None:
        gaps.append(case.value - case.lower)
    if case.upper is not None:
        gaps.append(case.upper - case.value)
    return float(min(gaps) / (3 * case.u))
