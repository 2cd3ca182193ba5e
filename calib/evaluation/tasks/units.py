"""Units of a task: how they are written, and whether a measurement function fits them.

The units of the table of quantities, SI symbols with prefixes, and products of them: ``um K``,
``V/A``, ``W/m^2``, ``1/K``. What is not known is refused, never guessed. Nothing is converted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from calib.engine.dimensions import BASE, Unit, require_unit, unit_of
from calib.engine.expression import Expression
from calib.evaluation.tasks.reader import Fields, TaskRefused, join, place
from instruments.quantities import UNITS

MAX_TEXT: Final = 60
_MAX_POWER: Final = 12
_PREFIXES: Final = {
    "": 0, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "h": 2, "k": 3,
    "M": 6, "G": 9, "T": 12,
}  # fmt: skip
_SYMBOLS: Final = {
    "m": "m", "g": "0.001 kg", "s": "s", "A": "A", "K": "K", "mol": "mol", "cd": "cd",
    "rad": "", "sr": "", "Hz": "s-1", "N": "m kg s-2", "Pa": "m-1 kg s-2", "J": "m2 kg s-2",
    "W": "m2 kg s-3", "C": "A s", "V": "m2 kg s-3 A-1", "F": "m-2 kg-1 s4 A2",
    "ohm": "m2 kg s-3 A-2", "S": "m-2 kg-1 s3 A2", "Wb": "m2 kg s-2 A-1", "T": "kg s-2 A-1",
    "H": "m2 kg s-2 A-2", "lm": "cd", "lx": "m-2 cd", "L": "0.001 m3", "bar": "1e5 m-1 kg s-2",
    "eV": "1.602176634e-19 m2 kg s-2",
}  # fmt: skip
"""SI units that take prefixes, by base units."""
_ALONE: Final = {"deg": f"{math.pi / 180!r}", "ppm": "1e-6"}
_DIMENSIONS: Final = {
    "temperature": "K", "ratio": "", "pressure": "m-1 kg s-2", "volume_flow": "m3 s-1",
    "volume": "m3", "resistance": "m2 kg s-3 A-2", "current": "A", "voltage": "m2 kg s-3 A-1",
    "length": "m", "time": "s", "mass": "kg", "speed": "m s-1", "per_temperature": "K-1",
    "per_temperature_2": "K-2", "temperature_rate": "K s-1", "pressure_rate": "m-1 kg s-3",
    "energy": "m2 kg s-2", "frequency": "s-1", "rotational_frequency": "s-1",
    "conductivity": "m-3 kg-1 s3 A2", "deflection": "m-1 kg-1 s3 A",
}  # fmt: skip
"""Base units of the dimensions of the table of quantities; logarithmic ones have none."""
_FACTOR: Final = re.compile(r"([A-Za-z%]+|1)(?:\^?(-?[0-9]{1,2}))?\Z")
_NUMBERED: Final = re.compile(r"([A-Za-z]+)(-?[0-9]+)?\Z")


def read_unit(value: object, at: str) -> Unit:
    """Read a unit.

    Raises
    ------
    TaskRefused
        Not text, or not a unit that is known.
    """
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        msg = f"{at} must be a unit such as degC, mV or W/m^2."
        raise TaskRefused("bad-value", msg, at)
    listed = _listed(value)
    if listed is not None:
        return listed
    factor, powers = 1.0, [0.0] * len(BASE)
    parts = re.split(r"([ */])", value)
    for i in range(0, len(parts), 2):
        found = _FACTOR.match(parts[i])
        one = _listed(found[1]) or _prefixed(found[1]) if found else None
        before = parts[i - 1] if i else "*"
        power = int(found[2] or 1) * (-1 if before == "/" else 1) if found else 0
        if before != "/" and "/" in parts[:i]:
            one = None  # J/kg K may be read in two ways
        if one is None or one.zeros or abs(power) > _MAX_POWER:
            raise TaskRefused("bad-value", f"{at}: {value!r} is not a unit known here.", at)
        factor *= one.factor**power
        powers = [p + power * q for p, q in zip(powers, one.powers, strict=True)]
    return Unit(value, factor, tuple(powers))


def _listed(symbol: str) -> Unit | None:
    """Look a unit up in the table of quantities."""
    known = UNITS.get(symbol)
    if known is None or known.dimension not in _DIMENSIONS:
        return None
    size = _spelled("", _DIMENSIONS[known.dimension])
    zeros = 1.0 if known.offset else 0.0
    return Unit(symbol, float(known.factor) * size.factor, size.powers, zeros)


def _prefixed(symbol: str) -> Unit | None:
    if symbol in _ALONE or symbol == "1":
        return _spelled(symbol, _ALONE.get(symbol, ""))
    if symbol in UNITS:
        return None  # pH is no picohenry
    for prefix, exponent in _PREFIXES.items():
        rest = symbol.removeprefix(prefix)
        if symbol.startswith(prefix) and rest in _SYMBOLS:
            one = _spelled(symbol, _SYMBOLS[rest])
            return Unit(symbol, float(f"1e{exponent}") * one.factor, one.powers)
    return None


def _spelled(symbol: str, text: str) -> Unit:
    """Make a unit from base units as in ``0.001 m3`` or ``m2 kg s-3``."""
    factor, powers = 1.0, dict.fromkeys(BASE, 0.0)
    for word in text.split():
        found = _NUMBERED.match(word)
        if found is None:
            factor = float(word)
        else:
            powers[found[1]] += float(found[2] or 1)
    return Unit(symbol, factor, tuple(powers.values()))


def check_units(
    fields: Fields, model: Mapping[str, Expression], inputs: Mapping[str, Unit]
) -> dict[str, str]:
    """Check a model against the units of its inputs and outputs; give the units of the outputs.

    Nothing is checked when the task names no unit at all.

    Raises
    ------
    TaskRefused
        A unit is not known, or the model does not fit the units.
    """
    implicit = fields.flag("implicit")
    given = fields.get("unit")
    if isinstance(given, str) and len(model) == 1:
        given = dict.fromkeys(model, given)
    stated = Fields({} if given is None else given, "unit", tuple(model))
    wanted = {n: read_unit(stated.get(n), join("unit", n)) for n in model if stated.has(n)}
    if not wanted and not inputs:
        return {}
    out = {}
    for name, f in model.items():
        with place(join("function", name) if len(model) > 1 else "function"):
            found = unit_of(f, {**inputs, **(wanted if implicit else {})})
            if implicit:
                out[name] = str(wanted[name]) if name in wanted else "1"
                continue
            if name in wanted:
                require_unit(name, found, wanted[name])
            out[name] = str(wanted.get(name, found))
    return out
