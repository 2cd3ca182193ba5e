"""Tasks of kind ``thermometry``: what a thermometer shows at a temperature, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from calib.engine.temperature import (
    its90,
    platinum,
    resistance,
    saturation,
    thermistor,
    thermocouples,
)
from calib.engine.temperature.answers import ZERO_CELSIUS, Answer
from calib.engine.temperature.its90_constants import FIXED_POINTS
from calib.evaluation.tasks import radiation
from calib.evaluation.tasks.quantities import (
    Found,
    Quantity,
    read_coefficients,
    read_quantity,
    read_temperatures,
)
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    place,
    read_number,
    read_whole,
)

_ALWAYS = ("kind", "function", "u")
_T = ("t", "T")


def compute_thermometry(task: Mapping[str, Any]) -> Found:
    """Compute a task of kind ``thermometry``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or a quantity is outside the range of the function.
    """
    function = Fields(task, "", tuple(task)).word("function", tuple(FUNCTIONS))
    compute, keys = FUNCTIONS[function]
    found = compute(Fields(task, "", (*_ALWAYS, *keys)))
    return {"kind": "thermometry", "function": function, **found}


def _industrial(fields: Fields) -> tuple[resistance.CallendarVanDusen, float]:
    """Read coefficients of an industrial thermometer, and from where on they are known, degC."""
    if not fields.has("coefficients"):
        return resistance.IEC_60751, resistance.LOW
    given = Fields(fields.get("coefficients"), "coefficients", ("R0", "A", "B", "C"))
    R0 = given.number("R0", resistance.IEC_60751.R0)
    own = any(given.has(name) for name in "ABC")
    with place("coefficients"):
        if not own:
            return replace(resistance.IEC_60751, R0=R0), resistance.LOW
        A, B, C = given.number("A"), given.number("B"), given.number("C", 0.0)
        curve = resistance.CallendarVanDusen(R0, A, B, C)
    return curve, resistance.LOW if given.has("C") else 0.0


def _prt_resistance(fields: Fields) -> Found:
    (curve, low), main = _industrial(fields), read_temperatures(fields)
    with main.placed():
        found = resistance.resistance(main.celsius, curve)
    off = found.extrapolated | (main.celsius < low)
    return main.answer(replace(found, extrapolated=off), "ohm")


def _prt_temperature(fields: Fields) -> Found:
    (curve, low), main = _industrial(fields), read_quantity(fields, "R")
    with main.placed():
        found = resistance.temperature(main.numbers, curve)
    off = found.extrapolated | (found.values < low)
    return main.answer(replace(found, extrapolated=off), "degC")


def _prt_constants(fields: Fields) -> Found:
    """Turn A, B, C into alpha, delta, beta, or back."""
    if fields.has("constants") == fields.has("coefficients"):
        raise TaskRefused("bad-task", "Give coefficients or constants, one of them.", "constants")
    with place("constants" if fields.has("constants") else "coefficients"):
        if fields.has("constants"):
            names = {"alpha": None, "delta": None, "beta": 0.0, "R0": 100.0}
            made = read_coefficients(fields, names, "constants")
            c = resistance.CallendarVanDusen.from_constants(**made)
            return {"coefficients": {"R0": c.R0, "A": c.A, "B": c.B, "C": c.C}}
        alpha, delta, beta = _industrial(fields)[0].constants
    return {"constants": {"alpha": alpha, "delta": delta, "beta": beta}}


def _its90_reference(fields: Fields) -> Found:
    main = read_temperatures(fields)
    with main.placed():
        return main.answer(its90.reference_ratio(main.kelvin), "1")


def _its90_reference_inverse(fields: Fields) -> Found:
    main = read_quantity(fields, "W")
    method = fields.word("method", ("published", "exact"), "published")
    inverse = {"published": its90.approximate_temperature, "exact": its90.reference_temperature}
    with main.placed():
        return main.answer(inverse[method](main.numbers), "K")


def _standard(fields: Fields) -> platinum.StandardThermometer:
    raw = fields.need("coefficients")
    names = tuple(map(str, raw)) if isinstance(raw, Mapping) else ()
    given = Fields(raw, "coefficients", names)
    with place("coefficients"):
        return platinum.StandardThermometer.from_coefficients(
            {name: given.number(name) for name in names}
        )


def _at_triple_point(fields: Fields) -> float:
    R_tpw = fields.number("R_tpw")
    if R_tpw <= 0:
        raise TaskRefused("bad-number", "R_tpw must be positive.", "R_tpw")
    return R_tpw


def _its90_temperature(fields: Fields) -> Found:
    thermometer = _standard(fields)
    if fields.has("W") == fields.has("R") or fields.has("W") == fields.has("R_tpw"):
        raise TaskRefused("bad-task", "Give R and R_tpw, or W alone.", "W")
    main = read_quantity(fields, "W" if fields.has("W") else "R")
    R_tpw = 1.0 if fields.has("W") else _at_triple_point(fields)
    W = main.numbers / R_tpw
    with main.placed():
        found = thermometer.temperature(W)
    aside = {} if fields.has("W") else {"R_tpw": -found.sensitivity * W / R_tpw}
    per_R = replace(found, sensitivity=found.sensitivity / R_tpw, aside=aside)
    return main.answer(per_R, "degC", ZERO_CELSIUS)


def _its90_resistance(fields: Fields) -> Found:
    thermometer, R_tpw = _standard(fields), _at_triple_point(fields)
    main = read_temperatures(fields)
    with main.placed():
        found = thermometer.ratio(main.kelvin)
    R, slope = found.values * R_tpw, found.sensitivity * R_tpw
    return main.answer(Answer(R, slope, found.extrapolated, {"R_tpw": found.values}), "ohm")


def _its90_coefficients(fields: Fields) -> Found:
    number, R_tpw = read_whole(fields.need("range"), "range"), _at_triple_point(fields)
    given = fields.need("fixed_points")
    names = tuple(given) if isinstance(given, Mapping) else ()
    points = Fields(given, "fixed_points", names)
    T, W = [], []
    for name in names:
        kelvin, R = _fixed_point(name, points.need(name), points.place(name))
        T.append(kelvin)
        W.append(R / R_tpw)
    with place("fixed_points"):
        found = platinum.calibrate(number, T, W)
    return {
        "W": dict(zip(names, W, strict=True)),
        "coefficients": dict(found.coefficients),
        "residuals": dict(zip(names, found.residuals.tolist(), strict=True)),
        "extrapolated": [n for n, off in zip(names, found.extrapolated, strict=True) if off],
    }


def _fixed_point(name: str, value: Any, at: str) -> tuple[float, float]:
    """Temperature and resistance: a fixed point by its name, any other as {T, R}."""
    if isinstance(value, Mapping):
        own = Fields(value, at, ("T", "R"))
        return own.number("T"), own.number("R")
    if name not in FIXED_POINTS:
        msg = f"{name!r} is none of {', '.join(FIXED_POINTS)}. Give it as an object of T and R."
        raise TaskRefused("bad-value", msg, at)
    return FIXED_POINTS[name], read_number(value, at)


def _couple(main: Quantity, compute: Callable[..., Answer], x: Any, unit: str) -> Found:
    fields = main.fields
    letter = fields.word("type", thermocouples.TYPES)
    deviation = fields.numbers("deviation", 0) if fields.has("deviation") else ()
    t_ref = main.beside("t_ref", 0.0)
    with main.placed("t_ref"):
        return main.answer(compute(letter, x, t_ref, deviation), unit)


def _thermocouple_emf(fields: Fields) -> Found:
    main = read_temperatures(fields)
    return _couple(main, thermocouples.emf, main.celsius, "mV")


def _thermocouple_temperature(fields: Fields) -> Found:
    main = read_quantity(fields, "E")
    return _couple(main, thermocouples.temperature, main.numbers, "degC")


def _thermistor(fields: Fields) -> thermistor.SteinhartHart:
    """Read the coefficients of either equation."""
    given = fields.need("coefficients")
    with place("coefficients"):
        if isinstance(given, Mapping) and "beta" in given:
            c = read_coefficients(fields, {"R0": None, "beta": None, "t0": 25.0})
            return thermistor.SteinhartHart.from_beta(c["R0"], c["beta"], c["t0"] + ZERO_CELSIUS)
        names = {"a": None, "b": None, "c": 0.0, "quadratic": 0.0}
        return thermistor.SteinhartHart(**read_coefficients(fields, names))


def _thermistor_temperature(fields: Fields) -> Found:
    curve, main = _thermistor(fields), read_quantity(fields, "R")
    with main.placed():
        return main.answer(curve.temperature(main.numbers), "degC", ZERO_CELSIUS)


def _thermistor_resistance(fields: Fields) -> Found:
    curve, main = _thermistor(fields), read_temperatures(fields)
    with main.placed():
        return main.answer(curve.resistance(main.kelvin), "ohm")


def _thermistor_coefficients(fields: Fields) -> Found:
    main = read_temperatures(fields)
    R = np.array(fields.numbers("R"))
    with main.placed("R"):
        c = thermistor.SteinhartHart.through(R, main.kelvin)
    return {"coefficients": {"a": c.a, "b": c.b, "c": c.c, "quadratic": c.quadratic}}


def _saturation_pressure(fields: Fields) -> Found:
    main = read_temperatures(fields)
    with main.placed():
        return main.answer(saturation.saturation_pressure(main.kelvin), "Pa")


def _saturation_temperature(fields: Fields) -> Found:
    main = read_quantity(fields, "p")
    with main.placed():
        return main.answer(saturation.saturation_temperature(main.numbers), "K")


_SEEN = (*_T, *radiation.MODEL_KEYS, *radiation.VIEW_KEYS)
FUNCTIONS: dict[str, tuple[Callable[[Fields], Found], tuple[str, ...]]] = {
    "prt_resistance": (_prt_resistance, (*_T, "coefficients")),
    "prt_temperature": (_prt_temperature, ("R", "coefficients")),
    "prt_constants": (_prt_constants, ("coefficients", "constants")),
    "its90_reference": (_its90_reference, _T),
    "its90_reference_inverse": (_its90_reference_inverse, ("W", "method")),
    "its90_temperature": (_its90_temperature, ("R", "R_tpw", "W", "coefficients")),
    "its90_resistance": (_its90_resistance, (*_T, "R_tpw", "coefficients")),
    "its90_coefficients": (_its90_coefficients, ("range", "R_tpw", "fixed_points")),
    "thermocouple_emf": (_thermocouple_emf, (*_T, "type", "t_ref", "deviation")),
    "thermocouple_temperature": (_thermocouple_temperature, ("E", "type", "t_ref", "deviation")),
    "thermistor_temperature": (_thermistor_temperature, ("R", "coefficients")),
    "thermistor_resistance": (_thermistor_resistance, (*_T, "coefficients")),
    "thermistor_coefficients": (_thermistor_coefficients, (*_T, "R")),
    "radiance_signal": (radiation.radiance_signal, (*_T, *radiation.MODEL_KEYS)),
    "radiance_temperature": (radiation.radiance_temperature, ("signal", *radiation.MODEL_KEYS)),
    "expected_indication": (radiation.expected_indication, _SEEN),
    "source_temperature": (radiation.source_temperature, _SEEN),
    "saturation_pressure": (_saturation_pressure, _T),
    "saturation_temperature": (_saturation_temperature, ("p",)),
}
"""What computes each function, and the keys it knows beside those of all."""
