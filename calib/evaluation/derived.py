"""Inputs made of other inputs: statistics of many readings, and functions of their means.

A statistic is taken of the readings as corrected by the certificates of the standards they were
read on, where the type says so. Its standard uncertainty is that of the scatter alone. A function,
published or given by the type, keeps its slopes, by which the uncertainty of its arguments comes
through. Knows no budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from calib.engine.errors import OutOfRange
from calib.engine.expression import parse
from calib.engine.temperature.answers import Answer
from calib.evaluation.decimals import number
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.series import Measured, invalid_definition
from instruments.choosing import attribute
from instruments.procedure import InputQuantity

FloatArray = NDArray[np.float64]
Corrections = Mapping[str, FloatArray]
"""Correction of an input at every point, by the name of the input."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived input at every point, arrays of shape (points,)."""

    value: FloatArray
    u: FloatArray
    """From the scatter of the readings; 0 for a function."""
    dof: FloatArray
    slopes: Mapping[str, FloatArray] = field(default_factory=dict)
    """Derivatives of a function by its arguments."""


def derive(measured: Measured, corrections: Mapping[str, Corrections]) -> dict[str, Derived]:
    """Return every derived input; `corrections` by derived input and the input it corrects.

    Raises
    ------
    Refused
        The definition names what the evaluation does not know.
    EngineError
        A reading lies where the published function does not hold.
    """
    found = {}
    for name, quantity in measured.measurand.inputs.items():
        given = corrections.get(name, {})
        if quantity.source != "derived":
            continue
        if quantity.statistic:
            found[name] = _statistic(measured, quantity, given)
        elif quantity.function:
            found[name] = _function(measured, quantity, given)
        else:
            found[name] = _reference(measured, quantity, given)
    return found


# ------------------------------------------------------------------------------------ statistics


def _statistic(measured: Measured, quantity: InputQuantity, corrections: Corrections) -> Derived:
    """Take the statistic point by point in groups that have equally many readings."""
    count = len(measured.points)
    out = Derived(np.zeros(count), np.zeros(count), np.ones(count))
    counts = np.stack([measured.readings[n].counts for n in quantity.of])
    for shape in np.unique(counts, axis=1).T:
        places = np.flatnonzero((counts == shape[:, None]).all(axis=0))
        block = [
            measured.readings[n].block(places)
            + (corrections[n][places][:, None] if n in corrections else 0.0)
            for n in quantity.of
        ]
        found = _OVER[quantity.over](block, str(quantity.statistic))
        out.value[places], out.u[places], out.dof[places] = found
    return out


Block = list[FloatArray]
"""Readings by position, each of shape (points, readings); positions may differ in number."""
Triple = tuple[FloatArray, FloatArray, FloatArray]
"""Value, standard uncertainty, degrees of freedom."""


def _sum(x: FloatArray, axis: int) -> FloatArray:
    """Sum along one axis, of each point in the same order however many stand beside it."""
    return np.asarray(x.sum(axis=axis) if axis else reduce(np.add, x))


def _mean(x: FloatArray, axis: int) -> FloatArray:
    return np.asarray(_sum(x, axis) / x.shape[axis])


def _deviations(x: FloatArray, axis: int) -> FloatArray:
    return x - np.expand_dims(_mean(x, axis), axis)


def _take(x: FloatArray, statistic: str, axis: int) -> FloatArray:
    """Return the statistic along one axis: the first or the last."""
    if statistic == "change":
        return np.asarray(x.take(-1, axis) - x.take(0, axis))
    if statistic == "largest_deviation":
        return np.asarray(np.abs(_deviations(x, axis)).max(axis=axis))
    if statistic == "from_first":
        return np.asarray(np.abs(x - x.take([0], axis)).max(axis=axis))
    if statistic == "standard_deviation":
        if x.shape[axis] < 2:
            raise OutOfRange("A standard deviation needs two readings. Take more.")
        squares = _sum(_deviations(x, axis) ** 2, axis)
        return np.asarray(np.sqrt(squares / (x.shape[axis] - 1)))
    spread = np.ptp(x, axis=axis)
    simple: dict[str, Callable[[], FloatArray]] = {
        "mean": lambda: _mean(x, axis),
        "maximum": lambda: x.max(axis=axis),
        "minimum": lambda: x.min(axis=axis),
        "range": lambda: spread,
        "half_range": lambda: spread / 2,
    }
    return np.asarray(simple[statistic]())


