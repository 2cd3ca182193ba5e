"""A point over the years as a drawing: value, U and limits of every certificate; shapes first.

Knows decimal text as printed; computes only where on the drawing it falls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

from markupsafe import Markup

from calib.services.over_time import OneResult, PointOverTime

WIDTH, HEIGHT = 400, 208
LEFT, RIGHT, TOP, BOTTOM = 58, 388, 22, 176
APART = 13
"""Between marks of one day, so that none hides another."""
SIGNS = ("as_found", "as_left", "superseded", "withdrawn")
_SHAPES = {
    "as_found": '<circle class="mark" cx="{x}" cy="{y}" r="4.5"/>',
    "as_left": '<path class="mark" d="M{x} {y}m-4.5 -4.5h9v9h-9Z"/>',
    "superseded": '<circle class="mark open" cx="{x}" cy="{y}" r="4.5"/>',
    "withdrawn": '<path class="mark cross" d="M{x} {y}m-4.5 -4.5l9 9m0 -9l-9 9"/>',
}


def sign_of(one: OneResult) -> str:
    """Return which mark a result has: what became of its certificate, else its stage."""
    if one.standing != "issued":
        return one.standing
    return "as_left" if one.stage == "as_left" else "as_found"


def signs_of(points: Iterable[PointOverTime]) -> tuple[str, ...]:
    """Return the marks that occur, in the order a legend tells them."""
    seen = {sign_of(one) for point in points for one in point.results}
    return tuple(sign for sign in SIGNS if sign in seen)


def sign(kind: str) -> Markup:
    """Return a mark alone, for the legend that says what it means."""
    drawn = _SHAPES[kind].format(x=8, y=8)
    return Markup(  # noqa: S704 -- one of four constants
        f'<svg class="over-time sign-of" aria-hidden="true" viewBox="0 0 16 16">{drawn}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a value and a day fall."""

    low: Decimal
    high: Decimal
    first: date
    last: date

    def y(self, value: Decimal) -> Decimal:
        part = (value - self.low) / (self.high - self.low)
        return BOTTOM - part * (BOTTOM - TOP)

    def x(self, day: date) -> float:
        days = (self.last - self.first).days
        if not days:
            return (LEFT + RIGHT) / 2
        return LEFT + 16 + (day - self.first).days / days * (RIGHT - LEFT - 32)


def over_time(point: PointOverTime, words: str, adjusted: str) -> Markup:
    """Return the drawing of a point, named by `words`; `adjusted` is written where it was."""
    scale, step = _scale(point.results)
    placed = _placed(point.results, scale)
    parts = [
        *_limits([p for p in placed if p[0].counts] or placed, scale),
        *_values(scale, step),
        *_days(scale),
        *_links(placed, scale),
        *(_mark(one, x, scale) for one, x in placed),
    ]
    head = Markup('<svg class="over-time" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
        words, WIDTH, HEIGHT
    )
    drawn = Markup("".join(parts))  # noqa: S704 -- numbers and days only
    return head + drawn + Markup("").join(_turns(placed, adjusted)) + Markup("</svg>")


def _scale(results: Sequence[OneResult]) -> tuple[_Scale, Decimal]:
    ends: list[Decimal] = []
    for one in results:
        value, half = Decimal(one.value), Decimal(one.U or 0)
        ends += [value - half, value + half]
        ends += [Decimal(limit) for limit in (one.lower, one.upper) if limit is not None]
    low, high = min(ends), max(ends)
    if low > 0 and low < (high - low) * 2:
        low = Decimal(0)  # near enough for the zero to be seen
    if high < 0 and -high < (high - low) * 2:
        high = Decimal(0)
    room = (high - low) / 12 or abs(high) / 10 or Decimal(1)
    low, high = low - room, high + room
    days = [one.on for one in results]
    return _Scale(low, high, min(days), max(days)), _step((high - low) / 5)


def _step(least: Decimal) -> Decimal:
    """Return the next of 1, 2 or 5 times a power of ten."""
    power = Decimal((0, (1,), least.adjusted()))
    for times in (1, 2, 5, 10):
        if power * times >= least:
            return power * times
    return power * 10


def _placed(results: Sequence[OneResult], scale: _Scale) -> list[tuple[OneResult, float]]:
    """Put results of one day side by side."""
    by_day: dict[date, list[OneResult]] = {}
    for one in results:
        by_day.setdefault(one.on, []).append(one)
    placed = []
    for day, found in by_day.items():
        middle, wide = scale.x(day), (len(found) - 1) * APART
        start = min(max(middle - wide / 2, LEFT + 8), RIGHT - 8 - wide)
        placed += [(one, start + i * APART) for i, one in enumerate(found)]
    return placed


