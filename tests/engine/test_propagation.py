from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.engine.averaging import average_results
from calib.engine.correlations import (
    correlation_matrix,
    correlation_of,
    estimate_correlations,
    independent_groups,
)
from calib.engine.degrees import effective_dof
from calib.engine.errors import DegenerateData, NotConverged, OutOfRange, SingularFit
from calib.engine.expression import parse
from calib.engine.implicit import solve_implicit
from calib.engine.propagation import combine, propagate
from calib.engine.types import Coverage, Estimate

numbers = st.floats(-1e3, 1e3)
positive = st.floats(1e-3, 1e3)


def model(**texts: str) -> dict[str, Any]:
    return {name: parse(text, ["a", "b", "c"]) for name, text in texts.items()}


@given(st.lists(st.tuples(numbers, positive, st.floats(1, 100)), min_size=1, max_size=8))
def test_combine_against_the_formula(rows: list[tuple[float, float, float]]) -> None:
    c, u, dof = (np.array(v)[:, None] for v in zip(*rows, strict=True))
    found = combine(c, u, dof)
    parts = np.abs(c * u)[:, 0]
    total = math.sqrt(math.fsum(p * p for p in parts))
    assert found.u[0] == pytest.approx(total)
    if total > 1e-6:
        nu = total**4 / math.fsum(p**4 / d for p, d in zip(parts, dof[:, 0], strict=True))
        assert found.dof[0] == pytest.approx(nu)
        assert found.percent.sum() == pytest.approx(100)


def test_combine_scales_without_overflow() -> None:
    small, large = combine([[1e-200], [1e-200]], 1.0, 5), combine([[1e150], [1e150]], 1.0, 5)
    assert small.dof[0] == pytest.approx(10)
    assert large.dof[0] == pytest.approx(10)


def test_combine_of_nothing_uncertain() -> None:
    found = combine([[1.0, 2.0]], [[0.0, 1.0]], [[3.0, math.inf]])
    assert found.u.tolist() == [0, 2]
    assert found.dof.tolist() == [math.inf, math.inf]
    assert found.percent.tolist() == [[0, 100]]


@pytest.mark.parametrize(
    ("c", "u", "dof"),
    [([[math.nan]], 1, 1), ([[1]], [[-1]], 1), ([[1]], [[1]], 0), ([[1]], [[1]], math.nan)],
)
def test_combine_refuses(c: Any, u: Any, dof: Any) -> None:
    with pytest.raises(OutOfRange):
        combine(c, u, dof)
    with pytest.raises(OutOfRange):
        effective_dof([math.inf], 1)


@given(numbers, numbers, positive, positive, st.floats(-0.99, 0.99))
def test_correlated_sum_and_difference(a: float, b: float, ua: float, ub: float, r: float) -> None:
    inputs = {"a": Estimate(a, ua, 9), "b": Estimate(b, ub, 9)}
    found = propagate(
        model(s="a + b", d="a - b"), inputs, r=correlation_matrix(["a", "b"], [("a", "b", r)])
    )
    v = np.array([[ua**2, r * ua * ub], [r * ua * ub, ub**2]])
    j = np.array([[1.0, 1], [1, -1]])
    w = j @ v @ j.T
    assert [x.u for x in found.budgets] == pytest.approx(np.sqrt(np.diag(w)), abs=1e-7)
    expected = w[0, 1] / math.sqrt(w[0, 0] * w[1, 1])
    assert found.correlation[0, 1] == pytest.approx(expected, abs=1e-9)
    if abs(r) > 0:
        assert found.budgets[0].dof == 9


def test_exact_inputs_only() -> None:
    found = propagate(model(y="a*2"), {"a": Estimate(3)})
    y = found.budgets[0]
    assert (y.value, y.u, y.U, y.dof) == (6, 0, 0, math.inf)
    assert y.rows[0].c == 2
    assert y.rows[0].percent == 0
    assert y.interval == (6, 6)
    assert found.correlation.tolist() == [[1]]


def test_exact_input_without_a_derivative() -> None:
    found = propagate(model(y="abs(a) + b"), {"a": Estimate(0), "b": Estimate(1, 0.1)})
    assert found.budgets[0].rows[0].c == 0
    assert found.budgets[0].u == pytest.approx(0.1)


def test_an_input_that_is_not_in_the_model() -> None:
    found = propagate(model(y="a"), {"a": Estimate(1, 0.1), "c": Estimate(1, 0.1)})
    assert found.budgets[0].rows[1].contribution == 0


def test_second_order_of_a_square_at_zero() -> None:
    found = propagate(model(y="a^2"), {"a": Estimate(0, 0.3)}, order=2)
    assert found.budgets[0].u == pytest.approx(math.sqrt(2) * 0.09)
    assert found.budgets[0].dof == math.inf


def test_second_order_of_a_product() -> None:
    inputs = {"a": Estimate(2, 0.3), "b": Estimate(5, 0.4)}
    found = propagate(model(y="a*b"), inputs, order=2).budgets[0]
    assert found.u**2 == pytest.approx((5 * 0.3) ** 2 + (2 * 0.4) ** 2 + (0.3 * 0.4) ** 2)


