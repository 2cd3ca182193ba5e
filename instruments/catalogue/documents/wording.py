"""A limit and a range as signs, the same in every language: ``±(1 + 5 %·|x|)``, ``35 … 42``.

`x` is the nominal value. Knows units by their symbol only.
"""

from __future__ import annotations

from decimal import Decimal

from instruments.limits import by_attribute
from instruments.procedure import Limit


def limit_text(limit: Limit) -> str:
    """Return the limit without its unit."""
    lower, upper = limit.lower, limit.upper
    more = _more(limit)
    if any(text is not None and by_attribute(text) for text in (lower, upper)):
        return _by_attribute(lower, upper, f" + {more}" if more else "")
    other = "" if limit.or_fraction is None else _share(limit.or_fraction, limit.of_rating or "|x|")
    if lower is not None and upper is not None:
        if Decimal(lower) == -Decimal(upper):
            return "±" + _side(upper, more, other, limit.choose, bracket=True)
        if more or other:
            ends = (_side(v.lstrip("-"), more, other, limit.choose) for v in (lower, upper))
            return " … ".join(f"{sign}({end})" for sign, end in zip("−+", ends, strict=True))
        return f"{_signed(lower)} … {_signed(upper)}"
    if upper is not None:
        return "≤ " + _side(upper, more, other, limit.choose)
    return "≥ " + _side(_minus(lower or "0"), more, other, limit.choose)


def range_text(limit: Limit) -> str:
    """Return the range of nominal values it holds for; empty: everywhere."""
    start, end = limit.start, limit.end
    if start is None and end is None:
        return ""
    if start is not None and start == end:
        return f"x = {_minus(start)}"
    left = "" if start is None else f"{_minus(start)} {'≤' if limit.start_included else '<'} "
    right = "" if end is None else f" {'≤' if limit.end_included else '<'} {_minus(end)}"
    return f"{left}x{right}"


def _by_attribute(lower: str | None, upper: str | None, more: str) -> str:
    """Return limits that an attribute of the item gives."""
    if lower == f"-{upper}":
        return f"±({_named(upper or '')}{more})" if more else f"±{_named(upper or '')}"
    if lower is None:
        return f"≤ {_named(upper or '')}{more}"
    low = f"{_minus(_named(lower))}{more.replace('+', '−')}"
    return f"≥ {low}" if upper is None else f"{low} … {_named(upper)}{more}"


def _named(text: str) -> str:
    return text.replace("@", "")


def _side(base: str, more: str, other: str, choose: str, *, bracket: bool = False) -> str:
    whole = base
    if more:
        whole = more if Decimal(base) == 0 else f"{base} + {more}"
        whole = f"({whole})" if bracket and not other else whole
    if not other:
        return whole
    return f"{'max' if choose == 'larger' else 'min'}({whole}; {other})"


def _more(limit: Limit) -> str:
    parts = []
    if limit.plus_fraction is not None:
        size = limit.of_rating or (
            "|x|" if limit.plus_from is None else f"(|x| − {limit.plus_from})"
        )
        parts.append(_share(limit.plus_fraction, size))
    if limit.plus_inverse is not None:
        parts.append(f"{limit.plus_inverse}/|x|")
    if limit.plus_rating_fraction is not None:
        parts.append(_share(limit.plus_rating_fraction, limit.plus_rating))
    return " + ".join(parts)


def _share(fraction: str, size: str) -> str:
    if by_attribute(fraction):
        return f"{_named(fraction)}·{size}"
    percent = (Decimal(fraction) * 100).normalize()
    return f"{percent:f} %·{size}"


def _minus(number: str) -> str:
    return number.replace("-", "−")


def _signed(number: str) -> str:
    return _minus(number) if number.startswith("-") or Decimal(number) == 0 else f"+{number}"