def _limits(placed: Sequence[tuple[OneResult, float]], scale: _Scale) -> Iterator[str]:
    """Yield the band of the limits; it changes halfway between two results."""
    xs = [x for _, x in placed]
    edges = [LEFT, *((a + b) / 2 for a, b in pairwise(xs)), RIGHT]
    for (one, _), start, end in zip(placed, edges, edges[1:], strict=False):
        if one.lower is None and one.upper is None:
            continue
        top = scale.y(Decimal(one.upper)) if one.upper is not None else Decimal(TOP)
        bottom = scale.y(Decimal(one.lower)) if one.lower is not None else Decimal(BOTTOM)
        yield (
            f'<rect class="within" x="{start:.1f}" y="{top:.1f}" width="{end - start:.1f}"'
            f' height="{bottom - top:.1f}"/>'
        )
        for limit, y in ((one.upper, top), (one.lower, bottom)):
            if limit is not None:
                yield f'<path class="edge" d="M{start:.1f} {y:.1f}H{end:.1f}"/>'


def _values(scale: _Scale, step: Decimal) -> Iterator[str]:
    at = (scale.low / step).to_integral_value(ROUND_CEILING) * step
    while at <= scale.high:
        y, kind = scale.y(at), "zero" if not at else "grid"
        yield f'<path class="{kind}" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        said = f"{at:f}" if at else "0"
        yield f'<text class="axis" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>'
        at += step


def _days(scale: _Scale) -> Iterator[str]:
    """Yield the years that begin within, or the first and last day where too few do."""
    years = [date(year, 1, 1) for year in range(scale.first.year + 1, scale.last.year + 1)]
    while len(years) > 5:
        years = years[::2]
    if len(years) >= 2:
        marks = [(day, f"{day.year}", "middle") for day in years]
    elif scale.last - scale.first > timedelta(days=60):
        marks = [
            (scale.first, scale.first.isoformat(), "start"),
            (scale.last, scale.last.isoformat(), "end"),
        ]
    else:
        marks = [(scale.last, scale.last.isoformat(), "middle")]
    yield f'<path class="line" d="M{LEFT} {BOTTOM}H{RIGHT}"/>'
    for day, said, anchor in marks:
        x = scale.x(day)
        yield f'<path class="line" d="M{x:.1f} {BOTTOM}v5"/>'
        shift = {"start": -16, "end": 16}.get(anchor, 0)
        yield (
            f'<text class="axis" x="{x + shift:.1f}" y="{BOTTOM + 21}"'
            f' text-anchor="{anchor}">{said}</text>'
        )


def _links(placed: Sequence[tuple[OneResult, float]], scale: _Scale) -> Iterator[str]:
    """Yield what joins results that stand; an adjustment breaks it."""
    standing = [pair for pair in placed if pair[0].counts]
    for (before, x), (after, end) in pairwise(standing):
        if before.certificate_id != after.certificate_id:
            y, to = scale.y(Decimal(before.value)), scale.y(Decimal(after.value))
            yield f'<path class="link" d="M{x:.1f} {y:.1f}L{end:.1f} {to:.1f}"/>'


def _mark(one: OneResult, x: float, scale: _Scale) -> str:
    value, half = Decimal(one.value), Decimal(one.U or 0)
    y, top, bottom = scale.y(value), scale.y(value + half), scale.y(value - half)
    gone = "" if one.counts else " gone"
    bar = (
        f'<path class="bar{gone}" d="M{x - 4:.1f} {top:.1f}h8m-4 0V{bottom:.1f}m-4 0h8"/>'
        if half
        else ""
    )
    return bar + _SHAPES[sign_of(one)].format(x=f"{x:.1f}", y=f"{y:.1f}")


def _turns(placed: Sequence[tuple[OneResult, float]], adjusted: str) -> Iterator[Markup]:
    """Yield a line with the word where an item was adjusted between two stages."""
    for (before, x), (after, end) in pairwise(placed):
        is_one = before.certificate_id == after.certificate_id
        if is_one and before.stage == "as_found" and after.stage == "as_left":
            at = (x + end) / 2
            anchor = "end" if at > WIDTH - 110 else "start" if at < LEFT + 50 else "middle"
            yield Markup(
                '<path class="turn" d="M{} {}V{}"/>'
                '<text class="said" x="{}" y="{}" text-anchor="{}">{}</text>'
            ).format(f"{at:.1f}", TOP - 4, BOTTOM, f"{at:.1f}", TOP - 8, anchor, adjusted)
