from __future__ import annotations

import math
from functools import cache
from typing import Any, Never

import numpy as np
import pytest

from calib.engine import linebatch, linexy
from calib.engine.errors import DegenerateData, OutOfRange
from calib.engine.linebatch import fit_lines_xy
from calib.engine.lineprofile import rests
from calib.engine.linexy import fit_line_xy

Data = tuple[np.ndarray, ...]
CLOSE = (
    3, 11, 16, 28, 32, 37, 38, 56, 58, 62, 64, 73, 99, 112, 119, 122, 128, 129, 130, 143, 146,
    164, 182, 187, 191, 196, 198, 203, 220, 222, 225, 228, 252, 257,
)  # fmt: skip
"""Seeds of points that only just are plain, or only just are not."""


class SearchedError(Exception):
    """The data were handed on to the search over all directions."""


def searched(*_: object, **__: object) -> Never:
    raise SearchedError


def scattered(seed: int) -> Data:
    """Points about a line, some of them so vague that another minimum may lie lower."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 20))
    x, slope = rng.normal(size=n), 10 ** rng.uniform(-2, 2) * rng.choice([-1, 1])
    u_x = 10 ** rng.uniform(-1.5, -0.4) * rng.uniform(0.5, 1.5, n)
    u_y = 10 ** rng.uniform(-1.5, 0.3) * rng.uniform(0.5, 1.5, n) * abs(slope)
    off = rng.uniform(0.3, 1.5) * np.hypot(u_y, slope * u_x) * rng.normal(size=n)
    return x + 3, slope * x + off, u_x, u_y, rng.uniform(-0.6, 0.6, n)


@cache
def doubt(seed: int) -> tuple[float, float, float]:
    """Shares of what still counts as plain: blur, blur with misfit, and direction."""
    x, y, u_x, u_y, r = scattered(seed)
    line = fit_lines_xy(x, y, u_x, u_y, r)
    spread = np.sum((x - x.mean()) ** 2)
    blur = np.sum(u_x**2) / spread / 0.05
    scale = math.sqrt((spread + np.sum(u_x**2)) / (np.sum((y - y.mean()) ** 2) + np.sum(u_y**2)))
    turn = float(line.u_b[0]) * scale / (1 + (float(line.b[0]) * scale) ** 2)
    return blur, blur * float(line.chi2[0]) / len(x), turn / 0.1


@pytest.fixture
def no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linexy, "fit_lines_xy", searched)


def is_searched(fit: Any, data: Data) -> bool:
    try:
        fit(*data)
    except SearchedError:
        return True
    return False


def test_doubtful_points_are_searched_and_only_they(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [scattered(seed) for seed in CLOSE]
    doubts = [doubt(seed) for seed in CLOSE]
    for kind in range(3):  # each criterion decides alone somewhere, on both sides and narrowly
        alone = [d[kind] for d in doubts if max(d[:kind] + d[kind + 1 :]) < 1]
        assert any(1 < d < 1.2 for d in alone)
        assert any(0.9 < d < 1 for d in alone)
    monkeypatch.setattr(linebatch, "search_directions", searched)
    expected = [max(d) > 1 for d in doubts]
    assert [is_searched(fit_lines_xy, data) for data in sets] == expected
    monkeypatch.setattr(linexy, "fit_lines_xy", searched)
    assert [is_searched(fit_line_xy, [v.tolist() for v in d]) for d in sets] == expected  # type: ignore[arg-type]


def test_plain_lines_settle_in_few_steps(monkeypatch: pytest.MonkeyPatch, no_search: None) -> None:
    monkeypatch.setattr(linexy, "_STEPS", 5)  # as fast as the second derivative is right
    for data in (scattered(seed) for seed in CLOSE if max(doubt(seed)) < 1):
        line, batch = fit_line_xy(*(v.tolist() for v in data)), fit_lines_xy(*data)  # type: ignore[arg-type]
        assert (line.a, line.b) == pytest.approx((batch.a[0], batch.b[0]), rel=1e-10)
        assert (line.u_a, line.u_b) == pytest.approx((batch.u_a[0], batch.u_b[0]), rel=1e-10)
        assert line.covariance == pytest.approx(batch.covariance[0, 1, 0], rel=1e-10)
        assert line.chi2 == pytest.approx(batch.chi2[0], rel=1e-8)


def test_two_points_and_exact_x_are_plain(no_search: None) -> None:
    line = fit_line_xy([1, 3], [2, 8], [0.1, 0.0], [0.2, 0.3])
    assert (line.a, line.b, line.dof) == (pytest.approx(-1), pytest.approx(3), 0)
    assert line.chi2 == pytest.approx(0, abs=1e-20)
    across = 0.2**2 + 9 * 0.1**2 + 0.3**2
    assert line.u_b == pytest.approx(math.sqrt(across) / 2)
    exact = fit_line_xy([0, 1, 2, 3], [0, 1, 2, 3.1], [0.0] * 4, [0.1] * 4)
    assert exact.b == pytest.approx(1.03)
    assert exact.u_b == pytest.approx(0.1 / math.sqrt(5))


def test_a_bad_figure_among_good_ones_is_refused_alone() -> None:
    x, u = [1.0, 2.0, 3.0, 4.0], [0.1] * 4
    for more in (
        {"u_x": [0.1, -0.1, 0.1, 0.1]}, {"u_y": [0.1, -0.1, 0.1, 0.1]},
        {"r": [0.0, 1.0, 0.0, 0.0]}, {"r": -1},
    ):  # fmt: skip
        with pytest.raises(OutOfRange):
            fit_line_xy(**({"x": x, "y": x, "u_x": u, "u_y": u} | more))  # type: ignore[arg-type]
    for name in ("y", "u_x", "u_y", "r"):
        data: Any = {"x": x, "y": x, "u_x": u, "u_y": u} | {name: [0.1] * 3}
        with pytest.raises(DegenerateData):
            fit_line_xy(**data)


@pytest.mark.parametrize("angle", [0.0, 31.0, -58.0])
def test_a_narrow_valley_is_found_that_lies_lower_than_a_wide_one(angle: float) -> None:
    """Some points know their own line to 0.1 degree only, others little of any."""
    t = math.radians(angle)
    along, up = np.array([-1.0, 0, 1, -1, 0, 1]), np.array([0.0, 0, 0, -1, 0, 1])
    u_along, u_up = np.repeat([1.0, 1.1], 3), np.repeat([0.002, 1.1], 3)
    x, y = along * math.cos(t) - up * math.sin(t), along * math.sin(t) + up * math.cos(t)
    u_x = np.hypot(u_along * math.cos(t), u_up * math.sin(t))
    u_y = np.hypot(u_along * math.sin(t), u_up * math.cos(t))
    r = (u_along**2 - u_up**2) * math.sin(t) * math.cos(t) / (u_x * u_y)
    found = fit_lines_xy(x, y, u_x, u_y, r)
    assert found.converged.all()
    assert found.chi2 == pytest.approx([2 / 1.1**2], rel=1e-3)
    assert math.degrees(math.atan(found.b[0])) == pytest.approx(angle, abs=0.1)


def test_a_top_is_no_place_of_rest() -> None:
    found = {"bend": np.array([4.0, -4.0, 4.0, 0.0]), "step": np.array([0.0, 0.0, 1e-9, 0.0])}
    assert rests(found).tolist() == [True, False, False, False]
