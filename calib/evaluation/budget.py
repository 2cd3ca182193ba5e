"""The components of a type and the readings into the uncertainty budget, at all points at once.

Arrays have the shape (components, points); the points may be those of many records. The arithmetic
itself is the engine's; here stands which figure of the type, the readings or the certificate
becomes which u. Knows no rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calib.engine.coverage import rounded_coverage_factor
from calib.engine.distributions import standard_uncertainty
from calib.engine.expression import Expression, parse
from calib.engine.propagation import combine
from calib.engine.statistics import moments
from calib.evaluation.decimals import number, numbers, optional_number, without_dust
from calib.evaluation.derived import Derived, derive, parameter
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.series import Measured, Series, invalid_definition
from instruments.choosing import resolution_for
from instruments.errors import Refused
from instruments.procedure import READ, Component, Measurand

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


@dataclass(frozen=True, slots=True)
class Model:
    """A measurement function with the estimates of everything in it, at every point."""

    function: Expression
    values: Mapping[str, FloatArray]
    derived: Mapping[str, Derived]
    corrections: Mapping[str, FloatArray]


def model_of(measured: Measured) -> Model:
    """Return the measurement function and what stands in it.

    Raises as `make_budgets`.
    """
    corrections = _corrections(measured)
    derived = derive(measured, _behind_derived(measured, corrections))
    values = _values(measured, corrections) | {n: d.value for n, d in derived.items()}
    return Model(_function(measured.measurand), values, derived, corrections)


def make_budgets(measured: Measured, scales: Mapping[str, float] | None = None) -> Budgets:
    """Return value, sensitivities and budget at every point of one measurand.

    `scales` multiplies the standard uncertainty of components, to see what would be if.

    Raises
    ------
    Refused
        The definition does not fit together (``definition-invalid``), or a standard was read
        outside its certificate.
    EngineError
        A value or derivative is not finite at some point.
    """
    measurand, model = measured.measurand, model_of(measured)
    function, values, derived = model.function, model.values, model.derived
    output, gradient = function.gradient({n: values[n] for n in function.names})
    slopes = _through(gradient, derived)
    shape = (len(measurand.components), len(measured.points))
    c, u, dof = np.zeros(shape), np.zeros(shape), np.full(shape, math.inf)
    for i, component in enumerate(measurand.components):
        c[i] = slopes[component.input]
        shown = component.input in derived and not component.scatter_of
        if component.evaluate == "A" and shown:
            u[i], dof[i] = derived[component.input].u, derived[component.input].dof
        else:
            u[i], dof[i] = _uncertainty(measured, component, values)
        u[i] *= (scales or {}).get(component.id, 1.0)
    held = _held(measured)
    u = np.where(held, u, 0.0)
    counted = held & _counted(measurand, np.abs(c) * u)
    combined = combine(c, np.where(counted, u, 0.0), dof)
    if measurand.output == "value":
        reference = measured.nominal
        indication, item = np.broadcast_to(output, reference.shape), _most_read(measured, function)
    else:
        reference, indication, item = _sides(measured, model)
    return Budgets(
        _errors(measurand, output, reference, indication), reference, indication, item,
        c, u, dof, np.abs(c) * u, combined.percent, counted,
        combined.u, combined.dof, rounded_coverage_factor(combined.dof),
    )  # fmt: skip


def _function(measurand: Measurand) -> Expression:
    names = dict.fromkeys((*measurand.inputs, *(c.input for c in measurand.components)))
    function = parse(measurand.function, tuple(names))
    behind = {of for n in function.names for of in _arguments(measurand, n)}
    for component in measurand.components:
        if component.input not in function.names and component.input not in behind:
            raise invalid_definition(
                measurand,
                f"component {component.id} acts on {component.input}, which the function lacks",
            )
    return function


def _arguments(measurand: Measurand, name: str) -> tuple[str, ...]:
    """Return the arguments of a function, through which a slope leads."""
    entered = measurand.inputs.get(name)
    return entered.of if entered is not None and (entered.reference or entered.function) else ()


def _through(
    gradient: Mapping[str, FloatArray], derived: Mapping[str, Derived]
) -> dict[str, FloatArray]:
    """Give the slope by every name, also through what is derived of it."""
    slopes = dict(gradient)
    for name, one in derived.items():
        for of, slope in one.slopes.items():
            slopes[of] = slopes.get(of, 0.0) + gradient.get(name, 0.0) * slope
    return slopes


def _behind_derived(
    measured: Measured, corrections: Mapping[str, FloatArray]
) -> dict[str, dict[str, FloatArray]]:
    """Corrections of what is behind a derived input, by it and by the input corrected."""
    measurand = measured.measurand
    found = {
        name: {of: corrections[of] for of in quantity.of if of in corrections}
        for name, quantity in measurand.inputs.items()
    }
    for component in measurand.components:
        if component.evaluate == "certificate" and component.of is not None:
            found[component.of] = {
                name: measured.certificate(name).correction
                for name in measurand.inputs[component.of].of
                if measurand.inputs[name].source == "standard"
            }
    return found


def _corrections(measured: Measured) -> dict[str, FloatArray]:
    """Corrections from certificates, by the name in the function that takes them."""
    return {
        component.input: measured.certificate(measured.read_on_standard(component.input)).correction
        for component in measured.measurand.components
        if component.evaluate == "certificate" and component.of is None
    }


def _values(measured: Measured, corrections: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Put inputs at their means, influences at zero, corrections where certificates say."""
    none = np.zeros(len(measured.points))
    values = {component.input: none for component in measured.measurand.components}
    values |= {name: series.mean for name, series in measured.series.items()}
    return {name: value + corrections.get(name, 0.0) for name, value in values.items()}


