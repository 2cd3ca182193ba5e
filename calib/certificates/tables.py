"""Results as tables: points, batches, curves, budgets; every number is text that was frozen.

Knows nothing of typesetting; the doubles of a budget are the only numbers formatted here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from calib.certificates.blocks import Block, column, facts, heading, note, row, table
from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.wording import OUTPUTS, POINTS, STAGES, VERDICTS, Speaker, Words, plain, unit
from calib.evaluation.result import CurveResult, PointResult, PrintedPoint
from calib.i18n import both

RANGE = " … "


def groups_of(document: CertificateDocument) -> list[tuple[MeasurandWords, str, list[PointResult]]]:
    """Return the points by measurand and stage, in the order they were measured."""
    found: dict[tuple[str, str], list[PointResult]] = defaultdict(list)
    for point in document.result.points:
        found[point.measurand, point.stage].append(point)
    return [
        (document.measurement.measurand(measurand), stage, points)
        for (measurand, stage), points in found.items()
    ]


def output_text(measurand: MeasurandWords, printed: PrintedPoint) -> str:
    """Return the printed value of the output the type reports."""
    return printed.correction if measurand.output == "correction" else printed.error


def limits_text(lower: str | None, upper: str | None) -> str:
    """Return a pair of limits, either of which may be absent."""
    if lower is None and upper is None:
        return "—"
    if lower is None:
        return f"≤ {upper}"
    return f"≥ {lower}" if upper is None else f"{lower}{RANGE}{upper}"


def output_limits(measurand: MeasurandWords, printed: PrintedPoint) -> tuple[str | None, str | None]:
    """Return the limits of what is printed; a correction has those of the error, mirrored."""
    if measurand.output != "correction":
        return printed.lower, printed.upper
    return _negated(printed.upper), _negated(printed.lower)


def title_of(speaker: Speaker, measurand: MeasurandWords, stage: str, stages: int) -> Words:
    """Return the heading of one group; the stage is named where it could be in doubt."""
    if stages < 2 and stage == "as_found":  # noqa: PLR2004 -- one stage needs no name
        return speaker.label(measurand.name)
    return tuple(
        f"{name} · {word}"
        for name, word in zip(
            _wide(speaker, speaker.label(measurand.name)),
            _wide(speaker, speaker.say(STAGES[stage])),
            strict=True,
        )
    )


def points_table(
    speaker: Speaker, document: CertificateDocument, measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> list[Block]:
    """Return the table of one measurand and stage, with the notes its marks need."""
    with_dof = any(Decimal(p.printed.k) != 2 for p in points)  # noqa: PLR2004 -- the usual k
    with_limits = any(p.printed.lower or p.printed.upper for p in points)
    with_verdict = document.measurement.rule.id != "none"
    with_acceptance = with_verdict and any(_narrowed(p) for p in points)
    columns = [
        column(speaker.say(POINTS[document.kind]), unit(measurand.unit)),
        column(speaker.say("Reference value"), unit(measurand.unit)),
        column(speaker.say("Indication"), unit(measurand.unit)),
        column(speaker.say(OUTPUTS[measurand.output]), unit(measurand.output_unit)),
        column(plain("U"), unit(measurand.output_unit)),
        column(plain("k")),
    ]
    if with_dof:
        columns.append(column(plain("ν_eff")))
    if with_limits:
        columns.append(column(speaker.say("Limits"), unit(measurand.output_unit), "center"))
    if with_acceptance:
        columns.append(
            column(speaker.say("Acceptance limits"), unit(measurand.output_unit), "center")
        )
    if with_verdict:
        columns.append(column(speaker.say("Conclusion"), align="center"))
    rows = []
    for point in points:
        shown = point.printed
        cells: list[Words | str] = [
            shown.nominal, shown.reference, shown.indication,
            output_text(measurand, shown), shown.U + ("†" if point.cmc_applied else ""), shown.k,
        ]
        if with_dof:
            cells.append("∞" if point.dof is None else str(int(point.dof)))
        if with_limits:
            cells.append(limits_text(*output_limits(measurand, shown)))
        if with_acceptance:
            cells.append(_acceptance(measurand, point))
        if with_verdict:
            cells.append(speaker.say(VERDICTS[point.verdict]))
        rows.append(row(cells, "reject" if point.verdict == "fail" else ""))
    return [table(columns, rows), *_cmc_note(speaker, points)]


def batch_tables(
    speaker: Speaker, document: CertificateDocument, measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> list[Block]:
    """Return a table per point and a compact one of every piece; rejects are marked in words."""
    by_piece: dict[int, dict[str, PointResult]] = defaultdict(dict)
    by_place: dict[str, list[PointResult]] = defaultdict(list)
    for point in points:
        place = point.key.rsplit("/", 1)[-1]
        by_piece[point.piece][place] = point
        by_place[place].append(point)
    head = [
        column(speaker.say(POINTS[document.kind]), unit(measurand.unit), "center"),
        column(speaker.say("Reference value"), unit(measurand.unit), "center"),
        column(speaker.say("U, largest of all pieces"), unit(measurand.output_unit), "center"),
        column(plain("k"), align="center"),
        column(speaker.say("Limits"), unit(measurand.output_unit), "center"),
    ]
    per_point = [
        row([
            place_points[0].printed.nominal,
            _span([p.printed.reference for p in place_points]),
            max((p.printed.U for p in place_points), key=Decimal),
            _span([p.printed.k for p in place_points]),
            limits_text(*output_limits(measurand, place_points[0].printed)),
        ])
        for place_points in by_place.values()
    ]
    blocks = [table(head, per_point), *_cmc_note(speaker, points)]
    blocks.append(note(speaker.say(
        "Each column below gives the {output} at the point in its head, in {unit}.",
        output=_lower_label(measurand), unit=unit(measurand.output_unit) or "1",
    )))
    judged = document.measurement.rule.id != "none"
    columns = [column(speaker.say("Piece"), align="left")]
    columns += [column(plain(place), "") for place in by_place]
    if judged:
        columns.append(column(speaker.say("Conclusion"), align="center"))
    verdicts = {piece.piece: piece.verdict for piece in document.result.pieces}
    rows = []
    for piece, here in by_piece.items():
        cells: list[Words | str] = [piece_name(document, piece)]
        cells += [
            output_text(measurand, here[place].printed) if place in here else "—"
            for place in by_place
        ]
        verdict = verdicts.get(piece, "not_stated")
        if judged:
            cells.append(speaker.say(VERDICTS[verdict]))
        rows.append(row(cells, "reject" if verdict == "fail" else ""))
    narrow = len(by_place) <= 4 and len(rows) > 8  # noqa: PLR2004 -- what fits beside each other
    blocks.append(table(columns, rows, side_by_side=2 if narrow else 1))
    return blocks


def piece_name(document: CertificateDocument, piece: int) -> str:
    """Return the serial or running number of a piece."""
    if 0 < piece <= len(document.item.pieces):
        return document.item.pieces[piece - 1]
    return document.item.serial or str(piece)


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
        (speaker.say("Range of x covered"), [plain(f"{curve.low:.6g}{RANGE}{curve.high:.6g} {x}")]),
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
        rows.append((
            speaker.say("Residual standard deviation"),
            [plain(f"s = {curve.s:.2g} {y}, ν = {curve.dof}")],
        ))
    blocks = [facts(rows)]
    if curve.predictions:
        blocks += [_predictions(speaker, curve, x, y)]
    if any(p.extrapolated for p in curve.predictions):
        blocks.append(note(speaker.say(
            "* Extrapolated: outside the range of x the calibration points cover."
        )))
    blocks.append(note(speaker.say(
        "Figures in parentheses are standard uncertainties of the fit, in units of the last digit."
    )))
    if curve.piece:
        blocks.insert(0, heading(plain(piece_name(document, curve.piece))))
    return blocks


def _predictions(speaker: Speaker, curve: CurveResult, x: str, y: str) -> Block:
    name = "Correction" if curve.y == "correction" else "Error of indication"
    columns = [
        column(plain("x"), x),
        column(speaker.say("{output}, with u of the fit", output=both(name)), y),
        column(speaker.say(name), y), column(plain("U"), y), column(plain("k")),
    ]
    rows = [
        row(
            [p.x + ("*" if p.extrapolated else ""), p.printed, p.printed_value, p.printed_U,
             f"{p.k:.2f}"],
            "extrapolated" if p.extrapolated else "",
        )
        for p in curve.predictions
    ]
    return table(columns, rows)


def budget_blocks(
    speaker: Speaker, document: CertificateDocument, measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> list[Block]:
    """Return the budget of each point; for a batch, of the piece with the largest U per point."""
    y = unit(measurand.output_unit)
    names = {c.id: c.name for c in measurand.components}
    chosen: dict[str, PointResult] = {}
    for point in points:
        place = point.key.rsplit("/", 1)[-1]
        if place not in chosen or point.U > chosen[place].U:
            chosen[place] = point
    blocks: list[Block] = []
    for place, point in chosen.items():
        title = f"{place} {unit(measurand.unit)}"
        if point.piece:
            title += f" · {piece_name(document, point.piece)}"
        blocks.append(heading(plain(title)))
        rows = [
            row([
                speaker.label(names[line.component]) if line.component in names
                else line.component,
                _short(line.u), _short(line.c), _short(line.contribution),
                "∞" if line.dof is None else _short(line.dof),
                f"{line.percent:.1f}" if line.counted else "—",
            ])
            for line in point.budget
        ]
        rows.append(row([
            speaker.say("Combined"), "", "", point.printed.u,
            "∞" if point.dof is None else _short(point.dof), "100.0",
        ]))
        blocks.append(table(
            [
                column(speaker.say("Component"), align="left"), column(plain("u(x)")),
                column(plain("c")), column(plain("|c| u(x)"), y), column(plain("ν")),
                column(speaker.say("Share"), "%"),
            ],
            rows,
        ))
        blocks.append(note(plain(
            f"u_c = {point.printed.u} {y}, k = {point.printed.k}, U = {point.printed.U} {y}"
        )))
    return blocks


def _short(value: float) -> str:
    return f"{value:.3g}"


def _span(texts: Sequence[str]) -> str:
    low, high = min(texts, key=Decimal), max(texts, key=Decimal)
    return low if low == high else f"{low}{RANGE}{high}"


def _negated(text: str | None) -> str | None:
    if text is None or not Decimal(text):
        return text
    return text[1:] if text.startswith("-") else f"-{text.removeprefix('+')}"


def _narrowed(point: PointResult) -> bool:
    return bool(point.acceptance) and tuple(point.acceptance) != (
        point.printed.lower or "-", point.printed.upper or "-"
    )


def _acceptance(measurand: MeasurandWords, point: PointResult) -> str:
    if not point.acceptance:
        return "—"
    lower, upper = (None if text == "-" else text for text in point.acceptance)
    if measurand.output == "correction":
        lower, upper = _negated(upper), _negated(lower)
    return limits_text(lower, upper)


def _cmc_note(speaker: Speaker, points: Sequence[PointResult]) -> list[Block]:
    if not any(point.cmc_applied for point in points):
        return []
    return [note(speaker.say(
        "† Raised to the laboratory's calibration and measurement capability (CMC)."
    ))]


def _parameter_unit(x: str, y: str, power: int) -> str:
    if power == 0 or not x:
        return y
    below = x if power == 1 else f"{x}^{power}"
    return f"{y}/{below}"


def _wide(speaker: Speaker, words: Words) -> Words:
    """Return one entry per language, repeating the only one where they do not differ."""
    return words if len(words) == len(speaker.languages) else words * len(speaker.languages)


def _lower_label(measurand: MeasurandWords) -> str:
    return {"error": "E", "correction": "C", "relative_error": "δ"}[measurand.output]
