"""Fitted curves and uncertainty budgets in a DCC, each a result of its own beside the tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from calib.certificates.dcc_units import unit_over_power
from calib.certificates.dcc_xml import (
    Element,
    Uncertainty,
    Voice,
    contents,
    dcc,
    numbers,
    quantity,
    same,
    si,
    worded,
    words_list,
)
from calib.certificates.detail_tables import budget_points, short
from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.wording import unit
from calib.evaluation.result import CurveResult, PointResult

CURVE: Final = "calib_curve"
BUDGET: Final = "calib_budget"
_CONCISE = re.compile(r"(-?\d+(?:\.(\d+))?)\((\d+)\)")


def add_curves(
    results: Element,
    voice: Voice,
    document: CertificateDocument,
    measurand: MeasurandWords,
    stage: str,
) -> None:
    """Append every curve fitted over the points of a measurand and stage."""
    for curve in document.result.curves:
        if (curve.measurand, curve.stage) != (measurand.id, stage):
            continue
        result = dcc(results, "result", kind=CURVE)
        worded(result, "name", voice.say("Fitted curve"))
        data = dcc(result, "data")
        origin = quantity(data, "calib_curveOrigin", voice.say("Origin x₀"))
        numbers(origin, [curve.origin], measurand.unit)
        ends = quantity(data, "calib_curveRange", voice.say("Range of x covered"))
        numbers(ends, [short(curve.low, 6), short(curve.high, 6)], measurand.unit)
        for power, parameter in enumerate(curve.parameters):
            one = quantity(data, "calib_curveParameter", same(parameter.name))
            _parameter(one, parameter.printed, measurand, power)
        if curve.predictions:
            _predictions(data, voice, measurand, curve)


def _parameter(one: Element, printed: str, measurand: MeasurandWords, power: int) -> None:
    """Append a coefficient; as words where D-SI cannot spell its unit."""
    spelled = unit_over_power(measurand.output_unit, measurand.unit, power)
    value = split_concise(printed)
    if spelled is None or value is None:
        below = f"/{unit(measurand.unit)}^{power}" if power else ""
        words = f"{printed} {unit(measurand.output_unit)}{below}"
        contents(dcc(one, "noQuantity"), same(words))
        return
    real = si(one, "real")
    si(real, "value", value[0])
    si(real, "unit", spelled)
    standard = si(si(real, "measurementUncertaintyUnivariate"), "standardMU")
    si(standard, "valueStandardMU", value[1])


def split_concise(printed: str) -> tuple[str, str] | None:
    """Return value and standard uncertainty of ``-0.1712(29)``, the second written out."""
    match = _CONCISE.fullmatch(printed)
    if match is None:
        return None
    return match[1], f"{Decimal(match[3]).scaleb(-len(match[2] or '')):f}"


def _predictions(
    data: Element, voice: Voice, measurand: MeasurandWords, curve: CurveResult
) -> None:
    table = dcc(data, "list", kind="basic_1IndexTable calib_curvePredictions")
    found = curve.predictions
    numbers(quantity(table, "basic_tableIndex0", same("x")), [p.x for p in found], measurand.unit)
    name = "Correction" if curve.y == "correction" else "Error of indication"
    kind = "calib_correction" if curve.y == "correction" else "basic_measurementError"
    column = quantity(table, kind, voice.say(name))
    uncertainty = Uncertainty(
        [p.printed_U for p in found], [f"{p.k:.2f}" for p in found], ["normal"] * len(found)
    )
    values = [p.printed_value for p in found]
    numbers(column, values, measurand.output_unit, uncertainty, difference=True)
    if any(p.extrapolated for p in found):
        metadata = dcc(column, "measurementMetaData")
        one = dcc(metadata, "metaData", kind="calib_extrapolated")
        sentence = "* Extrapolated: outside the range of x the calibration points cover."
        worded(one, "declaration", voice.say(sentence))
        dcc(one, "validXMLList", " ".join("true" if p.extrapolated else "false" for p in found))


def add_budgets(
    results: Element, voice: Voice, measurand: MeasurandWords, points: Sequence[PointResult]
) -> None:
    """Append the budget of each point that a page would show, line by line."""
    names = {component.id: component.name for component in measurand.components}
    for place, point in budget_points(points).items():
        result = dcc(results, "result", kind=BUDGET)
        title = voice.say("Uncertainty budget")
        worded(result, "name", tuple((lang, f"{text} · {place}") for lang, text in title))
        described = dcc(result, "description")
        for line in point.budget:
            if line.component in names:
                contents(described, voice.label(names[line.component]), f"calib_{line.component}")
        if not len(described):
            result.remove(described)
        data = dcc(result, "data")
        lines = point.budget
        if lines:
            table = dcc(data, "list", kind=BUDGET)
            _lines(table, voice, measurand, point)
        combined = quantity(data, "calib_combinedUncertainty", voice.say("Combined"))
        numbers(combined, [point.printed.u], measurand.output_unit, difference=True)


def _lines(table: Element, voice: Voice, measurand: MeasurandWords, point: PointResult) -> None:
    """Append the lines as lists; u(x) and c have units of their own and stand as words."""
    lines = point.budget
    component = voice.say("Component")
    words_list(table, "calib_component", component, [line.component for line in lines])
    words_list(table, "calib_u", same("u(x)"), [short(line.u) for line in lines])
    words_list(table, "calib_c", same("c"), [short(line.c) for line in lines])
    column = quantity(table, "calib_contribution", same("|c| u(x)"))
    contributions = [short(line.contribution) for line in lines]
    numbers(column, contributions, measurand.output_unit, difference=True)
    dof = ["∞" if line.dof is None else short(line.dof) for line in lines]
    words_list(table, "calib_degreesOfFreedom", same("ν"), dof)
    shares = [f"{line.percent:.1f}" if line.counted else "—" for line in lines]
    words_list(table, "calib_share", voice.say("Share"), shares)