def test_second_order_may_make_no_variance() -> None:
    with pytest.raises(DegenerateData):
        propagate(model(y="sin(a)"), {"a": Estimate(0, 1.2)}, order=2)


def test_order_and_correlation() -> None:
    inputs = {"a": Estimate(1, 0.1), "b": Estimate(1, 0.1)}
    r = correlation_matrix(["a", "b"], [("a", "b", 0.5)])
    with pytest.raises(OutOfRange):
        propagate(model(y="a*b"), inputs, r=r, order=2)
    with pytest.raises(OutOfRange):
        propagate(model(y="a*b"), inputs, order=3)
    assert propagate(model(y="a*b"), inputs, r=np.eye(2), order=2).budgets[0].u > 0


def test_fixed_coverage() -> None:
    found = propagate(
        model(y="a"), {"a": Estimate(1, 0.1)}, choose=lambda _p, _d: Coverage(3.0, "fixed")
    )
    assert found.budgets[0].k == 3
    assert pytest.approx(0.3) == found.budgets[0].U


@pytest.mark.parametrize(
    "pairs",
    [[("a", "q", 0.1)], [("q", "a", 0.1)], [("a", "a", 1)], [("a", "b", 1.1)],
     [("a", "b", math.nan)], [("a", "b", 0.1), ("b", "a", 0.1)]],
    ids=range(6),
)  # fmt: skip
def test_correlations_that_are_none(pairs: Any) -> None:
    with pytest.raises(OutOfRange):
        correlation_matrix(["a", "b"], pairs)


def test_correlations_that_contradict_each_other() -> None:
    pairs = [("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9)]
    with pytest.raises(SingularFit):
        correlation_matrix(["a", "b", "c"], pairs)
    assert correlation_matrix([], []).shape == (0, 0)


def test_groups() -> None:
    r = np.eye(4)
    r[0, 2] = r[2, 0] = 0.1
    assert independent_groups(r) == [[0, 2], [1], [3]]
    assert independent_groups(r, [[1, 2]]) == [[0, 1, 2], [3]]


def test_taken_together_without_correlation_is_still_one_component() -> None:
    inputs = {"a": Estimate(0, 1, 4), "b": Estimate(0, 1, 4)}
    assert propagate(model(y="a + b"), inputs).budgets[0].dof == pytest.approx(8)
    assert propagate(model(y="a + b"), inputs, tied=[[0, 1]]).budgets[0].dof == 4


def test_correlations_from_readings() -> None:
    data = np.array([[1.0, 2, 4], [2.0, 4, 8], [1.0, 1, 1]])
    mean, u, r = estimate_correlations(data)
    assert mean == pytest.approx([7 / 3, 14 / 3, 1])
    assert u == pytest.approx(np.std(data, axis=1, ddof=1) / math.sqrt(3))
    assert r == pytest.approx(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))
    with pytest.raises(DegenerateData):
        estimate_correlations([[1.0], [2.0]])
    with pytest.raises(DegenerateData):
        estimate_correlations([1.0, 2.0])
    assert correlation_of([[0, 0], [0, 4]]).tolist() == [[1, 0], [0, 1]]


def test_averaged_results_need_sets() -> None:
    inputs = {"a": Estimate(1, 0.1), "b": Estimate(1, 0.1)}
    for readings in ({"a": [1.0], "b": [1.0]}, {"a": [1.0, 2], "b": [1.0]}):
        with pytest.raises(DegenerateData):
            average_results(model(y="a"), inputs, readings, r=np.eye(2))


def solve(*texts: str, start: dict[str, float], **inputs: float) -> Any:
    names = [*start, *inputs]
    return solve_implicit([parse(t, names) for t in texts], start, inputs)


def test_implicit_root() -> None:
    y, slopes = solve("y^2 - x", start={"y": 1.0}, x=4.0)
    assert y["y"] == 2
    assert slopes == pytest.approx(np.array([[0.25]]))


def test_implicit_system() -> None:
    y, slopes = solve("p + q - x", "p*q - z", start={"p": 1, "q": 5}, x=7.0, z=10.0)
    assert (y["p"], y["q"]) == pytest.approx((2, 5))
    assert slopes.sum(axis=0) == pytest.approx([1, 0])


def test_implicit_damps_its_steps() -> None:
    y, _ = solve("atan(y - x)", start={"y": 10.0}, x=1.0)
    assert y["y"] == pytest.approx(1)
    y, _ = solve("log(y) - x", start={"y": 30.0}, x=0.0)
    assert y["y"] == pytest.approx(1)


def test_implicit_without_solution() -> None:
    with pytest.raises(NotConverged):
        solve("y^2 + x", start={"y": 1.3}, x=1.0)
    with pytest.raises(SingularFit):
        solve("y^2 - x", start={"y": 0.0}, x=1.0)
    with pytest.raises(NotConverged, match="100 steps"):
        solve("exp(-y)", start={"y": 1.0})
    with pytest.raises(DegenerateData):
        solve("y", start={"y": 1.0, "z": 1.0})