def _sides(measured: Measured, model: Model) -> tuple[FloatArray, FloatArray, Series]:
    """Corrected reference, mean indication and the readings that show the item's scatter."""
    function, derived, corrections = model.function, model.derived, model.corrections
    standard, item = measured.only("standard"), measured.only("item")
    set_value, said = measured.only("nominal"), measured.measurand
    reference = said.reference or standard or set_value
    indication = said.indication or item or set_value
    if reference is None or indication is None or reference == indication:
        raise invalid_definition(
            measured.measurand, "its inputs do not tell one reference and one indication"
        )
    corrected = model.values[reference]
    for name, correction in corrections.items():
        if name != reference and measured.read_on_standard(name) == reference:
            corrected = corrected + correction
    shown = _mean(measured, derived, indication)
    item = next((n for n in _read_for(said, indication) if said.inputs[n].source == "item"), item)
    if item is None:
        behind = (n for n in _read_for(said, reference) if n in measured.series)
        scatter = next(behind, None)
        read = measured.series[scatter] if scatter else _most_read(measured, function)
        return corrected, shown, read
    read = measured.series[item]
    slope = derived[indication].slopes.get(item) if indication in derived else None
    if slope is not None:
        read = Series(shown, np.abs(slope) * read.s, read.n)
    return corrected, shown, read


def _read_for(measurand: Measurand, name: str) -> tuple[str, ...]:
    """Return the input itself and those it is derived of."""
    entered = measurand.inputs[name]
    return (name, *entered.of) if entered.source == "derived" else (name,)


def _mean(measured: Measured, derived: Mapping[str, Derived], name: str) -> FloatArray:
    return derived[name].value if name in derived else measured.series[name].mean


def _most_read(measured: Measured, function: Expression) -> Series:
    """Return the readings a value rests on: those the type takes most of, first in its function."""
    inputs, usual = measured.measurand.inputs, measured.measurand.points.readings
    named = [str(leaf) for op, _, leaf in function.steps if op == "name" and leaf in inputs]
    read = [
        n for name in named for n in _read_for(measured.measurand, name) if n in measured.series
    ]
    read = [n for n in read if inputs[n].source in READ] or list(measured.readings)
    return measured.series[max(read, key=lambda n: inputs[n].readings or usual)]


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
    measured: Measured,
    component: Component,
    values: Mapping[str, FloatArray],
) -> tuple[FloatArray | float, FloatArray | float]:
    """Return standard uncertainty and degrees of freedom of a component at all points."""
    measurand = measured.measurand
    stated = optional_number(component.dof, math.inf)
    if component.evaluate == "A":
        return _type_a(measured, component)
    if component.evaluate == "certificate":
        if component.of is not None:
            return _largest(measured, component.of)
        found = measured.certificate(measured.read_on_standard(component.input))
        return found.u, found.dof
    if component.evaluate == "resolution":
        return measured.of_records(lambda record: _of_resolution(record, measurand)), stated
    if component.u is not None:
        return number(component.u), stated
    if component.k is not None:
        U = np.full(len(measured.points), optional_number(component.U, 0.0))
        if component.relative_U is not None:
            of = np.abs(_part_of(measured, component, values))
            U += number(component.relative_U) * of
        return U / number(component.k), stated
    if component.half_width is None and component.relative_half_width is None:
        raise invalid_definition(measurand, f"component {component.id} states no figure")
    half_width = np.full(len(measured.points), optional_number(component.half_width, 0.0))
    if component.relative_half_width is not None:
        of = np.abs(_part_of(measured, component, values))
        half_width += number(component.relative_half_width) * of
    return half_width * standard_uncertainty(component.distribution, half_width=1.0), stated


