"""Small drawings made on the server: a value in its limits, parts of a budget; shapes, not colour.

Knows decimal text as printed; computes only where on the drawing it falls.
"""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from calib.evaluation.result import PointResult

WIDTH, HEIGHT, MARGIN = 200, 30, 8
_SHAPES = {
    "pass": '<circle class="v good" cx="{x}" cy="15" r="4.5"/>',
    "conditional_pass": '<path class="v warn" d="M{x} 9l6 6-6 6-6-6Z"/>',
    "undetermined": '<path class="v warn" d="M{x} 9l6 6-6 6-6-6Z"/>',
    "conditional_fail": '<path class="v warn" d="M{x} 9l6 6-6 6-6-6Z"/>',
    "fail": '<path class="v bad" d="M{x} 15m-5 -5l10 10m0 -10l-10 10"/>',
}
_PLAIN = '<circle class="v" cx="{x}" cy="15" r="4.5"/>'


def band(point: PointResult, words: str) -> Markup:
    """Return value, U and limits of a point as a drawing named by `words`."""
    printed = point.printed
    value, half = Decimal(printed.error), Decimal(printed.U)
    limits = [Decimal(text) for text in (printed.lower, printed.upper) if text is not None]
    ends = [value - half, value + half, Decimal(0), *limits]
    low, high = min(ends), max(ends)
    room = (high - low) / 12 or Decimal(1)
    low, high = low - room, high + room

    def x(at: Decimal) -> str:
        return f"{MARGIN + (at - low) / (high - low) * (WIDTH - 2 * MARGIN):.1f}"

    left = Decimal(printed.lower) if printed.lower is not None else low
    right = Decimal(printed.upper) if printed.upper is not None else high
    parts = []
    if limits:
        width = f"{(right - left) / (high - low) * (WIDTH - 2 * MARGIN):.1f}"
        parts.append(f'<rect class="band" x="{x(left)}" y="5" width="{width}" height="20"/>')
        parts += [f'<path class="limit" d="M{x(limit)} 2v26"/>' for limit in limits]
    parts.append(f'<path class="zero" d="M{x(Decimal(0))} 4v22"/>')
    parts.append(f'<path class="u" d="M{x(value - half)} 11v8m0 -4H{x(value + half)}m0 -4v8"/>')
    parts.append(_SHAPES.get(point.verdict, _PLAIN).format(x=x(value)))
    head = Markup('<svg class="drawing" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
        words, WIDTH, HEIGHT
    )
    return head + Markup("".join(parts)) + Markup("</svg>")  # noqa: S704 -- numbers only


_SIGNS = {
    "green": '<circle cx="16" cy="16" r="15"/><path class="in" d="M9 16.5l5 5 9-10"/>',
    "yellow": '<path d="M16 2 31 29H1Z"/><path class="in" d="M16 11v9m0 3.5v1"/>',
    "red": '<path d="M10 1h12l9 9v12l-9 9H10l-9-9V10Z"/>'
    '<path class="in" d="M10 10l12 12m0-12L10 22"/>',
}


def shape(colour: str) -> Markup:
    """Return the sign of a colour: round, triangle or octagon; the words stand beside it."""
    drawn = _SIGNS[colour]
    return Markup(  # noqa: S704 -- one of three constants
        f'<svg class="sign {colour}" aria-hidden="true" viewBox="0 0 32 32">{drawn}</svg>'
    )


def share(percent: float) -> Markup:
    """Return a bar of so many per cent; the number stands beside it in words."""
    width = f"{min(max(percent, 0), 100):.1f}"
    return Markup(
        '<svg class="bar-of" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">'
        '<rect class="whole" width="100" height="8"/><rect class="part" width="{}" height="8"/>'
        "</svg>"
    ).format(width)


def short(value: float | None, digits: int = 2) -> str:
    """Return a figure of the budget to so many significant digits; a dash for none."""
    if value is None:
        return "∞"
    if not value:
        return "0"
    exact = Decimal(repr(value))
    return f"{exact.quantize(Decimal((0, (1,), exact.adjusted() - digits + 1))):f}"
