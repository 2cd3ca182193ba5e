"""One item and a fleet: the same budget, to the last bits, and both as published."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.correlations import Coupling, correlation_matrix, couple
from calib.engine.errors import OutOfRange
from calib.engine.expression import parse
from calib.engine.factors import t_factor
from calib.engine.fleet import BLOCK, Fleet, Item, propagate_fleet, propagate_item
from calib.engine.program import Code, Program, compile_program
from calib.engine.propagation import propagate
from calib.engine.types import Estimate
from tests.engine.published import load

WORKS = load("works")
INF = math.inf
NAMES = ["a", "b", "c"]


def compiled(text: str) -> Program:
    return compile_program(parse(text, NAMES), NAMES)


def work(which: str) -> tuple[Program, list[float], list[float], list[float], Coupling]:
    m = WORKS["model"][which]
    u = [a / math.sqrt(3) if a else u for u, a in zip(m["u"], m["half_width"], strict=True)]
    i, j = WORKS["correlation"]["pair"]
    r = np.eye(len(u))
    r[i, j] = r[j, i] = WORKS["correlation"]["r"]
    f = parse(m["function"], m["names"])
    return compile_program(f, m["names"]), m["x"], u, m["dof"], couple(r)


def same(one: Item, many: Fleet, at: int, rel: float = 2e-14) -> None:
    for name in ("value", "u", "dof", "k", "U"):
        assert getattr(many, name)[at] == pytest.approx(getattr(one, name), rel=rel, abs=2e-13)
    assert many.c[:, at] == pytest.approx(np.array(one.c), rel=rel)


@pytest.mark.parametrize("which", ["A", "B"])
def test_works_to_every_digit(which: str) -> None:
    model, x, u, dof, coupling = work(which)
    expected = WORKS["model"][which]
    found = propagate_item(model, x, u, dof, coupling, truncate=False)
    assert found.value == pytest.approx(expected["value"], abs=1e-13)
    assert found.u == pytest.approx(expected["u_combined"], rel=3e-14)
    assert found.dof == pytest.approx(expected["dof_effective"], rel=1e-13)
    assert pytest.approx(expected["U"], rel=3e-14) == found.U
    sure = propagate_item(model, x, u, dof, coupling)
    assert sure.k == t_factor(math.floor(expected["dof_effective"]))


@pytest.mark.parametrize("which", ["A", "B"])
@pytest.mark.parametrize("truncate", [True, False])
def test_a_fleet_is_its_items(which: str, *, truncate: bool) -> None:
    model, x, u, dof, coupling = work(which)
    i = np.arange(BLOCK + 3)
    xs = np.array(x)[:, None] + 1e-4 * ((7 * i) % 11)
    us = np.array(u)[:, None] * (1 + 0.001 * (i % 97))
    fleet = propagate_fleet(model, xs, us, dof, coupling, truncate=truncate)
    for at in (0, 1, 777, BLOCK - 1, BLOCK, BLOCK + 2):
        one = propagate_item(
            model, xs[:, at].tolist(), us[:, at].tolist(), dof, coupling, truncate=truncate
        )
        same(one, fleet, at)


positive = st.floats(1e-3, 10)
rows = st.lists(st.tuples(positive, positive, st.sampled_from([1.0, 3.0, 7.5, INF])),
                min_size=3, max_size=3)  # fmt: skip


@settings(max_examples=30)
@given(rows, st.floats(-0.9, 0.9), st.sampled_from(["a*b + c", "a - b*c", "log(a) + b/c", "c"]))
def test_item_fleet_and_full_budget_agree(
    inputs: list[tuple[float, float, float]], r: float, text: str
) -> None:
    x, u, dof = (list(column) for column in zip(*inputs, strict=True))
    matrix = correlation_matrix(NAMES, [("a", "b", r)])
    one = propagate_item(compiled(text), x, u, dof, couple(matrix))
    many = propagate_fleet(compiled(text), x, u, dof, couple(matrix))
    same(one, many, 0, 1e-12)
    estimates = {n: Estimate(*row) for n, row in zip(NAMES, inputs, strict=True)}
    full = propagate({"y": parse(text, NAMES)}, estimates, r=matrix).budgets[0]
    assert one.value == pytest.approx(full.value, rel=1e-14)
    assert one.u == pytest.approx(full.u, rel=1e-9)
    assert one.dof == pytest.approx(full.dof, rel=1e-9)
    assert pytest.approx(full.U, rel=1e-9) == one.U
    assert one.c == pytest.approx([row.c for row in full.rows], rel=1e-12)


def test_items_with_and_without_a_loss_of_degrees_of_freedom_stand_in_one_block() -> None:
    u = [[1.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
    found = propagate_fleet(
        compiled("a + b + c"), np.ones((3, 3)), u, [INF, 4, INF], couple(np.eye(3))
    )
    assert found.dof.tolist() == [INF, pytest.approx(5**2 / (2**4 / 4)), INF]


def test_a_correlated_group_is_one_component() -> None:
    coupling = couple(correlation_matrix(NAMES, [("a", "b", 0.5)]))
    args: Any = (compiled("a + b + c"), [1, 2, 3], [1, 1, 2], [5, 9, 4], coupling)
    for found in (propagate_item(*args), propagate_fleet(*args)):
        assert found.u == pytest.approx(math.sqrt(7))
        assert found.dof == pytest.approx(49 / (9 / 5 + 16 / 4))
    tied = couple(np.eye(3), [[0, 1]])
    alone = (args[0], [1, 2, 3], [1, 1, 0], [5, 9, 4], tied)
    assert propagate_item(*alone).dof == pytest.approx(5)
    assert propagate_fleet(*alone).dof[0] == pytest.approx(5)


def test_a_member_that_does_not_count_leaves_its_degrees_of_freedom_out() -> None:
    coupling = couple(correlation_matrix(NAMES, [("a", "b", 0.5)]))
    args: Any = (compiled("a + c"), [1, 2, 3], [1, 1, 0], [5, 2, INF], coupling)
    assert propagate_item(*args).dof == pytest.approx(5)
    assert propagate_fleet(*args).dof[0] == pytest.approx(5)
    none: Any = (compiled("c"), [1, 2, 3], [1, 1, 1], [5, 2, INF], coupling)
    assert propagate_item(*none).dof == INF
    assert propagate_fleet(*none).dof[0] == INF


def test_correlated_to_the_full_cancels() -> None:
    coupling = couple(np.ones((2, 2)))
    names = ["a", "b"]
    model = compile_program(parse("a - b", names), names)
    args: Any = (model, [1, 2], [0.3, 0.3], [INF, INF], coupling)
    for found in (propagate_item(*args), propagate_fleet(*args)):
        assert found.u == 0
        assert found.U == 0
        assert found.dof == INF


@pytest.mark.parametrize("size", [1e-200, 1e-80, 1e80, 1e150])
def test_very_small_and_very_large_uncertainties(size: float) -> None:
    args: Any = (compiled("a + b"), [1, 2, 3], [3 * size, 4 * size, 0], [8, 8, 8])
    one, many = propagate_item(*args), propagate_fleet(*args)
    assert one.u / size == pytest.approx(5)
    assert one.dof == pytest.approx(625 / (81 / 8 + 256 / 8))
    same(one, many, 0)


def test_large_and_small_items_of_one_block() -> None:
    u = np.array([[3e-200, 3.0, 0.0], [4e-200, 4.0, 0.0], [0, 0, 0]])
    found = propagate_fleet(compiled("a + b"), [1, 2, 3], u, [8, 8, 8])
    assert found.u.tolist() == pytest.approx([5e-200, 5, 0])
    assert found.dof[:2] == pytest.approx(found.dof[0])
    assert found.dof[2] == INF


def test_exact_inputs_only() -> None:
    args: Any = (compiled("2*a"), [1, 2, 3], [0, 0, 0], [5, 5, 5])
    one, many = propagate_item(*args), propagate_fleet(*args)
    assert (one.value, one.u, one.dof, one.U) == (2, 0, INF, 0)
    assert one.k == pytest.approx(1.959963984540054, rel=1e-14)
    same(one, many, 0)
    empty = compile_program(parse("2*pi", []), [])
    assert propagate_item(empty, [], [], []).value == pytest.approx(2 * math.pi)


def test_degrees_of_freedom_below_one_count_as_one() -> None:
    model = compiled("a")
    found = propagate_item(model, [1, 0, 0], [1, 0, 0], [0.25, 1, 1])
    assert found.dof == pytest.approx(0.25)
    assert found.k == propagate_item(model, [1, 0, 0], [1, 0, 0], [1, 1, 1]).k


def test_whole_degrees_of_freedom_survive_rounding() -> None:
    found = propagate_item(compiled("a"), [1, 0, 0], [0.7, 0, 0], [49, 1, 1])
    assert found.k == propagate_item(compiled("a"), [1, 0, 0], [1, 0, 0], [49, 1, 1]).k


def test_sizes_of_a_fleet() -> None:
    model = compiled("a*b + c")
    xs = np.arange(6.0).reshape(3, 2) + 1
    found = propagate_fleet(model, xs, [[0.1], [0.2], [0.3]], [5, 5, 5], p=0.99)
    assert found.value.tolist() == [1 * 3 + 5, 2 * 4 + 6]
    assert found.c.tolist() == [[3, 4], [1, 2], [1, 1]]
    one = propagate_item(model, [1, 3, 5], [0.1, 0.2, 0.3], [5, 5, 5], p=0.99)
    same(one, found, 0)
    none = propagate_fleet(model, np.zeros((3, 0)), np.zeros((3, 0)), [5, 5, 5])
    assert none.value.shape == (0,)
    assert none.c.shape == (3, 0)


def test_a_result_may_be_overwritten() -> None:
    model = compiled("a*b + c")
    xs = np.arange(6.0).reshape(3, 2) + 1
    first = propagate_fleet(model, xs, [0.1, 0.2, 0.3], [5, 5, 5])
    kept = first.U.copy()
    again = propagate_fleet(model, xs, [0.2, 0.4, 0.6], [5, 5, 5], into=first)
    assert again is first
    assert pytest.approx(2 * kept) == again.U
    with pytest.raises(OutOfRange, match="overwritten"):
        propagate_fleet(model, xs[:, :1], [0.1, 0.2, 0.3], [5, 5, 5], into=first)


BAD: list[tuple[Any, Any, Any]] = [
    ([1, 2], [1, 1, 1], [5, 5, 5]), ([1, 2, 3], [1, 1], [5, 5, 5]),
    ([1, 2, 3], [1, 1, 1], [5, 5]), ([1, 2, math.nan], [1, 1, 1], [5, 5, 5]),
    ([1, 2, INF], [1, 1, 1], [5, 5, 5]), ([1, 2, 3], [1, -1, 1], [5, 5, 5]),
    ([1, 2, 3], [1, math.nan, 1], [5, 5, 5]), ([1, 2, 3], [1, INF, 1], [5, 5, 5]),
    ([1, 2, 3], [1, 1, 1], [5, 0, 5]), ([1, 2, 3], [1, 1, 1], [5, -1, 5]),
    ([1, 2, 3], [1, 1, 1], [5, math.nan, 5]), ([1, 2, 0], [1, 1, 1], [5, 5, 5]),
    ([1e200, 1e200, 3], [1, 1, 1], [5, 5, 5]), ([1e10, 1, 1], [0, 1e300, 0], [5, 5, 5]),
]  # fmt: skip


@pytest.mark.parametrize(("x", "u", "dof"), BAD, ids=range(len(BAD)))
def test_refusals(x: Any, u: Any, dof: Any) -> None:
    model = compiled("a*b/c")
    with pytest.raises(OutOfRange):
        propagate_item(model, x, u, dof)
    with pytest.raises(OutOfRange):
        propagate_fleet(model, x, u, dof)


def test_a_fleet_refuses_sizes_that_do_not_fit() -> None:
    model = compiled("a")
    with pytest.raises(OutOfRange, match="equally many"):
        propagate_fleet(model, np.ones((3, 4)), np.ones((3, 5)), [5, 5, 5])
    with pytest.raises(OutOfRange, match="one row"):
        propagate_fleet(model, np.ones((3, 4, 2)), np.ones((3, 4)), [5, 5, 5])


@pytest.mark.parametrize("bad", [5, BLOCK + 7])
def test_the_item_without_result_is_named(bad: int) -> None:
    xs = np.ones((3, BLOCK + 20))
    xs[2, bad] = 0
    with pytest.raises(OutOfRange, match=f"Item {bad}:") as caught:
        propagate_fleet(compiled("a/c"), xs, [1, 1, 1], [5, 5, 5])
    assert caught.value.facts["item"] == bad


def test_arrays_may_refuse_where_no_single_item_does() -> None:
    def overflow(_slots: Any) -> None:
        raise FloatingPointError("overflow")

    model = compiled("a")
    edgy = replace(model, arrays=Code((overflow,), ()))
    with pytest.raises(OutOfRange, match="overflow") as caught:
        propagate_fleet(edgy, [1, 2, 3], [1, 1, 1], [5, 5, 5])
    assert "item" not in caught.value.facts
