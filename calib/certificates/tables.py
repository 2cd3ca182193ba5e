"""Results as tables, by point or by piece; every number is text that was frozen.

Knows nothing of typesetting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from calib.certificates.blocks import Block, column, note, row, table
from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.wording import (
    OUTPUTS,
    POINTS,
    RANGE,
    STAGES,
    SYMBOLS,
    VERDICTS,
    Speaker,
    Words,
    plain,
    span,
    unit,
)
from calib.evaluation.result import PointResult, PrintedPoint

MOST_DOF = 99_999
"""Degrees of freedom beyond this say nothing more and fill the column."""
BATCH_WIDTH = 72
"""Letters of results that stand beside each other in the table of a batch."""
NARROW_TEXT = 12
"""A table of a batch with longer text does not stand in half the width."""
Group = tuple[MeasurandWords, str, list[PointResult]]
"""A measurand, a stage, and the points of both."""


def groups_of(document: CertificateDocument) -> list[Group]:
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
    """Return a pair of limits of the output, either of which may be absent."""
    if lower is None and upper is None:
        return "—"
    if lower is None:
        return f"≤ {upper}"
    return f"≥ {lower}" if upper is None else f"{lower}{RANGE}{upper}"


def _limits_name(speaker: Speaker, measurand: MeasurandWords) -> Words:
    """Return the head of the limits; those of a property are no limits of an error."""
    return speaker.say("Limit values" if measurand.output == "value" else "Limits")


def title_of(speaker: Speaker, measurand: MeasurandWords, stage: str, stages: int) -> Words:
    """Return the heading of one group; the stage is named where it could be in doubt."""
    if stages < 2 and stage == "as_found":
        return speaker.label(measurand.name)
    return tuple(
        f"{name} · {word}"
        for name, word in zip(
            _wide(speaker, speaker.label(measurand.name)),
            _wide(speaker, speaker.say(STAGES[stage])),
            strict=True,
        )
    )


def _first_columns(
    speaker: Speaker, document: CertificateDocument, measurand: MeasurandWords
) -> list[dict[str, Any]]:
    """Return the columns every table has; a value is no difference from a reference."""
    compared = [
        column(speaker.say("Reference value"), unit(measurand.unit)),
        column(speaker.say("Indication"), unit(measurand.unit)),
    ]
    return [
        column(speaker.say(POINTS[document.kind]), unit(measurand.unit)),
        *(compared if measurand.output != "value" else []),
        column(speaker.say(OUTPUTS[measurand.output]), unit(measurand.output_unit)),
        column(plain("U"), unit(measurand.output_unit), weight=0.9),
        column(plain("k"), weight=0.75),
    ]


def points_table(
    speaker: Speaker,
    document: CertificateDocument,
    measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> list[Block]:
    """Return the table of one measurand and stage, with the notes its marks need."""
    with_dof = _needs_dof(points)
    with_limits = any(p.printed.lower or p.printed.upper for p in points)
    with_verdict = document.measurement.rule.id != "none" and with_limits
    with_acceptance = with_verdict and any(_narrowed(p) for p in points)
    columns = _first_columns(speaker, document, measurand)
    compared = measurand.output != "value"
    if with_dof:
        columns.append(column(plain("ν_eff"), weight=0.75))
    if with_limits:
        columns.append(
            column(_limits_name(speaker, measurand), unit(measurand.output_unit), "center", 1.8)
        )
    if with_acceptance:
        columns.append(
            column(speaker.say("Acceptance limits"), unit(measurand.output_unit), "center", 1.8)
        )
    if with_verdict:
        columns.append(column(speaker.say("Conclusion"), align="center"))
    rows = []
    for point in points:
        shown = point.printed
        cells: list[Words | str] = [
            shown.nominal,
            *([shown.reference, shown.indication] if compared else []),
            output_text(measurand, shown),
            shown.U + ("†" if point.cmc_applied else ""),
            shown.k,
        ]
        if with_dof:
            cells.append(_dof([point]))
        if with_limits:
            cells.append(limits_text(shown.lower, shown.upper))
        if with_acceptance:
            cells.append(_acceptance(point))
        if with_verdict:
            cells.append(speaker.say(VERDICTS[point.verdict]))
        rows.append(row(cells, "reject" if point.verdict == "fail" else ""))
    return [table(columns, rows), *_cmc_note(speaker, points)]


def batch_tables(
    speaker: Speaker,
    document: CertificateDocument,
    measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> list[Block]:
    """Return a table per point and a compact one of every piece; rejects are marked in words."""
    by_place: dict[str, list[PointResult]] = defaultdict(list)
    for point in points:
        by_place[place_of(point)].append(point)
    return [
        _batch_places(speaker, document, measurand, by_place),
        *_cmc_note(speaker, points),
        note(
            speaker.say(
                "Each column below gives the {output} at the point in its head, in {unit}.",
                output=SYMBOLS[measurand.output],
                unit=unit(measurand.output_unit) or "1",
            )
        ),
        *(
            _batch_pieces(speaker, document, measurand, {place: by_place[place] for place in part})
            for part in batch_parts(measurand, points)
        ),
    ]


def batch_parts(measurand: MeasurandWords, points: Sequence[PointResult]) -> list[tuple[str, ...]]:
    """Return the points of a batch in as many parts as tables are needed to read them."""
    widths: dict[str, int] = {}
    for point in points:
        place = place_of(point)
        longest = max(len(place), len(output_text(measurand, point.printed)))
        widths[place] = max(widths.get(place, 0), longest)
    parts: list[tuple[str, ...]] = []
    room = 0
    for place, width in widths.items():
        if width + 2 > room:
            parts.append(())
            room = BATCH_WIDTH
        parts[-1] = (*parts[-1], place)
        room -= width + 2
    return parts


def place_of(point: PointResult) -> str:
    """Return the nominal value of a point, with its visit where it was measured again."""
    return point.key.rsplit("/", 1)[-1]


def _batch_places(
    speaker: Speaker,
    document: CertificateDocument,
    measurand: MeasurandWords,
    by_place: Mapping[str, Sequence[PointResult]],
) -> Block:
    x, y = unit(measurand.unit), unit(measurand.output_unit)
    with_dof = _needs_dof([p for points in by_place.values() for p in points])
    columns = [
        column(speaker.say(POINTS[document.kind]), x, "center"),
        column(speaker.say("Reference value"), x, "center"),
        column(speaker.say("U, largest of all pieces"), y, "center"),
        column(plain("k"), align="center"),
        *([column(plain("ν_eff"), align="center")] if with_dof else []),
        column(_limits_name(speaker, measurand), y, "center"),
    ]
    rows = [
        row(
            [
                (first := points[0].printed).nominal,
                span([p.printed.reference for p in points]),
                max((p.printed.U for p in points), key=Decimal),
                span([p.printed.k for p in points]),
                *([_dof(points)] if with_dof else []),
                limits_text(first.lower, first.upper),
            ]
        )
        for points in by_place.values()
    ]
    return table(columns, rows)


def _batch_pieces(
    speaker: Speaker,
    document: CertificateDocument,
    measurand: MeasurandWords,
    by_place: Mapping[str, Sequence[PointResult]],
) -> Block:
    is_judged = document.measurement.rule.id != "none"
    columns = [column(speaker.say("Piece"), align="left")]
    columns += [column(plain(place)) for place in by_place]
    if is_judged:
        columns.append(column(speaker.say("Conclusion"), align="center"))
    verdicts = {piece.piece: piece.verdict for piece in document.result.pieces}
    outputs = {
        (p.piece, place): output_text(measurand, p.printed)
        for place, points in by_place.items()
        for p in points
    }
    rows = []
    for piece in dict.fromkeys(piece for piece, _ in outputs):
        cells: list[Words | str] = [piece_name(document, piece)]
        cells += [outputs.get((piece, place), "—") for place in by_place]
        verdict = verdicts.get(piece, "not_stated")
        if is_judged:
            cells.append(speaker.say(VERDICTS[verdict]))
        rows.append(row(cells, "reject" if verdict == "fail" else ""))
    longest = max(len(cell[0]) for one in rows for cell in one["cells"])
    is_narrow = len(by_place) <= 4 and len(rows) > 8 and longest <= NARROW_TEXT
    return table(columns, rows, side_by_side=2 if is_narrow else 1)


def piece_name(document: CertificateDocument, piece: int) -> str:
    """Return the serial or running number of a piece."""
    if 0 < piece <= len(document.item.pieces):
        return document.item.pieces[piece - 1]
    return document.item.serial or str(piece)


def _needs_dof(points: Sequence[PointResult]) -> bool:
    """Answer whether some k comes from a t-distribution, whose degrees of freedom then stand by."""
    return any(Decimal(p.printed.k) != 2 for p in points)


def _dof(points: Sequence[PointResult]) -> str:
    """Return the smallest effective degrees of freedom, truncated as for k."""
    finite = [int(p.dof) for p in points if p.dof is not None]
    if finite and min(finite) > MOST_DOF:
        return f">{MOST_DOF}"
    return str(min(finite)) if finite else "∞"


def _narrowed(point: PointResult) -> bool:
    return bool(point.acceptance) and tuple(point.acceptance) != (
        point.printed.lower or "-",
        point.printed.upper or "-",
    )


def _acceptance(point: PointResult) -> str:
    if not point.acceptance:
        return "—"
    lower, upper = (None if text == "-" else text for text in point.acceptance)
    return limits_text(lower, upper)


def _cmc_note(speaker: Speaker, points: Sequence[PointResult]) -> list[Block]:
    if not any(point.cmc_applied for point in points):
        return []
    return [
        note(
            speaker.say(
                "† Raised to the laboratory's calibration and measurement capability (CMC)."
            )
        )
    ]


def _wide(speaker: Speaker, words: Words) -> Words:
    """Return one entry per language, repeating the only one where they do not differ."""
    return words if len(words) == len(speaker.languages) else words * len(speaker.languages)
