from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.averaging import average_results
from calib.engine.correlations import correlation_matrix
from calib.engine.degrees import effective_dof
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.expression import parse
from calib.engine.propagation import combine, propagate
from calib.engine.types import Coverage, Estimate

numbers = st.floats(-1e3, 1e3)
positive = st.floats(1e-3, 1e3)


def model(**texts: str) -> dict[str, Any]:
    return {name: parse(text, ["a", "b", "c"]) for name, text in texts.items()}


@settings(max_examples=30)
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


@settings(max_examples=30)
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


def test_rows_of_a_budget() -> None:
    inputs = {"a": Estimate(1, 0.3, 5), "b": Estimate(2, 0.8), "c": Estimate(3)}
    rows = propagate(model(y="2*a - b + c"), inputs).budgets[0].rows
    assert [(r.name, r.c, r.u, r.dof) for r in rows] == [
        ("a", 2, 0.3, 5), ("b", -1, 0.8, math.inf), ("c", 1, 0, math.inf),
    ]  # fmt: skip
    assert [r.contribution for r in rows] == pytest.approx([0.6, 0.8, 0])
    assert [r.percent for r in rows] == pytest.approx([36, 64, 0])


def test_exact_inputs_have_no_second_order() -> None:
    y = propagate(model(y="a^2"), {"a": Estimate(3)}, order=2).budgets[0]
    assert (y.value, y.u, y.U) == (9, 0, 0)


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


def test_taken_together_without_correlation_is_still_one_component() -> None:
    inputs = {"a": Estimate(0, 1, 4), "b": Estimate(0, 1, 4)}
    assert propagate(model(y="a + b"), inputs).budgets[0].dof == pytest.approx(8)
    assert propagate(model(y="a + b"), inputs, tied=[[0, 1]]).budgets[0].dof == 4


def test_averaged_results_need_sets() -> None:
    inputs = {"a": Estimate(1, 0.1), "b": Estimate(1, 0.1)}
    for readings in ({"a": [1.0], "b": [1.0]}, {"a": [1.0, 2], "b": [1.0]}):
        with pytest.raises(DegenerateData):
            average_results(model(y="a"), inputs, readings, r=np.eye(2))


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(0.01, 1), st.floats(0.1, 10))
def test_the_unit_of_an_input_does_not_matter(x: float, u: float, scale: float) -> None:
    plain = propagate(model(y="a^2 + 3*a"), {"a": Estimate(x, u, 5)}).budgets[0]
    text = f"(a*{scale!r})^2 + 3*(a*{scale!r})"
    scaled = propagate(model(y=text), {"a": Estimate(x / scale, u / scale, 5)}).budgets[0]
    assert scaled.u == pytest.approx(plain.u, rel=1e-9, abs=1e-12)
    assert scaled.value == pytest.approx(plain.value, rel=1e-9, abs=1e-9)
    assert scaled.dof == plain.dof or plain.u < 1e-9


@settings(max_examples=30)
@given(st.permutations(["a", "b", "c"]), st.floats(-0.4, 0.4))
def test_the_order_of_the_inputs_does_not_matter(order: list[str], r: float) -> None:
    figures = {"a": Estimate(1, 0.1, 4), "b": Estimate(2, 0.2, 9), "c": Estimate(3, 0.3)}
    pairs = [("a", "b", r), ("b", "c", -r)]

    def found(names: list[str]) -> Any:
        inputs = {n: figures[n] for n in names}
        return propagate(model(y="a*b - c"), inputs, r=correlation_matrix(names, pairs)).budgets[0]

    one, other = found(["a", "b", "c"]), found(order)
    assert other.u == pytest.approx(one.u)
    assert other.dof == pytest.approx(one.dof)
    assert {row.name: row.c for row in other.rows} == {row.name: row.c for row in one.rows}


def test_one_standard_at_two_points() -> None:
    """An input named in several outputs makes them correlated; their difference loses it."""
    inputs = {"s": Estimate(0, 0.5), "p": Estimate(10, 0.1), "q": Estimate(20, 0.1)}
    texts = {"y1": "p - s", "y2": "q - s", "d": "(q - s) - (p - s)"}
    found = propagate({k: parse(t, ["s", "p", "q"]) for k, t in texts.items()}, inputs)
    assert found.correlation[0, 1] == pytest.approx(0.25 / 0.26)
    assert found.budgets[2].u == pytest.approx(math.sqrt(0.02))
    v = found.covariance
    assert v[2, 2] == pytest.approx(v[0, 0] + v[1, 1] - 2 * v[0, 1])
    assert np.sqrt(np.diag(v)) == pytest.approx([b.u for b in found.budgets])


