"""Statements of conformity: decision rules, guard bands, probabilities.

Comparisons are made on the decimal figures as given, so a value that meets a limit exactly
is inside. Rules are named here; their widths and zones stand in `decision`. This module must
not know which rule a customer agreed, nor rounding of results.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from scipy import optimize, special

from calib.engine.coverage import check_probability
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.rounding import exact
from calib.engine.types import ConformityVerdict, Verdict

if TYPE_CHECKING:
    from calib.engine.rounding import Exact

RULES = (
    "simple", "guard_U", "guard_U_nonbinary", "guard_rU", "iso14253_1", "z5403", "tur4",
    "jjf1094", "probability", "acceptance", "guarded_rejection",
)  # fmt: skip
#: Guard band of ISO 14253-1 for 95 % in units of u (printed figure).
ISO14253_FACTOR = Decimal("1.65")
#: Usual multiplier of U for about 5 % one-sided risk (ILAC-G8).
DEFAULT_R = Decimal("0.83")
DEFAULT_K = Decimal(2)
LEAST_TUR = 4
_THREE, _HALF = Decimal(3), Decimal("0.5")


@dataclass(frozen=True, slots=True)
class _Case:
    """Figures of one statement, as decimals."""

    value: Decimal
    lower: Decimal | None
    upper: Decimal | None
    u: Decimal
    U: Decimal
    relative: Decimal | None  # u / |value| when the uncertainty is relative

    def width(self, factor: Decimal) -> Decimal:
        """Guard band of `factor` times U, in units of the value or of |value|."""
        if self.relative is not None:
            return factor * DEFAULT_K * self.relative
        return factor * self.U

    def moved(self, limit: Decimal | None, width: Decimal, inward: int) -> Decimal | None:
        """Limit moved by a guard band: inward (+1 at the lower, -1 at the upper) or outward."""
        if limit is None or width == 0:
            return limit
        if self.relative is None:
            return limit + inward * width
        # v - inward w |v| = limit, solved for v.
        side = inward if limit >= 0 else -inward
        bottom = 1 - side * width
        if bottom <= 0:
            raise OutOfRange("The relative uncertainty is too large: no limit follows from it.")
        return limit / bottom

    def acceptance(self, width: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Limits moved inward."""
        return self.moved(self.lower, width, 1), self.moved(self.upper, width, -1)

    def rejection(self, width: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Limits moved outward."""
        return self.moved(self.lower, width, -1), self.moved(self.upper, width, 1)

    def inside(self, lower: Decimal | None, upper: Decimal | None) -> bool:
        """Whether the value lies within two limits, both included."""
        above = lower is None or self.value >= lower
        return above and (upper is None or self.value <= upper)

    def strictly_inside(self, lower: Decimal | None, upper: Decimal | None) -> bool:
        """Whether the value lies within two limits, none included."""
        above = lower is None or self.value > lower
        return above and (upper is None or self.value < upper)

    @property
    def span(self) -> Decimal | None:
        """Distance of the limits."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower

    @property
    def tur(self) -> float | None:
        """Test uncertainty ratio (upper - lower)/(4 u)."""
        return None if self.span is None or self.u == 0 else float(self.span / (4 * self.u))


Limits = tuple["Decimal | None", "Decimal | None"]
_NONE: Limits = (None, None)


@dataclass(frozen=True, slots=True)
class _Decision:
    verdict: Verdict
    accept: Limits = _NONE
    reject: Limits = _NONE


def assess_conformity(
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
    Source: ILAC-G8:09/2019; JCGM 106:2012; ISO 14253-1:2017; ANSI/NCSL Z540.3 method 6;
    JJF 1094-2002.
    Checked against: tests/reference/conformity.toml.
    Limits: a normal distribution of the measurand with u.

    Examples
    --------
    >>> assess_conformity("0.1", lower="-0.2", upper="0.2", rule="guard_U", U="0.1").verdict
    'pass'
    """
    case = _read_case(value, lower, upper, u, U, k, u_relative)
    _check_arguments(rule, r, minimum, accept_lower, accept_upper)
    decision = _decide(case, rule, r, minimum, accept_lower, accept_upper)
    inside, outside = _probabilities(case)
    risk = {"pass": outside, "fail": inside}.get(decision.verdict)
    return ConformityVerdict(
        decision.verdict, rule, *decision.accept, *decision.reject,
        inside, risk, case.tur, _cpk(case),
    )  # fmt: skip


def _read_case(
    value: Exact, lower: Exact | None, upper: Exact | None,
    u: Exact | None, U: Exact | None, k: Exact | None, u_relative: Exact | None,
) -> _Case:  # fmt: skip
    """Turn the figures into decimals and check them."""
    v = exact(value, "value")
    low = None if lower is None else exact(lower, "lower")
    high = None if upper is None else exact(upper, "upper")
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        raise DegenerateData("At least one limit is needed, and lower must be below upper.")
    if sum(x is not None for x in (u, U, u_relative)) != 1:
        raise DegenerateData("Give exactly one of u, U (with k) and u_relative.")
    factor = DEFAULT_K if k is None else exact(k, "k")
    if factor <= 0:
        raise OutOfRange("The coverage factor k must be positive.")
    share = None
    if u_relative is not None:
        share = exact(u_relative, "u_relative") * factor / DEFAULT_K
        small = exact(u_relative, "u_relative") * abs(v)
        large = factor * small
    elif U is not None:
        large = exact(U, "U")
        small = large / factor
    else:
        small = exact(u, "u") if u is not None else Decimal(0)
        large = factor * small
    if small < 0:
        raise OutOfRange("An uncertainty is never negative.")
    return _Case(v, low, high, small, large, share)


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
    case: _Case, rule: str, r: Exact | None, minimum: float | None,
    accept_lower: Exact | None, accept_upper: Exact | None,
) -> _Decision:  # fmt: skip
    """Apply the rule."""
    one = Decimal(1)
    if rule == "simple":
        return _binary(case, case.acceptance(Decimal(0)))
    if rule == "guard_U":
        return _binary(case, case.acceptance(case.width(one)))
    if rule == "guard_rU":
        factor = DEFAULT_R if r is None else exact(r, "r")
        return _binary(case, case.acceptance(case.width(factor)))
    if rule == "acceptance":
        low = None if accept_lower is None else exact(accept_lower, "accept_lower")
        high = None if accept_upper is None else exact(accept_upper, "accept_upper")
        return _binary(case, (low, high))
    if rule == "guard_U_nonbinary":
        return _nonbinary(case)
    if rule == "iso14253_1":
        return _iso14253(case)
    if rule == "jjf1094":
        return _jjf1094(case)
    if rule in ("z5403", "tur4"):
        return _by_tur(case, rule)
    return _by_probability(case, rule, minimum or 0.0)


def _binary(case: _Case, accept: Limits) -> _Decision:
    return _Decision("pass" if case.inside(*accept) else "fail", accept)


def _nonbinary(case: _Case) -> _Decision:
    """ILAC-G8 non-binary statement: four answers."""
    accept = case.acceptance(case.width(Decimal(1)))
    reject = case.rejection(case.width(Decimal(1)))
    verdict: Verdict = "fail"
    if case.inside(*accept):
        verdict = "pass"
    elif case.inside(case.lower, case.upper):
        verdict = "conditional_pass"
    elif case.strictly_inside(*reject):
        verdict = "conditional_fail"
    return _Decision(verdict, accept, reject)


def _iso14253(case: _Case) -> _Decision:
    """Conformity proven inside, non-conformity proven outside, nothing proven between."""
    width = ISO14253_FACTOR * (case.u if case.relative is None else case.width(_HALF))
    if case.relative is not None:
        width = ISO14253_FACTOR * case.relative
    accept, reject = case.acceptance(width), case.rejection(width)
    verdict: Verdict = "fail"
    if case.inside(*accept):
        verdict = "pass"
    elif case.inside(*reject):
        verdict = "undetermined"
    return _Decision(verdict, accept, reject)


def _jjf1094(case: _Case) -> _Decision:
    """U is neglected when at most a third of the MPE, else a zone stays undetermined."""
    if case.span is not None and _THREE * case.U <= case.span / 2:
        return _binary(case, (case.lower, case.upper))
    accept = case.acceptance(case.width(Decimal(1)))
    reject = case.rejection(case.width(Decimal(1)))
    verdict: Verdict = "fail"
    if case.inside(*accept):
        verdict = "pass"
    elif case.strictly_inside(*reject):
        verdict = "undetermined"
    return _Decision(verdict, accept, reject)


def managed_multiplier(tur: float) -> float:
    """Multiplier M of U in the managed guard band for 2 % false acceptance, at least 0.

    Notes
    -----
    Source: M. Dobbert, NCSLI 2008; ANSI/NCSL Z540.3 handbook, method 6.
    Checked against: tests/reference/conformity.toml.
    Limits: two-sided symmetric limits; above a TUR of about 4.6 no guard band is needed.
    """
    return max(0.0, 1.04 - math.exp(0.38 * math.log(tur) - 0.54))


def _by_tur(case: _Case, rule: str) -> _Decision:
    """Rules that depend on the test uncertainty ratio."""
    if case.span is None:
        msg = f"Rule {rule!r} needs both limits: a test uncertainty ratio has none otherwise."
        raise DegenerateData(msg, {"rule": rule})
    if case.u == 0:
        return _binary(case, (case.lower, case.upper))
    ratio = case.span / (4 * case.u)
    if rule == "tur4":
        if ratio < LEAST_TUR:
            return _Decision("undetermined")
        return _binary(case, (case.lower, case.upper))
    factor = exact(managed_multiplier(float(ratio)))
    width = factor * DEFAULT_K * (case.u if case.relative is None else case.relative)
    return _binary(case, case.acceptance(width))


def _by_probability(case: _Case, rule: str, minimum: float) -> _Decision:
    """Rules that demand a probability of conformity or of non-conformity."""
    if rule == "probability":
        found = _solve_probability(case, minimum)
        if found is None:
            return _Decision("fail")
        return _binary(case, found)
    reject = _solve_probability(case, 1 - minimum)
    if reject is None:
        return _Decision("fail")
    return _Decision("pass" if case.inside(*reject) else "fail", reject=reject)


def _solve_probability(case: _Case, p: float) -> Limits | None:
    """Values at which the conformance probability is p; ``None`` when it never is."""
    if case.u == 0 and case.relative is None:
        return case.lower, case.upper
    if case.span is None:
        z = exact(float(special.ndtri(p)))
        return case.acceptance(z * (case.u if case.relative is None else case.relative))
    low, high = float(case.lower or 0), float(case.upper or 0)

    def spread(v: float) -> float:
        return float(case.u) if case.relative is None else float(case.relative) * abs(v)

    def excess(v: float) -> float:
        return _inside(v, low, high, spread(v)) - p

    best = float(optimize.minimize_scalar(lambda v: -excess(v), bounds=(low, high),
                 method="bounded", options={"xatol": (high - low) * 1e-10}).x)  # fmt: skip
    if excess(best) < 0:
        return None
    reach = high - low
    ends = []
    for sign in (-1, 1):
        far = best + sign * reach
        while excess(far) > 0:
            far += sign * reach
        ends.append(exact(float(optimize.brentq(excess, best, far, xtol=1e-300, rtol=1e-15))))
    return ends[0], ends[1]


def _inside(v: float, low: float, high: float, u: float) -> float:
    """Probability that a normal quantity (v, u) lies between two limits."""
    if u == 0:
        return 1.0 if low <= v <= high else 0.0
    a, b = (low - v) / u, (high - v) / u
    # The form with the smaller tails keeps its digits.
    return float(special.ndtr(b) - special.ndtr(a) if a <= 0 else special.ndtr(-a) - special.ndtr(-b))


def _probabilities(case: _Case) -> tuple[float, float]:
    """Probability inside and outside the limits, each with full relative precision."""
    if case.u == 0:
        inside = 1.0 if case.inside(case.lower, case.upper) else 0.0
        return inside, 1 - inside
    below = -math.inf if case.lower is None else float((case.lower - case.value) / case.u)
    above = math.inf if case.upper is None else float((case.upper - case.value) / case.u)
    outside = float(special.ndtr(below) + special.ndtr(-above))
    if below > 0:
        return float(special.ndtr(-below) - special.ndtr(-above)), outside
    return float(special.ndtr(above) - special.ndtr(below)), outside


def _cpk(case: _Case) -> float | None:
    """Distance to the nearer limit over 3 u."""
    if case.u == 0:
        return None
    gaps = []
    if case.lower is not None:
        gaps.append(case.value - case.lower)
    if case.upper is not None:
        gaps.append(case.upper - case.value)
    return float(min(gaps) / (3 * case.u))