def _of_resolution(record: CalibrationInput, measurand: Measurand) -> float:
    step = resolution_for(measurand, record.item.resolution)
    if step is None:
        raise invalid_definition(measurand, "the resolution of the item was not given")
    return float(standard_uncertainty("rectangular", half_width=number(step) / 2))


def _part_of(
    measured: Measured,
    component: Component,
    values: Mapping[str, FloatArray],
) -> FloatArray:
    """Return what a fraction is taken of: an input, or an attribute of the item."""
    of = component.of or ""
    if of.startswith("@"):
        return measured.of_records(lambda record: number(parameter(record, measured, of)))
    if of not in values:
        raise invalid_definition(
            measured.measurand, f"component {component.id} is a part of {component.of}, no input"
        )
    return values[of]


def _largest(measured: Measured, name: str) -> tuple[FloatArray, FloatArray]:
    """Return the largest u of the certificates behind a derived input, and the smallest dof."""
    behind = [
        measured.certificate(n)
        for n in measured.measurand.inputs[name].of
        if measured.measurand.inputs[n].source == "standard"
    ]
    if not behind:
        raise invalid_definition(measured.measurand, f"{name} is derived of no standard's reading")
    return (
        np.maximum.reduce([one.u for one in behind]),
        np.minimum.reduce([one.dof for one in behind]),
    )


def _type_a(measured: Measured, component: Component) -> tuple[FloatArray, FloatArray]:
    """s/sqrt(n), or the recorded repeatability where readings are fewer than it asks."""
    if component.scatter_of:
        return _seen_elsewhere(measured, component)
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


def _seen_elsewhere(measured: Measured, component: Component) -> tuple[FloatArray, FloatArray]:
    """Return the largest scatter seen in another measurand of the piece, in its stage if there."""
    other, name = component.scatter_of.split(".")
    seen = [_scatter_seen(record, other, name) for record in measured.records]
    rows = [
        seen[owner].get((point.stage, point.piece)) or seen[owner].get(("", point.piece))
        for owner, point in zip(measured.owners.tolist(), measured.points, strict=True)
    ]
    if not all(rows):
        raise Refused(
            "repeatability-not-measured",
            "The repeatability of {measurand} is that seen in {other}, which was not measured at"
            " least twice. Measure {other}.",
            at=f"/points/{measured.measurand.id}",
            facts={"measurand": measured.measurand.id, "other": other},
        )
    s, dof = np.array([row for row in rows if row], dtype=np.float64).T
    own = measured.series.get(component.input)
    return s / (np.sqrt(own.n) if own is not None else 1.0), dof


def _scatter_seen(
    record: CalibrationInput, measurand: str, name: str
) -> dict[tuple[str, int], tuple[float, float]]:
    """Return the largest scatter with its degrees of freedom, by stage and piece, and by piece."""
    seen: dict[tuple[str, int], tuple[float, float]] = {}
    for point in record.points:
        values = numbers([reading.value for reading in point.readings.get(name, ())])
        if point.measurand == measurand and len(values) > 1:
            found = float(moments(np.sort(values))[1]), len(values) - 1.0
            for place in ((point.stage, point.piece), ("", point.piece)):
                seen[place] = max(seen.get(place, (0.0, 1.0)), found)
    return seen


def _held(measured: Measured) -> NDArray[np.bool_]:
    """Answer which components hold at the nominal value of each point, (components, points)."""
    nominal, components = measured.nominal, measured.measurand.components
    start = np.array([optional_number(one.start, -math.inf) for one in components])
    end = np.array([optional_number(one.end, math.inf) for one in components])
    return np.asarray((nominal >= start[:, None]) & (nominal < end[:, None]))


def _counted(measurand: Measurand, contributions: FloatArray) -> NDArray[np.bool_]:
    """Of components that describe the same effect only the largest counts, point by point."""
    counted = np.ones(contributions.shape, dtype=np.bool_)
    for group in {c.group for c in measurand.components} - {None}:
        rows = [i for i, c in enumerate(measurand.components) if c.group == group]
        largest = np.argmax(contributions[rows], axis=0)
        counted[rows] = np.arange(len(rows))[:, None] == largest
    return counted
