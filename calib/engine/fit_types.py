"""Frozen results of fits and of reading them. This module must not know how they are made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calib.engine.types import require_finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PolynomialFit:
    """A fitted polynomial (line, proportional or of higher degree) with its covariance.

    Attributes
    ----------
    names : tuple of str
        Parameter names, in the order of all arrays.
    parameters : (p,) array
        Coefficients of the powers of (x - origin).
    covariance : (p, p) array or None
        Their covariance; ``None`` when it cannot be estimated.
    chi2, dof : float, int
        Weighted sum of squared residuals and its degrees of freedom (0 possible).
    s : float or None
        sqrt(chi2/dof).
    s_single : float or None
        Standard deviation of one observation in units of y, when all weights are equal.
    chi2_critical, consistent : float, bool or None
        95 % point of chi-squared and the verdict of the test; ``None`` when s was estimated.
    r_squared : float or None
        Coefficient of determination.
    residuals : (n,) array
        y minus fitted value.
    leave_one_out : tuple of float or None
        Residual of each point from the fit without it; ``None`` where the point alone decides.
    x_low, x_high : float
        Range of the data.
    origin : float
        Origin of x for `parameters`.
    parameter_dof : (p,) array
        Degrees of freedom of each parameter, possibly infinite.
    basis : (p,) array
        Inner coefficients: Chebyshev on the range; proportional: slope times largest x.
    basis_covariance : (p, p) array or None
        Their covariance, a common error included.
    proportional : bool
        Whether the curve is y = b x.
    """

    names: tuple[str, ...]
    parameters: FloatArray
    covariance: FloatArray | None
    chi2: float
    dof: int
    s: float | None
    s_single: float | None
    chi2_critical: float | None
    consistent: bool | None
    r_squared: float | None
    residuals: FloatArray
    leave_one_out: tuple[float | None, ...]
    x_low: float
    x_high: float
    origin: float
    parameter_dof: FloatArray
    basis: FloatArray
    basis_covariance: FloatArray | None
    proportional: bool

    def __post_init__(self) -> None:
        require_finite(
            "a fit",
            parameters=self.parameters,
            covariance=self.covariance,
            chi2=self.chi2,
            s=self.s,
            r_squared=self.r_squared,
            residuals=self.residuals,
        )

    def estimate(self, name: str) -> tuple[float, float | None]:
        """Give value and standard uncertainty of the parameter `name`."""
        i = self.names.index(name)
        u = None if self.covariance is None else math.sqrt(self.covariance[i, i])
        return float(self.parameters[i]), u


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Values read from a fitted curve, forward or inverse.

    Attributes
    ----------
    x, y : (n,) array
        Argument and value of the curve.
    u : (n,) array or None
        Standard uncertainty of what was asked for (`y` forward, `x` inverse).
    u_single : (n,) array or None
        Of one new observation (forward only).
    covariance : (n, n) array or None
        Between the predicted values (forward only).
    """

    x: FloatArray
    y: FloatArray
    u: FloatArray | None
    u_single: FloatArray | None = None
    covariance: FloatArray | None = None

    def __post_init__(self) -> None:
        require_finite("a prediction", x=self.x, y=self.y, u=self.u, u_single=self.u_single)


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Correction of a calibrated instrument at some indications.

    Attributes
    ----------
    indication, correction, u : (n,) array
        Indications, correction (reference minus indication) and its standard uncertainty.
    inside : (n,) bool array
        Whether the indication lies in the calibrated range.
    """

    indication: FloatArray
    correction: FloatArray
    u: FloatArray
    inside: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_finite("a correction", correction=self.correction, u=self.u)
