"""Work W3: calibration fits, one and one hundred thousand."""

from __future__ import annotations

from typing import Any

import numpy as np

BATCH = 100_000
PEARSON = (5.4799102240328656, -0.48053340744620204)
"""Intercept and slope of Pearson's data with York's weights, computed with 40 digits."""
C2 = 0.014387768775
"""Second radiation constant, m K (exact values of h, c and k, SI 2019, 12 digits)."""
START = (9e-6, 1e-4, 1.0)
PLATINUM = (100.0, 3.9083e-3, -5.775e-7, -4.183e-12)
"""R0 in ohm, A, B, C of IEC 60751."""
SAKUMA_HATTORI = (9.364e-6, 178.4e-6, 1.0)
_PEARSON = (
    [0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4],
    [5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5],
    [1000.0, 1000.0, 500.0, 800.0, 200.0, 80.0, 60.0, 20.0, 1.8, 1.0],
    [1.0, 1.8, 4.0, 8.0, 20.0, 20.0, 70.0, 70.0, 100.0, 500.0],
)


def line(n: int) -> tuple[Any, Any, Any, Any, Any]:
    """Give x, y, u(x), u(y) and their correlation at n points between 10 and 45."""
    i = np.arange(n)
    x = np.linspace(10.0, 45.0, n)
    u_x, u_y = 0.01 * (1 + 0.5 * np.sin(i)), 0.02 * (1 + 0.3 * np.cos(i))
    return x, 0.05 + 1.002 * x, u_x, u_y, np.full(n, 0.3)


def lines(n: int) -> tuple[Any, Any, Any, Any, Any]:
    """Give the same for a batch (n, items), every item with its own scatter."""
    x, y, u_x, u_y, r = (column[:, None] for column in line(n))
    rng = np.random.default_rng(n)
    scatter = rng.standard_normal((2, n, BATCH))
    return x + u_x * scatter[0], y + u_y * scatter[1], u_x, u_y, r


def pearson() -> tuple[Any, Any, Any, Any]:
    """Pearson's points with the weights of York (1966) as x, y, u(x), u(y)."""
    x, y, w_x, w_y = (np.array(column) for column in _PEARSON)
    return x, y, w_x**-0.5, w_y**-0.5


def radiance() -> tuple[Any, Any, Any]:
    """Eight temperatures (K), relative signals of a Sakuma-Hattori detector, their u."""
    a, b, c = SAKUMA_HATTORI
    t = 273.15 + np.array([10.0, 20.0, 30.0, 35.0, 37.0, 40.0, 42.0, 50.0])
    s = c / np.expm1(C2 / (a * t + b))
    return t, s, 1e-4 * s


def radiances(items: int) -> tuple[Any, Any, Any]:
    """Give the same for a batch (n, items); the first item without scatter."""
    t, s, u = radiance()
    scatter = np.random.default_rng(3).standard_normal((len(t), items))
    scatter[:, 0] = 0.0
    return t, s[:, None] * (1 + 1e-4 * scatter), u[:, None]


def resistances(items: int) -> tuple[Any, Any, Any]:
    """Give `resistance` for a batch (n, items); the first item without scatter."""
    t, r, u = resistance()
    scatter = np.random.default_rng(7).standard_normal((len(t), items))
    scatter[:, 0] = 0.0
    return t, r[:, None] + u[:, None] * scatter, u


def resistance() -> tuple[Any, Any, Any]:
    """Seven temperatures (degC), resistances of a platinum thermometer (ohm), their u."""
    t = np.array([-80.0, -40.0, 0.0, 50.0, 100.0, 150.0, 200.0])
    r0, a, b, c = PLATINUM
    r = r0 * (1 + a * t + b * t**2 + np.where(t < 0, c * (t - 100) * t**3, 0.0))
    return t, r, np.full(len(t), 1e-3)
