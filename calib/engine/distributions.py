"""Type B distributions: mean and standard uncertainty of each.

A distribution is a name and its parameters, as a measurement person states them (half-width,
scale, limits). This module must not know readings or budgets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calib.engine.errors import OutOfRange
from calib.engine.types import require_dof, require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Parameters of each distribution; alternatives and options are noted in `standard_uncertainty`.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "normal": ("u",),
    "t": ("u", "scale", "dof"),
    "rectangular": ("half_width",),
    "uniform": ("low", "high"),
    "triangular": ("half_width",),
    "arcsine": ("half_width",),
    "trapezoidal": ("half_width", "beta"),
    "curvilinear_trapezoid": ("half_width", "inexactness"),
    "exponential": ("mean",),
    "gamma": ("shape", "scale"),
    "beta": ("alpha", "beta"),
}
_POSITIVE = {"mean", "shape", "scale", "alpha", "dof"}


@dataclass(frozen=True, slots=True)
class Distribution:
    """Standard uncertainty of a stated distribution.

    Attributes
    ----------
    name : str
        Name of the distribution.
    u : float
        Standard uncertainty.
    mean : float or None
        Mean where the parameters fix it, else ``None`` (the value is the centre).
    dof : float
        Degrees of freedom, infinite except for ``t``.
    half_width : float or None
        Half-width of a rectangular distribution.
    """

    name: str
    u: float
    mean: float | None = None
    dof: float = math.inf
    half_width: float | None = None


def _curvilinear(p: Mapping[str, float]) -> float:
    return math.sqrt(p["half_width"] ** 2 / 3 + p["inexactness"] ** 2 / 9)


def _beta(p: Mapping[str, float]) -> float:
    a, b = p["alpha"], p["beta"]
    return math.sqrt(a * b / (a + b + 1)) / (a + b)


_U: dict[str, Callable[[Mapping[str, float]], float]] = {
    "normal": lambda p: p["u"],
    "t": lambda p: p["u"] if "u" in p else p["scale"],
    "rectangular": lambda p: p["half_width"] / math.sqrt(3),
    "uniform": lambda p: (p["high"] - p["low"]) / 2 / math.sqrt(3),
    "triangular": lambda p: p["half_width"] / math.sqrt(6),
    "arcsine": lambda p: p["half_width"] / math.sqrt(2),
    "trapezoidal": lambda p: p["half_width"] * math.sqrt((1 + p["beta"] ** 2) / 6),
    "curvilinear_trapezoid": _curvilinear,
    "exponential": lambda p: p["mean"],
    "gamma": lambda p: math.sqrt(p["shape"]) * p["scale"],
    "beta": _beta,
}
_MEAN: dict[str, Callable[[Mapping[str, float]], float]] = {
    "uniform": lambda p: p["low"] + (p["high"] - p["low"]) / 2,
    "exponential": lambda p: p["mean"],
    "gamma": lambda p: p["shape"] * p["scale"],
    "beta": lambda p: p["alpha"] / (p["alpha"] + p["beta"]),
}


def _check(name: str, p: Mapping[str, float]) -> None:
    """Refuse unknown distributions and parameters that make none."""
    if name not in PARAMETERS:
        msg = f"Unknown distribution {name!r}. Known are {', '.join(PARAMETERS)}."
        raise OutOfRange(msg, {"distribution": name})
    wanted = set(PARAMETERS[name])
    if name == "t":
        wanted -= {"scale"} if "u" in p else {"u"}
    if set(p) != wanted:
        msg = f"Distribution {name!r} takes {', '.join(sorted(wanted))}, got {', '.join(p) or '-'}."
        raise OutOfRange(msg, {"distribution": name, "expected": sorted(wanted), "got": list(p)})
    require_finite(f"distribution {name}", **{k: v for k, v in p.items() if k != "dof"})
    for key, number in p.items():
        if key in ("low", "high"):
            continue
        if number < 0 or (number == 0 and key in _POSITIVE):
            msg = f"{key} of distribution {name!r} must be positive, got {number}."
            raise OutOfRange(msg, {"distribution": name, "parameter": key})
    _check_shape(name, p)


def _check_shape(name: str, p: Mapping[str, float]) -> None:
    """Refuse parameters that contradict each other."""
    bad = (
        (name == "trapezoidal" and p["beta"] > 1)
        or (name == "uniform" and p["high"] < p["low"])
        or (name == "beta" and p["beta"] == 0)
        or (name == "curvilinear_trapezoid" and p["inexactness"] > p["half_width"])
    )
    if bad:
        msg = f"Parameters of distribution {name!r} contradict each other: {dict(p)}."
        raise OutOfRange(msg, {"distribution": name})


def describe(name: str, parameters: Mapping[str, float]) -> Distribution:
    """Give the standard uncertainty of a distribution.

    Parameters
    ----------
    name : str
        One of `PARAMETERS`.
    parameters : mapping of str to float
        As listed in `PARAMETERS`; ``t`` takes `dof` and either `u` or `scale`.

    Returns
    -------
    Distribution
        Standard uncertainty, mean where fixed, degrees of freedom.

    Raises
    ------
    OutOfRange
        Unknown name, missing, additional or impossible parameters.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 4.3; JCGM 101:2008 6.4; trapezoid GUM 4.3.9.
    Checked against: tests/reference/distributions.toml.
    Limits: a ``t`` counts with its scale (or u) as u and its own degrees of freedom.
    """
    _check(name, parameters)
    u = _U[name](parameters)
    mean = _MEAN[name](parameters) if name in _MEAN else None
    require_finite(f"distribution {name}", u=u, mean=mean)
    dof = parameters["dof"] if name == "t" else math.inf
    require_dof(f"distribution {name}", dof)
    flat = u * math.sqrt(3) if name in ("rectangular", "uniform") else None
    return Distribution(name, u, mean, dof, flat)


def standard_uncertainty(name: str, **parameters: float) -> float:
    """Give the standard uncertainty of a distribution; see `describe`.

    Notes
    -----
    Source: GUM (JCGM 100:2008) 4.3.
    Checked against: tests/reference/distributions.toml.
    Limits: as `describe`.

    Examples
    --------
    >>> round(standard_uncertainty("rectangular", half_width=0.05), 7)
    0.0288675
    """
    return describe(name, parameters).u
