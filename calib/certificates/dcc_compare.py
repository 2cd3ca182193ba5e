"""The finished DCC is read again and compared with the document it was made from.

It is opened as a stranger would open it and walked by its own paths, not by the functions that
wrote it: every number, unit, k and mark of the document must stand there, and no other number may.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from calib.certificates.dcc_numbers import Numbers, table_missing, text_differs, unreadable
from calib.certificates.dcc_parsing import parse
from calib.certificates.dcc_xml import NAMESPACES, Element
from calib.certificates.detail_tables import budget_points, short
from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.wording import Speaker
from calib.evaluation.result import CurveResult, PointResult
from instruments.errors import DomainError, Finding
from instruments.text import LocalizedText

_ADMIN: Final = "dcc:administrativeData/"
_CORE: Final = _ADMIN + "dcc:coreData/dcc:"
_RESULT: Final = "dcc:measurementResults/dcc:measurementResult"
_VALUE: Final = "dcc:identifications/dcc:identification/dcc:value"
_SAID: Final = "/dcc:content"
_BESIDE: Final = "dcc:measurementMetaData/dcc:metaData"
_COLUMNS: Final = {
    "error": "basic_measurementError",
    "correction": "calib_correction",
    "relative_error": "calib_relativeError",
    "value": "basic_measuredValue",
}
_VERDICTS: Final = {
    "pass": "pass",
    "conditional_pass": "conditionalPass",
    "undetermined": "noPass",
    "conditional_fail": "conditionalFail",
    "fail": "fail",
}


def compare(document: CertificateDocument, content: bytes) -> tuple[Finding, ...]:
    """Return every difference between the document and its DCC; all of them are errors."""
    try:
        root = parse(content)
    except DomainError as problem:
        return (unreadable(problem),)
    numbers = Numbers(root)
    return (
        *_texts(document, root),
        *_simulated(document, root),
        *_statements(document, root, numbers),
        *_conditions(document, root, numbers),
        *_results(document, root, numbers),
        *numbers.unexpected(),
    )


def _texts(document: CertificateDocument, root: Element) -> Iterator[Finding]:
    """Compare who, what and when; every list in full, so that nothing may stand there besides."""
    for path, expected in (
        *_core(document),
        *_of_item(document),
        *_parties(document),
        *_standards(document),
        *_written(document),
    ):
        wanted = [text.strip() for text in expected if text.strip()]
        found = [(e.text or "").strip() for e in root.iterfind(path, NAMESPACES)]
        if found != wanted:
            yield text_differs(
                name=path.replace("dcc:", ""),
                expected="; ".join(wanted) or "—",
                got="; ".join(found) or "—",
            )


def _in_languages(document: CertificateDocument, text: LocalizedText) -> list[str]:
    return [text.text(language) for language in Speaker.of(document.language).languages]


def _core(document: CertificateDocument) -> Iterator[tuple[str, Sequence[str]]]:
    replaced = document.amendment.replaces if document.amendment else ""
    place = {"customer_site": "customer", "other_site": "other"}
    yield _CORE + "uniqueIdentifier", [document.number]
    yield (
        _CORE + "identifications/dcc:identification/dcc:value",
        [
            document.order_number,
            document.address,
        ],
    )
    yield _CORE + "receiptDate", [document.received_on]
    yield _CORE + "beginPerformanceDate", [document.performed_from]
    yield _CORE + "endPerformanceDate", [document.performed_on]
    yield _CORE + "issueDate", [document.issued_on]
    yield _CORE + "performanceLocation", [place.get(document.place.kind, document.place.kind)]
    yield _CORE + "reportAmendedSubstituted/dcc:replacedUniqueIdentifier", [replaced]


def _of_item(document: CertificateDocument) -> Iterator[tuple[str, Sequence[str]]]:
    item, items = document.item, _ADMIN + "dcc:items/"
    pieces = max(1, len(item.pieces))
    names = _in_languages(document, item.name)
    marks = [item.asset_number, item.barcode]
    own = [item.serial, *marks]
    yield items + "dcc:item/dcc:name" + _SAID, names * pieces
    yield items + "dcc:item/dcc:model", [item.model] * pieces
    if item.pieces:
        yield items + "dcc:item/" + _VALUE, item.pieces
        yield items + _VALUE, marks
        yield items + "dcc:manufacturer/dcc:name" + _SAID, [item.maker]
    else:
        yield items + "dcc:item/" + _VALUE, own if any(own) else [document.number]
        yield items + "dcc:item/dcc:manufacturer/dcc:name" + _SAID, [item.maker]


def _parties(document: CertificateDocument) -> Iterator[tuple[str, Sequence[str]]]:
    lab, laboratory = document.lab, _ADMIN + "dcc:calibrationLaboratory/"
    roles = ("authorised", "reviewed", "performed")
    persons = [p for role in roles for p in document.persons if p.role == role]
    person = _ADMIN + "dcc:respPersons/dcc:respPerson/dcc:"
    yield laboratory + "dcc:contact/dcc:name" + _SAID, _in_languages(document, lab.name)
    yield laboratory + "dcc:calibrationLaboratoryCode", [lab.accreditation]
    yield laboratory + "dcc:cryptElectronicSeal", ["true" if document.seal == "sealed" else "false"]
    yield person + "person/dcc:name" + _SAID, [p.name for p in persons]
    yield person + "role", [p.role for p in persons]
    customer = _in_languages(document, document.customer.name)
    yield _ADMIN + "dcc:customer/dcc:name" + _SAID, customer


def _standards(document: CertificateDocument) -> Iterator[tuple[str, Sequence[str]]]:
    times = max(1, len({point.stage for point in document.result.points}))
    used = document.measurement.standards * times
    equipment = _RESULT + "/dcc:measuringEquipments/dcc:measuringEquipment/"
    said = [text for s in used for text in (s.range, s.uncertainty)]
    dates = [text for s in used for text in (s.calibrated_on, s.valid_until or "")]
    certificate = equipment + "dcc:certificate/dcc:"
    yield equipment + "dcc:model", [s.model for s in used]
    yield equipment + _VALUE, [mark for s in used for mark in (s.serial, s.key)]
    yield equipment + "dcc:description" + _SAID, said
    yield certificate + "referralID", [s.certificate_number for s in used]
    if all(s.certificate_number.strip() for s in used):
        yield certificate + "description" + _SAID, dates
    methods = [
        *(["JCGM 100:2008", "JJF 1059.1-2012"] if document.result.points else []),
        *(m.id for m in document.measurement.methods),
    ]
    yield _RESULT + "/dcc:usedMethods/dcc:usedMethod/dcc:norm", methods * times


def _written(document: CertificateDocument) -> Iterator[tuple[str, Sequence[str]]]:
    """Compare what people wrote in their own words, and what says that nothing was measured."""
    statement = _ADMIN + "dcc:statements/dcc:statement[@refType='calib_%s']/dcc:declaration" + _SAID
    for kind, texts in (
        ("deviation", document.deviations),
        ("sampling", (document.sampling,)),
        ("externalResult", document.external_results),
        ("opinion", document.opinions),
        ("remark", document.remarks),
    ):
        yield statement % kind, texts
    described = "dcc:description" + _SAID
    items = _ADMIN + ("dcc:items/" if document.item.pieces else "dcc:items/dcc:item/")
    yield items + described, (document.item.condition, document.item.calibration_mode)
    further = "dcc:location/dcc:further" + _SAID
    customer, lab = document.customer, document.lab
    yield _ADMIN + "dcc:customer/" + further, (customer.address, customer.contact)
    contact = _ADMIN + "dcc:calibrationLaboratory/dcc:contact/"
    yield contact + further, _in_languages(document, lab.address)
    yield contact + "dcc:eMail", (lab.email,)
    yield contact + "dcc:phone", (lab.phone,)


def _simulated(document: CertificateDocument, root: Element) -> Iterator[Finding]:
    """Compare whether the file says that its readings were simulated."""
    path = _ADMIN + "dcc:statements/dcc:statement[@refType='calib_simulated']"
    is_said = root.find(path, NAMESPACES) is not None
    is_meant = document.simulated
    if is_said != is_meant:
        yield text_differs("calib_simulated", is_meant, is_said)


def _statements(
    document: CertificateDocument, root: Element, numbers: Numbers
) -> Iterator[Finding]:
    """Compare the conclusions and dates that a program would act on."""
    measured, verdict = document.measurement, document.result.verdict
    rejects = any(p.piece and p.verdict != "pass" for p in document.result.pieces)
    is_said = measured.rule.id != "none" and not (verdict == "pass" and rejects)
    word = _VERDICTS.get(verdict) if is_said else None
    outcomes = ["pass" if seen.passed else "fail" for seen in measured.examinations]
    agreed = document.next_due_on if document.interval_agreed else None
    for kind, name, expected in (
        ("basic_conformity", "conformity", [word] if word else []),
        ("basic_conformity", "convention", [measured.rule.id]),
        ("calib_examination", "conformity", outcomes),
        ("calib_validUntil", "date", [document.valid_until] if document.valid_until else []),
        ("basic_recalibration", "date", [agreed] if agreed else []),
    ):
        path = f"{_ADMIN}dcc:statements/dcc:statement[@refType='{kind}']/dcc:{name}"
        yield from numbers.words(root, path, expected)


def _conditions(
    document: CertificateDocument, root: Element, numbers: Numbers
) -> Iterator[Finding]:
    kinds = {
        "temperature": "basic_temperature",
        "relative_humidity": "basic_humidityRelative",
        "pressure": "calib_pressure",
    }
    for measurement in root.iterfind(_RESULT, NAMESPACES):
        for one in document.measurement.conditions:
            kind = kinds[one.quantity]
            path = f"dcc:influenceConditions/dcc:influenceCondition[@refType='{kind}']/dcc:data"
            for end, text in (("Min", one.low), ("Max", one.high)):
                yield from numbers.value(measurement, path, kind + end, text, one.unit)
        minutes = document.measurement.acclimatisation_minutes
        if minutes is not None:
            kind = "calib_acclimatisation"
            path = f"dcc:influenceConditions/dcc:influenceCondition[@refType='{kind}']/dcc:data"
            yield from numbers.value(measurement, path, kind, str(minutes), "min")


def _results(document: CertificateDocument, root: Element, numbers: Numbers) -> Iterator[Finding]:
    """Compare every table, curve and budget, each found by where it stands."""
    for stage, part in (("as_found", "calib_asFound"), ("as_left", "calib_asLeft")):
        results = f"{_RESULT}[@refType='{part}']/dcc:results/dcc:result"
        points = [point for point in document.result.points if point.stage == stage]
        for name in dict.fromkeys(point.measurand for point in points):
            measurand = document.measurement.measurand(name)
            own = [point for point in points if point.measurand == name]
            pieces = list(dict.fromkeys(point.piece for point in own))
            path = f"{results}[@refType='calib_{name}']/dcc:data/dcc:list"
            tables = root.findall(path, NAMESPACES)
            if len(tables) != len(pieces):
                yield table_missing(f"{name}/{stage}", len(tables))
            for piece, table in zip(pieces, tables, strict=False):
                rows = [point for point in own if point.piece == piece]
                if table.get("refId") != (f"piece-{piece}" if piece else "item"):
                    yield table_missing(f"{name}/{stage}/{piece}", 0)
                yield from _table(document, table, measurand, rows, numbers)
        curves = [curve for curve in document.result.curves if curve.stage == stage]
        yield from _curves(
            document,
            curves,
            root.findall(f"{results}[@refType='calib_curve']", NAMESPACES),
            numbers,
        )
        if document.include_budget:
            found = root.findall(f"{results}[@refType='calib_budget']", NAMESPACES)
            yield from _budgets(document, points, found, numbers)


def _table(
    document: CertificateDocument,
    table: Element,
    measurand: MeasurandWords,
    points: Sequence[PointResult],
    numbers: Numbers,
) -> Iterator[Finding]:
    shown = [point.printed for point in points]
    x, y = measurand.unit, measurand.output_unit
    index = "basic_tableIndex0 basic_nominalValue"
    yield from numbers.column(table, index, [p.nominal for p in shown], x)
    texts = {
        "error": [p.error for p in shown],
        "value": [p.error for p in shown],
        "relative_error": [p.error for p in shown],
        "correction": [p.correction for p in shown],
    }[measurand.output]
    if measurand.output != "value":
        yield from numbers.column(table, "basic_referenceValue", [p.reference for p in shown], x)
        yield from numbers.column(table, "basic_measuredValue", [p.indication for p in shown], x)
    kind, is_difference = _COLUMNS[measurand.output], measurand.output != "value"
    stated = ([p.U for p in shown], [p.k for p in shown])
    yield from numbers.column(table, kind, texts, y, stated, difference=is_difference)
    found = table.find(f"dcc:quantity[@refType='{kind}']", NAMESPACES)
    if found is None:
        return  # said already
    is_judged = document.measurement.rule.id != "none"
    yield from _conclusions(found, points, numbers, is_judged=is_judged)
    part = "basic_conformity" if is_judged else "calib_limits"
    sides = _sides(points, is_judged=is_judged)
    data = found.find(f"{_BESIDE}[@refType='{part}']/dcc:data", NAMESPACES)
    for name, limits in sides.items():
        parent = found if data is None else data
        yield from numbers.column(parent, name, limits, y, difference=is_difference)


def _conclusions(
    column: Element, points: Sequence[PointResult], numbers: Numbers, *, is_judged: bool
) -> Iterator[Finding]:
    words = [_VERDICTS.get(point.verdict) for point in points]
    is_said = is_judged and None not in words
    path = f"{_BESIDE}/dcc:conformityXMLList"
    yield from numbers.words(column, path, [w for w in words if w] if is_said else [])
    chars = f"{_BESIDE}[@refType='%s']/dcc:data/dcc:quantity[@refType='%s']/dcc:charsXMLList"
    verdicts = [point.verdict for point in points] if is_judged else []
    path = chars % ("basic_conformity", "calib_verdict")
    yield from numbers.words(column, path, verdicts)
    finite = any(point.dof is not None for point in points)
    dof = ["∞" if point.dof is None else str(int(point.dof)) for point in points] if finite else []
    name = "calib_effectiveDegreesOfFreedom"
    yield from numbers.words(column, chars % (name, name), dof)
    raised = ["true" if point.cmc_applied else "false" for point in points]
    path = f"{_BESIDE}[@refType='calib_raisedToCMC']/dcc:validXMLList"
    yield from numbers.words(column, path, raised if "true" in raised else [])


def _sides(points: Sequence[PointResult], *, is_judged: bool) -> dict[str, list[str]]:
    sides: dict[str, list[str | None]] = {
        "basic_toleranceLimitLower": [point.printed.lower for point in points],
        "basic_toleranceLimitUpper": [point.printed.upper for point in points],
    }
    if is_judged:
        for place, end in enumerate(("Lower", "Upper")):
            texts = [point.acceptance[place] if point.acceptance else "-" for point in points]
            sides[f"basic_acceptanceLimit{end}"] = [None if t == "-" else t for t in texts]
    return {k: [t or "NaN" for t in texts] for k, texts in sides.items() if any(texts)}


def _curves(
    document: CertificateDocument,
    curves: Sequence[CurveResult],
    results: Sequence[Element],
    numbers: Numbers,
) -> Iterator[Finding]:
    order = list(dict.fromkeys(point.measurand for point in document.result.points))
    curves = sorted(curves, key=lambda curve: order.index(curve.measurand))
    if len(results) != len(curves):
        yield table_missing("curve", len(results))
    for curve, result in zip(curves, results, strict=False):
        measurand = document.measurement.measurand(curve.measurand)
        x, y = measurand.unit, measurand.output_unit
        data = result[-1]
        ends = [short(curve.low, 6), short(curve.high, 6)]
        yield from numbers.column(data, "calib_curveOrigin", [curve.origin], x)
        yield from numbers.column(data, "calib_curveRange", ends, x)
        printed = [parameter.printed for parameter in curve.parameters]
        yield from numbers.parameters(data, "calib_curveParameter", printed, x, y)
        table = data.find("dcc:list", NAMESPACES)
        if table is None or not curve.predictions:
            continue
        stated = (
            [p.printed_U for p in curve.predictions],
            [f"{p.k:.2f}" for p in curve.predictions],
        )
        kind = "calib_correction" if curve.y == "correction" else "basic_measurementError"
        values = [p.printed_value for p in curve.predictions]
        yield from numbers.column(table, "basic_tableIndex0", [p.x for p in curve.predictions], x)
        yield from numbers.column(table, kind, values, y, stated, difference=True)
        beyond = ["true" if p.extrapolated else "false" for p in curve.predictions]
        path = f"dcc:quantity/{_BESIDE}/dcc:validXMLList"
        yield from numbers.words(table, path, beyond if "true" in beyond else [])


def _budgets(
    document: CertificateDocument,
    points: Sequence[PointResult],
    results: Sequence[Element],
    numbers: Numbers,
) -> Iterator[Finding]:
    by_measurand: dict[str, list[PointResult]] = {}
    for point in points:
        by_measurand.setdefault(point.measurand, []).append(point)
    chosen = [p for own in by_measurand.values() for p in budget_points(own).values()]
    if len(results) != len(chosen):
        yield table_missing("budget", len(results))
    for point, result in zip(chosen, results, strict=False):
        y = document.measurement.measurand(point.measurand).output_unit
        lines = point.budget
        lists = {
            "calib_component": [line.component for line in lines],
            "calib_u": [short(line.u) for line in lines],
            "calib_c": [short(line.c) for line in lines],
            "calib_degreesOfFreedom": ["∞" if n.dof is None else short(n.dof) for n in lines],
            "calib_share": [f"{n.percent:.1f}" if n.counted else "—" for n in lines],
        }
        for kind, texts in lists.items():
            path = f"dcc:data/dcc:list/dcc:quantity[@refType='{kind}']/dcc:charsXMLList"
            yield from numbers.words(result, path, texts)
        table = result.find("dcc:data/dcc:list", NAMESPACES)
        if table is not None:
            shares = [short(line.contribution) for line in lines]
            yield from numbers.column(table, "calib_contribution", shares, y, difference=True)
        combined = [point.printed.u]
        yield from numbers.column(
            result[-1], "calib_combinedUncertainty", combined, y, difference=True
        )
