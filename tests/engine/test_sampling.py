from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from calib.engine import sobol
from calib.engine.distributions import describe
from calib.engine.errors import OutOfRange
from calib.engine.quantiles import quantile
from calib.engine.sampling import Variable, draw, draw_normal, lower_root
from calib.engine.sobol import SobolPoints, direction_numbers
from calib.engine.streams import RandomPoints, centre, open_stream
from calib.engine.tables import tabulate
from calib.engine.types import Estimate
from tests.engine.published import load

STREAMS = load("streams")
DISTRIBUTIONS = load("distributions")["case"]
QUANTILES = load("distributions")["quantile"]


@pytest.mark.parametrize("row", STREAMS["bits"]["rows"], ids=lambda r: str(r["key"]))
def test_raw_bits_never_change(row: dict[str, Any]) -> None:
    words = np.asarray(open_stream(*row["key"]).random_raw(3))
    assert [f"{int(w):016x}" for w in words] == row["words"]


def test_numbers_are_centred_and_never_at_the_ends() -> None:
    q = centre(np.array([0, 2**64 - 1, 2**63, 2**63 - 1], dtype=np.uint64))
    assert q.tolist() == [2**-52 - 0.5, 0.5 - 2**-52, 2**-52, -(2**-52)]


@pytest.mark.parametrize("key", [(-1, 0), (1, -1)])
def test_a_seed_is_not_negative(key: tuple[int, int]) -> None:
    with pytest.raises(OutOfRange, match="not negative"):
        RandomPoints(*key).take(0, 1)


def test_numbers_do_not_depend_on_how_they_are_asked_for() -> None:
    whole = {place: RandomPoints(3, 4).take(place, 1000) for place in (0, 5)}
    points = RandomPoints(3, 4)
    parts: dict[int, list[Any]] = {0: [], 5: []}
    for size in (1, 499, 500):
        for place in (5, 0):
            parts[place].append(points.take(place, size))
    for place, numbers in parts.items():
        assert np.array_equal(np.concatenate(numbers), whole[place])
    assert not np.array_equal(whole[0], whole[5])


def test_sobol_numbers_are_the_published_ones() -> None:
    v = direction_numbers()
    assert len(v) == 100
    points = [sobol._Place(one, np.uint64(0)).take(8) >> np.uint64(48) for one in v[:5]]
    found = sorted(np.array(points).T.tolist())
    assert found == STREAMS["sobol"]["rows"]


def test_every_scramble_fills_each_place_evenly() -> None:
    used = (0, 2, 3, 198)
    points = SobolPoints(1, 0, 3, used)
    for place in used:
        q = points.take(place, 2**15)
        counts = np.histogram(q, bins=2**15, range=(-0.5, 0.5))[0]
        assert counts.min() == counts.max() == 1
    other = SobolPoints(1, 0, 4, used)
    assert not np.array_equal(other.take(0, 8), SobolPoints(1, 0, 3, used).take(0, 8))


def test_sobol_points_do_not_depend_on_how_they_are_asked_for() -> None:
    whole = SobolPoints(1, 0, 0, (0,)).take(0, 40_000)
    points = SobolPoints(1, 0, 0, (0,))
    parts = [points.take(0, n) for n in (1, 16_383, 16_384, 7_232)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_sobol_points_end_at_a_hundred_places() -> None:
    with pytest.raises(OutOfRange, match="Use random points"):
        SobolPoints(1, 0, 0, range(101))


def test_a_table_follows_its_function() -> None:
    table = tabulate(np.log, -52, -1)
    m = 2.0 ** np.arange(-52, -1.01, 0.0137)
    assert np.max(np.abs(table.look_up(m.copy()) - np.log(m))) < 2e-9
    double = table.followed_by(tabulate(np.sqrt, -52, -1))
    skip = np.full(m.shape, table.pieces)
    assert np.max(np.abs(double.look_up(m.copy(), skip) - np.sqrt(m))) < 1e-10
    assert double.pieces == 2 * table.pieces


@pytest.mark.parametrize("case", QUANTILES, ids=str)
def test_draws_are_quantiles(case: dict[str, Any]) -> None:
    name, p = case["name"], case["parameters"]
    if name == "curvilinear_trapezoid":
        pytest.skip("drawn from two numbers")
    known = describe(name, p).mean
    variable = Variable(Estimate(5.0 if known is None else known), name, p)
    q = centre(np.random.SFC64(7).random_raw(300))
    found = draw(variable, q.copy())
    expected = [quantile(name, float(one) + 0.5, p, 5.0) for one in q]
    assert np.max(np.abs(found - expected)) < 1e-8 * describe(name, p).u


@pytest.mark.parametrize("case", DISTRIBUTIONS, ids=str)
def test_draws_have_mean_and_standard_deviation(case: dict[str, Any]) -> None:
    given = describe(case["name"], case["parameters"])
    value = 0.0 if given.mean is None else given.mean
    variable = Variable(Estimate(value, given.u), case["name"], case["parameters"])
    points = RandomPoints(5, 0)
    x = draw(variable, *(points.take(j, 200_000) for j in range(variable.dimensions)))
    u = given.u * (math.sqrt(5 / 3) if "scale" in case["parameters"] and case["name"] == "t" else 1)
    assert x.mean() == pytest.approx(value, abs=0.015 * u)
    assert x.std() == pytest.approx(u, rel=0.02)


def test_draws_without_a_distribution() -> None:
    q = RandomPoints(5, 0).take(0, 200_000)
    assert draw(Variable(Estimate(3))) == 3
    assert Variable(Estimate(3)).dimensions == 0
    assert draw(Variable(Estimate(3, 1)), q.copy()).std() == pytest.approx(1, rel=0.02)
    heavy = draw(Variable(Estimate(3, 1, 5)), q.copy())
    assert heavy.std() == pytest.approx(math.sqrt(5 / 3), rel=0.03)
    assert np.quantile(heavy, 0.975) - 3 == pytest.approx(2.571, abs=0.04)


def test_a_t_by_its_standard_deviation_needs_one() -> None:
    with pytest.raises(OutOfRange, match="more than 2 dof"):
        Variable(Estimate(0, 1), "t", {"u": 1, "dof": 2})


def test_root_of_correlations() -> None:
    r = np.array([[1, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 1]])
    root = lower_root(r)
    assert np.max(np.abs(root @ root.T - r)) < 1e-15
    assert np.array_equal(root, np.tril(root))
    whole = np.ones((3, 3))
    assert lower_root(whole).tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
    # the third is fixed by the two before it
    v = np.array([[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]])
    root = lower_root(v)
    assert np.max(np.abs(root @ root.T - v)) < 1e-9
    assert root[2, 2] == 0


def test_normal_draws_are_symmetric() -> None:
    q = RandomPoints(1, 0).take(0, 1000)
    assert np.array_equal(draw_normal(q.copy()), -draw_normal(-q))
