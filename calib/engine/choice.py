"""Choice of the degree of a polynomial: as simple as the data allow, with the reason told.

This module must not know what the curve is used for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calib.engine.errors import DegenerateData, OutOfRange, SingularFit
from calib.engine.leastsquares import MAX_DEGREE

if TYPE_CHECKING:
    from calib.engine.fit_types import PolynomialFit


@dataclass(frozen=True, slots=True)
class Candidate:
    """One degree that was tried.

    Attributes
    ----------
    degree : int
        Of the polynomial.
    chi2, dof : float, int
        As in the fit.
    aicc : float
        Akaike's criterion for small samples.
    consistent : bool or None
        Verdict of the chi-squared test, where the uncertainties were stated.
    """

    degree: int
    chi2: float
    dof: int
    aicc: float
    consistent: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The chosen polynomial, the candidates and the reason.

    Attributes
    ----------
    fit : PolynomialFit
        Of the chosen degree.
    degree : int
        Chosen.
    candidates : tuple of Candidate
        All degrees that could be judged, in rising order.
    reason : str
        ``lowest-aicc``, ``lowest-aicc-of-consistent`` or ``none-consistent``.
    """

    fit: PolynomialFit
    degree: int
    candidates: tuple[Candidate, ...]
    reason: str


def choose_degree(fit: Callable[[int], PolynomialFit], at_least: int, at_most: int) -> Choice:
    """Choose the degree with the lowest AICc among those that pass the chi-squared test.

    Parameters
    ----------
    fit : function
        Fits a polynomial of a given degree to the data.
    at_least, at_most : int
        Degrees to try; those for which there are too few points are left out.

    Returns
    -------
    Choice
        The lower degree where two are equal.

    Raises
    ------
    OutOfRange
        Degrees outside 0 to 12, or in the wrong order.
    DegenerateData
        There are too few points to judge any degree.

    Notes
    -----
    Source: ISO/TS 28038:2018; C. Hurvich, C.-L. Tsai, Biometrika 76 (1989) 297.
    Checked against: tests/reference/nist_strd.toml.
    Limits: AICc needs two points more than parameters, three where s is estimated.
    """
    if not 0 <= at_least <= at_most <= MAX_DEGREE:
        msg = f"Degrees run from 0 to {MAX_DEGREE}, got {at_least} to {at_most}."
        raise OutOfRange(msg, {"at_least": at_least, "at_most": at_most})
    fits: dict[int, PolynomialFit] = {}
    candidates = []
    for degree in range(at_least, at_most + 1):
        try:
            found = fit(degree)
        except (DegenerateData, SingularFit):
            if degree == at_least:
                raise
            break
        if found.aicc is not None:
            fits[degree] = found
            candidates.append(
                Candidate(degree, found.chi2, found.dof, found.aicc, found.consistent)
            )
    if not candidates:
        raise DegenerateData("There are too few points to choose a degree. State one.")
    passed = [c for c in candidates if c.consistent]
    tested = candidates[0].consistent is not None
    best = min(passed or candidates, key=lambda c: (c.aicc, c.degree))
    reason = "lowest-aicc"
    if tested:
        reason = "lowest-aicc-of-consistent" if passed else "none-consistent"
    return Choice(fits[best.degree], best.degree, tuple(candidates), reason)