_READINGS_IN: Mapping[str, float] = {
    "maximum": 1.0, "minimum": 1.0, "range": math.sqrt(2), "half_range": math.sqrt(0.5),
    "change": math.sqrt(2), "largest_deviation": 1.0, "from_first": math.sqrt(2),
}  # fmt: skip
"""u of a statistic in units of the scatter of one reading: it rests on one or two of them."""


def _of_scatter(s: FloatArray, n: int, statistic: str) -> FloatArray:
    """U of a statistic of n values, each with the standard uncertainty s."""
    if statistic == "mean":
        return s / math.sqrt(n)
    if statistic == "standard_deviation":
        return s / math.sqrt(max(1, n - 1))
    return s * _READINGS_IN[statistic]


def _scatter(x: FloatArray) -> FloatArray:
    """Experimental standard deviation of each series; 0 where there is one reading."""
    return np.asarray(x.std(axis=1, ddof=1)) if x.shape[1] > 1 else np.zeros(len(x))


def _dof(x: FloatArray, n: int) -> FloatArray:
    return np.full(len(x), max(1.0, n - 1))


def _over_readings(block: Block, statistic: str) -> Triple:
    (series,) = block
    n = series.shape[1]
    value = _take(series, statistic, 1)
    u = _of_scatter(_scatter(series), n, statistic)
    # the scatter of a scatter: a normal sample, no values that differ for a reason
    return value, u / math.sqrt(2) if statistic == "standard_deviation" else u, _dof(value, n)


def _over_positions(block: Block, statistic: str) -> Triple:
    """At each moment over the positions; the moments are repeated readings of that."""
    n = min(series.shape[1] for series in block)
    # complete records have moments at all positions alike; while one is entered, those there are
    moments = _take(np.stack([series[:, :n] for series in block]), statistic, 0)
    return moments.mean(axis=1), _scatter(moments) / math.sqrt(n), _dof(moments, n)


def _over_means(block: Block, statistic: str) -> Triple:
    """Over the means of the positions; the largest of their own uncertainties stands for all."""
    own = np.stack([_scatter(series) / math.sqrt(series.shape[1]) for series in block]).max(axis=0)
    value = _take(np.stack([series.mean(axis=1) for series in block]), statistic, 0)
    least = min(series.shape[1] for series in block)
    return value, _of_scatter(own, len(block), statistic), _dof(value, least)


def _over_all(block: Block, statistic: str) -> Triple:
    """Over every reading at every position; the scatter is that in time.

    A mean takes all of them for repeated readings of one value.
    """
    together = np.concatenate(block, axis=1)
    if statistic == "mean":
        return _over_readings([together], statistic)
    s = np.stack([_scatter(series) for series in block]).max(axis=0)
    value = _take(together, statistic, 1)
    least = min(series.shape[1] for series in block)
    return value, _of_scatter(s, together.shape[1], statistic), _dof(value, least)


_OVER: Mapping[str, Callable[[Block, str], Triple]] = {
    "readings": _over_readings,
    "positions": _over_positions,
    "means": _over_means,
    "all": _over_all,
}


def take_statistic(block: Block, statistic: str, over: str) -> FloatArray:
    """Return a statistic of readings by position alone, arrays of shape (points, readings)."""
    return _OVER[over](block, statistic)[0]


# ------------------------------------------------------------------- functions, given or published


