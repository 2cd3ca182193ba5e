"""Readings into numbers: exact means, scatter that no order changes."""

from __future__ import annotations

from itertools import permutations

import pytest

from calib.evaluation.decimals import exact_mean, kept
from calib.evaluation.series import arrange
from tests.support import inputs as a


def test_a_mean_is_the_double_nearest_to_the_exact_one():
    # summing doubles gives 0.6000000000000001 / 3
    assert exact_mean(["0.1", "0.2", "0.3"]) == 0.2
    assert exact_mean(["37.0", "37.1", "37.1"]) == 37.06666666666667
    assert exact_mean(["1e-30", "1e20", "-1e20"]) == pytest.approx(1e-30 / 3, rel=1e-15)


def test_scatter_is_the_same_double_in_every_order():
    texts = ["0.013", "0.107", "0.211", "0.046"]
    found = set()
    for order in permutations(texts):
        record = a.with_series(a.digital(), 0, "t_ind", order)
        measured = arrange([record], record.definition.measurands[0])
        found.add(float(measured.series["t_ind"].s[0]))

    assert len(found) == 1


def test_numbers_are_kept_to_twelve_digits_and_zero_has_no_sign():
    assert kept(0.1 + 0.2) == 0.3
    assert str(kept(-0.0)) == "0.0"
