"""The results of a DCC: one part per stage, in it one table per measurand and piece.

Tables bear the refTypes by which other programs find them; every number is the printed text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from calib.certificates.dcc_details import add_budgets, add_curves
from calib.certificates.dcc_methods import add_conditions, add_methods, add_standards
from calib.certificates.dcc_parties import piece_id
from calib.certificates.dcc_statements import CONFORMITY
from calib.certificates.dcc_xml import (
    NOT_A_NUMBER,
    Element,
    Texts,
    Uncertainty,
    Voice,
    dcc,
    numbers,
    quantity,
    worded,
    words_list,
)
from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.tables import groups_of, output_text, piece_name
from calib.certificates.wording import OUTPUTS, POINTS, STAGES, STATEMENTS
from calib.evaluation.result import PointResult
from instruments.procedure import Output

TABLE: Final = "basic_1IndexTable"
INDEX: Final = "basic_tableIndex0 basic_nominalValue"
REFERENCE: Final = "basic_referenceValue"
INDICATION: Final = "basic_measuredValue"
KINDS: Final[dict[Output, str]] = {
    "error": "basic_measurementError",
    "correction": "calib_correction",
    "relative_error": "calib_relativeError",
    "value": "basic_measuredValue",
}
"""RefType of the result each output is; what PTB's list does not name stands under our own."""
STAGE_KINDS: Final = {"as_found": "calib_asFound", "as_left": "calib_asLeft"}


