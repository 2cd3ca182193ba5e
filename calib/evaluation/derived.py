"""Inputs made of other inputs: statistics of many readings, and published functions of one.

A statistic is taken of the readings as corrected by the certificates of the standards they were
read on, where the type says so. Its standard uncertainty is that of the scatter alone. A published
function keeps its slopes, by which the uncertainty of its arguments comes through. Knows no budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calib.engine.errors import OutOfRange
from calib.engine.temperature.answers import Answer
from calib.evaluation.decimals import number
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.series import Measured, invalid_definition
from instruments.procedure import InputQuantity

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived input at every point, arrays of shape (points,)."""

    value: FloatArray
    u: FloatArray
    """From the scatter of the readings; 0 for a published function."""
    dof: FloatArray
    n: FloatArray
    """Readings behind one value."""
    slopes: Mapping[str, FloatArray] = field(default_factory=dict)
    """Derivatives of a published function by its arguments."""


def derive(
    record: CalibrationInput,
    measured: Measured,
    corrections: Mapping[str, Mapping[str, FloatArray]],
) -> dict[str, Derived]:
    """Return every derived input; `corrections` by derived input and the input it corrects.

    Raises
    ------
    Refused
        The definition names what the evaluation does not know.
    EngineError
        A reading lies where the published function does not hold.
    """
    return {
        name: _statistic(measured, quantity, corrections.get(name, {}))
        if quantity.statistic
        else _reference(record, measured, quantity)
        for name, quantity in measured.measurand.inputs.items()
        if quantity.source == "derived"
    }


# ------------------------------------------------------------------------------------ statistics


def _statistic(
    measured: Measured, quantity: InputQuantity, corrections: Mapping[str, FloatArray]
) -> Derived:
    """Take the statistic point by point in groups that have equally many readings."""
    count = len(measured.points)
    out = Derived(np.zeros(count), np.zeros(count), np.ones(count), np.ones(count))
    shapes: dict[tuple[int, ...], list[int]] = {}
    for i, point in enumerate(measured.points):
        shapes.setdefault(tuple(len(point.readings[n]) for n in quantity.of), []).append(i)
    for lengths, places in shapes.items():
        least = min(lengths)
        # positions are read together: what one has more than the others has no partner
        readings = np.array(
            [
                [[number(r.value) for r in measured.points[i].readings[n][:least]] for i in places]
                for n in quantity.of
            ]
        )
        for j, name in enumerate(quantity.of):
            if name in corrections:
                readings[j] += corrections[name][places][:, None]
        value, u, dof = _OVER[quantity.over](readings, str(quantity.statistic))
        out.value[places], out.u[places], out.dof[places] = value, u, dof
        out.n[places] = least
    return out


Triple = tuple[FloatArray, FloatArray, FloatArray]


def _take(x: FloatArray, statistic: str, axis: int) -> FloatArray:
    """Return the statistic along one axis."""
    if statistic == "change":
        return np.asarray(x.take(-1, axis) - x.take(0, axis))
    if statistic == "largest_deviation":
        return np.asarray(np.abs(x - x.mean(axis=axis, keepdims=True)).max(axis=axis))
    if statistic == "standard_deviation":
        if x.shape[axis] < 2:
            raise OutOfRange("A standard deviation needs two readings. Take more.")
        return np.asarray(x.std(axis=axis, ddof=1))
    spread = np.ptp(x, axis=axis)
    simple: dict[str, Callable[[], FloatArray]] = {
        "mean": lambda: x.mean(axis=axis),
        "maximum": lambda: x.max(axis=axis),
        "minimum": lambda: x.min(axis=axis),
        "range": lambda: spread,
        "half_range": lambda: spread / 2,
    }
    return np.asarray(simple[statistic]())


_READINGS_IN: Mapping[str, float] = {
    "maximum": 1.0, "minimum": 1.0, "range": math.sqrt(2), "half_range": math.sqrt(0.5),
    "change": math.sqrt(2), "largest_deviation": 1.0,
}  # fmt: skip
"""u of a statistic in units of the scatter of one reading: it rests on one or two of them."""


def _of_scatter(s: FloatArray, n: int, statistic: str) -> FloatArray:
    """U of a statistic of n readings that scatter by s."""
    if statistic == "mean":
        return s / math.sqrt(n)
    if statistic == "standard_deviation":
        return s / math.sqrt(2 * max(1, n - 1))
    return s * _READINGS_IN[statistic]


