"""Thermistors: the Steinhart-Hart equation and the beta equation, which is a special case of it.

This module must not know instruments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.temperature.answers import Answer, FloatArray, Slope, require, solve, vector
from calib.engine.types import require_finite

_HOTTEST = 1500.0
"""K; no thermistor works above, so a higher result means wrong coefficients or units."""


@dataclass(frozen=True, slots=True)
class SteinhartHart:
    """Coefficients of 1/T = a + b L + quadratic L^2 + c L^3, L = ln(R/ohm), T in kelvin.

    Attributes
    ----------
    a, b, c : float
        1/K.
    quadratic : float
        1/K; zero in the usual form.
    """

    a: float
    b: float
    c: float = 0.0
    quadratic: float = 0.0

    def __post_init__(self) -> None:
        require_finite("the coefficients", a=self.a, b=self.b, c=self.c, quadratic=self.quadratic)
        if self.b == 0:
            raise OutOfRange("The coefficient b must not be zero.", {"b": 0.0})

    @classmethod
    def from_beta(cls, R0: float, beta: float, T0: float = 298.15) -> SteinhartHart:
        """Make the coefficients of 1/T = 1/T0 + ln(R/R0)/beta."""
        if not min(R0, beta, T0) > 0:
            msg = "R0, beta and the temperature of R0 in kelvin must be positive."
            raise OutOfRange(msg, {"R0": R0, "beta": beta, "T0": T0})
        return cls(1 / T0 - math.log(R0) / beta, 1 / beta)

    @classmethod
    def through(cls, R: ArrayLike, T: ArrayLike) -> SteinhartHart:
        """Make the coefficients of the curve through three points, or four with a quadratic.

        Raises
        ------
        DegenerateData
            Another number of points, or equal resistances.
        OutOfRange
            A resistance or temperature that is not positive.
        """
        r, t = vector("R", R), vector("T", T)
        require(r > 0, "R", r, "Ω must be positive.")
        require(t > 0, "T", t, "K is not above absolute zero.")
        if len(r) != len(t) or len(r) not in {3, 4} or len(set(r.tolist())) < len(r):
            msg = "A curve needs three or four points with different resistances."
            raise DegenerateData(msg, {"points": len(r)})
        L = np.log(r)
        powers = [L, L**3] if len(r) == 3 else [L, L**2, L**3]
        rows = np.array([np.ones_like(L), *powers])
        size = np.max(np.abs(rows), axis=1)
        try:
            c = np.linalg.solve((rows / size[:, None]).T, 1 / t) / size
        except np.linalg.LinAlgError as cause:
            msg = "The points are too close to determine the coefficients."
            raise DegenerateData(msg, {"points": len(r)}) from cause
        a, b, *quadratic, cubic = c.tolist()
        return cls(a, b, cubic, *quadratic)

    def _inverse_temperature(self, L: FloatArray) -> Slope:
        value = self.a + L * (self.b + L * (self.quadratic + L * self.c))
        return value, self.b + L * (2 * self.quadratic + L * 3 * self.c)

    def temperature(self, R: ArrayLike) -> Answer:
        """Temperature at some resistances.

        Parameters
        ----------
        R : (n,) array_like, ohm
            Resistances, all positive.

        Returns
        -------
        Answer
            T in K and dT/dR in K/ohm.

        Raises
        ------
        OutOfRange
            A resistance at which the equation gives no temperature of a thermistor.
        """
        x = vector("R", R)
        require(x > 0, "R", x, "Ω must be positive.")
        inverse, slope = self._inverse_temperature(np.log(x))
        said = f"Ω gives no temperature up to {_HOTTEST:g} K. Check the coefficients."
        require(inverse > 1 / _HOTTEST, "R", x, said)
        T = 1 / inverse
        return Answer(T, -(T**2) * slope / x, np.zeros(x.shape, bool))

    def resistance(self, T: ArrayLike) -> Answer:
        """Resistance at some temperatures.

        Parameters
        ----------
        T : (n,) array_like, K
            Temperatures, all positive.

        Returns
        -------
        Answer
            R in ohm and dR/dT in ohm/K.

        Raises
        ------
        OutOfRange
            A temperature at which the curve has no resistance in double precision.
        NotConverged
            Coefficients that are none of a thermistor.
        """
        x = vector("T", T)
        require((x > 0) & (x <= _HOTTEST), "T", x, f"K is not above 0 K and up to {_HOTTEST:g} K.")
        L = solve(self._inverse_temperature, 1 / x, (1 / x - self.a) / self.b)
        require(np.abs(L) < 700, "T", x, "K gives no resistance in double precision.")
        R = np.exp(L)
        return Answer(R, -R / (x**2 * self._inverse_temperature(L)[1]), np.zeros(x.shape, bool))
