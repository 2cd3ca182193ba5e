"""Thermocouples of the ten letter types: emf, temperature, and the reference junction.

Temperatures are never added before the emf: the emf of a thermocouple whose reference junction
is at t_ref is E(t) - E(t_ref). This module must not know instruments.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.errors import OutOfRange
from calib.engine.temperature.answers import (
    Answer,
    FloatArray,
    Slope,
    outside,
    polynomial,
    require,
    solve,
    vector,
)
from calib.engine.temperature.thermocouple_functions import REFERENCE_FUNCTIONS, Piece

TYPES = tuple(REFERENCE_FUNCTIONS)
_SLACK = 0.5
"""K by which a rounded emf at the end of the range may lead outside; flagged."""
_GRID = 100


def _piece(letter: str) -> tuple[Piece, ...]:
    if letter not in REFERENCE_FUNCTIONS:
        msg = f"The type of a thermocouple must be one of {', '.join(TYPES)}."
        raise OutOfRange(msg, {"type": letter})
    return REFERENCE_FUNCTIONS[letter]


def _on(piece: Piece, deviation: Sequence[float], t: FloatArray) -> Slope:
    """Emf and its derivative on one piece."""
    emf, slope = polynomial(piece.c, t)
    if piece.bump:
        a0, a1, a2 = piece.bump
        more = a0 * np.exp(a1 * (t - a2) ** 2)
        emf, slope = emf + more, slope + 2 * a1 * (t - a2) * more
    own, own_slope = polynomial(deviation, t)
    return emf + own, slope + own_slope


def _curve(letter: str, t: FloatArray, deviation: Sequence[float]) -> Slope:
    """Emf and its derivative; a temperature where two pieces meet belongs to the lower."""
    pieces = _piece(letter)
    joints = [piece.high for piece in pieces[:-1]]
    which = np.searchsorted(joints, t, side="left")
    emf, slope = np.empty_like(t), np.empty_like(t)
    for i, piece in enumerate(pieces):
        part = which == i
        emf[part], slope[part] = _on(piece, deviation, t[part])
    return emf, slope


def _check(letter: str, name: str, t: ArrayLike) -> FloatArray:
    pieces = _piece(letter)
    x = vector(name, t)
    low, high = pieces[0].low, pieces[-1].high
    said = f"is outside {low:g} to {high:g} °C, the range of type {letter}."
    require(~outside(x, low, high), name, x, said)
    return x


def _own(deviation: Sequence[float]) -> tuple[float, ...]:
    """Coefficients of a deviation function, none being zero everywhere."""
    return tuple(vector("deviation", deviation).tolist()) or (0.0,)


def _junction(letter: str, t_ref: ArrayLike, deviation: Sequence[float]) -> Slope:
    """Emf of the reference junction, zero at 0 degC by definition of the reference function."""
    x = _check(letter, "t_ref", t_ref)
    emf, slope = _curve(letter, x, deviation)
    return np.where(x == 0, 0.0, emf), slope


def emf(
    letter: str, t: ArrayLike, t_ref: ArrayLike = 0.0, deviation: Sequence[float] = ()
) -> Answer:
    """Emf of a thermocouple.

    Parameters
    ----------
    letter : str
        Type: A, B, C, E, J, K, N, R, S or T.
    t : (n,) array_like, degC
        Temperatures of the measuring junction.
    t_ref : float or (n,) array_like, degC
        Temperature of the reference junction.
    deviation : sequence of float
        Coefficients d_i of a calibrated thermocouple, which gives sum d_i t^i mV more than the
        reference function.

    Returns
    -------
    Answer
        E(t) - E(t_ref) in mV and dE/dt in mV/degC; aside ``t_ref``.

    Raises
    ------
    OutOfRange
        An unknown type or a temperature outside its range.

    Notes
    -----
    Source: NIST ITS-90 Thermocouple Database (SRD 60); A and C see `thermocouple_functions`.
    Checked against: tests/reference/thermocouples.toml.
    Limits: the range of each type; wire as the reference function, or with its deviation.

    Examples
    --------
    >>> round(float(emf("K", 100).values[0]), 3)
    4.096
    """
    x, own = _check(letter, "t", t), _own(deviation)
    x, cold, cold_slope = np.broadcast_arrays(x, *_junction(letter, t_ref, own))
    hot, slope = _curve(letter, x, own)
    return Answer(hot - cold, slope, np.zeros(x.shape, bool), {"t_ref": -cold_slope})


@cache
def _grid(letter: str) -> tuple[tuple[Piece, FloatArray, FloatArray], ...]:
    """Each piece with temperatures and emf on its rising part, from which an inverse starts."""
    found = []
    for piece in _piece(letter):
        t = np.linspace(piece.low, piece.high, _GRID)
        rows = _on(piece, (0.0,), t)[0]
        # type B falls at first and gives each emf below zero at two temperatures
        rising = slice(None) if letter != "B" else rows > 0
        found.append((piece, t[rising], rows[rising]))
    return tuple(found)


def temperature(
    letter: str, E: ArrayLike, t_ref: ArrayLike = 0.0, deviation: Sequence[float] = ()
) -> Answer:
    """Temperature of the measuring junction of a thermocouple.

    Parameters
    ----------
    letter : str
        Type: A, B, C, E, J, K, N, R, S or T.
    E : (n,) array_like, mV
        Measured emf.
    t_ref : float or (n,) array_like, degC
        Temperature of the reference junction.
    deviation : sequence of float
        As of `emf`.

    Returns
    -------
    Answer
        t in degC and dt/dE in degC/mV; aside ``t_ref``. Flagged where up to 0.5 K outside the
        range, which a rounded emf may be.

    Raises
    ------
    OutOfRange
        An unknown type, an emf outside its range, or one that type B gives at two temperatures.

    Notes
    -----
    Source: as of `emf`, solved on the reference function itself by Newton's method.
    Checked against: tests/reference/thermocouples.toml.
    Limits: type B above 42.2 degC only, where its emf is positive.
    """
    x, own = vector("E", E), _own(deviation)
    x, cold, cold_slope = np.broadcast_arrays(x, *_junction(letter, t_ref, own))
    total = x + cold
    pieces = _grid(letter)
    low, high = pieces[0][0].low, pieces[-1][0].high
    said = f"mV is outside {low:g} to {high:g} °C, the range of type {letter}."
    ends = _curve(letter, np.array([low - _SLACK, high + _SLACK]), own)[0]
    if letter == "B":
        ends[0] = np.nextafter(0.0, 1.0)
        said = "mV is not an emf of one temperature of type B, 42.2 to 1820 °C."
    require(~outside(total, *ends), "E", x, said)
    joints = [_on(p[0], own, np.array([p[0].high]))[0][0] for p in pieces[:-1]]
    which = np.searchsorted(joints, total, side="left")
    t, slope = np.empty_like(total), np.empty_like(total)
    for i, (piece, grid_t, grid_emf) in enumerate(pieces):
        part = which == i
        if part.any():
            start = np.interp(total[part], grid_emf, grid_t)
            t[part] = solve(partial(_on, piece, own), total[part], start)
            slope[part] = _on(piece, own, t[part])[1]
    require((slope > 0) & ~outside(t, low, high, _SLACK), "E", x, said)
    return Answer(t, 1 / slope, outside(t, low, high), {"t_ref": cold_slope / slope})
