"""Tests for what does not belong: one reading among others, one group's scatter among groups'.

Nothing is dropped here; who asked decides. This module must not know where readings come from.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.statistics import moments, need_readings
from calib.engine.types import OutlierTest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def check_outlier(x: ArrayLike, alpha: float = 0.05, sided: int = 2) -> OutlierTest:
    """Grubbs' test for one outlier; nothing is dropped.

    Parameters
    ----------
    x : (n,) array_like
        At least three readings, not all equal.
    alpha : float
        Level of the test.
    sided : int
        1: the largest reading only; 2: the reading farthest from the mean.

    Returns
    -------
    OutlierTest
        Statistic, critical value, place of the reading and the verdict.

    Raises
    ------
    DegenerateData
        Fewer than three readings, or all equal.
    OutOfRange
        `alpha` or `sided` is not allowed.

    Notes
    -----
    Source: F. E. Grubbs, Technometrics 11 (1969) 1; ISO 5725-2.
    Checked against: tests/reference/type_a.toml.
    Limits: one outlier in nearly normal readings.
    """
    a = need_readings(x, 3)
    if sided not in (1, 2) or not 0 < alpha < 1:
        msg = f"Grubbs' test needs alpha between 0 and 1 and sided 1 or 2, got {alpha}, {sided}."
        raise OutOfRange(msg, {"alpha": alpha, "sided": sided})
    mean, s, _ = moments(a)
    if s == 0:
        raise DegenerateData("All readings are equal: an outlier test does not apply.")
    deviation = (a - mean) / s if sided == 1 else np.abs(a - mean) / s
    index = int(np.argmax(deviation))
    critical = grubbs_limit(len(a), alpha, sided)
    statistic = float(deviation[index])
    return OutlierTest(statistic, critical, index, statistic > critical)


@lru_cache(maxsize=256)
def grubbs_limit(n: int, alpha: float = 0.05, sided: int = 2) -> float:
    """Critical value of Grubbs' statistic for n readings, at least three.

    Notes
    -----
    Source: F. E. Grubbs, Technometrics 11 (1969) 1; ISO 5725-2.
    Checked against: tests/reference/type_a.toml.
    Limits: one outlier in nearly normal readings.
    """
    t = float(special.stdtrit(n - 2, 1 - alpha / (sided * n)))
    return (n - 1) / math.sqrt(n) * math.sqrt(t * t / (n - 2 + t * t))


def check_variances(deviations: ArrayLike, size: float, alpha: float = 0.05) -> OutlierTest:
    """Cochran's test for one group that scatters more than the others; nothing is dropped.

    Parameters
    ----------
    deviations : (p,) array_like
        Standard deviations of at least two groups, not all 0.
    size : float
        Readings per group, at least 2 (the usual number where it varies).
    alpha : float
        Level of the test.

    Returns
    -------
    OutlierTest
        Largest s^2 over their sum, its critical value, place of the group, verdict.

    Raises
    ------
    DegenerateData
        Fewer than two groups, or none scatters.
    OutOfRange
        A deviation is negative, `size` below 2 or `alpha` outside 0 to 1.

    Notes
    -----
    Source: ISO 5725-2:2019, 8.3.4; critical value 1/(1 + (p - 1)/F) with the quantile
    1 - alpha/p of F(n - 1, (p - 1)(n - 1)).
    Checked against: tests/reference/type_a.toml.
    Limits: equal sizes and nearly normal readings; the bound is exact to about 0.001.
    """
    s = need_readings(deviations, 2)
    if np.any(s < 0) or not size >= 2 or not 0 < alpha < 1:
        msg = "Cochran's test needs s not negative, 2 readings per group, alpha between 0 and 1."
        raise OutOfRange(msg, {"size": size, "alpha": alpha})
    total = float(s @ s)
    if total == 0:
        raise DegenerateData("No group scatters: a test of variances does not apply.")
    p, nu = len(s), size - 1
    F = float(special.fdtri(nu, (p - 1) * nu, 1 - alpha / p))
    critical, index = 1 / (1 + (p - 1) / F), int(np.argmax(s))
    statistic = float(s[index]) ** 2 / total
    return OutlierTest(statistic, critical, index, statistic > critical)