def _function(measured: Measured, quantity: InputQuantity, corrections: Corrections) -> Derived:
    """Evaluate an expression of the type at the means of its arguments."""
    arguments = {n: measured.series[n].mean + corrections.get(n, 0.0) for n in quantity.of}
    value, slopes = parse(quantity.function, quantity.of).gradient(arguments)
    none = np.zeros(len(measured.points))
    return Derived(value + none, none, np.full(len(none), math.inf), slopes)


def _reference(measured: Measured, quantity: InputQuantity, corrections: Corrections) -> Derived:
    """Evaluate a published function at the means of its arguments.

    One record after another: some are inverted by steps that end when all values have settled,
    and a record must not depend on those beside it.
    """
    if quantity.reference not in _REFERENCES:
        raise invalid_definition(measured.measurand, f"{quantity.reference} is no known function")
    arguments = [measured.series[n].mean + corrections.get(n, 0.0) for n in quantity.of]
    count = len(measured.points)
    out = Derived(np.zeros(count), np.zeros(count), np.full(count, math.inf), {})
    slopes = {name: np.zeros(count) for name in quantity.of}
    for i, own in measured.by_record():
        record, here = measured.records[i], slice(own.start, own.stop)
        parameters = {
            name: parameter(record, measured, text) for name, text in quantity.parameters.items()
        }
        at = [argument[here] for argument in arguments]
        answer, aside = _REFERENCES[quantity.reference](parameters, *at)
        if np.any(answer.extrapolated):
            msg = f"{quantity.reference} does not hold at {at[0][answer.extrapolated][0]:.10g}."
            raise OutOfRange(msg)
        out.value[here] = answer.values
        for name, slope in zip(quantity.of, (answer.sensitivity, *aside), strict=False):
            slopes[name][here] = slope
    return replace(out, slopes=slopes)


def parameter(record: CalibrationInput, measured: Measured, text: str) -> str:
    """Return a figure of the type; ``@name`` stands for what is known of the item.

    Raises
    ------
    Refused
        The record does not have it; the checks say so before.
    """
    if not text.startswith("@"):
        return text
    found = attribute(record.definition, text[1:], record.item.attributes)
    if not found:
        raise invalid_definition(measured.measurand, f"{text[1:]} of the item was not given")
    return found


Parameters = Mapping[str, str]
Found = tuple[Answer, tuple[FloatArray, ...]]


def _resistance(p: Parameters, t: FloatArray) -> Found:
    from calib.engine.temperature import resistance as platinum

    return platinum.resistance(t, platinum.CallendarVanDusen(number(p.get("R0", "100")))), ()


def _platinum(p: Parameters, R: FloatArray) -> Found:
    from calib.engine.temperature import resistance as platinum

    return platinum.temperature(R, platinum.CallendarVanDusen(number(p.get("R0", "100")))), ()


def _emf(p: Parameters, t: FloatArray, t_ref: FloatArray | float = 0.0) -> Found:
    from calib.engine.temperature import thermocouples

    answer = thermocouples.emf(p["type"], t, t_ref)
    return answer, (answer.aside["t_ref"],)


def _thermocouple(p: Parameters, E: FloatArray, t_ref: FloatArray | float = 0.0) -> Found:
    from calib.engine.temperature import thermocouples

    answer = thermocouples.temperature(p["type"], E, t_ref)
    return answer, (answer.aside["t_ref"],)


def _saturation(_p: Parameters, t: FloatArray) -> Found:
    from calib.engine.temperature.saturation import saturation_pressure

    return saturation_pressure(t + 273.15), ()


_REFERENCES: Mapping[str, Callable[..., Found]] = {
    "iec60751_resistance": _resistance,
    "iec60751_temperature": _platinum,
    "thermocouple_emf": _emf,
    "thermocouple_temperature": _thermocouple,
    "saturation_pressure": _saturation,
}


def take_reference(
    reference: str, parameters: Parameters, arguments: Sequence[FloatArray]
) -> FloatArray:
    """Return the values of a published function of the readings."""
    return _REFERENCES[reference](parameters, *arguments)[0].values
