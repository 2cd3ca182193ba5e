"""Rounding of a result to its uncertainty, in decimal arithmetic and in one step.

Numbers are taken as written (decimals) or as the shortest text that gives the float back
(``repr``), never as binary fractions: 2.675 is 2.675. This module must not know units.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from decimal import Context as DecimalContext
from typing import Literal, get_args

from calib.engine.errors import OutOfRange

Mode = Literal["half_even", "ceil", "ceil_if_gt_5pct"]
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
        ``half_even``; ``ceil`` (up); ``ceil_if_gt_5pct`` (down only when the excess is at most
        5 % of one unit of the last place, else up).
    digits : int
        Significant digits of U, 1 or 2.
    """

    mode: Mode = "ceil_if_gt_5pct"
    digits: int = 2

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode) or self.digits not in (1, 2):
            msg = f"No rounding policy {self.mode!r} with {self.digits} digits."
            raise OutOfRange(msg, {"mode": self.mode, "digits": self.digits})


@dataclass(frozen=True, slots=True)
class RoundedResult:
    """Value and expanded uncertainty as printed, trailing zeros kept.

    Attributes
    ----------
    value, U : str
        Decimal texts with the same last place.
    """

    value: str
    U: str

    @property
    def concise(self) -> str:
        """Concise notation, as ``-0.1712(29)``: U in units of the last place of the value."""
        U = Decimal(self.U)
        return f"{self.value}({U.scaleb(-int(U.as_tuple().exponent)):f})"


def _quantise(number: Decimal, last: int, rounding: str) -> Decimal:
    return number.quantize(Decimal((0, (1,), last)), rounding, _EXACT)


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
        Exactly `digits` significant digits, also when rounding carries (0.0995 to 0.10).

    Raises
    ------
    OutOfRange
        `U` is not a positive finite number.

    Notes
    -----
    Source: GUM 7.2.6; JJF 1059.1-2012 5.3.8; ILAC-P14:09/2020 (two digits; the limit of 5 %
    is common practice, to be confirmed).
    Checked against: tests/reference/rounding.toml.
    Limits: one step from the figure given.
    """
    rule = policy or RoundingPolicy()
    given = exact(U, "U")
    if given <= 0:
        msg = f"An expanded uncertainty to be rounded must be positive, got {given}."
        raise OutOfRange(msg, {"U": str(given)})
    last = given.adjusted() - rule.digits + 1
    if rule.mode == "half_even":
        out = _quantise(given, last, ROUND_HALF_EVEN)
    else:
        lower = _quantise(given, last, ROUND_FLOOR)
        share = _FIVE_PERCENT if rule.mode == "ceil_if_gt_5pct" else _NOISE
        excess = (given - lower).scaleb(-last, _EXACT)
        out = lower if excess <= share else _quantise(given, last, ROUND_CEILING)
    if out.adjusted() > given.adjusted():
        out = _quantise(out, last + 1, ROUND_HALF_EVEN)
    return out


def round_to_uncertainty(value: Exact, rounded_U: Decimal) -> Decimal:
    """Round a value half to even at the last place of its rounded uncertainty.

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
    return _quantise(exact(value, "value"), int(rounded_U.as_tuple().exponent), ROUND_HALF_EVEN)


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
        Two decimal texts, trailing zeros kept, no exponent.

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
    last = round_uncertainty(U, policy)
    rounded = round_to_uncertainty(value, last)
    return RoundedResult(f"{rounded or abs(rounded):f}", f"{last:f}")
