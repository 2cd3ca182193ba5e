from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from calib.engine.errors import DegenerateData, SingularFit
from calib.engine.observations import read_observations, solve, solve_triangular

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@pytest.mark.parametrize("n", [3, 80])  # small ones go another way
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_both_triangles_and_their_transposes(n: int, lower: bool, transposed: bool) -> None:
    full = np.random.default_rng(n).normal(size=(n, n)) / n + np.eye(n)
    t, b = np.tril(full) if lower else np.triu(full), full[:, :2]
    found = solve_triangular(t, b, lower=lower, transposed=transposed)
    assert (t.T if transposed else t) @ found == pytest.approx(b, abs=1e-12)


@pytest.mark.parametrize("n", [4, 80])
def test_rows_for_whitened_values_act_on_plain_ones(n: int) -> None:
    rng = np.random.default_rng(n)
    y, q, root = rng.normal(size=n), rng.normal(size=(n, 2)), rng.normal(size=(n, n)) / n
    v = root @ root.T + np.diag(rng.uniform(0.5, 2, n))
    for seen in (
        read_observations(y, None, v),
        read_observations(y, np.sqrt(np.diag(v)), None),
        read_observations(y, None, None),
    ):
        rows = seen.white_transposed(q, weighted=True)
        assert rows @ y == pytest.approx(q.T @ seen.white(y))
        assert seen.white(q) == pytest.approx(np.stack([seen.white(c) for c in q.T], axis=1))
        assert seen.white_transposed(q, weighted=False).tolist() == q.T.tolist()
    z = read_observations(y, None, v).white(y)
    assert z @ z == pytest.approx(y @ np.linalg.inv(v) @ y)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_what_is_singular_does_not_depend_on_units(scale: float) -> None:
    b = np.array([1.0, 2.0, 3.0])
    plain = np.array([[1.0, 1], [1, 1 + 1e-9], [1, 1 + 3e-9]])
    c = solve(plain * scale, b)[0] * scale
    assert c == pytest.approx(np.linalg.lstsq(plain, b)[0], rel=1e-5)
    with pytest.raises(SingularFit):
        solve(np.array([[1.0, 1], [1, 1 + 1e-14], [1, 1 + 1e-14]]) * scale, b)


INF, NAN = np.inf, np.nan
BAD = [
    (DegenerateData, [[1, 0], [0, NAN]]),
    (DegenerateData, [[1, INF], [INF, 1]]),
    (DegenerateData, [[1, 0.3], [0, 1]]),
    (DegenerateData, np.eye(3)),
    (SingularFit, [[1, 2], [2, 1]]),
]


@pytest.mark.parametrize(("error", "v"), BAD, ids=range(len(BAD)))
def test_a_matrix_that_is_no_covariance_is_refused(error: type[Exception], v: ArrayLike) -> None:
    with pytest.raises(error):
        read_observations([1.0, 2.0], None, v)
