"""Plots as SVG text: axes, ticks and marks.

Writing is drawn as outlines of the certificate's own Latin font, so that a plot adds no text to its
page and looks alike wherever it is shown. Knows nothing of documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from calib.certificates.fonts import latin_outline

INK, GRID, BLUE, BAND = "#6b7280", "#e1e4e8", "#2f6db5", "#4d9a6a"
WIDTH, HEIGHT = 453.6, 138.0
_TOP, _RIGHT, _BOTTOM = 5.0, 4.0, 31.0
_NAME, _TICK = 9.0, 8.0
"""Sizes of type."""
_CAP = 3.5
"""Half the width of the ends of a bar."""
_NICE = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
Place = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined by a line."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float
    is_dashed: bool = False

    def reach(self) -> list[tuple[float, float]]:
        """Return points that must be seen."""
        return list(self.points)

    def svg(self, x: Place, y: Place) -> str:
        """Return the line where these functions place it."""
        dashed = ' stroke-dasharray="4.4 1.9"' if self.is_dashed else ""
        path = f'<path d="{_path(self.points, x, y)}" fill="none" stroke="{self.colour}"'
        return f'{path} stroke-width="{self.width}"{dashed}/>'


@dataclass(frozen=True, slots=True)
class Area:
    """What lies between an upper and a lower edge."""

    points: tuple[tuple[float, float, float], ...]
    """Position, lower and upper edge."""
    colour: str
    opacity: float

    def reach(self) -> list[tuple[float, float]]:
        """Return points that must be seen."""
        return [(at, edge) for at, low, high in self.points for edge in (low, high)]

    def svg(self, x: Place, y: Place) -> str:
        """Return the area where these functions place it."""
        edges = [(at, low) for at, low, _ in self.points]
        edges += [(at, high) for at, _, high in reversed(self.points)]
        path = f'<path d="{_path(edges, x, y)}Z" fill="{self.colour}"'
        return f'{path} fill-opacity="{self.opacity}"/>'


@dataclass(frozen=True, slots=True)
class Dot:
    """A point, with a bar of the half length `U` through it where that is not zero."""

    x: float
    y: float
    U: float
    colour: str
    radius: float = 2.25
    is_open: bool = False
    opacity: float = 1.0

    def reach(self) -> list[tuple[float, float]]:
        """Return points that must be seen."""
        return [(self.x, self.y - self.U), (self.x, self.y + self.U)]

    def svg(self, x: Place, y: Place) -> str:
        """Return the point where these functions place it."""
        at, middle = x(self.x), y(self.y)
        fill = "none" if self.is_open else self.colour
        dot = (
            f'<circle cx="{at:.2f}" cy="{middle:.2f}" r="{self.radius}" fill="{fill}"'
            f' stroke="{self.colour}" opacity="{self.opacity}"/>'
        )
        if not self.U:
            return dot
        low, high = y(self.y - self.U), y(self.y + self.U)
        ends = "".join(f"M{at - _CAP:.2f} {end:.2f}h{2 * _CAP}" for end in (low, high))
        # an open point is not crossed by its bar
        gap = self.radius if self.is_open and low - high > 2 * self.radius else 0.0
        bar = f"M{at:.2f} {low:.2f}V{middle + gap:.2f}M{at:.2f} {middle - gap:.2f}V{high:.2f}"
        return f'<path d="{ends}{bar}" stroke="{self.colour}" stroke-width="1.1"/>{dot}'


Mark = Line | Area | Dot


def plot(
    marks: Sequence[Mark],
    x_name: str,
    y_name: str,
    span: tuple[float, float] | None = None,
) -> str:
    """Return the marks over named axes and a line at zero; `span` is what the axis of x shows.

    Raises
    ------
    Refused
        The font lacks a letter of a name.
    """
    seen = [point for mark in marks for point in mark.reach()]
    left, right = span or _around([x for x, _ in seen])
    low, high = _around([0.0, *(y for _, y in seen)])
    heights = ticks(low, high, 5)
    margin = 20.0 + max(_wide(_shown(tick), _TICK) for tick in heights)
    room = WIDTH - margin - _RIGHT
    floor = HEIGHT - _BOTTOM
    places = _apart(left, right, room)

    def across(x: float) -> float:
        return margin + (x - left) / (right - left) * room

    def up(y: float) -> float:
        return floor - (y - low) / (high - low) * (floor - _TOP)

    xs = [(across(float(tick)), _shown(tick)) for tick in places]
    ys = [(up(float(tick)), _shown(tick)) for tick in heights]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        f' width="{WIDTH}pt" height="{HEIGHT}pt">',
        *_frame(margin, floor, [x for x, _ in xs], [y for y, _ in ys]),
        *(_text(words, x, floor + 13, _TICK, "middle") for x, words in xs),
        *(_text(words, margin - 6, y + 2.7, _TICK, "end") for y, words in ys),
        _text(x_name, margin + room / 2, HEIGHT - 4, _NAME, "middle"),
        f'<g transform="translate(8 {(_TOP + floor) / 2:.2f}) rotate(-90)">',
        _text(y_name, 0, 0, _NAME, "middle"),
        "</g>",
        f'<path d="M{margin:.2f} {up(0.0):.2f}h{room:.2f}" stroke="{INK}" stroke-width="0.6"/>',
        *(mark.svg(across, up) for mark in marks),
        "</svg>",
    ]
    return "".join(parts)


def ticks(low: float, high: float, most: int) -> list[Decimal]:
    """Return up to `most` round numbers at equal distances within an interval."""
    start, end = Decimal(repr(low)), Decimal(repr(high))
    span = end - start
    unit = Decimal(1).scaleb((span / most).adjusted())
    steps = ((unit * nice).normalize() for nice in _NICE)
    step = next(s for s in steps if _count(start, end, s) <= most)
    first = (start / step).to_integral_value(ROUND_CEILING)
    return [(first + n) * step for n in range(_count(start, end, step))]


def _count(start: Decimal, end: Decimal, step: Decimal) -> int:
    first = (start / step).to_integral_value(ROUND_CEILING)
    last = (end / step).to_integral_value(ROUND_FLOOR)
    return int(last - first) + 1


def _apart(left: float, right: float, room: float) -> list[Decimal]:
    """Return as many ticks as can be written beside each other."""
    for most in range(9, 2, -1):
        found = ticks(left, right, most)
        widest = max((_wide(_shown(tick), _TICK) for tick in found), default=0.0)
        if len(found) * (widest + _TICK) <= room:
            return found
    return ticks(left, right, 2)


def _around(values: Iterable[float]) -> tuple[float, float]:
    """Return an interval that holds the values with a little room."""
    known = sorted(values)
    low, high = known[0], known[-1]
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _frame(margin: float, floor: float, xs: Sequence[float], ys: Sequence[float]) -> list[str]:
    right = WIDTH - _RIGHT
    grid = [f"M{x:.2f} {_TOP}V{floor:.2f}" for x in xs]
    grid += [f"M{margin:.2f} {y:.2f}H{right:.2f}" for y in ys]
    lines = [f"M{margin:.2f} {_TOP}V{floor:.2f}H{right:.2f}"]
    lines += [f"M{x:.2f} {floor:.2f}v3.5" for x in xs]
    lines += [f"M{margin:.2f} {y:.2f}h-3.5" for y in ys]
    return [
        f'<path d="{"".join(grid)}" stroke="{GRID}" stroke-width="0.5"/>',
        f'<path d="{"".join(lines)}" fill="none" stroke="{INK}" stroke-width="0.6"/>',
    ]


def _path(points: Iterable[tuple[float, float]], x: Place, y: Place) -> str:
    return "M" + "L".join(f"{x(a):.2f} {y(b):.2f}" for a, b in points)


def _shown(tick: Decimal) -> str:
    return f"{tick + 0:f}".replace("-", "\u2212")  # adding zero takes the sign from a zero


def _wide(text: str, size: float) -> float:
    return sum(latin_outline(letter)[1] for letter in text) * size


def _text(text: str, x: float, y: float, size: float, anchor: Literal["middle", "end"]) -> str:
    """Return words as outlines, standing on the line at `y`."""
    x -= _wide(text, size) / (2 if anchor == "middle" else 1)
    letters, at = [], 0.0
    for letter in text:
        outline, advance = latin_outline(letter)
        if outline:
            letters.append(f'<path transform="translate({at * 1000:.0f})" d="{outline}"/>')
        at += advance
    scale = size / 1000
    placed = f"translate({x:.2f} {y:.2f}) scale({scale} {-scale})"
    return f'<g transform="{placed}" fill="{INK}">{"".join(letters)}</g>'
