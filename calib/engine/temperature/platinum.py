"""Standard platinum resistance thermometers: deviation functions of the eleven sub-ranges.

W = R/R(273.16 K) of a thermometer is W_r(T) plus a deviation with a few coefficients, found at
fixed points. Knows nothing of certificates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.temperature.answers import (
    ZERO_CELSIUS,
    Answer,
    BoolArray,
    FloatArray,
    Slope,
    outside,
    require,
    solve,
    vector,
)
from calib.engine.temperature.its90 import TRIPLE_POINT, reference_ratio, reference_temperature
from calib.engine.temperature.its90_constants import FIXED_POINTS, SUB_RANGES, SubRange
from calib.engine.types import require_finite

_ALUMINIUM = FIXED_POINTS["Al"]
_ICE_RATIO = float(reference_ratio(ZERO_CELSIUS).values[0]) - 1e-6
_NEAR = 0.01
"""K outside a sub-range that rounding explains; not flagged."""


def _terms(sub_range: SubRange, W: FloatArray, W_al: float) -> tuple[FloatArray, FloatArray]:
    """Terms of a deviation function and their derivatives, one row each."""
    w, ln = W - 1, np.log(W)
    rows, slopes = [], []
    for p, q in sub_range.terms:
        rows.append(w**p * ln**q)
        slope = np.zeros_like(W)
        if p:
            slope += p * w ** (p - 1) * ln**q
        if q:
            slope += w**p * q * ln ** (q - 1) / W
        slopes.append(slope)
    if sub_range.has_silver:
        above = np.maximum(W - W_al, 0.0)
        rows.append(above**2)
        slopes.append(2 * above)
    return np.array(rows), np.array(slopes)


@dataclass(frozen=True, slots=True)
class Deviation:
    """Deviation function of one sub-range with its coefficients.

    Attributes
    ----------
    sub_range : SubRange
        Which one.
    coefficients : tuple of float
        In the order of ``sub_range.names``.
    W_al : float
        W at the freezing point of aluminium; used by sub-range 6 only.
    """

    sub_range: SubRange
    coefficients: tuple[float, ...]
    W_al: float

    @classmethod
    def of(cls, sub_range: SubRange, coefficients: tuple[float, ...]) -> Deviation:
        """Make a deviation function, W at aluminium found from its own first terms."""
        plain = cls(sub_range, coefficients, np.inf)
        if not sub_range.has_silver:
            return plain
        W_al = plain.ratio(np.array([_ALUMINIUM]))[0]
        return cls(sub_range, coefficients, float(W_al))

    def at(self, W: FloatArray) -> Slope:
        """W - W_r and its derivative with respect to W."""
        c = np.array(self.coefficients)
        rows, slopes = _terms(self.sub_range, W, self.W_al)
        return c @ rows, c @ slopes

    def ratio(self, T: FloatArray) -> FloatArray:
        """W at some temperatures in kelvin."""
        W_r = reference_ratio(T).values

        def curve(W: FloatArray) -> Slope:
            deviation, slope = self.at(W)
            return W - deviation, 1 - slope

        return solve(curve, W_r, W_r)

    def leaves(self, T: FloatArray) -> BoolArray:
        """Tell which temperatures lie outside the sub-range."""
        return outside(T, self.sub_range.low, self.sub_range.high, _NEAR)


@dataclass(frozen=True, slots=True)
class StandardThermometer:
    """A platinum thermometer with deviation functions below and above 273.16 K.

    Attributes
    ----------
    below, above : Deviation or None
        Sub-ranges 1 to 5, and 6 to 11 or 5. Without `below`, `above` reaches down to 0 degC.
    """

    below: Deviation | None
    above: Deviation | None

    @classmethod
    def from_coefficients(cls, coefficients: Mapping[str, float]) -> StandardThermometer:
        """Make a thermometer from coefficients named by letter and sub-range, such as a8.

        Raises
        ------
        OutOfRange
            Names that make no sub-range, an incomplete one, or two for the same temperatures.
        """
        require_finite("the coefficients", **coefficients)
        found = {n: r for n, r in SUB_RANGES.items() if set(r.names) & set(_own(coefficients))}
        for r in found.values():
            missing = [name for name in r.names if name not in coefficients]
            if missing:
                msg = f"Sub-range {r.number} needs {', '.join(r.names)}: {missing[0]} is missing."
                raise OutOfRange(msg, {"name": missing[0], "range": r.number})
        used = {name for r in found.values() for name in r.names}
        unknown = next((name for name in coefficients if name not in used), None)
        if unknown is not None:
            known = ", ".join(dict.fromkeys(n for r in SUB_RANGES.values() for n in r.names))
            msg = f"{unknown!r} is no coefficient of a sub-range given here. Known are {known}."
            raise OutOfRange(msg, {"name": unknown})
        below = [n for n in found if n < 5] or [n for n in found if n == 5]
        above = [n for n in found if n > 5] or [n for n in found if n == 5]
        if not found:
            raise OutOfRange("There are no coefficients. Give those of a sub-range, as a8 and b8.")
        if len(below) > 1 or len(above) > 1 or set(below + above) != set(found):
            listed = ", ".join(map(str, found))
            msg = f"Sub-ranges {listed} meet. Keep one below and one above 0 °C."
            raise OutOfRange(msg, {"ranges": [*found]})
        made = {
            n: Deviation.of(r, tuple(coefficients[x] for x in r.names)) for n, r in found.items()
        }
        return cls(made[below[0]] if below else None, made[above[0]] if above else None)

    def _parts(
        self, name: str, x: FloatArray, triple: float, ice: float
    ) -> list[tuple[Deviation, BoolArray]]:
        """Which deviation function holds for which numbers."""
        cold = x < (triple if self.below else ice)
        if self.below is None:
            said = "is below 0 °C, where no coefficients are given."
            require(~cold, name, x, said)
        if self.above is None:
            said = "is above 0 °C, where no coefficients are given."
            require(cold | (x == triple), name, x, said)
            cold = np.ones(x.shape, bool)
        parts = [(self.below, cold), (self.above, ~cold)]
        return [(d, part) for d, part in parts if d is not None and part.any()]

    def ratio(self, T: ArrayLike) -> Answer:
        """Resistance ratio W at some temperatures.

        Parameters
        ----------
        T : (n,) array_like, K
            Temperatures.

        Returns
        -------
        Answer
            W and dW/dT in 1/K; flagged where outside the sub-range.

        Raises
        ------
        OutOfRange
            A temperature for which there are no coefficients.
        """
        x = vector("T", T)
        W, slope = np.empty_like(x), np.empty_like(x)
        off = np.zeros(x.shape, bool)
        reference = reference_ratio(x)
        for d, part in self._parts("T", x, TRIPLE_POINT, ZERO_CELSIUS - 1e-6):
            W[part] = d.ratio(x[part])
            slope[part] = reference.sensitivity[part] / (1 - d.at(W[part])[1])
            off[part] = d.leaves(x[part])
        return Answer(W, slope, off)

    def temperature(self, W: ArrayLike) -> Answer:
        """Temperature at some resistance ratios.

        Parameters
        ----------
        W : (n,) array_like
            Measured R/R(273.16 K).

        Returns
        -------
        Answer
            T in K and dT/dW in K; flagged where outside the sub-range.

        Raises
        ------
        OutOfRange
            A ratio that is not positive, or for which there are no coefficients.
        """
        x = vector("W", W)
        require(x > 0, "W", x, "must be positive.")
        W_r, slope = np.empty_like(x), np.empty_like(x)
        parts = self._parts("W", x, 1.0, _ICE_RATIO)
        for d, part in parts:
            deviation, change = d.at(x[part])
            W_r[part], slope[part] = x[part] - deviation, 1 - change
        answer = reference_temperature(W_r)
        off = answer.extrapolated.copy()
        for d, part in parts:
            off[part] |= d.leaves(answer.values[part])
        return Answer(answer.values, answer.sensitivity * slope, off)


def _own(coefficients: Mapping[str, float]) -> list[str]:
    """Names that belong to one sub-range alone: c1 to c5 are shared by the lowest three."""
    return [name for name in coefficients if name not in {"c1", "c2", "c3", "c4", "c5"}]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Coefficients of a sub-range found at fixed points.

    Attributes
    ----------
    coefficients : mapping of str to float
        By name, such as a8.
    residuals : (n,) array
        W - W_r less the deviation function, at each point.
    extrapolated : (n,) array of bool
        Which points lie outside the sub-range.
    """

    coefficients: Mapping[str, float]
    residuals: FloatArray
    extrapolated: BoolArray


