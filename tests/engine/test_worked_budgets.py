"""The worked budgets of 29 instrument types, digit by digit, through tasks of compute."""

from __future__ import annotations

import math
from typing import Any

import pytest

from calib.engine.propagation import combine
from calib.engine.rounding import RoundingPolicy, round_uncertainty
from calib.evaluation.tasks import compute
from tests.engine.published import good, load

BUDGETS = load("worked_budgets")["budget"]


def as_task(budget: dict[str, Any]) -> dict[str, Any]:
    rows = {f"q{i}": row for i, row in enumerate(budget["components"])}
    return {
        "kind": "propagate",
        "function": " + ".join(f"({row['c']!r})*{name}" for name, row in rows.items()),
        "inputs": {
            name: {"value": 0, "u": row["u"]} | ({"dof": row["dof"]} if row["dof"] else {})
            for name, row in rows.items()
        },
        "coverage": "two_or_t",
    }


def four_digits(number: float) -> str:
    return f"{number:.4g}"


def test_there_are_29() -> None:
    assert len(BUDGETS) == 29


@pytest.mark.parametrize("budget", BUDGETS, ids=[b["id"] for b in BUDGETS])
def test_every_printed_digit(budget: dict[str, Any]) -> None:
    y = good(compute(as_task(budget)))["outputs"]["y"]
    printed = budget["printed"]
    assert four_digits(y["u"]) == printed["uc"]
    assert str(round(y["dof"])) == printed["nu_eff"]
    assert f"{y['k']:.2f}" == printed["k"]
    assert four_digits(y["U"]) == printed["U"]
    policy = RoundingPolicy("ceil_if_gt_5pct", 2)
    assert f"{round_uncertainty(y['U'], policy):f}" == printed["reported"]


def test_all_at_once_by_the_vectorised_core() -> None:
    size = max(len(b["components"]) for b in BUDGETS)

    def column(key: str, empty: float) -> list[list[float]]:
        return [
            [b["components"][i][key] if i < len(b["components"]) else empty for b in BUDGETS]
            for i in range(size)
        ]

    dof = [[d or math.inf for d in row] for row in column("dof", 0)]
    found = combine(column("c", 0.0), column("u", 0.0), dof)
    for i, budget in enumerate(BUDGETS):
        assert four_digits(float(found.u[i])) == budget["printed"]["uc"]
        assert str(round(float(found.dof[i]))) == budget["printed"]["nu_eff"]
    assert found.percent.sum(axis=0) == pytest.approx([100.0] * 29)
