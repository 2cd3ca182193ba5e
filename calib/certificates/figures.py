"""Error and curve figures as SVG: only symbols and units, so one figure serves any language.

Agg and SVG canvases only, without pyplot's global state; neutral greys and one blue that read on
light and dark paper alike. matplotlib is imported when the first figure is drawn.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from calib.certificates.document import MeasurandWords
from calib.certificates.fonts import latin_files
from calib.certificates.wording import SYMBOLS, unit
from calib.evaluation.result import CurveResult, PointResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Limits = tuple[str | None, str | None]
INK, GRID, BLUE, BAND = "#6b7280", "#9ca3af55", "#2f6db5", "#4d9a6a"
_ALONE = threading.Lock()
_STYLE: dict[str, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "calib",
    "font.family": "Source Sans Pro",
    "font.size": 9.0,
    "axes.unicode_minus": True,
    "path.simplify": False,
}


# drawing takes longer than the rest of a certificate, which is drawn at least twice: as preview and
# to be issued
@functools.lru_cache(maxsize=64)
def error_figure(measurand: MeasurandWords, points: tuple[PointResult, ...]) -> str:
    """Return the results with U as bars within the band of the limits, as SVG text."""
    sign = -1.0 if measurand.output == "correction" else 1.0
    with _style():
        figure, axes = _axes(measurand)
        axes.axhline(0, color=INK, linewidth=0.6)
        _limits_band(axes, points)
        batch = any(p.piece for p in points)
        for stage in ("as_found", "as_left"):
            these = [p for p in points if p.stage == stage]
            if not these:
                continue
            x = np.array([float(p.printed.nominal) for p in these])
            y = np.array([sign * p.error for p in these])
            if batch:
                axes.plot(x + _spread(x, these), y, ".", color=BLUE, markersize=3, alpha=0.6)
                continue
            both = any(p.stage == "as_left" for p in points)
            open_ = both and stage == "as_found"
            axes.errorbar(
                x, y, yerr=np.array([p.U for p in these]), fmt="o", markersize=4.5,
                color=INK if open_ else BLUE, markerfacecolor="none" if open_ else BLUE,
                elinewidth=1.1, capsize=3.5,
            )  # fmt: skip
        return _svg(figure)


@functools.lru_cache(maxsize=64)
def curve_figure(
    measurand: MeasurandWords, curve: CurveResult, points: tuple[PointResult, ...]
) -> str:
    """Return the fitted curve with its band of U and the points it was fitted to, as SVG text."""
    sign = -1.0 if curve.y == "correction" else 1.0
    here = [p for p in points if p.piece == curve.piece and p.stage == curve.stage]
    predictions = sorted(curve.predictions, key=lambda p: Decimal(p.x))
    xs = [float(p.x) for p in predictions]
    low, high = min([curve.low, *xs]), max([curve.high, *xs])
    with _style():
        figure, axes = _axes(measurand, "C" if curve.y == "correction" else "E")
        axes.axhline(0, color=INK, linewidth=0.6)
        inside = np.linspace(curve.low, curve.high, 101)
        axes.plot(inside, _value(curve, inside), color=BLUE, linewidth=1.2)
        for start, end in ((low, curve.low), (curve.high, high)):
            if end > start:
                beyond = np.linspace(start, end, 21)
                axes.plot(beyond, _value(curve, beyond), color=BLUE, linewidth=1.2, linestyle="--")
        if len(predictions) > 1:
            y = np.array([p.y for p in predictions])
            wide = np.array([p.U for p in predictions])
            axes.fill_between(xs, y - wide, y + wide, color=BLUE, alpha=0.15, linewidth=0)
        axes.errorbar(
            [p.indication for p in here], [sign * p.error for p in here],
            yerr=[p.U for p in here], fmt="o", color=INK, markersize=4, elinewidth=1, capsize=3,
        )  # fmt: skip
        return _svg(figure)


def _value(curve: CurveResult, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    origin = float(curve.origin)
    values = [parameter.value for parameter in curve.parameters]
    y: np.ndarray[Any, Any] = np.asarray(np.polynomial.polynomial.polyval(x - origin, values))
    return y


def _limits_band(axes: Axes, points: Sequence[PointResult]) -> None:
    """Draw the limits: one band where they are the same at every point, else apart at each."""
    rows = {float(p.printed.nominal): (p.printed.lower, p.printed.upper) for p in points}
    for start, end, (lower, upper) in bands(rows):
        ends = [float(text) for text in (lower, upper) if text is not None]
        axes.hlines(ends, start, end, color=BAND, linewidth=1.2)
        if len(ends) == 2:
            axes.fill_between([start, end], ends[0], ends[1], color=BAND, alpha=0.12, linewidth=0)
    xs = sorted(rows)
    margin = 0.08 * _width(xs)
    axes.set_xlim(xs[0] - margin, xs[-1] + margin)


def bands(rows: Mapping[float, Limits]) -> list[tuple[float, float, Limits]]:
    """Return (start, end, limits) of what is drawn.

    Where limits change between two points only the type knows, so nothing is drawn there.
    """
    xs = sorted(rows)
    margin = 0.08 * _width(xs)
    if len(set(rows.values())) == 1:
        return [(xs[0] - margin, xs[-1] + margin, rows[xs[0]])]
    reach = min(margin, *(0.4 * (b - a) for a, b in pairwise(xs)))
    return [(x - reach, x + reach, rows[x]) for x in xs]


def _width(xs: Sequence[float]) -> float:
    return (xs[-1] - xs[0]) or abs(xs[0]) or 1.0


def _spread(x: np.ndarray[Any, Any], points: Sequence[PointResult]) -> np.ndarray[Any, Any]:
    """Return small fixed shifts by piece, so that dots of a batch do not hide one another."""
    span = (x.max() - x.min()) or abs(float(x[0])) or 1.0
    pieces = np.array([p.piece for p in points], dtype=float)
    shifts: np.ndarray[Any, Any] = (pieces / pieces.max() - 0.5) * span * 0.06
    return shifts


def _axes(measurand: MeasurandWords, symbol: str = "") -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(6.3, 1.95), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    symbol = symbol or SYMBOLS[measurand.output]
    axes.set_xlabel(_axis("x", measurand.unit), color=INK)
    axes.set_ylabel(_axis(symbol, measurand.output_unit), color=INK)
    axes.tick_params(colors=INK, labelsize=8, width=0.6)
    axes.grid(visible=True, color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_visible(name in {"left", "bottom"})
        spine.set_color(INK)
        spine.set_linewidth(0.6)
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    return figure, axes


def _axis(symbol: str, unit_id: str) -> str:
    shown = unit(unit_id)
    if shown.startswith("/"):
        shown = f"(1{shown})"  # two strokes after each other cannot be read
    return f"{symbol} / {shown}" if shown else symbol


@contextmanager
def _style() -> Iterator[None]:
    """Hold matplotlib's settings, which are global, from its defaults and alone."""
    from matplotlib import font_manager, style

    with _ALONE:
        known = {entry.fname for entry in font_manager.fontManager.ttflist}
        for file in _unknown(map(str, latin_files()), known):
            font_manager.fontManager.addfont(file)
        with style.context(["default", _STYLE]):
            yield


def _unknown(files: Iterable[str], known: set[str]) -> list[str]:
    return [file for file in files if file not in known]


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    # no date and no creator: the same figure is the same text
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