def _scatter(x: FloatArray, axis: int) -> FloatArray:
    """Experimental standard deviation; 0 where there is one reading."""
    if x.shape[axis] < 2:
        return np.zeros(x.shape[:axis] + x.shape[axis + 1 :])
    return np.asarray(x.std(axis=axis, ddof=1))


def _over_readings(x: FloatArray, statistic: str) -> Triple:
    series = x[0]
    n = series.shape[1]
    value = _take(series, statistic, 1)
    u = _of_scatter(_scatter(series, 1), n, statistic)
    return value, u, np.full(len(value), max(1.0, n - 1))


def _over_positions(x: FloatArray, statistic: str) -> Triple:
    """At each moment over the positions; the moments are repeated readings of that."""
    moments = _take(x, statistic, 0)
    n = moments.shape[1]
    u = _scatter(moments, 1) / math.sqrt(n)
    return moments.mean(axis=1), u, np.full(len(u), max(1.0, n - 1))


def _over_means(x: FloatArray, statistic: str) -> Triple:
    """Over the means of the positions; the largest of their own uncertainties stands for all."""
    positions, _, n = x.shape
    own = (_scatter(x, 2) / math.sqrt(n)).max(axis=0)
    if statistic == "mean":
        u = own / math.sqrt(positions)
    else:
        u = _of_scatter(own, positions, statistic)
    return _take(x.mean(axis=2), statistic, 0), u, np.full(len(own), max(1.0, n - 1))


def _over_all(x: FloatArray, statistic: str) -> Triple:
    """Over every reading at every position; the scatter is that in time."""
    flat = np.moveaxis(x, 0, 2).reshape(x.shape[1], -1)
    n = x.shape[2]
    s = _scatter(x, 2).max(axis=0)
    u = _of_scatter(s, flat.shape[1], statistic)
    return _take(flat, statistic, 1), u, np.full(len(u), max(1.0, n - 1))


_OVER: Mapping[str, Callable[[FloatArray, str], Triple]] = {
    "readings": _over_readings,
    "positions": _over_positions,
    "means": _over_means,
    "all": _over_all,
}


# --------------------------------------------------------------------------- published functions


def _reference(record: CalibrationInput, measured: Measured, quantity: InputQuantity) -> Derived:
    """Evaluate a published function at the means of its arguments."""
    parameters = {k: _parameter(record, v) for k, v in quantity.parameters.items()}
    arguments = [measured.series[name].mean for name in quantity.of]
    if quantity.reference not in _REFERENCES:
        raise invalid_definition(measured.measurand, f"{quantity.reference} is no known function")
    answer, aside = _REFERENCES[quantity.reference](parameters, *arguments)
    if np.any(answer.extrapolated):
        msg = f"{quantity.reference} does not hold at {arguments[0][answer.extrapolated][0]}."
        raise OutOfRange(msg)
    slopes = dict(zip(quantity.of, (answer.sensitivity, *aside), strict=False))
    none = np.zeros(len(answer.values))
    return Derived(
        answer.values, none, np.full(len(none), math.inf), measured.series[quantity.of[0]].n, slopes
    )


def _parameter(record: CalibrationInput, text: str) -> str:
    """Return a parameter; ``@name`` stands for what is known of the item."""
    if not text.startswith("@"):
        return text
    name = text[1:]
    rating = record.definition.ratings.get(name)
    return record.item.attributes.get(name) or (rating.default if rating else None) or ""


Parameters = Mapping[str, str]
Found = tuple[Answer, tuple[FloatArray, ...]]


def _resistance(p: Parameters, t: FloatArray) -> Found:
    from calib.engine.temperature import resistance as platinum

    return platinum.resistance(t, platinum.CallendarVanDusen(number(p.get("R0") or "100"))), ()


def _platinum(p: Parameters, R: FloatArray) -> Found:
    from calib.engine.temperature import resistance as platinum

    return platinum.temperature(R, platinum.CallendarVanDusen(number(p.get("R0") or "100"))), ()


def _emf(p: Parameters, t: FloatArray, t_ref: FloatArray | float = 0.0) -> Found:
    from calib.engine.temperature import thermocouples

    answer = thermocouples.emf(p.get("type", ""), t, t_ref)
    return answer, (answer.aside["t_ref"],)


def _thermocouple(p: Parameters, E: FloatArray, t_ref: FloatArray | float = 0.0) -> Found:
    from calib.engine.temperature import thermocouples

    answer = thermocouples.temperature(p.get("type", ""), E, t_ref)
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
