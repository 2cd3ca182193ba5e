"""Fitted curves and uncertainty budgets as tables.

What a certificate promises is text that was frozen; only correlation coefficients, ranges and the
lines of a budget are doubles, shortened here for reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from calib.certificates.blocks import Block, column, facts, heading, note, row, table
from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.tables import piece_name, place_of
from calib.certificates.wording import RANGE, Speaker, Words, plain, unit
from calib.evaluation.result import CurveResult, PointResult
from calib.i18n import both

PARENTHESES = (
    "Figures in parentheses are standard uncertainties of the fit, in units of the last digit."
)


def curve_blocks(
    speaker: Speaker, document: CertificateDocument, measurand: MeasurandWords, curve: CurveResult
) -> list[Block]:
    """Return the fitted curve: equation, parameters, correlation, predictions."""
    x, y = unit(measurand.unit), unit(measurand.output_unit)
    variable = "(x − x₀)" if Decimal(curve.origin) != 0 else "x"
    powers = ["", f" {variable}", *(f" {variable}^{n}" for n in range(2, len(curve.parameters)))]
    terms = [f"{p.name}{power}" for p, power in zip(curve.parameters, powers, strict=False)]
    symbol = "C" if curve.y == "correction" else "E"
    rows: list[tuple[Words, list[Words]]] = [
        (speaker.say("Equation"), [plain(f"{symbol}(x) = {' + '.join(terms)}")]),
        (speaker.say("Origin x₀"), [plain(f"{curve.origin} {x}")]),
        (
            speaker.say("Range of x covered"),
            [plain(f"{short(curve.low, 6)}{RANGE}{short(curve.high, 6)} {x}")],
        ),
    ]
    rows += [
        (plain(p.name), [plain(f"{p.printed} {_parameter_unit(x, y, n)}".rstrip())])
        for n, p in enumerate(curve.parameters)
    ]
    pairs = [
        f"r({a.name}, {b.name}) = {curve.correlation[i][j]:.3f}"
        for i, a in enumerate(curve.parameters)
        for j, b in enumerate(curve.parameters)
        if i < j
    ]
    if pairs:
        rows.append((speaker.say("Correlation"), [plain(pair) for pair in pairs]))
    if curve.s is not None:
        rows.append(
            (
                speaker.say("Residual standard deviation"),
                [plain(f"s = {curve.s:.2g} {y}, ν = {curve.dof}")],
            )
        )
    blocks = [facts(rows)]
    if curve.predictions:
        blocks += [_predictions(speaker, curve, x, y)]
    if any(p.extrapolated for p in curve.predictions):
        blocks.append(
            note(
                speaker.say("* Extrapolated: outside the range of x the calibration points cover.")
            )
        )
    blocks.append(note(speaker.say(PARENTHESES)))
    if curve.piece:
        blocks.insert(0, heading(plain(piece_name(document, curve.piece))))
    return blocks


def _predictions(speaker: Speaker, curve: CurveResult, x: str, y: str) -> Block:
    name = "Correction" if curve.y == "correction" else "Error of indication"
    columns = [
        column(plain("x"), x),
        column(speaker.say("{output}, with u of the fit", output=both(name)), y),
        column(speaker.say(name), y),
        column(plain("U"), y),
        column(plain("k")),
    ]
    rows = [
        row(
            [
                p.x + ("*" if p.extrapolated else ""),
                p.printed,
                p.printed_value,
                p.printed_U,
                f"{p.k:.2f}",
            ],
            "extrapolated" if p.extrapolated else "",
        )
        for p in curve.predictions
    ]
    return table(columns, rows)


def budget_blocks(
    speaker: Speaker,
    document: CertificateDocument,
    measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> list[Block]:
    """Return the budget of each point; for a batch, of the piece with the largest U per point."""
    y = unit(measurand.output_unit)
    blocks: list[Block] = []
    for place, point in budget_points(points).items():
        title = f"{place} {unit(measurand.unit)}"
        if point.piece:
            title += f" · {piece_name(document, point.piece)}"
        shown = point.printed
        blocks += [
            heading(plain(title)),
            _budget_table(speaker, measurand, point),
            note(plain(f"u_c = {shown.u}\u00a0{y}, k = {shown.k}, U = {shown.U}\u00a0{y}")),
        ]
    return blocks


def budget_points(points: Sequence[PointResult]) -> dict[str, PointResult]:
    """Return whose budget is shown at each place: of a batch, the piece with the largest U."""
    chosen: dict[str, PointResult] = {}
    for point in points:
        place = place_of(point)
        if place not in chosen or point.U > chosen[place].U:
            chosen[place] = point
    return chosen


def _budget_table(speaker: Speaker, measurand: MeasurandWords, point: PointResult) -> Block:
    names = {c.id: c.name for c in measurand.components}
    columns = [
        column(speaker.say("Component"), align="left", weight=3),
        column(plain("u(x)")),
        column(plain("c")),
        column(plain("|c| u(x)"), unit(measurand.output_unit)),
        column(plain("ν")),
        column(speaker.say("Share"), "%"),
    ]
    rows = [
        row(
            [
                speaker.label(names[line.component]) if line.component in names else line.component,
                powers_of_ten(short(line.u)),
                powers_of_ten(short(line.c)),
                powers_of_ten(short(line.contribution)),
                "∞" if line.dof is None else powers_of_ten(short(line.dof)),
                f"{line.percent:.1f}" if line.counted else "—",
            ]
        )
        for line in point.budget
    ]
    dof = "∞" if point.dof is None else powers_of_ten(short(point.dof))
    rows.append(row([speaker.say("Combined"), "", "", point.printed.u, dof, "100.0"]))
    return table(columns, rows)


def short(value: float, digits: int = 3) -> str:
    """Return a double shortened for reading."""
    return f"{value:.{digits}g}"


def powers_of_ten(text: str) -> str:
    """Return ``1.2e-05`` as ``1.2×10^-5``; the template raises what follows the ``^``."""
    digits, mark, exponent = text.partition("e")
    return f"{digits}×10^{int(exponent)}" if mark else text


def _parameter_unit(x: str, y: str, power: int) -> str:
    if power == 0 or not x:
        return y
    below = x if power == 1 else f"{x}^{power}"
    return f"{y}/{below}"