def test_a_complex_quantity_is_a_pair() -> None:
    """A product of complex numbers by its parts, against the rules for complex sensitivities."""
    a, b = 3 + 4j, 0.5 - 2j
    r = correlation_matrix(["ar", "ai", "br", "bi"], [("ar", "ai", 0.3), ("br", "bi", -0.2)])
    inputs = {"ar": Estimate(a.real, 0.1), "ai": Estimate(a.imag, 0.2),
              "br": Estimate(b.real, 0.01), "bi": Estimate(b.imag, 0.03)}  # fmt: skip
    texts = {"re": "ar*br - ai*bi", "im": "ar*bi + ai*br"}
    found = propagate({k: parse(t, list(inputs)) for k, t in texts.items()}, inputs, r=r)
    assert complex(*(x.value for x in found.budgets)) == pytest.approx(a * b)

    def turned(z: complex) -> np.ndarray:
        return np.array([[z.real, -z.imag], [z.imag, z.real]])

    va = np.array([[0.01, 0.006], [0.006, 0.04]])
    vb = np.array([[1e-4, -6e-5], [-6e-5, 9e-4]])
    expected = turned(b) @ va @ turned(b).T + turned(a) @ vb @ turned(a).T
    assert found.covariance == pytest.approx(expected)


def test_exact_inputs_keep_the_slopes_they_have() -> None:
    inputs = {"a": Estimate(0), "b": Estimate(2, 0.1), "c": Estimate(3)}
    for order in (1, 2):
        found = propagate(model(y="abs(a) + b*c"), inputs, order=order).budgets[0]
        assert [row.c for row in found.rows] == [0, 3, 2]
        assert found.value == 6


def test_second_order_is_in_the_covariance() -> None:
    found = propagate(model(y="a^2", w="a"), {"a": Estimate(0, 0.3)}, order=2)
    assert found.covariance[0, 0] == pytest.approx(2 * 0.09**2)
    assert found.covariance[0, 1] == 0
    assert found.correlation[0, 1] == 0


def test_second_order_against_quadrature() -> None:
    """Exact moments of a quadratic and of a product of normal inputs."""
    z, w = np.polynomial.hermite_e.hermegauss(20)
    w = w / w.sum()
    x, y = 1.3 + 0.4 * z[:, None], -0.7 + 0.2 * z
    p = w[:, None] * w
    f = 2 * x * x - 3 * x * y + y * y
    exact = np.sum(p * f * f) - np.sum(p * f) ** 2
    inputs = {"a": Estimate(1.3, 0.4), "b": Estimate(-0.7, 0.2)}
    found = propagate(model(y="2*a^2 - 3*a*b + b^2"), inputs, order=2).budgets[0]
    assert found.u**2 == pytest.approx(exact, rel=1e-12)


def test_too_many_uncertain_inputs_for_the_second_order() -> None:
    names = [f"x{i}" for i in range(61)]
    f = {"y": parse("+".join(names), names)}
    with pytest.raises(OutOfRange, match="at most 60"):
        propagate(f, {n: Estimate(1, 0.1) for n in names}, order=2)
    some = {n: Estimate(1, 0.1 if n != "x0" else 0) for n in names}
    assert propagate(f, some, order=2).budgets[0].u == pytest.approx(0.1 * math.sqrt(60))


def test_averaged_results_carry_covariance_and_rules() -> None:
    inputs = {"a": Estimate(2, 0.5, 2), "b": Estimate(1, 0.1, 5), "c": Estimate(1, 0.2, 50)}
    r = correlation_matrix(["a", "b", "c"], [("b", "c", 0.5)])
    readings = {"a": [1.0, 2.0, 3.0]}
    found = average_results(model(y="a + b + c"), inputs, readings, r=r)
    group = 1 / 3
    outside = 0.01 + 0.04 + 2 * 0.5 * 0.1 * 0.2
    assert found.covariance[0, 0] == pytest.approx(group + outside)
    y = found.budgets[0]
    assert y.dof == pytest.approx((group + outside) ** 2 / (group**2 / 2 + outside**2 / 5))
    separate = average_results(model(y="a + b + c"), inputs, readings, r=r, rule="castrup")
    assert separate.budgets[0].dof > y.dof
    assert sum(row.percent for row in y.rows[:1]) == pytest.approx(100 * 0.25 / y.u**2)


def test_two_readings_taken_together_are_enough() -> None:
    inputs = {"a": Estimate(2, 0.5, 1), "b": Estimate(1, 0.1, 5)}
    seen = []

    def choose(signed: Any, nu: float) -> Coverage:
        seen.append((signed.tolist(), nu))
        return Coverage(2.0, "fixed")

    found = average_results(
        {"y": parse("a - 2*b", ["a", "b"])}, inputs, {"a": [1.0, 3.0]}, r=np.eye(2), choose=choose
    )
    assert found.budgets[0].value == pytest.approx(0.0)
    assert found.budgets[0].u == pytest.approx(math.sqrt(1 + 0.04))
    # the policy is given the contributions with their signs
    assert seen[-1][0] == pytest.approx([0.5, -0.2])
