"""Work W4: the drift of a fleet, 100 000 instruments with ten calibrations each."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

ITEMS, TIMES = 100_000, 10
LIMIT, U0, FACTOR = 0.2, 0.02, 1.96
HORIZON = 1000.0
"""Years looked ahead."""
SEED = 20200414


@cache
def fleet() -> tuple[Any, Any, Any]:
    """Return times in years, errors and their u, each (calibrations, items)."""
    rng = np.random.default_rng(SEED)
    t = np.arange(TIMES)[:, None] + rng.uniform(-0.1, 0.1, (TIMES, ITEMS))
    u = rng.uniform(0.005, 0.015, (TIMES, ITEMS))
    offset, slope = rng.normal(0.0, 0.01, ITEMS), rng.normal(0.0, 0.01, ITEMS)
    return t, offset + slope * t + u * rng.standard_normal((TIMES, ITEMS)), u


def answer(item: int) -> float:
    """Return the first time of one item, from numpy's line and the closed form."""
    t, y, u = (column[:, item] for column in fleet())
    (slope, offset), c = np.polyfit(t, y, 1, w=1 / u, cov="unscaled")
    return crossing(offset, slope, c[1, 1], c[0, 1], c[0, 0])


def crossing(a: float, b: float, c00: float, c01: float, c11: float) -> float:
    """First time at which |a + b t| + 1.96 u(t) reaches the limit; infinite when it never does.

    Both ends are roots of (limit -/+ (a + b t))^2 = 1.96^2 u^2(t), a quadratic.
    """
    first, k2 = math.inf, FACTOR**2
    if abs(a) + FACTOR * math.sqrt(U0**2 + c00) >= LIMIT:
        return 0.0
    for sign in (1.0, -1.0):
        p, q = LIMIT - sign * a, -sign * b
        roots = np.roots([q * q - k2 * c11, 2 * p * q - 2 * k2 * c01, p * p - k2 * (U0**2 + c00)])
        for root in roots[np.isreal(roots)].real:
            if root > 0 and p + q * root > 0:
                first = min(first, root.item())
    return first
