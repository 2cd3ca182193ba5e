"""Zones of the decision rules: where a value passes, fails or stays open.

Works on decimal figures only. This module must not know how a case is stated, nor which rule
anybody agreed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import optimize, special

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.rounding import exact
from calib.engine.types import Verdict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: Guard band of ISO 14253-1 for 95 % in units of u (printed figure).
ISO14253_FACTOR = Decimal("1.65")
DEFAULT_K = Decimal(2)
LEAST_TUR = 4


@dataclass(frozen=True, slots=True)
class Case:
    """Figures of one statement, as decimals; `relative` is u/|value| when u is relative."""

    value: Decimal
    lower: Decimal | None
    upper: Decimal | None
    u: Decimal
    U: Decimal
    relative: Decimal | None
    relative_U: Decimal | None

    @property
    def spread(self) -> Decimal:
        """Standard uncertainty, in units of the value or of |value|."""
        return self.u if self.relative is None else self.relative

    def width(self, factor: Decimal) -> Decimal:
        """Guard band of `factor` times U, in units of the value or of |value|."""
        return factor * (self.U if self.relative_U is None else self.relative_U)

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


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known of an item before it is measured: a normal distribution."""

    mean: Decimal
    u: Decimal

    def weight(self, case: Case) -> Decimal:
        """Share of the measurement in the posterior value."""
        return self.u**2 / (self.u**2 + case.u**2)

    def posterior(self, case: Case) -> Case:
        """Give the same case with value and u after the measurement."""
        weight = self.weight(case)
        value = self.mean + weight * (case.value - self.mean)
        u = case.u * weight.sqrt()
        return replace(case, value=value, u=u, U=u, relative=None, relative_U=None)

    def reading(self, case: Case, limit: Decimal | None) -> Decimal | None:
        """Give the measured value of which a posterior value is the consequence."""
        return None if limit is None else self.mean + (limit - self.mean) / self.weight(case)


Limits: TypeAlias = tuple[Decimal | None, Decimal | None]
_NONE: Limits = (None, None)


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict of a rule with its acceptance and rejection limits."""

    verdict: Verdict
    accept: Limits = _NONE
    reject: Limits = _NONE


def binary(case: Case, accept: Limits) -> Decision:
    """Pass inside the acceptance limits, else fail."""
    return Decision("pass" if case.inside(*accept) else "fail", accept)


def nonbinary(case: Case) -> Decision:
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
    return Decision(verdict, accept, reject)


def iso14253(case: Case) -> Decision:
    """Conformity proven inside, non-conformity proven outside, nothing proven between."""
    width = ISO14253_FACTOR * case.spread
    accept, reject = case.acceptance(width), case.rejection(width)
    verdict: Verdict = "fail"
    if case.inside(*accept):
        verdict = "pass"
    elif case.inside(*reject):
        verdict = "undetermined"
    return Decision(verdict, accept, reject)


def jjf1094(case: Case) -> Decision:
    """U is neglected when at most a third of the MPE, else a zone stays undetermined."""
    if case.span is not None and case.span / 2 >= case.U * 3:
        return binary(case, (case.lower, case.upper))
    accept = case.acceptance(case.width(Decimal(1)))
    reject = case.rejection(case.width(Decimal(1)))
    verdict: Verdict = "fail"
    if case.inside(*accept):
        verdict = "pass"
    elif case.strictly_inside(*reject):
        verdict = "undetermined"
    return Decision(verdict, accept, reject)


def managed_multiplier(tur: ArrayLike) -> NDArray[np.float64]:
    """Multiplier M of U in the managed guard band for 2 % false acceptance.

    Parameters
    ----------
    tur : float or (n,) array_like
        Test uncertainty ratio (upper - lower)/(4 u), positive.

    Returns
    -------
    array
        Negative above a ratio of about 4.6, where no guard band is needed.

    Notes
    -----
    Source: M. Dobbert, NCSLI 2008; ANSI/NCSL Z540.3 handbook, method 6.
    Checked against: tests/reference/conformity.toml.
    Limits: two-sided symmetric limits.
    """
    return np.asarray(1.04 - np.exp(0.38 * np.log(tur) - 0.54))


def by_tur(case: Case, rule: str) -> Decision:
    """Rules that depend on the test uncertainty ratio."""
    if case.span is None:
        msg = f"Rule {rule!r} needs both limits: a test uncertainty ratio has none otherwise."
        raise DegenerateData(msg, {"rule": rule})
    if case.u == 0:
        return binary(case, (case.lower, case.upper))
    ratio = case.span / (4 * case.u)
    if rule == "tur4":
        if ratio < LEAST_TUR:
            return Decision("undetermined")
        return binary(case, (case.lower, case.upper))
    factor = exact(max(0.0, float(managed_multiplier(float(ratio)))))
    width = factor * DEFAULT_K * case.spread
    return binary(case, case.acceptance(width))


def by_probability(case: Case, rule: str, minimum: float, belief: Belief | None) -> Decision:
    """Rules that demand a probability of conformity or of non-conformity."""
    wanted = minimum if rule == "probability" else 1 - minimum
    found = _solve_probability(case if belief is None else belief.posterior(case), wanted)
    if found is None:
        return Decision("fail")
    if belief is not None:
        found = belief.reading(case, found[0]), belief.reading(case, found[1])
    if rule == "probability":
        return binary(case, found)
    return Decision("pass" if case.inside(*found) else "fail", reject=found)


def _solve_probability(case: Case, p: float) -> Limits | None:
    """Find the values at which the conformance probability is p; ``None`` when it never is."""
    if case.u == 0 and case.relative is None:
        return case.lower, case.upper
    if case.span is None:
        z = exact(float(special.ndtri(p)))
        return case.acceptance(z * case.spread)
    low, high = float(case.lower or 0), float(case.upper or 0)

    def excess(v: float) -> float:
        u = float(case.spread) * (1.0 if case.relative is None else abs(v))
        return _inside(v, low, high, u) - p

    best = (low + high) / 2
    if case.relative is not None:
        found = optimize.minimize_scalar(lambda v: -excess(v), bounds=(low, high), method="bounded")
        best = float(found.x)
    if excess(best) < 0:
        return None
    ends = []
    for sign in (-1, 1):
        reach = high - low
        while excess(best + sign * reach) > 0:
            reach *= 2
        far, fine = best + sign * reach, reach * 1e-16
        ends.append(exact(float(optimize.brentq(excess, best, far, xtol=fine, rtol=1e-15))))
    return ends[0], ends[1]


def _inside(v: float, low: float, high: float, u: float) -> float:
    """Probability that a normal quantity (v, u) lies between two limits."""
    spread = max(u, 5e-324)
    a, b = (low - v) / spread, (high - v) / spread
    return float(special.ndtr(b) - special.ndtr(a))
