"""A type read rising and falling: one measurand holds all readings, two more use them."""

from __future__ import annotations

from instruments.procedure import InstrumentType
from tests.support.small_type import measurand, small_type

_READ = "\n".join(
    f'p_{side}_{way}: source = "{source}"; unit = "kPa"'
    for way in ("up", "down")
    for side, source in (("ind", "item"), ("ref", "standard"))
)
_LIMITS = """
[[measurands.limits]]
document = "TH-12"
confidence = "BG"
lower = "-0.04"
upper = "0.04"
"""


def _true(way: str) -> str:
    return f'p_true: source = "derived"; unit = "kPa"; of = ["p_ref_{way}"]; statistic = "mean"'


def _budget(way: str) -> str:
    return f"""p_rep: input = "p_ind_{way}"; evaluate = "A"; distribution = "normal"
d_res: input = "p_ind_{way}"; evaluate = "resolution"
p_std: input = "c_std"; evaluate = "certificate"; of = "p_true"; distribution = "normal" """


def up_and_down(readings: int = 2) -> InstrumentType:
    """Return the type, its points from 0 to 40 kPa."""
    points = f"""
[measurands.points]
default = ["0", "10", "20", "30", "40"]
readings = {readings}
order = "up_then_down"
confidence = "BG"
"""
    same = {"quantity": "pressure", "unit": "kPa", "output_unit": "kPa", "limits": _LIMITS}
    return small_type(
        measurand(
            "p_ind_up - (p_true + c_std)", f"{_READ}\n{_true('up')}", _budget("up"),
            id="rising", output="error", points=points,
            rest='reference = "p_true"\nindication = "p_ind_up"', **same,
        ),
        measurand(
            "p_ind_down - (p_true + c_std)", _true("down"), _budget("down"),
            id="falling", output="error", points="",
            rest='same_readings_as = "rising"\nreference = "p_true"\nindication = "p_ind_down"',
            **same,
        ),
        measurand(
            "(p_ind_down - p_ref_down) - (p_ind_up - p_ref_up) + d_set", "",
            'd_set: input = "d_set"; evaluate = "B"; half_width = "0.001"',
            id="hysteresis", points="", rest='same_readings_as = "rising"', **same,
        ),
    )  # fmt: skip
