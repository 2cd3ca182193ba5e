"""Full values into the decimal text that is printed, each rounded once.

Rule: U by the agreed rounding; error, correction, reference and mean indication half to even at
the decimal place of U, each from its full value, so that printed figures may differ by one in the
last place from the difference of printed figures. Where the result is a relative error, reference
and indication take the place of U expressed in their own unit. The nominal value is printed as
entered, limits exactly. A double carries binary dust (37.05 - 37.00 gives 0.04999...), which is
cut off at 1e-12 of the larger quantity before rounding, so that a tie is a tie. Knows no language.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from calib.engine.rounding import (
    RoundedResult,
    RoundingPolicy,
    round_result,
    round_to_uncertainty,
    round_uncertainty,
)
from calib.evaluation.decimals import without_dust
from calib.evaluation.inputs import Rounding
from calib.evaluation.result import PrintedPoint

_CONCISE = RoundingPolicy("half_even", 2)
_K_PLACE = Decimal("0.01")


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without the sign of a zero."""
    return f"{value or abs(value):f}"


def at_place(value: float, place: Decimal, scale: float = 0.0) -> str:
    """Return a value half to even at the last place of `place`."""
    return plain(round_to_uncertainty(without_dust(value, scale), place))


def concise(value: float, u: float, scale: float = 0.0) -> str:
    """Return a value with its standard uncertainty in the last two digits: ``-0.1712(29)``."""
    if u == 0:
        return f"{plain(without_dust(value, scale).normalize())}(0)"
    return round_result(without_dust(value, scale), without_dust(u), _CONCISE).concise


def round_pair(value: float, U: float, rounding: Rounding) -> RoundedResult:
    """Return a value and its U as printed."""
    return round_result(without_dust(value), without_dust(U), _policy(rounding))


@lru_cache(maxsize=256)
def _coverage(k: float) -> str:
    return at_place(k, _K_PLACE)


@dataclass(frozen=True, slots=True)
class Figures:
    """The full values of one point."""

    reference: float
    indication: float
    error: float
    u: float
    U: float
    k: float


def print_point(
    nominal: str, figures: Figures, rounding: Rounding, *, relative: bool
) -> PrintedPoint:
    """Return the decimal text of one point; limits are added by the statement.

    Raises
    ------
    OutOfRange
        U is zero: a result without uncertainty has no place to be rounded to.
    """
    policy = _policy(rounding)
    reference, indication, error = figures.reference, figures.indication, figures.error
    rounded_U = round_uncertainty(without_dust(figures.U), policy)
    scale = max(abs(reference), abs(indication))
    place = rounded_U
    if relative:
        place = round_uncertainty(without_dust(figures.U * abs(reference) / 100), policy)
    shown = round_to_uncertainty(without_dust(error, 100.0 if relative else scale), rounded_U)
    return PrintedPoint(
        nominal=nominal,
        reference=at_place(reference, place, scale),
        indication=at_place(indication, place, scale),
        error=plain(shown),
        correction=plain(-shown),
        U=plain(rounded_U),
        k=_coverage(figures.k),
        u=plain(round_uncertainty(without_dust(figures.u), _CONCISE)) if figures.u else "0",
    )


@lru_cache(maxsize=16)
def _policy(rounding: Rounding) -> RoundingPolicy:
    return RoundingPolicy(rounding.mode, rounding.digits)
