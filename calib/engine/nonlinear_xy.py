"""Any model through points with errors in y and in its variables, correlated or not.

This module must not know which model it is or what the curve is used for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from calib.engine.adjustment import METHODS, Errors, adjust, read_errors
from calib.engine.bases import convert_covariance
from calib.engine.errors import OutOfRange
from calib.engine.fit_types import Convergence
from calib.engine.leastsquares import scaled
from calib.engine.models import Model, ModelFit
from calib.engine.nonlinear import fit_model, read_points
from calib.engine.observations import Observations
from calib.engine.quality import judge
from calib.engine.types import require_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


def fit_model_xy(  # noqa: PLR0913  (each option has a name)
    model: Model,
    x: ArrayLike,
    y: ArrayLike,
    start: ArrayLike | None = None,
    *,
    u_x: ArrayLike | None = None,
    u_y: ArrayLike | None = None,
    cov_x: ArrayLike | None = None,
    cov_y: ArrayLike | None = None,
    cov_xy: ArrayLike | None = None,
    scale_by_residuals: bool = False,
    covariance_method: str = "information",
    u_y_common: float = 0.0,
) -> ModelFit:
    """Fit a model with uncertainties in its variables and in y.

    Parameters
    ----------
    model, x, y, start
        As in `nonlinear.fit_model`.
    u_x : float, (n,) or (v, n) array_like, optional
        Standard uncertainties of the variables; 0 where a value is exact.
    cov_x : (v n, v n) array_like, optional
        Instead of `u_x`, variable by variable.
    u_y, cov_y, cov_xy, scale_by_residuals, covariance_method, u_y_common
        As in `totalleastsquares.fit_polynomial_xy`; `cov_xy` has v n rows.

    Returns
    -------
    ModelFit
        `residuals` are y minus the curve at the given x.

    Raises
    ------
    DegenerateData
        Figures that make no fit.
    OutOfRange
        The model has no finite value where it is needed.
    SingularFit
        The points do not determine the parameters, or a covariance is none.
    NotConverged
        The adjustment does not settle at a minimum.

    Notes
    -----
    Source: H. I. Britt, R. H. Luecke, Technometrics 15 (1973) 233; ISO/TS 28037:2010 clause 10.
    Checked against: tests/reference/models.toml.
    Limits: a minimum near that of the fit without errors in x.
    """
    xs, ys = read_points(model, x, y)
    if covariance_method not in METHODS:
        raise OutOfRange(f"The covariance method is one of {', '.join(METHODS)}.")
    if not (math.isfinite(u_y_common) and u_y_common >= 0):
        raise OutOfRange("u_y_common must be finite and not negative.")
    require_finite("a fit", y=ys)
    errors = read_errors(xs.shape, u_x=u_x, u_y=u_y, cov_x=cov_x, cov_y=cov_y, cov_xy=cov_xy)
    p = len(model.parameters)
    near = _near(model, xs, ys, start, errors)
    found = adjust(model, xs, ys, errors, near.parameters, covariance_method)
    good = judge(
        Observations(ys, None, None), found.chi2, p, known=True, origin=False, explain=False
    )
    inner = scaled(found.covariance, good.s) if scale_by_residuals else found.covariance
    nu = good.dof if scale_by_residuals else math.inf
    covariance, parameter_dof, shift = convert_covariance(
        np.eye(p).tolist(), inner, found.common * u_y_common, nu
    )
    return ModelFit(
        names=model.parameters,
        parameters=found.parameters,
        covariance=covariance,
        chi2=found.chi2,
        **good.figures,
        residuals=found.residuals,
        leave_one_out=found.leave_one_out,
        parameter_dof=parameter_dof,
        common=shift,
        adjusted=found.adjusted,
        model=model,
        x_low=xs.min(axis=1),
        x_high=xs.max(axis=1),
        convergence=Convergence(
            near.convergence.steps + found.steps, found.shift, found.curvature,
            near.convergence.path,
        ),
    )  # fmt: skip


def _near(
    model: Model, xs: FloatArray, ys: FloatArray, start: ArrayLike | None, errors: Errors
) -> ModelFit:
    """Fit as if x were exact, then with the effective uncertainty across the curve."""
    m, n = len(errors.free), len(ys)
    variance = np.diag(errors.covariance)
    near = fit_model(model, xs, ys, start, u_y=np.sqrt(variance[m:]))
    slopes = model.slopes(xs, near.parameters)[2].ravel()[errors.free]
    across = variance[m:] + np.bincount(errors.free % n, slopes**2 * variance[:m], n)
    return fit_model(model, xs, ys, near.parameters, u_y=np.sqrt(across))