def calibrate(number: int, T: ArrayLike, W: ArrayLike) -> Calibration:
    """Coefficients of a sub-range from ratios at fixed points, by least squares.

    Parameters
    ----------
    number : int
        Sub-range, 1 to 11.
    T : (n,) array_like, K
        Temperatures of the points. Sub-range 6 needs the freezing point of aluminium.
    W : (n,) array_like
        Measured R/R(273.16 K) there, at least as many as coefficients.

    Returns
    -------
    Calibration
        Coefficients, residuals, flags.

    Raises
    ------
    OutOfRange
        No such sub-range; a ratio that is not positive; a point on the other side of 273.16 K.
    DegenerateData
        Too few points, or points that do not determine the coefficients.

    Notes
    -----
    Source: ITS-90 (Metrologia 27 (1990) 3) 3.3.1 to 3.3.3.
    Checked against: tests/reference/thermometry.toml.
    Limits: all points have equal weight in W; a point outside the sub-range is flagged.
    """
    if number not in SUB_RANGES:
        raise OutOfRange(f"The sub-range must be 1 to 11, got {number}.", {"range": number})
    r = SUB_RANGES[number]
    x, y = vector("T", T), vector("W", W)
    require(y > 0, "W", y, "must be positive.")
    same_side = (x < TRIPLE_POINT if number < 5 else x > TRIPLE_POINT) | (number == 5)
    require(same_side, "T", x, f"K lies on the other side of 273.16 K than sub-range {number}.")
    if len(x) < len(r.names):
        msg = f"Sub-range {number} has {len(r.names)} coefficients, got {len(x)} points."
        raise DegenerateData(msg, {"range": number, "points": len(x)})
    at_al = y[np.abs(x - _ALUMINIUM) < 1e-6]
    if r.has_silver and not len(at_al):
        raise DegenerateData("Sub-range 6 needs the freezing point of aluminium.", {"range": 6})
    rows = _terms(r, y, float(at_al.mean()) if r.has_silver else np.inf)[0]
    size = np.max(np.abs(rows), axis=1, keepdims=True)
    deviation = y - reference_ratio(x).values
    if not size.all():
        raise DegenerateData(f"The points do not determine sub-range {number}.", {"range": number})
    found, _, rank, _ = np.linalg.lstsq((rows / size).T, deviation, rcond=1e-13)
    if rank < len(r.names):
        raise DegenerateData(f"The points do not determine sub-range {number}.", {"range": number})
    c = found / size[:, 0]
    return Calibration(
        dict(zip(r.names, c.tolist(), strict=True)),
        deviation - c @ rows,
        outside(x, r.lowest_point, r.high, _NEAR),
    )
