"""How large a limit is at a nominal value, exactly on decimals.

Knows numbers alone: neither types nor which limits hold for an item.
"""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Context, Decimal

_NARROW = Context(prec=6, rounding=ROUND_DOWN)
"""A quotient without an end is cut, so that a limit never widens by rounding."""

_ATTRIBUTE = re.compile(r"(-?)@([A-Za-z0-9_.-]+)( ?%)?")
BY_ATTRIBUTE = (
    "lower", "upper", "plus_fraction", "plus_inverse", "plus_rating_fraction", "or_fraction"
)  # fmt: skip
"""Numbers of a limit that an attribute of the item may give: its accuracy class, its own error."""


def by_attribute(text: str) -> tuple[str, Decimal] | None:
    """Return the attribute that gives a number, and its factor; None for a number itself.

    ``@class`` is the attribute, ``-@class`` its negative, ``@class %`` a hundredth of it.
    """
    found = _ATTRIBUTE.fullmatch(text)
    if found is None:
        return None
    sign, name, percent = found.groups()
    return name, Decimal(f"{sign}0.01" if percent else f"{sign}1")


def widening(
    size: Decimal, fraction: str | None, from_: str | None, inverse: str | None
) -> Decimal:
    """Return what is added to limits at a value of this size, in proportion or inversely."""
    more = Decimal(0)
    if fraction is not None:
        more += Decimal(fraction) * max(Decimal(0), size - Decimal(from_ or 0))
    if inverse is not None:
        more += _NARROW.divide(Decimal(inverse), size)
    return more


def sides(
    lower: str | None, upper: str | None, more: Decimal, other: Decimal | None, *, larger: bool
) -> tuple[Decimal | None, Decimal | None]:
    """Return both limits widened, or `other` where that is larger (or smaller)."""
    pick = max if larger else min
    found: list[Decimal | None] = []
    for base, sign in ((lower, -1), (upper, 1)):
        value = None if base is None else Decimal(base) + sign * more
        if value is not None and other is not None:
            value = pick(value, sign * other, key=abs)
        found.append(value)
    return found[0], found[1]
