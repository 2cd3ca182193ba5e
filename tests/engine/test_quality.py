from __future__ import annotations

import math

import numpy as np
import pytest

from calib.engine.observations import read_observations
from calib.engine.quality import judge

EPS = 2.0**-52


def test_a_sum_below_rounding_counts_as_rounding() -> None:
    """Else the lowest of all degrees that fit exactly would be chosen by chance."""
    seen = read_observations([1.0, 2.0, -8.0, 4.0, 5.0, 6.0], None, None)
    floor = 6 * (4 * EPS * 8) ** 2
    penalty = 2 * 3 + 2 * 3 * 4 / (6 - 3 - 1)
    for chi2 in (0.0, floor / 2, floor):
        found = judge(seen, chi2, 2, known=False, origin=False)
        assert found.aicc == pytest.approx(6 * math.log(floor / 6) + penalty)
    above = judge(seen, 2 * floor, 2, known=False, origin=False)
    assert above.aicc == pytest.approx(6 * math.log(floor / 3) + penalty)
    zeros = read_observations(np.zeros(6), None, None)
    assert judge(zeros, 0.0, 2, known=False, origin=False).aicc is None


def test_the_criterion_needs_more_points_than_it_counts() -> None:
    seen = read_observations([1.0, 2.0, 4.0, 3.0], 0.5, None)
    assert judge(seen, 6.0, 2, known=True, origin=False).aicc == pytest.approx(6 + 4 + 12)
    assert judge(seen, 6.0, 2, known=False, origin=False).aicc is None
    assert judge(seen, 6.0, 3, known=True, origin=False).aicc is None


def test_a_curve_that_explains_nothing_has_no_variance_ratio() -> None:
    seen = read_observations([1.0, 2.0, 4.0, 3.0], 1.0, None)
    total = 5.0  # about the mean of 2.5
    some = judge(seen, 2.0, 2, known=True, origin=False)
    assert some.f_statistic == pytest.approx((total - 2) / (2 / 2))
    assert some.r_squared == pytest.approx(1 - 2 / total)
    blunt = read_observations([1.0, 2.0, 4.0, 3.0], 10.0, None)
    same = judge(blunt, 0.02, 2, known=True, origin=False)
    assert same.f_statistic == pytest.approx(some.f_statistic)
    for chi2 in (0.0, total, 6.0):
        assert judge(seen, chi2, 2, known=True, origin=False).f_statistic is None
    assert judge(seen, 2.0, 1, known=True, origin=False).f_statistic is None
    assert judge(seen, 2.0, 1, known=True, origin=True).f_statistic == pytest.approx(28 / (2 / 3))
    assert judge(seen, 2.0, 4, known=True, origin=False).f_statistic is None
    assert judge(seen, 1e-310, 2, known=True, origin=False).f_statistic is None


@pytest.mark.parametrize(("chi2", "consistent"), [(7.81, True), (7.82, False)])
def test_the_limit_of_consistency_is_the_95_percent_point(chi2: float, consistent: bool) -> None:
    seen = read_observations([1.0, 2.0, 4.0, 3.0, 5.0], 1.0, None)
    found = judge(seen, chi2, 2, known=True, origin=False)
    assert (found.dof, found.consistent) == (3, consistent)
    assert found.chi2_critical == pytest.approx(7.814727903)
    assert found.s == pytest.approx(math.sqrt(chi2 / 3))
