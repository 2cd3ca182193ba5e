"""The line that tests compare with: a polynomial of degree one with named parameters."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from calib.engine.fit_types import PolynomialFit
from calib.engine.leastsquares import fit_polynomial


def fit_line(
    x: ArrayLike, y: ArrayLike, u_y: ArrayLike | None = None, **more: Any
) -> PolynomialFit:
    """Fit y = a + b (x - x0)."""
    return fit_polynomial(x, y, u_y=u_y, names=("a", "b"), **more)
