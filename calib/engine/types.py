"""Frozen results of the engine, as plain numbers and arrays.

Each refuses NaN and infinity where a number is required; degrees of freedom may be
infinite, what is undefined is ``None``. This module must not know how results are made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from calib.engine.errors import OutOfRange

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Verdict = Literal["pass", "conditional_pass", "undetermined", "conditional_fail", "fail"]


def require_finite(owner: str, **numbers: float | FloatArray | None) -> None:
    """Refuse NaN and infinity in the named numbers or arrays; ``None`` passes.

    Raises
    ------
    OutOfRange
        One of them is not finite.
    """
    for name, number in numbers.items():
        if number is None:
            continue
        # one float takes the short way: a budget asks this of some hundred of them
        plain = isinstance(number, float)
        if not (math.isfinite(number) if plain else np.all(np.isfinite(number))):
            msg = f"{name} of {owner} is not a finite number. Check the values that lead to it."
            raise OutOfRange(msg, {"owner": owner, "name": name})


def require_dof(owner: str, dof: float) -> None:
    """Refuse degrees of freedom that are NaN or not positive; infinity passes.

    Raises
    ------
    OutOfRange
        `dof` is NaN, zero or negative.
    """
    if not dof > 0:
        msg = f"Degrees of freedom of {owner} must be positive, got {dof}."
        raise OutOfRange(msg, {"owner": owner, "dof": str(dof)})


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard uncertainty.

    Attributes
    ----------
    value, u : float
        Best estimate and standard uncertainty (0: exact), same unit.
    dof : float
        Degrees of freedom of `u`, possibly infinite.
    """

    value: float
    u: float = 0.0
    dof: float = math.inf

    def __post_init__(self) -> None:
        require_finite("an estimate", value=self.value, u=self.u)
        require_dof("an estimate", self.dof)
        if self.u < 0:
            msg = f"A standard uncertainty is never negative, got {self.u!r}."
            raise OutOfRange(msg, {"u": self.u})


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One input quantity in the budget of one output.

    Attributes
    ----------
    name : str
        Symbol of the input.
    c, u : float
        Sensitivity coefficient with its sign, and standard uncertainty of the input.
    contribution : float
        ``|c| u``, unit of the output.
    dof : float
        Degrees of freedom of `u`, possibly infinite.
    percent : float
        100 contribution^2 / u(y)^2; 0 when u(y) is 0.
    """

    name: str
    c: float
    u: float
    contribution: float
    dof: float
    percent: float

    def __post_init__(self) -> None:
        require_finite(
            f"budget row {self.name}",
            c=self.c,
            u=self.u,
            contribution=self.contribution,
            percent=self.percent,
        )
        require_dof(f"budget row {self.name}", self.dof)

    def shared(self, uy: float) -> BudgetRow:
        """Give the same row with its percentage of another combined uncertainty."""
        percent = 100 * (self.contribution / uy) ** 2 if uy > 0 else 0.0
        return replace(self, percent=percent)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A coverage factor and the distribution it comes from.

    Attributes
    ----------
    k : float
        Coverage factor.
    shape : str
        ``"t"``, ``"rectangular"``, ``"trapezoidal"``, ``"normal"`` or ``"fixed"``.
    beta : float or None
        Ratio of top to base of a trapezoid.
    """

    k: float
    shape: str = "t"
    beta: float | None = None

    def __post_init__(self) -> None:
        require_finite("a coverage factor", k=self.k, beta=self.beta)


@dataclass(frozen=True, slots=True)
class Budget:
    """Result of one output quantity with its uncertainty budget.

    Attributes
    ----------
    value, u : float
        Estimate and combined standard uncertainty.
    dof : float
        Effective degrees of freedom, not truncated, possibly infinite.
    coverage : Coverage
        Coverage factor and its origin.
    rows : tuple of BudgetRow
        One per input, in the order of the inputs.
    """

    value: float
    u: float
    dof: float
    coverage: Coverage
    rows: tuple[BudgetRow, ...]

    def __post_init__(self) -> None:
        require_finite("a budget", value=self.value, u=self.u)
        require_dof("a budget", self.dof)

    @property
    def k(self) -> float:
        """Coverage factor."""
        return self.coverage.k

    @property
    def U(self) -> float:
        """Expanded uncertainty k u."""
        return self.coverage.k * self.u

    @property
    def interval(self) -> tuple[float, float]:
        """Value minus and plus U."""
        return self.value - self.U, self.value + self.U


