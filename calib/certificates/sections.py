"""The parts of a certificate after its first page: standards, method, results, statements.

Each part is a list of blocks; which parts there are depends on the document alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from calib.certificates import figures
from calib.certificates.blocks import (
    Block,
    column,
    facts,
    figure,
    heading,
    note,
    paragraph,
    row,
    section,
    table,
)
from calib.certificates.detail_tables import budget_blocks, curve_blocks
from calib.certificates.document import CertificateDocument, Measurement, MethodDocument
from calib.certificates.statement import statement_blocks
from calib.certificates.tables import (
    batch_tables,
    groups_of,
    piece_name,
    points_table,
    title_of,
)
from calib.certificates.wording import (
    CONDITIONS,
    PLACES,
    SYMBOLS,
    Speaker,
    Words,
    document_name,
    plain,
    unit,
)
from calib.evaluation.result import PointResult

RELATES_ONLY = "The results relate only to the item or items described in this document."
NOT_IN_PART = (
    "This document may not be reproduced other than in full without the written approval of the "
    "laboratory."
)
UNCERTAINTY = (
    "U is the expanded uncertainty: the combined standard uncertainty multiplied by the coverage "
    "factor k given beside it, for a coverage probability of approximately 95 %, evaluated "
    "according to JCGM 100:2008 (GUM) and JJF 1059.1-2012. Where k is not 2 it comes from the "
    "t-distribution with ν_eff degrees of freedom. U holds for the time and the conditions of the "
    "measurement and does not include the long-term drift of the item."
)
CURVE = "Fitted curve (line), calibration points with U (dots); dashed where extrapolated."
CURVE_WITH_BAND = (
    "Fitted curve (line), U of the curve (band), calibration points with U (dots); dashed where "
    "extrapolated."
)
REPRODUCIBLE = (
    "What this document says and the frozen input of its computation are attached to the file as "
    "JSON; anyone can compute the results again."
)
TRACEABILITY = (
    "The results are traceable to the International System of Units (SI) through the measurement "
    "standards listed above and the calibration certificates named there."
)


def sections_of(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    """Return the parts that follow the first page, in order."""
    parts = [section(speaker.say("Method and conditions"), _method(speaker, document))]
    if document.result.points:  # none where an examination rejects everything
        title = speaker.say("Measurement standards used")
        parts.insert(0, section(title, _standards(speaker, document)))
        parts.append(section(speaker.say("Results"), _results(speaker, document)))
    if document.measurement.examinations:
        parts.append(section(speaker.say("Examinations"), _examinations(speaker, document)))
    parts.append(
        section(speaker.say("Statement of conformity"), statement_blocks(speaker, document))
    )
    extra = [
        ("Results of external providers", document.external_results),
        ("Opinions and interpretations", document.opinions),
        ("Remarks", document.remarks),
    ]
    parts += [
        section(speaker.say(title), [paragraph(plain(text)) for text in texts])
        for title, texts in extra
        if texts
    ]
    if document.include_budget:
        parts.append(
            section(
                speaker.say("Uncertainty budget"),
                [
                    block
                    for measurand, stage, points in groups_of(document)
                    for block in (
                        heading(
                            title_of(speaker, measurand, stage, len(document.measurement.stages))
                        ),
                        *budget_blocks(speaker, document, measurand, points),
                    )
                ],
            )
        )
    parts.append(section(speaker.say("Declarations"), _declarations(speaker, document)))
    return parts


def _standards(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    columns = [
        column(speaker.say("Name, model, serial number"), align="left", weight=1.6),
        column(speaker.say("Range and uncertainty"), align="left", weight=1.25),
        column(speaker.say("Certificate, issued by"), align="left", weight=1.35),
        column(speaker.say("Calibrated, valid until"), align="left", weight=1.05),
    ]
    rows = [
        row(
            [
                (*speaker.label(s.name), f"{s.model} · {s.serial}"),
                (s.range, s.uncertainty),
                (s.certificate_number, s.issuer),
                (s.calibrated_on, s.valid_until or "—"),
            ]
        )
        for s in document.measurement.standards
    ]
    statement = document.traceability
    words = speaker.label(statement) if statement else speaker.say(TRACEABILITY)
    return [table(columns, rows), paragraph(words)]


def _method(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    measured, item = document.measurement, document.item
    place = speaker.say(PLACES[document.place.kind])
    rows: list[tuple[Words, list[Words]]] = [
        (
            speaker.say("Governing documents"),
            [
                _document(speaker, measured, m)
                for m in measured.methods
                if m.role in {"method", "limits"}
            ],
        ),
        (
            speaker.say("Place"),
            [place, speaker.label(document.place.name), plain(document.place.address)],
        ),
    ]
    for condition in measured.conditions:
        span = condition.low
        if condition.low != condition.high:
            span = f"{condition.low} … {condition.high}"
        rows.append(
            (speaker.say(CONDITIONS[condition.quantity]), [plain(f"{span} {unit(condition.unit)}")])
        )
    if measured.acclimatisation_minutes is not None:
        rows.append(
            (
                speaker.say("Acclimatisation"),
                [plain(f"{measured.acclimatisation_minutes} min")],
            )
        )
    if item.calibration_mode:
        rows.append((speaker.say("Calibration mode used"), [plain(item.calibration_mode)]))
    rows.append(
        (
            speaker.say("Condition on receipt"),
            [plain(item.condition) if item.condition else speaker.say("Not recorded")],
        )
    )
    if document.sampling:
        rows.append((speaker.say("Sampling"), [plain(document.sampling)]))
    rows.append(
        (
            speaker.say("Additions to, deviations from the method"),
            [plain(text) for text in document.deviations] or [speaker.say("None")],
        )
    )
    return [facts([(label, [line for line in lines if any(line)]) for label, lines in rows])]


def _document(speaker: Speaker, measured: Measurement, method: MethodDocument) -> Words:
    """Return number and title of a governing document; one without a number has its title."""
    titles = speaker.label(method.title)
    name = speaker.label(document_name(measured, method.id))[0]
    return titles if titles[0] in name else (f"{name}  {titles[0]}", *titles[1:])


def _results(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    blocks: list[Block] = []
    groups = groups_of(document)
    drawn: set[str] = set()
    for measurand, stage, points in groups:
        blocks.append(
            heading(title_of(speaker, measurand, stage, len(document.measurement.stages)))
        )
        if any(point.piece for point in points):
            blocks += batch_tables(speaker, document, measurand, points)
        else:
            blocks += points_table(speaker, document, measurand, points)
        last = [g for g in groups if g[0].id == measurand.id][-1]
        if last[1] == stage and measurand.id not in drawn:
            drawn.add(measurand.id)
            everything = [p for m, _, ps in groups if m.id == measurand.id for p in ps]
            if _needs_figure(everything):
                blocks[-1]["illustrated"] = True
                caption = _caption(speaker, document, measurand.id)
                drawing = figures.error_figure(measurand, tuple(everything))
                blocks.append(figure(drawing, caption, caption))
        for curve in document.result.curves:
            if (curve.measurand, curve.stage) == (measurand.id, stage):
                blocks.append(heading(speaker.say("Fitted curve")))
                blocks += curve_blocks(speaker, document, measurand, curve)
                caption = speaker.say(CURVE_WITH_BAND if len(curve.predictions) > 1 else CURVE)
                blocks.append(
                    figure(figures.curve_figure(measurand, curve, tuple(points)), caption, caption)
                )
    blocks.append(paragraph(speaker.say(UNCERTAINTY)))
    return blocks


def _needs_figure(points: Sequence[PointResult]) -> bool:
    """Answer whether a figure shows what the rows do not; one or two points tell all in them."""
    return any(p.piece for p in points) or len({p.printed.nominal for p in points}) > 2


def _caption(speaker: Speaker, document: CertificateDocument, measurand: str) -> Words:
    points = [p for p in document.result.points if p.measurand == measurand]
    if any(p.piece for p in points):
        text = "{name}: {symbol} of every piece (dots), limits (band)."
    elif len({p.stage for p in points}) > 1:
        text = (
            "{name}: {symbol} with U as found (open circles) and as left (filled circles), "
            "limits (band)."
        )
    else:
        text = "{name}: {symbol} with U (bars), limits (band)."
    if not any(p.printed.lower or p.printed.upper for p in points):
        text = "{name}: {symbol} with U (bars)."
    words = document.measurement.measurand(measurand)
    return speaker.say(text, name=words.name, symbol=SYMBOLS[words.output])


def _examinations(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    columns = [
        column(speaker.say("Examination"), align="left", weight=2),
        column(speaker.say("Document"), align="left"),
        column(speaker.say("Outcome"), align="left"),
        column(speaker.say("Remark"), align="left"),
    ]
    rows = []
    for seen in document.measurement.examinations:
        remark = [seen.remark] if seen.remark else []
        if seen.rejected_pieces:
            remark.append(", ".join(piece_name(document, p) for p in seen.rejected_pieces))
        rows.append(
            row(
                [
                    speaker.label(seen.name),
                    speaker.label(document_name(document.measurement, seen.document)),
                    speaker.say("Requirement met" if seen.passed else "Requirement not met"),
                    "; ".join(remark) or "—",
                ],
                "" if seen.passed else "reject",
            )
        )
    return [table(columns, rows)]


def _declarations(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    made = document.provenance
    blocks = [paragraph(speaker.say(RELATES_ONLY)), paragraph(speaker.say(NOT_IN_PART))]
    if document.amendment:
        blocks.append(
            paragraph(
                speaker.say(
                    "This document replaces {number} in full. Reason: {reason}",
                    number=document.amendment.replaces,
                    reason=document.amendment.reason,
                )
            )
        )
    if document.item.customer_supplied:
        blocks.append(
            paragraph(
                speaker.say("* Supplied by the customer; the laboratory is not responsible for it.")
            )
        )
    blocks.append(paragraph(speaker.say(REPRODUCIBLE)))
    blocks.append(
        note(
            plain(
                "  ·  ".join(
                    filter(
                        None,
                        [
                            made.software,
                            f"{document.measurement.type_id} {document.measurement.type_version}",
                            f"input {document.result.input_digest[:16]}",
                            f"template {made.template_digest[:16]}" if made.template_digest else "",
                            f"fonts {made.fonts_digest[:16]}" if made.fonts_digest else "",
                            document.issued_at,
                        ],
                    )
                )
            )
        )
    )
    return blocks
