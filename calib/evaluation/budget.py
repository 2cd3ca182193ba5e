"""The components of a type and the readings into the uncertainty budget, point by point.

Arrays have the shape (components, points). The arithmetic itself is the engine's; here stands
which figure of the type, the readings or the certificate becomes which u. Knows no rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calib.engine.coverage import rounded_coverage_factor
from calib.engine.distributions import standard_uncertainty
from calib.engine.expression import Expression, parse
from calib.engine.propagation import combine
from calib.evaluation.decimals import number, optional_number, without_dust
from calib.evaluation.inputs import CalibrationInput, StandardInput
from calib.evaluation.series import Measured, Series, invalid_definition
from instruments.procedure import Component, Measurand

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Budgets:
    """Value and budget of one measurand at all its points."""

    error: FloatArray
    """Error of indication in the output unit, (points,), without binary dust."""
    reference: FloatArray
    indication: FloatArray
    item: Series
    """Readings that show the scatter of the item: its own, or where it is only set, the
    standard's."""
    c: FloatArray
    """(components, points), as the three below."""
    u_input: FloatArray
    dof_input: FloatArray
    contributions: FloatArray
    percent: FloatArray
    counted: NDArray[np.bool_]
    u: FloatArray
    dof: FloatArray
    k: FloatArray


def make_budgets(record: CalibrationInput, measured: Measured) -> Budgets:
    """Return value, sensitivities and budget at every point of one measurand.

    Raises
    ------
    Refused
        The definition does not fit together (``definition-invalid``), or a standard was read
        outside its certificate.
    EngineError
        A value or derivative is not finite at some point.
    """
    measurand = measured.measurand
    standards = {standard.key: standard for standard in record.standards}
    corrections = _corrections(measured, standards)
    values = _values(measured, corrections)
    function = _function(measurand)
    output, gradient = function.gradient(values)
    shape = (len(measurand.components), len(measured.points))
    c, u, dof = np.zeros(shape), np.zeros(shape), np.full(shape, math.inf)
    for i, component in enumerate(measurand.components):
        c[i] = gradient[component.input]
        u[i], dof[i] = _uncertainty(record, measured, component, values)
    counted = _counted(measurand, np.abs(c) * u)
    combined = combine(c, np.where(counted, u, 0.0), dof)
    reference, indication, item = _sides(measured, values, corrections)
    return Budgets(
        _errors(measurand, output, reference, indication), reference, indication, item,
        c, u, dof, np.abs(c) * u, combined.percent, counted,
        combined.u, combined.dof, rounded_coverage_factor(combined.dof),
    )  # fmt: skip


def _function(measurand: Measurand) -> Expression:
    names = dict.fromkeys((*measurand.inputs, *(c.input for c in measurand.components)))
    function = parse(measurand.function, tuple(names))
    for component in measurand.components:
        if component.input not in function.names:
            raise invalid_definition(
                measurand,
                f"component {component.id} acts on {component.input}, which the function lacks",
            )
    return function


def _corrections(measured: Measured, standards: dict[str, StandardInput]) -> dict[str, FloatArray]:
    """Corrections from certificates, by the name in the function that takes them."""
    return {
        component.input: measured.certificate(
            measured.read_on_standard(component.input), standards
        ).correction
        for component in measured.measurand.components
        if component.evaluate == "certificate"
    }


def _values(measured: Measured, corrections: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Put inputs at their means, influences at zero, corrections where certificates say."""
    none = np.zeros(len(measured.points))
    values = {component.input: none for component in measured.measurand.components}
    values |= {name: series.mean for name, series in measured.series.items()}
    return {name: value + corrections.get(name, 0.0) for name, value in values.items()}


def _sides(
    measured: Measured, values: dict[str, FloatArray], corrections: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray, Series]:
    """Corrected reference, mean indication and the readings that show the item's scatter."""
    standard, item = measured.only("standard"), measured.only("item")
    set_value = measured.only("nominal")
    reference, indication = standard or set_value, item or set_value
    if reference is None or indication is None or reference == indication:
        raise invalid_definition(
            measured.measurand, "its inputs do not tell one reference and one indication"
        )
    corrected = values[reference]
    for name, correction in corrections.items():
        if name != reference and measured.read_on_standard(name) == reference:
            corrected = corrected + correction
    return corrected, measured.series[indication].mean, measured.series[item or reference]


def _errors(
    measurand: Measurand, output: FloatArray, reference: FloatArray, indication: FloatArray
) -> FloatArray:
    """Return the error, cleared of what the subtraction of doubles leaves."""
    error = -output if measurand.output == "correction" else output
    scale = np.maximum(np.abs(reference), np.abs(indication))
    if measurand.output == "relative_error":
        scale = np.full(len(reference), 100.0)
    pairs = zip(np.broadcast_to(error, scale.shape).tolist(), scale.tolist(), strict=True)
    return np.array([float(without_dust(*pair)) for pair in pairs])


def _uncertainty(
    record: CalibrationInput,
    measured: Measured,
    component: Component,
    values: dict[str, FloatArray],
) -> tuple[FloatArray | float, FloatArray | float]:
    """Return standard uncertainty and degrees of freedom of a component at all points."""
    measurand = measured.measurand
    stated = optional_number(component.dof, math.inf)
    if component.evaluate == "A":
        return _type_a(measured, component)
    if component.evaluate == "certificate":
        standards = {standard.key: standard for standard in record.standards}
        found = measured.certificate(measured.read_on_standard(component.input), standards)
        return found.u, found.dof
    if component.evaluate == "resolution":
        half = number(record.item.resolution[measurand.id]) / 2
        return standard_uncertainty("rectangular", half_width=half), stated
    if component.u is not None:
        return number(component.u), stated
    if component.U is not None and component.k is not None:
        return number(component.U) / number(component.k), stated
    if component.half_width is None and component.relative_half_width is None:
        raise invalid_definition(measurand, f"component {component.id} states no figure")
    half_width = np.full(len(measured.points), optional_number(component.half_width, 0.0))
    if component.relative_half_width is not None:
        if component.of not in values:
            raise invalid_definition(
                measurand, f"component {component.id} is a part of {component.of}, no input"
            )
        half_width += number(component.relative_half_width) * np.abs(values[component.of])
    return half_width * standard_uncertainty(component.distribution, half_width=1.0), stated


def _type_a(measured: Measured, component: Component) -> tuple[FloatArray, FloatArray]:
    """s/sqrt(n), or the recorded repeatability where readings are fewer than it asks."""
    series = measured.series.get(component.input)
    if series is None:
        raise invalid_definition(
            measured.measurand, f"component {component.id} is type A of {component.input}, no input"
        )
    s, dof = series.s, np.maximum(series.n - 1, 1.0)
    if component.pooled is not None:
        few = series.n < component.pooled.below
        recorded = number(component.pooled.s) * (
            np.abs(series.mean) if component.pooled.relative else 1.0
        )
        s = np.where(few, recorded, s)
        dof = np.where(few, number(component.pooled.dof), dof)
    return s / np.sqrt(series.n), dof


def _counted(measurand: Measurand, contributions: FloatArray) -> NDArray[np.bool_]:
    """Of components that describe the same effect only the largest counts, point by point."""
    counted = np.ones(contributions.shape, dtype=np.bool_)
    for group in {c.group for c in measurand.components} - {None}:
        rows = [i for i, c in enumerate(measurand.components) if c.group == group]
        largest = np.argmax(contributions[rows], axis=0)
        counted[rows] = np.arange(len(rows))[:, None] == largest
    return counted
