"""Tasks of kind type_a: tests for outlying groups."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calib.evaluation.tasks import compute
from tests.engine.published import good

READINGS = [[1.0, 1.1], [2.0, 2.1], [3.0, 3.9], [4.0, 4.1]]


def task(method: str = "pooled", **more: Any) -> dict[str, Any]:
    return {"kind": "type_a", "method": method, "readings": READINGS, **more}


@pytest.mark.parametrize("method", ["pooled", "nested"])
def test_cochran_names_the_group(method: str) -> None:
    found = good(compute(task(method, outliers={"test": "cochran", "alpha": "0.05"})))
    outlier = found["outliers"]
    assert (outlier["index"], outlier["outlying"], outlier["size"]) == (2, True, 2)
    assert outlier["statistic"] == pytest.approx(0.81 / 0.84)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_nothing_is_dropped() -> None:
    plain = good(compute(task()))
    tested = good(compute(task(outliers={"test": "cochran"})))
    assert {k: v for k, v in tested.items() if k != "outliers"} == plain


def test_the_usual_size_counts() -> None:
    uneven = [[1, 2, 3], [1, 2, 4], [0, 3]]
    found = good(compute(task(readings=uneven, outliers={"test": "cochran"})))
    assert found["outliers"]["size"] == 3


def test_nested_gives_the_groups() -> None:
    found = good(compute(task("nested", readings=[[1, 3], [2, 2, 5]])))
    assert [g["mean"] for g in found["groups"]] == [2, 3]
    assert [g["n"] for g in found["groups"]] == [2, 3]
    given = good(compute({"kind": "type_a", "method": "nested", "groups": found["groups"]}))
    assert given == found


BAD: list[tuple[str, str, Any]] = [
    ("bad-value", "outliers.test", task(outliers={"test": "grubbs"})),
    ("unknown-key", "outliers.sided", task(outliers={"test": "cochran", "sided": 1})),
    ("bad-value", "outliers.test",
     task("bessel", readings=[1, 2, 3], outliers={"test": "cochran"})),
    ("out-of-range", "outliers", task(outliers={"test": "cochran", "alpha": 0})),
    ("degenerate-data", "outliers", task(readings=[[1, 1], [2, 2]], outliers={"test": "cochran"})),
    ("degenerate-data", "readings", task(readings=[[1], [2, 2]], outliers={"test": "cochran"})),
]  # fmt: skip


@pytest.mark.parametrize(("code", "at", "given"), BAD, ids=range(len(BAD)))
def test_bad_tasks(code: str, at: str, given: dict[str, Any]) -> None:
    found = compute(given)["error"]
    assert (found["code"], found["at"]) == (code, at), found
