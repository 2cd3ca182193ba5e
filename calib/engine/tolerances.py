"""Tolerance classes of platinum resistance thermometers, exactly on decimals.

This module must not know what is measured, nor decision rules.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from calib.engine.errors import OutOfRange
from calib.engine.rounding import Exact, exact

#: Class: constant part in degC, share of |t|.
CLASSES = {
    "AA": (Decimal("0.1"), Decimal("0.0017")),
    "A": (Decimal("0.15"), Decimal("0.002")),
    "B": (Decimal("0.3"), Decimal("0.005")),
    "C": (Decimal("0.6"), Decimal("0.01")),
}
#: Element and class: range of validity in degC.
RANGES = {
    "wire_wound": {"AA": (-50, 250), "A": (-100, 450), "B": (-196, 600), "C": (-196, 600)},
    "film": {"AA": (0, 150), "A": (-30, 300), "B": (-50, 500), "C": (-50, 600)},
}
_A, _B, _C = Decimal("3.9083e-3"), Decimal("-5.775e-7"), Decimal("-4.183e-12")


def platinum_tolerance(t: Exact, tolerance_class: str, element: str = "wire_wound") -> Decimal:
    """Give the tolerance of a platinum resistance thermometer in degC.

    Parameters
    ----------
    t : Decimal, str, int or float, unit degC
        Temperature.
    tolerance_class : str
        ``AA``, ``A``, ``B`` or ``C``.
    element : str
        ``wire_wound`` or ``film``, which bounds the range of a class.

    Returns
    -------
    Decimal
        Half-width of the tolerance, degC.

    Raises
    ------
    OutOfRange
        Unknown class or element, or a temperature at which the class is not defined.

    Notes
    -----
    Source: IEC 60751, tolerance classes (V2); ranges of film elements and of wire-wound ones
    above 500 degC to be confirmed (BG).
    Checked against: tests/reference/conformity.toml.
    Limits: the range of the class.

    Examples
    --------
    >>> str(platinum_tolerance(-100, "A"))
    '0.350'
    """
    if tolerance_class not in CLASSES or element not in RANGES:
        msg = f"There is no class {tolerance_class!r} of {element!r} elements."
        raise OutOfRange(msg, {"class": tolerance_class, "element": element})
    given = exact(t, "t")
    low, high = RANGES[element][tolerance_class]
    if not low <= given <= high:
        msg = (
            f"Class {tolerance_class} of {element} elements holds from {low} to {high} degC,"
            f" not at {given}."
        )
        raise OutOfRange(msg, {"class": tolerance_class, "low": low, "high": high})
    constant, share = CLASSES[tolerance_class]
    return constant + share * abs(given)


def platinum_slope(t: Exact, R0: Exact = 100) -> Decimal:
    """Give dR/dt of a platinum resistance thermometer on the curve of IEC 60751.

    Parameters
    ----------
    t : Decimal, str, int or float, unit degC
        Temperature.
    R0 : Decimal, str, int or float, unit ohm
        Resistance at 0 degC.

    Returns
    -------
    Decimal
        Slope, ohm/degC.

    Raises
    ------
    OutOfRange
        A figure is not finite, or `R0` not positive.

    Notes
    -----
    Source: IEC 60751, coefficients A, B and C (V2).
    Checked against: tests/reference/conformity.toml.
    Limits: -200 to 850 degC.
    """
    given, at_zero = exact(t, "t"), exact(R0, "R0")
    if at_zero <= 0 or not -200 <= given <= 850:
        raise OutOfRange("The curve of IEC 60751 needs R0 > 0 and t from -200 to 850 degC.")
    with localcontext(prec=60):
        slope = _A + 2 * _B * given
        if given < 0:
            slope += _C * (4 * given**3 - 300 * given**2)
        return at_zero * slope
