"""Error and curve figures as SVG: only symbols and units, so one figure serves any language.

Neutral greys and one blue that read on light and dark paper alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from calib.certificates.document import MeasurandWords
from calib.certificates.plots import BAND, BLUE, INK, Area, Dot, Line, Mark, plot
from calib.certificates.wording import SYMBOLS, unit
from calib.evaluation.result import CurveResult, PointResult

Limits = tuple[str | None, str | None]


def error_figure(measurand: MeasurandWords, points: tuple[PointResult, ...]) -> str:
    """Return the results with U as bars within the band of the limits, as SVG text."""
    sign = -1.0 if measurand.output == "correction" else 1.0
    rows = {float(p.printed.nominal): (p.printed.lower, p.printed.upper) for p in points}
    marks: list[Mark] = [*_limits(rows)]
    pieces = max(p.piece for p in points)
    is_adjusted = any(p.stage == "as_left" for p in points)
    for stage in ("as_found", "as_left"):
        for p in (p for p in points if p.stage == stage):
            x, y = float(p.printed.nominal), sign * p.error
            if pieces:  # a little beside one another, so that no piece hides another
                x += (p.piece / pieces - 0.5) * _width(sorted(rows)) * 0.06
                marks.append(Dot(x, y, 0.0, BLUE, radius=1.0, opacity=0.6))
            elif is_adjusted and stage == "as_found":
                marks.append(Dot(x, y, p.U, INK, is_open=True))
            else:
                marks.append(Dot(x, y, p.U, BLUE))
    names = (_axis("x", measurand.unit), _axis(SYMBOLS[measurand.output], measurand.output_unit))
    return plot(marks, *names, _wider(rows))


def curve_figure(
    measurand: MeasurandWords, curve: CurveResult, points: tuple[PointResult, ...]
) -> str:
    """Return the fitted curve with its band of U and the points it was fitted to, as SVG text."""
    sign = -1.0 if curve.y == "correction" else 1.0
    here = [p for p in points if p.piece == curve.piece and p.stage == curve.stage]
    predictions = sorted(curve.predictions, key=lambda p: Decimal(p.x))
    xs = [float(p.x) for p in predictions]
    low, high = min([curve.low, *xs]), max([curve.high, *xs])
    marks: list[Mark] = []
    if len(predictions) > 1:
        band = tuple((float(p.x), p.y - p.U, p.y + p.U) for p in predictions)
        marks.append(Area(band, BLUE, 0.15))
    marks.append(_drawn(curve, curve.low, curve.high, 100))
    for start, end in ((low, curve.low), (curve.high, high)):
        if end > start:
            marks.append(_drawn(curve, start, end, 20, is_dashed=True))
    marks += [Dot(p.indication, sign * p.error, p.U, INK, radius=2.0) for p in here]
    symbol = "C" if curve.y == "correction" else "E"
    return plot(marks, _axis("x", measurand.unit), _axis(symbol, measurand.output_unit))


def _drawn(
    curve: CurveResult, start: float, end: float, parts: int, *, is_dashed: bool = False
) -> Line:
    """Return a stretch of the curve."""
    xs = [start + (end - start) * n / parts for n in range(parts + 1)]
    return Line(tuple((x, _value(curve, x)) for x in xs), BLUE, 1.2, is_dashed)


def _value(curve: CurveResult, x: float) -> float:
    total = 0.0
    for parameter in reversed(curve.parameters):
        total = total * (x - float(curve.origin)) + parameter.value
    return total


def _limits(rows: Mapping[float, Limits]) -> Iterator[Mark]:
    """Draw the limits: one band where they are the same at every point, else apart at each."""
    for start, end, (lower, upper) in bands(rows):
        ends = [float(text) for text in (lower, upper) if text is not None]
        if len(ends) == 2:
            yield Area(((start, ends[0], ends[1]), (end, ends[0], ends[1])), BAND, 0.12)
        for limit in ends:
            yield Line(((start, limit), (end, limit)), BAND, 1.2)


def bands(rows: Mapping[float, Limits]) -> list[tuple[float, float, Limits]]:
    """Return (start, end, limits) of what is drawn.

    Where limits change between two points only the type knows, so nothing is drawn there.
    """
    xs = sorted(rows)
    if len(set(rows.values())) == 1:
        return [(*_wider(rows), rows[xs[0]])]
    reach = min(0.08 * _width(xs), *(0.4 * (b - a) for a, b in pairwise(xs)))
    return [(x - reach, x + reach, rows[x]) for x in xs]


def _wider(rows: Mapping[float, Limits]) -> tuple[float, float]:
    """Return what the axis of x shows."""
    xs = sorted(rows)
    margin = 0.08 * _width(xs)
    return xs[0] - margin, xs[-1] + margin


def _width(xs: Sequence[float]) -> float:
    return (xs[-1] - xs[0]) or abs(xs[0]) or 1.0


def _axis(symbol: str, unit_id: str) -> str:
    shown = unit(unit_id)
    if shown.startswith("/"):
        shown = f"(1{shown})"  # two strokes after each other cannot be read
    return f"{symbol} / {shown}" if shown else symbol