def add_results(root: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append the results of every stage with how and with what they were measured."""
    parent = dcc(root, "measurementResults")
    groups = groups_of(document)
    if not groups:
        _nothing_measured(parent, voice, document)
    for stage in dict.fromkeys(stage for _, stage, _ in groups):
        measurement = dcc(parent, "measurementResult", kind=STAGE_KINDS[stage])
        worded(measurement, "name", voice.say(STAGES[stage]))
        add_methods(measurement, voice, document)
        add_standards(measurement, voice, document)
        add_conditions(measurement, voice, document)
        results = dcc(measurement, "results")
        for measurand, its_stage, points in groups:
            if its_stage != stage:
                continue
            result = dcc(results, "result", kind=f"calib_{measurand.id}")
            worded(result, "name", voice.label(measurand.name))
            data = dcc(result, "data")
            for piece, own in _by_piece(points).items():
                _table(data, voice, document, measurand, piece, own)
            add_curves(results, voice, document, measurand, stage)
            if document.include_budget:
                add_budgets(results, voice, measurand, points)


def _nothing_measured(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append what the schema asks for where an examination or the item allowed no result."""
    measurement = dcc(parent, "measurementResult")
    worded(measurement, "name", voice.say("Results"))
    add_methods(measurement, voice, document)
    add_standards(measurement, voice, document)
    add_conditions(measurement, voice, document)
    result = dcc(dcc(measurement, "results"), "result", kind="calib_nothingMeasured")
    worded(result, "name", voice.say("Results"))
    worded(dcc(result, "data"), "text", voice.say(STATEMENTS[document.result.verdict]))


def _by_piece(points: Sequence[PointResult]) -> dict[int, list[PointResult]]:
    found: dict[int, list[PointResult]] = {}
    for point in points:
        found.setdefault(point.piece, []).append(point)
    return found


def _table(
    data: Element,
    voice: Voice,
    document: CertificateDocument,
    measurand: MeasurandWords,
    piece: int,
    points: Sequence[PointResult],
) -> None:
    table = dcc(data, "list", kind=TABLE)
    table.set("refId", piece_id(piece))
    name = voice.label(measurand.name)
    worded(table, "name", _of_piece(name, piece_name(document, piece)) if piece else name)
    shown = [point.printed for point in points]
    column = quantity(table, INDEX, voice.say(POINTS[document.kind]))
    numbers(column, [p.nominal for p in shown], measurand.unit)
    if measurand.output != "value":
        column = quantity(table, REFERENCE, voice.say("Reference value"))
        numbers(column, [p.reference for p in shown], measurand.unit)
        column = quantity(table, INDICATION, voice.say("Indication"))
        numbers(column, [p.indication for p in shown], measurand.unit)
    column = quantity(table, KINDS[measurand.output], voice.say(OUTPUTS[measurand.output]))
    uncertainty = Uncertainty(
        [p.U for p in shown],
        [p.k for p in shown],
        ["normal" if point.dof is None else "t" for point in points],
    )
    numbers(
        column,
        [output_text(measurand, p) for p in shown],
        measurand.output_unit,
        uncertainty,
        difference=is_difference(measurand),
    )
    _beside(column, voice, document, measurand, points)


def is_difference(measurand: MeasurandWords) -> bool:
    """Answer whether the output is a difference, which converts without an offset."""
    return measurand.output != "value"


def _of_piece(name: Texts, piece: str) -> Texts:
    return tuple((language, f"{words} · {piece}") for language, words in name)


def _beside(
    column: Element,
    voice: Voice,
    document: CertificateDocument,
    measurand: MeasurandWords,
    points: Sequence[PointResult],
) -> None:
    """Append what is said of each result beside its value: conclusion, limits, ν_eff, CMC."""
    metadata = dcc(column, "measurementMetaData")
    is_judged = document.measurement.rule.id != "none"
    if is_judged or any(p.printed.lower or p.printed.upper for p in points):
        _conclusions(metadata, voice, measurand, points, is_judged=is_judged)
    if any(point.dof is not None for point in points):
        one = dcc(metadata, "metaData", kind="calib_effectiveDegreesOfFreedom")
        texts = ["∞" if p.dof is None else str(int(p.dof)) for p in points]
        name = voice.say("Effective degrees of freedom")
        words_list(dcc(one, "data"), "calib_effectiveDegreesOfFreedom", name, texts)
    if any(point.cmc_applied for point in points):
        one = dcc(metadata, "metaData", kind="calib_raisedToCMC")
        sentence = "† Raised to the laboratory's calibration and measurement capability (CMC)."
        worded(one, "declaration", voice.say(sentence))
        flags = ("true" if point.cmc_applied else "false" for point in points)
        dcc(one, "validXMLList", " ".join(flags))
    if not len(metadata):
        column.remove(metadata)


def _conclusions(
    metadata: Element,
    voice: Voice,
    measurand: MeasurandWords,
    points: Sequence[PointResult],
    *,
    is_judged: bool,
) -> None:
    one = dcc(metadata, "metaData", kind="basic_conformity" if is_judged else "calib_limits")
    worded(one, "declaration", voice.say("Conclusion" if is_judged else "Limits"))
    if is_judged and all(point.verdict in CONFORMITY for point in points):
        dcc(one, "conformityXMLList", " ".join(CONFORMITY[point.verdict] for point in points))
    data = dcc(one, "data")
    if is_judged:
        words_list(data, "calib_verdict", voice.say("Conclusion"), [p.verdict for p in points])
    for kind, sentence, texts in limits_of(points, is_judged=is_judged):
        column = quantity(data, kind, voice.say(sentence))
        numbers(column, texts, measurand.output_unit, difference=is_difference(measurand))
    if not len(data):
        one.remove(data)


def limits_of(
    points: Sequence[PointResult], *, is_judged: bool
) -> list[tuple[str, str, list[str]]]:
    """Return the limits that stand beside results: refType, words, texts; NaN where there is none.

    Acceptance limits stand only with a rule, and a side without any limit not at all.
    """
    sides: list[tuple[str, str, list[str | None]]] = [
        ("basic_toleranceLimitLower", "Lower limit", [p.printed.lower for p in points]),
        ("basic_toleranceLimitUpper", "Upper limit", [p.printed.upper for p in points]),
    ]
    if is_judged:
        pairs = [[None if t == "-" else t for t in p.acceptance] or [None, None] for p in points]
        sides += [
            ("basic_acceptanceLimitLower", "Lower acceptance limit", [p[0] for p in pairs]),
            ("basic_acceptanceLimitUpper", "Upper acceptance limit", [p[1] for p in pairs]),
        ]
    return [
        (kind, words, [text or NOT_A_NUMBER for text in texts])
        for kind, words, texts in sides
        if any(texts)
    ]
