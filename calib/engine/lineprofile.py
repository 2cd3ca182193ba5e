"""The sum of squares of a line with errors in x and y, as a function of its slope alone.

Many lines at once, one per column. This module must not know how the data came or what is
reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MAX_STEPS = 12
_SMALL = 1e-7  # of a standard uncertainty; what such a step leaves is its square
_SETTLED = 1e-9
_DIRECTIONS = 180
_DIPS = 3
_SECTIONS = 40
_GOLDEN = (math.sqrt(5) - 1) / 2


def total(*factors: FloatArray) -> FloatArray:
    """Sum of a product over the points."""
    rows = ",".join(["ij"] * len(factors))
    return np.asarray(np.einsum(f"{rows}->j", *factors), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Centred data of some columns."""

    x: FloatArray
    y: FloatArray
    A: FloatArray  # u_x^2
    B: FloatArray  # u_y^2
    C: FloatArray  # r u_x u_y

    def newton(self, b: FloatArray) -> dict[str, FloatArray]:
        """Evaluate the profile sum of squares at slopes b, with the Newton step.

        With e the residuals from the best line of slope b, v = B - 2 b C + b^2 A their
        variances, g = e/v and xi = x + g (b A - C) the adjusted x, half the derivative of the
        sum is -sum g xi; eta = xi + g (b A - C) gives the second derivative.
        """
        h = self.A * b
        h -= self.C
        w = h - self.C
        w *= b
        w += self.B
        np.divide(1.0, w, out=w)
        e = self.x * -b
        e += self.y
        weight = w.sum(axis=0)
        c = total(w, e) / weight
        e -= c
        g = w * e
        h *= g
        xi = self.x + h
        h += xi
        pull = total(g, xi)
        t = w * h
        mean = t.sum(axis=0) / weight
        bend = total(t, h) - mean * mean * weight - total(g, g, self.A)
        return {"c": c, "e": e, "g": g, "w": w, "weight": weight, "xi": xi, "eta": h,
                "mean": mean, "bend": bend, "step": pull / bend, "chi2": total(g, e)}  # fmt: skip

    def chi2(self, direction: FloatArray, scale: FloatArray) -> FloatArray:
        """Sum of squares for lines at an angle, in coordinates of equal spread."""
        s, c = np.sin(direction), np.cos(direction) * scale
        w = 1 / (s * s * self.A - 2 * s * c * self.C + c * c * self.B)
        d = c * self.y - s * self.x
        d -= total(w, d) / w.sum(axis=0)
        return total(w, d, d)


def settle(block: Profile, b: FloatArray) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Newton steps until every column rests, at most `MAX_STEPS`; then the figures there.

    A column that rests is left alone, so that its digits do not depend on its neighbours.
    """
    moving = np.ones(b.shape, dtype=bool)
    for _ in range(MAX_STEPS):
        found = block.newton(b)
        b = np.where(moving, b + found["step"], b)
        moving &= ~(found["step"] ** 2 * np.abs(found["bend"]) < _SMALL**2)
        if not moving.any():
            break
    return b, block.newton(b)


def rests(found: dict[str, FloatArray]) -> NDArray[np.bool_]:
    """Tell which columns rest at a minimum."""
    bend, step = found["bend"], found["step"]
    return np.asarray((bend > 0) & (step * step * bend < _SETTLED**2))


def search_directions(block: Profile) -> FloatArray:
    """Slopes of the lowest minima over all directions, shape (3, N): grid and golden sections."""
    scale = spread_ratio(block)
    width = math.pi / _DIRECTIONS
    angles = (np.arange(_DIRECTIONS) + 0.5) * width - math.pi / 2
    sums = np.array([block.chi2(np.full_like(scale, a), scale) for a in angles])
    dip = (sums <= np.roll(sums, 1, axis=0)) & (sums <= np.roll(sums, -1, axis=0))
    order = np.argsort(np.where(dip, sums, math.inf), axis=0)[:_DIPS]
    found = np.empty(order.shape)
    for k, best in enumerate(order):
        low = angles[best] - width
        high = low + 2 * width
        for _ in range(_SECTIONS):
            cut = _GOLDEN * (high - low)
            left, right = high - cut, low + cut
            better = block.chi2(left, scale) < block.chi2(right, scale)
            low, high = np.where(better, low, left), np.where(better, right, high)
        found[k] = np.tan((low + high) / 2) / scale
    return found


def spread_ratio(block: Profile) -> FloatArray:
    """Scale that brings x and y to equal spread, never 0."""
    wide = total(block.x, block.x) + block.A.sum(axis=0)
    high = total(block.y, block.y) + block.B.sum(axis=0)
    return np.asarray(np.sqrt(wide / high))


def mean_adjusted(found: dict[str, FloatArray]) -> FloatArray:
    """Weighted mean of the adjusted x."""
    return total(found["w"], found["xi"]) / found["weight"]
