"""Calibration curve: correction at an indication, its uncertainty, and where it holds.

Outside the calibrated range an indication is flagged, never silently extrapolated.
This module must not know instruments, units or certificates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.fit_types import Correction, PolynomialFit
from calib.engine.predictions import predict
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCurve:
    """Correction as a polynomial of the indication, with a calibrated range.

    Attributes
    ----------
    fit : PolynomialFit
        Correction (reference minus indication) over indication.
    low, high : float
        Calibrated range of indications.
    u_additional : float
        Standard uncertainty added to that of the curve (drift, resolution of the item).
    """

    fit: PolynomialFit
    low: float
    high: float
    u_additional: float = 0.0

    def __post_init__(self) -> None:
        require_finite("a curve", low=self.low, high=self.high, u_additional=self.u_additional)
        if not self.low < self.high or self.u_additional < 0:
            msg = f"A calibrated range needs low below high, got {self.low} to {self.high}."
            raise OutOfRange(msg, {"low": self.low, "high": self.high})
        if self.fit.covariance is None:
            raise DegenerateData("The curve passes through as many points as it has parameters.")

    @classmethod
    def from_fit(cls, fit: PolynomialFit, u_additional: float = 0.0) -> CalibrationCurve:
        """Make a curve whose range is that of the points it was fitted to."""
        return cls(fit, fit.x_low, fit.x_high, u_additional)

    def covers(self, indication: ArrayLike) -> NDArray[np.bool_]:
        """Tell which indications lie in the calibrated range, limits included."""
        x = np.atleast_1d(np.asarray(indication, dtype=np.float64))
        return (x >= self.low) & (x <= self.high)

    def correct(self, indication: ArrayLike, u_indication: ArrayLike = 0.0) -> Correction:
        """Give the correction at some indications.

        Parameters
        ----------
        indication : (n,) array_like
            Indications.
        u_indication : float or (n,) array_like
            Their standard uncertainties, acting through the slope of the curve.

        Returns
        -------
        Correction
            Correction, u, and whether each indication lies inside the range.

        Notes
        -----
        Source: GUM (JCGM 100:2008) H.3.
        Checked against: tests/reference/gum_h3.toml.
        Limits: outside the range the figures are an extrapolation and flagged as such.
        """
        found = predict(self.fit, indication, u_indication)
        u = np.hypot(np.asarray(found.u), self.u_additional)
        return Correction(found.x, found.y, u, self.covers(found.x))

    def band(self, points: int = 101) -> Correction:
        """Give correction and u on a grid over the calibrated range, for figures."""
        return self.correct(np.linspace(self.low, self.high, points))
