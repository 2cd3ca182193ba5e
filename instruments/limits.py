"""The forms of a limit: how large it is at a nominal value, exactly on decimals.

Knows limits alone; which of them holds for an item is chosen elsewhere.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instruments.procedure import Limit

_NARROW = Context(prec=6, rounding=ROUND_DOWN)
"""A quotient without an end is cut, so that a limit never widens by rounding."""


def side(limit: Limit, base: str | None, nominal: Decimal, sign: int) -> Decimal | None:
    """Return the lower (sign -1) or the upper (1) limit at the nominal value; None: no such."""
    if base is None:
        return None
    value = Decimal(base)
    size = abs(nominal)
    if limit.plus_fraction is not None:
        beyond = max(Decimal(0), size - Decimal(limit.plus_from or 0))
        value += sign * Decimal(limit.plus_fraction) * beyond
    if limit.plus_inverse is not None:
        value += sign * _NARROW.divide(Decimal(limit.plus_inverse), size)
    if limit.or_fraction is not None:
        other = sign * Decimal(limit.or_fraction) * size
        pick = max if limit.choose == "larger" else min
        value = pick(value, other, key=abs)
    return value