@dataclass(frozen=True, slots=True)
class TypeA:
    """Type A evaluation of one series.

    Attributes
    ----------
    mean, s, u : float
        Mean, experimental standard deviation, standard uncertainty of the mean.
    dof : float
        Degrees of freedom of `s`.
    n : int
        Number of readings.
    cutoff_lag : int or None
        Last lag taken into account (autocorrelated series only).
    """

    mean: float
    s: float
    u: float
    dof: float
    n: int
    cutoff_lag: int | None = None

    def __post_init__(self) -> None:
        require_finite("a type A evaluation", mean=self.mean, s=self.s, u=self.u)
        require_dof("a type A evaluation", self.dof)


@dataclass(frozen=True, slots=True)
class Nested:
    """Two-stage nested readings (groups by day or position).

    Attributes
    ----------
    mean, s, u, dof : float
        Mean of all readings, standard deviation of the group means, its s/sqrt(J), J - 1.
    n : int
        All readings.
    s_within, s_between : float
        Components of variance as standard deviations; `s_between` is 0 when negative.
    u_pooled : float
        Uncertainty of the mean when all readings count as one sample.
    ss_between, ss_within, dof_between, dof_within : float
        Sums of squares and their degrees of freedom.
    F, F_critical, p : float or None
        Ratio of mean squares, its quantile and its probability; ``None`` without scatter within.
    """

    mean: float
    s: float
    u: float
    dof: float
    n: int
    s_within: float
    s_between: float
    u_pooled: float
    ss_between: float
    ss_within: float
    dof_between: float
    dof_within: float
    F: float | None
    F_critical: float
    p: float | None

    def __post_init__(self) -> None:
        require_finite("nested readings", mean=self.mean, s=self.s, u=self.u, F=self.F)


@dataclass(frozen=True, slots=True)
class OutlierTest:
    """Grubbs' test: statistic against critical value.

    Attributes
    ----------
    statistic, critical : float
        Largest deviation in units of s, and its critical value.
    index : int
        Place of the suspicious reading, from 0.
    outlying : bool
        Whether the statistic exceeds the critical value.
    """

    statistic: float
    critical: float
    index: int
    outlying: bool

    def __post_init__(self) -> None:
        require_finite("an outlier test", statistic=self.statistic, critical=self.critical)


@dataclass(frozen=True, slots=True)
class ConformityVerdict:
    """Statement of conformity with the numbers behind it.

    Attributes
    ----------
    verdict : str
        ``pass``, ``conditional_pass``, ``undetermined``, ``conditional_fail`` or ``fail``.
    rule : str
        Decision rule applied.
    acceptance_lower, acceptance_upper, rejection_lower, rejection_upper : Decimal or None
        Limits of the rule; ``None`` where the rule has none.
    conformance_probability : float
        Probability that a normal value with this u lies within the limits.
    specific_risk : float or None
        Consumer's risk of a pass, producer's risk of a fail.
    tur, cpk : float or None
        (upper - lower)/(4 u) and distance to the nearer limit over 3 u.
    below, above : float or None
        Probability below the lower and above the upper limit; ``None`` where there is none.
    posterior : Estimate or None
        Value and u after prior knowledge of the item was taken into account.
    """

    verdict: Verdict
    rule: str
    acceptance_lower: Decimal | None
    acceptance_upper: Decimal | None
    rejection_lower: Decimal | None
    rejection_upper: Decimal | None
    conformance_probability: float
    specific_risk: float | None
    tur: float | None
    cpk: float | None
    below: float | None = None
    above: float | None = None
    posterior: Estimate | None = None

    def __post_init__(self) -> None:
        require_finite(
            "a verdict",
            conformance_probability=self.conformance_probability,
            tur=self.tur,
            cpk=self.cpk,
        )
