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
class Adjusted:
    """Points moved onto the curve where x is uncertain too.

    Attributes
    ----------
    x : (v, n) array
        Adjusted values of each variable.
    y : (n,) array
        The curve there.
    largest : float
        Largest shift of any x or y in units of its standard uncertainty (ISO 6143).
    """

    x: FloatArray
    y: FloatArray
    largest: float

    def __post_init__(self) -> None:
        require_finite("adjusted points", x=self.x, y=self.y, largest=self.largest)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fit:
    """What is known of every fitted curve.

    Attributes
    ----------
    names : tuple of str
        Parameter names, in the order of all arrays.
    parameters : (p,) array
        Their values.
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
    f_statistic : float or None
        Mean square explained by the curve over that of the residuals.
    aicc : float or None
        Akaike's criterion for small samples; comparable between fits of the same data only.
    residuals : (n,) array
        y minus fitted value.
    leave_one_out : tuple of float or None
        Residual of each point from the fit without it; ``None`` where the point alone decides.
    parameter_dof : (p,) array
        Degrees of freedom of each parameter, possibly infinite.
    common : (p,) array
        Shift of each parameter by one standard uncertainty of an error common to all y.
    adjusted : Adjusted or None
        The points on the curve, when x is uncertain.
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
    f_statistic: float | None
    aicc: float | None
    residuals: FloatArray
    leave_one_out: tuple[float | None, ...]
    parameter_dof: FloatArray
    common: FloatArray
    adjusted: Adjusted | None = None

    def __post_init__(self) -> None:
        require_finite(
            "a fit",
            parameters=self.parameters,
            covariance=self.covariance,
            chi2=self.chi2,
            s=self.s,
            r_squared=self.r_squared,
            f_statistic=self.f_statistic,
            residuals=self.residuals,
        )

    def estimate(self, name: str) -> tuple[float, float | None]:
        """Give value and standard uncertainty of the parameter `name`."""
        i = self.names.index(name)
        u = None if self.covariance is None else math.sqrt(self.covariance[i, i])
        return float(self.parameters[i]), u


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PolynomialFit(Fit):
    """A fitted polynomial (line, proportional or of higher degree) with its covariance.

    Attributes
    ----------
    x_low, x_high : float
        Range of the data.
    origin : float
        Origin of x for `parameters`, which are coefficients of the powers of (x - origin).
    basis : (p,) array
        Inner coefficients: Chebyshev on the range; proportional: slope times largest x.
    basis_covariance : (p, p) array or None
        Their covariance, a common error included.
    proportional : bool
        Whether the curve is y = b x.
    """

    x_low: float
    x_high: float
    origin: float
    basis: FloatArray
    basis_covariance: FloatArray | None
    proportional: bool


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a minimum was reached, and that it is one.

    Attributes
    ----------
    steps : int
        Steps taken; 0 where the parameters follow in one stroke.
    shift : float
        Last step in standard uncertainties of the parameters.
    curvature : float or None
        Smallest curvature of the sum of squares relative to the linearised model: 1 where the
        model does not bend within the residuals, towards 0 where the minimum becomes a valley;
        ``None`` where the model has no second derivatives.
    path : str
        ``linear``, ``direct``, or ``logarithmic`` where only steps in the logarithms of the
        parameters arrived.
    """

    steps: int
    shift: float
    curvature: float | None
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Values read from a fitted curve, forward or inverse.

    Attributes
    ----------
    x, y : (n,) array
        Argument (of several variables: (v, n)) and value of the curve.
    u : (n,) array or None
        Standard uncertainty of what was asked for (`y` forward, `x` inverse).
    u_single : (n,) array or None
        Of one new observation (forward only).
    covariance : (n, n) array or None
        Between the predicted values (forward only).
    extrapolated : tuple of bool
        Whether the argument lies outside the range of the data.
    """

    x: FloatArray
    y: FloatArray
    u: FloatArray | None
    u_single: FloatArray | None = None
    covariance: FloatArray | None = None
    extrapolated: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        require_finite("a prediction", x=self.x, y=self.y, u=self.u, u_single=self.u_single)
