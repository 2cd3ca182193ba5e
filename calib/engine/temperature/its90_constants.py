"""Published numbers of the ITS-90 for platinum thermometers.

Fixed points and reference functions: ITS-90 (Preston-Thomas, Metrologia 27 (1990) 3), tables 1
and 4, as ten public transcriptions agree and as reproduced by the W_r of the fixed points [V2].
Forms of the deviation functions: the same text, 3.3.1 to 3.3.3; sub-ranges 5 and 7 confirmed by
a certificate in print, 4 and 8 by a table in print, the others recalled [BG].
"""

from __future__ import annotations

from dataclasses import dataclass

FIXED_POINTS = {
    "e-H2": 13.8033, "Ne": 24.5561, "O2": 54.3584, "Ar": 83.8058, "Hg": 234.3156, "H2O": 273.16,
    "Ga": 302.9146, "In": 429.7485, "Sn": 505.078, "Zn": 692.677, "Al": 933.473, "Ag": 1234.93,
}  # fmt: skip
"""Temperatures in kelvin."""

A = (
    -2.13534729, 3.18324720, -1.80143597, 0.71727204, 0.50344027, -0.61899395, -0.05332322,
    0.28021362, 0.10715224, -0.29302865, 0.04459872, 0.11868632, -0.05248134,
)  # fmt: skip
"""ln W_r = sum A_i [(ln(T/273.16) + 1.5)/1.5]^i from 13.8033 K to 273.16 K."""
B = (
    0.183324722, 0.240975303, 0.209108771, 0.190439972, 0.142648498, 0.077993465, 0.012475611,
    -0.032267127, -0.075291522, -0.056470670, 0.076201285, 0.123893204, -0.029201193,
    -0.091173542, 0.001317696, 0.026025526,
)  # fmt: skip
"""T/273.16 = sum B_i [(W_r^(1/6) - 0.65)/0.35]^i, an approximation within 0.1 mK."""
C = (
    2.78157254, 1.64650916, -0.13714390, -0.00649767, -0.00234444, 0.00511868, 0.00187982,
    -0.00204472, -0.00046122, 0.00045724,
)  # fmt: skip
"""W_r = sum C_i [(T - 754.15)/481]^i from 273.15 K to 1234.93 K."""
D = (
    439.932854, 472.418020, 37.684494, 7.472018, 2.920828, 0.005184, -0.963864, -0.188732,
    0.191203, 0.049025,
)  # fmt: skip
"""T - 273.15 = sum D_i [(W_r - 2.64)/1.64]^i, an approximation within 0.13 mK."""


@dataclass(frozen=True, slots=True)
class SubRange:
    """A sub-range in which a platinum thermometer defines the ITS-90.

    Attributes
    ----------
    number : int
        1 to 11, as calibration certificates and data formats count them.
    low, high : float
        Limits in kelvin.
    names : tuple of str
        Its coefficients, in order.
    terms : tuple of (int, int)
        Powers of W - 1 and of ln W in the terms of the deviation function, in the same order.
    lowest_point : float
        Lowest temperature at which it is calibrated, K.
    """

    number: int
    low: float
    high: float
    names: tuple[str, ...]
    terms: tuple[tuple[int, int], ...]
    lowest_point: float

    @property
    def has_silver(self) -> bool:
        """Whether a last term acts above the freezing point of aluminium alone."""
        return len(self.names) > len(self.terms)


_T = FIXED_POINTS
_ICE = 273.15
_AB = ((1, 0), (2, 0))
_ABC = (*_AB, (3, 0))
SUB_RANGES = {
    r.number: r
    for r in (
        SubRange(
            1, _T["e-H2"], _T["H2O"], ("a1", "b1", "c1", "c2", "c3", "c4", "c5"),
            (*_AB, (0, 3), (0, 4), (0, 5), (0, 6), (0, 7)), _T["e-H2"],
        ),
        SubRange(
            2, _T["Ne"], _T["H2O"], ("a2", "b2", "c1", "c2", "c3"),
            (*_AB, (0, 1), (0, 2), (0, 3)), _T["e-H2"],
        ),
        SubRange(3, _T["O2"], _T["H2O"], ("a3", "b3", "c1"), (*_AB, (0, 2)), _T["O2"]),
        SubRange(4, _T["Ar"], _T["H2O"], ("a4", "b4"), ((1, 0), (1, 1)), _T["Ar"]),
        SubRange(5, _T["Hg"], _T["Ga"], ("a5", "b5"), _AB, _T["Hg"]),
        # the term of d6 is [W - W(660.323 degC)]^2, above that temperature
        SubRange(6, _ICE, _T["Ag"], ("a6", "b6", "c6", "d6"), _ABC, _ICE),
        SubRange(7, _ICE, _T["Al"], ("a7", "b7", "c7"), _ABC, _ICE),
        SubRange(8, _ICE, _T["Zn"], ("a8", "b8"), _AB, _ICE),
        SubRange(9, _ICE, _T["Sn"], ("a9", "b9"), _AB, _ICE),
        SubRange(10, _ICE, _T["In"], ("a10",), ((1, 0),), _ICE),
        SubRange(11, _ICE, _T["Ga"], ("a11",), ((1, 0),), _ICE),
    )
}  # fmt: skip
