from __future__ import annotations

import math

import pytest

from calib.engine import errors
from calib.engine.errors import EngineError, OutOfRange
from calib.engine.types import BudgetRow, Coverage, Estimate, TypeA


def test_one_tree_of_errors() -> None:
    for name in ("DegenerateData", "SingularFit", "NotConverged", "OutOfRange", "BadExpression"):
        kind = getattr(errors, name)
        raised = kind("A sentence.", {"n": 3})
        assert isinstance(raised, EngineError)
        assert isinstance(raised, ValueError)
        assert (raised.message, raised.facts, str(raised)) == (
            "A sentence.",
            {"n": 3},
            "A sentence.",
        )
        assert name in str(errors.__doc__)
    assert EngineError("x").facts == {}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_results_refuse_what_is_not_finite(bad: float) -> None:
    with pytest.raises(OutOfRange):
        Estimate(bad)
    with pytest.raises(OutOfRange):
        Estimate(1, bad)
    with pytest.raises(OutOfRange):
        Coverage(bad)
    with pytest.raises(OutOfRange):
        BudgetRow("x", bad, 1, 1, 1, 1)
    with pytest.raises(OutOfRange):
        TypeA(1, bad, 1, 1, 1)


def test_estimates_refuse_impossible_figures() -> None:
    with pytest.raises(OutOfRange):
        Estimate(1, -1)
    with pytest.raises(OutOfRange):
        Estimate(1, 1, 0)


def test_a_row_shared_in_another_total() -> None:
    row = BudgetRow("x", 2, 1, 2, 9, 100)
    assert row.shared(4).percent == 25
    assert row.shared(0).percent == 0
