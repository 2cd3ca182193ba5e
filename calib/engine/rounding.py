"""Rounding of a result to its uncertainty, in decimal arithmetic and in one step.

Numbers are taken as written (decimals) or as the shortest text that gives the float back
(``repr``), never as binary fractions: 2.675 is 2.675. This module must not know units.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
    InvalidOperation,
)
from decimal import Context as DecimalContext
from typing import Literal, get_args

from calib.engine.errors import OutOfRange

Mode = Literal["half_even", "half_up", "half_even_or_ceil", "ceil", "ceil_if_gt_5pct"]
DIGITS = (1, 2, "by_first_digit")
STEPS = (1, 2, 5)
Exact = Decimal | str | int | float
_EXACT = DecimalContext(prec=900)
_FIVE_PERCENT = Decimal("0.05")
# What a float may carry beyond its meaning (0.10000000000000002) is not rounded up.
_NOISE = Decimal("1e-10")


def exact(number: Exact, name: str = "number") -> Decimal:
    """Take a number as the decimal it is written as.

    Raises
    ------
    OutOfRange
        Not a finite decimal number, or larger than any measured value.

    Notes
    -----
    Source: GB/T 8170: round the figure as stated.
    Checked against: tests/reference/rounding.toml.
    Limits: exponents within +/- 400.
    """
    try:
        out = Decimal(repr(float(number))) if isinstance(number, float) else Decimal(number)
    except InvalidOperation:
        msg = f"{name} {number!r} is not a decimal number."
        raise OutOfRange(msg, {"name": name}) from None
    if not out.is_finite() or (out and abs(out.adjusted()) > 400):
        msg = f"{name} {number!r} is not a finite number in range."
        raise OutOfRange(msg, {"name": name})
    return out


@dataclass(frozen=True, slots=True)
class RoundingPolicy:
    """How an expanded uncertainty is rounded.

    Attributes
    ----------
    mode : str
        ``half_even``; ``half_up``; ``half_even_or_ceil`` (half to even, but up where that would
        take more than 5 % off U); ``ceil`` (up); ``ceil_if_gt_5pct`` (down only when the excess
        is at most 5 % of one unit of the last place, else up).
    digits : int or str
        Significant digits of U, 1 or 2; ``by_first_digit``: two when the first is 1 or 2.
    step : int
        Rounding interval in units of the last place: 1, 2 or 5.
    """

    mode: Mode = "ceil_if_gt_5pct"
    digits: int | str = 2
    step: int = 1

    def __post_init__(self) -> None:
        known = self.mode in get_args(Mode) and self.digits in DIGITS and self.step in STEPS
        if not known:
            msg = (
                f"No rounding policy {self.mode!r} with {self.digits!r} digits in steps of"
                f" {self.step!r}."
            )
            raise OutOfRange(msg, {"mode": self.mode, "digits": self.digits, "step": self.step})


@dataclass(frozen=True, slots=True)
class RoundedResult:
    """Value and expanded uncertainty as printed, trailing zeros kept, and as they were.

    Attributes
    ----------
    value, U : str
        Decimal texts with the same last place.
    full_value, full_U : Decimal
        The figures before they were rounded.
    """

    value: str
    U: str
    full_value: Decimal
    full_U: Decimal

    @property
    def concise(self) -> str:
        """Concise notation, as ``-0.1712(29)``: U in units of the last place of the value."""
        U = Decimal(self.U)
        return f"{self.value}({U.scaleb(-int(U.as_tuple().exponent)):f})"


def _quantise(number: Decimal, last: int, rounding: str, step: int = 1) -> Decimal:
    """Round to a multiple of `step` units of the place `last`, in one step."""
    place = Decimal((0, (1,), last))
    if step == 1:
        return number.quantize(place, rounding, _EXACT)
    counted = _EXACT.divide(number, Decimal((0, (step,), last)))
    whole = counted.quantize(Decimal(1), rounding, _EXACT)
    return _EXACT.multiply(whole, Decimal((0, (step,), last))).quantize(place, context=_EXACT)


def round_uncertainty(U: Exact, policy: RoundingPolicy | None = None) -> Decimal:
    """Round an expanded uncertainty to its significant digits.

    Parameters
    ----------
    U : Decimal, str, int or float
        Positive.
    policy : RoundingPolicy, optional
        Default two digits, ``ceil_if_gt_5pct``.

    Returns
    -------
    Decimal
        Exactly `digits` significant digits, also when rounding carries (0.0995 to 0.10); never 0.

    Raises
    ------
    OutOfRange
        `U` is not a positive finite number.

    Notes
    -----
    Source: GUM 7.2.6; JJF 1059.1-2012 5.3.8 (two digits when the first is 1 or 2; rounding up);
    GB/T 8170-2008 (intervals of 2 and 5 units); ILAC-P14:09/2020 (two digits; the limit of 5 %
    is common practice, to be confirmed).
    Checked against: tests/reference/rounding.toml.
    Limits: one step from the figure given.
    """
    rule = policy or RoundingPolicy()
    given = exact(U, "U")
    if given <= 0:
        msg = f"An expanded uncertainty to be rounded must be positive, got {given}."
        raise OutOfRange(msg, {"U": str(given)})
    by_first = rule.digits == "by_first_digit"
    digits = (
        rule.digits if isinstance(rule.digits, int) else 2 if given.as_tuple().digits[0] < 3 else 1
    )
    last = given.adjusted() - digits + 1
    out = _rounded(given, last, rule)
    # A carry adds a digit; by the first digit, the 1 that 9.6 became asks for it.
    if out.adjusted() > given.adjusted() and not (by_first and digits == 1):
        out = _quantise(out, last + 1, ROUND_HALF_EVEN)
    return out


def _rounded(given: Decimal, last: int, rule: RoundingPolicy) -> Decimal:
    """Round as the mode says; what would become 0 becomes one step."""
    up = _quantise(given, last, ROUND_CEILING, rule.step)
    down = _quantise(given, last, ROUND_FLOOR, rule.step)
    if down == 0:
        return up
    if rule.mode in ("ceil", "ceil_if_gt_5pct"):
        share = _FIVE_PERCENT if rule.mode == "ceil_if_gt_5pct" else _NOISE
        excess = _EXACT.subtract(given, down).scaleb(-last, _EXACT)
        return down if excess <= share * rule.step else up
    half = ROUND_HALF_UP if rule.mode == "half_up" else ROUND_HALF_EVEN
    out = _quantise(given, last, half, rule.step)
    lost = _EXACT.subtract(given, out)
    too_low = rule.mode == "half_even_or_ceil" and lost > _EXACT.multiply(given, _FIVE_PERCENT)
    return up if too_low else out


def round_to_interval(value: Exact, interval: Exact) -> Decimal:
    """Round a value half to even to a multiple of an interval, in one step.

    Parameters
    ----------
    value : Decimal, str, int or float
        Value to be rounded.
    interval : Decimal, str, int or float
        Positive, as 0.2 or 0.5; its last place becomes that of the result.

    Returns
    -------
    Decimal
        Multiple of the interval.

    Raises
    ------
    OutOfRange
        A figure is not finite, or the interval not positive.

    Notes
    -----
    Source: GB/T 8170-2008 (rounding at 0.5 and 0.2 units).
    Checked against: tests/reference/rounding.toml.
    Limits: none.

    Examples
    --------
    >>> str(round_to_interval("60.38", "0.5"))
    '60.5'
    """
    given, width = exact(value, "value"), exact(interval, "interval")
    if width <= 0:
        msg = f"A rounding interval must be positive, got {width}."
        raise OutOfRange(msg, {"interval": str(width)})
    whole = _EXACT.divide(given, width).quantize(Decimal(1), ROUND_HALF_EVEN, _EXACT)
    return _EXACT.multiply(whole, width)


def round_to_uncertainty(value: Exact, rounded_U: Decimal, step: int = 1) -> Decimal:
    """Round a value half to even at the last place of its rounded uncertainty, or to its steps.

    Raises
    ------
    OutOfRange
        `value` is not a finite number.

    Notes
    -----
    Source: GUM 7.2.6; GB/T 8170 (half to even, one step).
    Checked against: tests/reference/rounding.toml.
    Limits: none.
    """
    last = int(rounded_U.as_tuple().exponent)
    return _quantise(exact(value, "value"), last, ROUND_HALF_EVEN, step)


def round_result(value: Exact, U: Exact, policy: RoundingPolicy | None = None) -> RoundedResult:
    """Round a result and its expanded uncertainty to the same place.

    Parameters
    ----------
    value, U : Decimal, str, int or float
        Floats are taken through ``repr``.
    policy : RoundingPolicy, optional
        Default two digits, ``ceil_if_gt_5pct``.

    Returns
    -------
    RoundedResult
        Two decimal texts, trailing zeros kept, no exponent; and the full figures.

    Raises
    ------
    OutOfRange
        Not finite, or `U` not positive.

    Notes
    -----
    Source: GUM 7.2.6; ILAC-P14:09/2020.
    Checked against: tests/reference/rounding.toml.
    Limits: a zero loses its sign (no -0.00 is printed).

    Examples
    --------
    >>> round_result(-0.17120379, 0.0028776).concise
    '-0.1712(29)'
    """
    rule = policy or RoundingPolicy()
    last = round_uncertainty(U, rule)
    rounded = round_to_uncertainty(value, last, rule.step)
    return RoundedResult(
        f"{rounded or abs(rounded):f}", f"{last:f}", exact(value, "value"), exact(U, "U")
    )
