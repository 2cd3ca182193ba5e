"""Exact distribution of a linear model, by numerical inversion of its characteristic function.

What most budgets are: a sum of independent quantities with known distributions. Its quantiles
come out to about 1e-9 of u without a single random number, for one item or for a fleet at once.
This module must not know where sensitivities come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from calib.engine.characteristic import characteristic
from calib.engine.coverage import check_probability
from calib.engine.distributions import describe
from calib.engine.errors import NotConverged, OutOfRange
from calib.engine.quantiles import normal_tail, quantile, require_variance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from calib.engine.sampling import Parameters, Variable

    FloatArray = NDArray[np.float64]

MOST_TERMS = 2**15
_TERMS = 48
_GROWTH = 1.5
_ROOM = 2**17
_NEGLIGIBLE = 1e-10
_SETTLED = 1e-9  # of a step: the one after it would be a million times smaller
_DIRECT = 400
_EDGE = 1e-9
_SECTIONS = 24
_STEPS = 80
_BOUNDED = {"rectangular", "uniform", "triangular", "trapezoidal", "arcsine",
            "curvilinear_trapezoid", "beta"}  # fmt: skip
SKEW = ("exponential", "gamma", "beta")


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """Distribution of c_1 d_1 + ... + c_n d_n, d being deviations of the inputs from their means.

    Attributes
    ----------
    u : (items,) array
        Standard deviation.
    low, high : (items,) arrays
        Ends of the probabilistically symmetric interval.
    short_low, short_high : (items,) arrays
        Ends of the shortest interval.
    """

    u: FloatArray
    low: FloatArray
    high: FloatArray
    short_low: FloatArray
    short_high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """Independent parts: one normal with a standard deviation, and others (name, p, factors)."""

    normal: FloatArray
    others: list[tuple[str, Parameters, FloatArray]]

    def of(self, items: Any) -> _Sum:
        return _Sum(self.normal[items], [(n, p, c[items]) for n, p, c in self.others])

    @property
    def is_skew(self) -> bool:
        return any(name in SKEW for name, _, _ in self.others)

    def u(self) -> FloatArray:
        variance = self.normal**2
        for name, p, c in self.others:
            variance = variance + (c * _deviation(name, p)) ** 2
        return np.sqrt(variance)

    def reach(self) -> FloatArray:
        """How far from 0 practically nothing lies."""
        square = (7 * self.normal) ** 2
        for name, p, c in self.others:
            square = square + (c * _reach(name, p)) ** 2
        return np.sqrt(square)

    def step(self) -> FloatArray:
        """Step between arguments: what it takes for parts of the period not to overlap."""
        return 2 * math.pi / (self.reach() + 5 * self.u())

    def factors(self, t: FloatArray) -> NDArray[Any]:
        """Characteristic function at t (terms, items)."""
        out: NDArray[Any] = np.exp(-0.5 * (t * self.normal) ** 2)
        for name, p, c in self.others:
            out = out * characteristic(name, p, t * c)
        return out


def standard_deviation(variable: Variable) -> float:
    """Give the standard deviation of an input as it is drawn; sqrt(dof/(dof - 2)) scale for a t.

    Raises
    ------
    OutOfRange
        A t with 2 or fewer degrees of freedom.

    Notes
    -----
    Source: JCGM 101:2008 6.4.9.4.
    Checked against: tests/reference/linearised.toml.
    Limits: none.
    """
    name, p = variable.drawn_as
    return 0.0 if name == "exact" else _deviation(name, p)


def _deviation(name: str, p: Parameters) -> float:
    u = describe(name, p).u
    if name == "t":
        require_variance(p["dof"])
        return u * math.sqrt(p["dof"] / (p["dof"] - 2)) if "scale" in p else u
    return u


def _reach(name: str, p: Parameters) -> float:
    if name == "t":
        scale = _deviation(name, p) * math.sqrt((p["dof"] - 2) / p["dof"])
        return -scale * float(special.stdtrit(p["dof"], _NEGLIGIBLE))
    if name in ("gamma", "exponential"):
        shape, scale = p.get("shape", 1.0), p.get("scale", p.get("mean", 0.0))
        return scale * float(special.gammainccinv(shape, _NEGLIGIBLE))
    # Hoeffding's bound: a sum of limited quantities spreads like a normal of their half-widths.
    return 7.2 * _deviation(name, p) * (2.2 if name in _BOUNDED else 1.0)


def _collect(variables: Sequence[Variable], factors: FloatArray, r: FloatArray) -> _Sum:
    """Put all normal inputs into one, keep the others."""
    normals, others = np.zeros_like(factors), []
    for k, variable in enumerate(variables):
        name, p = variable.drawn_as
        if name == "normal":
            normals[k] = factors[k] * p["u"]
        elif name != "exact":
            if np.count_nonzero(r[k]) > 1:
                msg = "Correlated inputs must be normal for the distribution of the linear model."
                raise OutOfRange(msg, {"input": k})
            others.append((name, p, factors[k]))
    variance = np.einsum("in,ij,jn->n", normals, r, normals)
    return _Sum(np.sqrt(np.maximum(0.0, variance)), others)


def propagate_linearised(
    variables: Sequence[Variable], factors: ArrayLike, *, r: FloatArray, p: float = 0.95
) -> Linearised:
    """Give the exact coverage intervals of a linear model, for one item or many.

    Parameters
    ----------
    variables : (n,) sequence of Variable
        Input quantities, the same kinds for all items.
    factors : (n, items) array_like
        Sensitivity coefficients, times how many times wider the item's input is than the one
        stated in `variables`.
    r : (n, n) array
        Correlation matrix; correlated inputs must be normal.
    p : float
        Coverage probability.

    Returns
    -------
    Linearised
        Standard deviation and intervals about the value at the means.

    Raises
    ------
    OutOfRange
        A correlated input that is not normal, or a t without a standard deviation.
    NotConverged
        The inversion would take more than 32 768 terms (a sharp edge or a very heavy tail).

    Notes
    -----
    Source: J. Gil-Pelaez, Biometrika 38 (1951) 481; midpoint rule (R. B. Davies, Biometrika 60
    (1973) 415), the step set by where the tails end.
    Checked against: tests/reference/linearised.toml.
    Limits: exact for linear models only; quantiles to about 1e-9 u. The shortest interval of
    a symmetric sum is taken as its symmetric one, which holds with a single peak.
    """
    check_probability(p)
    c = np.atleast_2d(np.asarray(factors, dtype=np.float64))
    whole = _collect(variables, c, r)
    u = whole.u()
    if len(whole.others) == 1 and not np.any(whole.normal):
        return Linearised(u, *_lone(*whole.others[0], p))
    out = np.zeros((4, c.shape[1]))
    todo, terms = np.flatnonzero(u > 0), _TERMS
    while len(todo) and terms <= MOST_TERMS and not _suffice(whole, todo[:1], terms):
        terms = int(terms * _GROWTH)
    while len(todo):
        if terms > MOST_TERMS:
            msg = (
                "The distribution of the linear model has an edge too sharp or a tail too heavy"
                " for numerical inversion. Use random trials."
            )
            raise NotConverged(msg, {"items": len(todo), "terms": terms})
        left = []
        size = max(1, _ROOM // terms)
        for start in range(0, len(todo), size):
            items = todo[start : start + size]
            done, ends = _invert(whole.of(items), u[items], terms, p)
            out[:, items[done]] = ends
            left.append(items[~done])
        todo, terms = np.concatenate(left), int(terms * _GROWTH)
    return Linearised(u, *out)


def _fades(phi: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether what is left out after the last term is negligible."""
    rest = np.max(np.abs(phi[-(len(phi) // 4) :]), axis=0)
    return np.asarray(rest < _NEGLIGIBLE * len(phi) / 4)


def _suffice(whole: _Sum, items: Any, terms: int) -> bool:
    part = whole.of(items)
    j = np.arange(terms - terms // 4, terms) + 0.5
    phi = np.abs(part.factors(j[:, None] * part.step()))
    return bool(np.max(phi) < _NEGLIGIBLE * terms / 4)


def _invert(
    part: _Sum, u: FloatArray, terms: int, p: float
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Which items so many terms suffice for, and the four ends of their intervals."""
    h = part.step()
    phi = part.factors((np.arange(terms) + 0.5)[:, None] * h)
    done = _fades(phi)
    phi, h, u = phi[:, done], h[done], u[done]
    tail = (1 - p) / 2
    found = _Inverse(phi, h, u)
    if not part.is_skew:
        high = found.quantile(np.full(len(u), 1 - tail))
        return done, np.array([-high, high, -high, high])
    low, high = (found.quantile(np.full(len(u), q)) for q in (tail, 1 - tail))
    return done, np.array([low, high, *_shortest(found.quantile, len(u), p)])


def _lone(name: str, parameters: Parameters, c: FloatArray, p: float) -> FloatArray:
    """Give the ends for a single input, whose quantiles are known."""
    mean = describe(name, parameters).mean or 0.0
    at = {q: quantile(name, q, parameters) - mean for q in ((1 - p) / 2, (1 + p) / 2)}
    low, high = at.values()
    ends = np.array([[low], [high], [low], [high]])
    if name in SKEW:
        each = np.vectorize(lambda q: quantile(name, float(q), parameters) - mean)
        ends[2:] = np.array(_shortest(each, 1, p))
    mirrored = -ends[[1, 0, 3, 2]]
    return np.where(c >= 0, ends, mirrored) * np.abs(c)


class _Inverse:
    """Distribution function of items from their characteristic functions."""

    def __init__(self, phi: NDArray[Any], h: FloatArray, u: FloatArray) -> None:
        self.h, self.u = h, u
        self.j = np.arange(len(phi)) + 0.5
        self.a = np.ascontiguousarray(phi.real)
        self.b = np.ascontiguousarray(phi.imag) if np.iscomplexobj(phi) else None

    def _sums(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distribution function and density."""
        theta = self.h * y
        if len(y) <= _DIRECT:
            angle = self.j[:, None] * theta
            sine, cosine = np.sin(angle), np.cos(angle)
            f, g = self.a * sine, self.a * cosine
            if self.b is not None:
                f, g = f - self.b * cosine, g + self.b * sine
            total, slope = np.sum(f / self.j[:, None], axis=0), np.sum(g, axis=0)
        else:
            total, slope = self._turned(theta)
        return 0.5 + total / math.pi, self.h * slope / math.pi

    def _turned(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sum over all terms, sine and cosine turned on from term to term."""
        turn_s, turn_c = np.sin(theta), np.cos(theta)
        s, c = np.sin(theta / 2), np.cos(theta / 2)
        total, slope = np.zeros_like(theta), np.zeros_like(theta)
        for k, j in enumerate(self.j):
            f, g = self.a[k] * s, self.a[k] * c
            if self.b is not None:
                f, g = f - self.b[k] * c, g + self.b[k] * s
            total += f / j
            slope += g
            s, c = s * turn_c + c * turn_s, c * turn_c - s * turn_s
        return total, slope

    def quantile(self, p: FloatArray) -> FloatArray:
        """Newton's method, kept inside a shrinking bracket."""
        y = np.copysign(normal_tail(np.minimum(p, 1 - p)), p - 0.5) * self.u
        low, high = -math.pi / self.h, math.pi / self.h
        for _ in range(_STEPS):
            f, density = self._sums(y)
            low, high = np.where(f < p, y, low), np.where(f < p, high, y)
            with np.errstate(divide="ignore", invalid="ignore"):
                new = y - (f - p) / density
            new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
            step = np.abs(new - y)
            y = new
            if np.all(step <= _SETTLED * self.u):
                break
        return y


def _shortest(
    quantile_of: Callable[[FloatArray], FloatArray], items: int, p: float
) -> tuple[FloatArray, FloatArray]:
    """Golden section over the probability below the interval."""
    ratio = (math.sqrt(5) - 1) / 2
    a, b = np.full(items, _EDGE), np.full(items, 1 - p - _EDGE)

    def width(q: FloatArray) -> FloatArray:
        return quantile_of(q + p) - quantile_of(q)

    x, y = b - ratio * (b - a), a + ratio * (b - a)
    fx, fy = width(x), width(y)
    for _ in range(_SECTIONS):
        left = fx < fy
        a, b = np.where(left, a, x), np.where(left, y, b)
        new = np.where(left, b - ratio * (b - a), a + ratio * (b - a))
        found = width(new)
        x, y = np.where(left, new, y), np.where(left, x, new)
        fx, fy = np.where(left, found, fy), np.where(left, fx, found)
    best = (a + b) / 2
    return quantile_of(best), quantile_of(best + p)
