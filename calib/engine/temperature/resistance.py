"""Industrial platinum resistance thermometers: the Callendar-Van Dusen equation of IEC 60751.

Knows nothing of the ITS-90, see `its90` for standard thermometers, nor of tolerance classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.errors import OutOfRange
from calib.engine.temperature.answers import (
    Answer,
    FloatArray,
    Slope,
    outside,
    require,
    solve,
    vector,
)
from calib.engine.types import require_finite

LOW, HIGH = -200.0, 850.0
"""Range of the equation in degC (IEC 60751:2008 clause 4.2)."""
_SLACK = 0.5
"""K by which a resistance rounded at the end of the range may lead outside; flagged."""


@dataclass(frozen=True, slots=True)
class CallendarVanDusen:
    """Coefficients of R = R0 (1 + A t + B t^2 + C (t - 100) t^3), C below 0 degC only.

    Attributes
    ----------
    R0 : float
        Resistance at 0 degC, ohm.
    A, B, C : float
        1/degC, 1/degC^2, 1/degC^4. The defaults are those of IEC 60751.
    """

    R0: float = 100.0
    A: float = 3.9083e-3
    B: float = -5.775e-7
    C: float = -4.183e-12

    def __post_init__(self) -> None:
        require_finite("the coefficients", R0=self.R0, A=self.A, B=self.B, C=self.C)
        for name in ("R0", "A"):
            if getattr(self, name) <= 0:
                msg = f"{name} of a platinum thermometer must be positive."
                raise OutOfRange(msg, {"name": name, "value": getattr(self, name)})

    @property
    def constants(self) -> tuple[float, float, float]:
        """Constants alpha, delta, beta of the older form of the equation."""
        alpha = self.A + 100 * self.B
        if alpha <= 0:
            raise OutOfRange("A + 100 B must be positive.", {"alpha": alpha})
        return alpha, -1e4 * self.B / alpha, -1e8 * self.C / alpha

    @classmethod
    def from_constants(
        cls, alpha: float, delta: float, beta: float = 0.0, R0: float = 100.0
    ) -> CallendarVanDusen:
        """Make the coefficients from alpha, delta, beta of the older form."""
        return cls(R0, alpha * (1 + delta / 100), -alpha * delta / 1e4, -alpha * beta / 1e8)


IEC_60751 = CallendarVanDusen()


def _curve(t: FloatArray, c: CallendarVanDusen) -> Slope:
    cold = np.where(t < 0, c.C, 0.0)
    ratio = 1 + t * (c.A + t * (c.B + cold * (t - 100) * t))
    slope = c.A + t * (2 * c.B + cold * t * (4 * t - 300))
    return c.R0 * ratio, c.R0 * slope


def resistance(t: ArrayLike, coefficients: CallendarVanDusen = IEC_60751) -> Answer:
    """Resistance of an industrial platinum thermometer.

    Parameters
    ----------
    t : (n,) array_like, degC
        Temperatures, -200 to 850.
    coefficients : CallendarVanDusen
        Of the thermometer, IEC 60751 by default.

    Returns
    -------
    Answer
        R in ohm and dR/dt in ohm/degC.

    Raises
    ------
    OutOfRange
        A temperature outside the range of the equation.

    Notes
    -----
    Source: IEC 60751:2008 clause 4.2.
    Checked against: tests/reference/thermometry.toml.
    Limits: -200 to 850 degC; C acts below 0 degC only.

    Examples
    --------
    >>> round(float(resistance(100).values[0]), 4)
    138.5055
    """
    x = vector("t", t)
    off = outside(x, LOW, HIGH)
    require(~off, "t", x, "is outside -200 to 850 °C, the range of the equation of IEC 60751.")
    return Answer(*_curve(x, coefficients), off)


def temperature(R: ArrayLike, coefficients: CallendarVanDusen = IEC_60751) -> Answer:
    """Temperature of an industrial platinum thermometer.

    Parameters
    ----------
    R : (n,) array_like, ohm
        Resistances.
    coefficients : CallendarVanDusen
        Of the thermometer, IEC 60751 by default.

    Returns
    -------
    Answer
        t in degC and dt/dR in degC/ohm; flagged where up to 0.5 K outside the range, which a
        resistance rounded at its end may be.

    Raises
    ------
    OutOfRange
        A resistance outside the range of the equation.
    NotConverged
        Coefficients that are none of a platinum thermometer.

    Notes
    -----
    Source: IEC 60751:2008 clause 4.2; closed form above 0 degC, Newton's method below.
    Checked against: tests/reference/thermometry.toml.
    Limits: -200 to 850 degC.
    """
    x, c = vector("R", R), coefficients
    ends = _curve(np.array([LOW - _SLACK, HIGH + _SLACK]), c)[0]
    said = "Ω is outside -200 to 850 °C, the range of the equation of IEC 60751."
    square = c.A**2 - 4 * c.B * (1 - x / c.R0)
    require((x >= ends[0]) & (x <= ends[1]) & (square > 0), "R", x, said)
    # this form of the root loses no digits near R0 and allows B = 0
    t = 2 * (x / c.R0 - 1) / (c.A + np.sqrt(square))
    cold = t < 0
    t[cold] = solve(lambda t: _curve(t, c), x[cold], t[cold])
    off = outside(t, LOW, HIGH)
    require(~outside(t, LOW, HIGH, _SLACK), "R", x, said)
    slope = _curve(t, c)[1]
    require(slope > 0, "R", x, "Ω lies where the curve of these coefficients does not rise.")
    return Answer(t, 1 / slope, off)
