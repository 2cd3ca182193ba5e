"""The budget looked into: scaled uncertainties, what dominates, trials beside the law."""

from __future__ import annotations

import math

import pytest

from calib.engine.montecarlo import numerical_tolerance
from calib.services import evaluation, what_if
from instruments.errors import Invalid, NotFound
from tests.support.issuing import a_bench, authorised, everybody, filled


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = a_bench(f"sqlite+pysqlite:///{tmp_path_factory.mktemp('what') / 'calib.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def record(bench) -> int:
    return authorised(bench, decision_rule="simple")


KEY = "temperature/as_found/0/50"


def test_nothing_tried_is_what_was_stored(bench, record):
    with bench.as_(bench.technician) as ctx:
        stored = evaluation.get_evaluation(ctx, record).result.points
        assert what_if.points_of(ctx, record) == stored
        found = what_if.budget_of(ctx, record, KEY, {})
    (point,) = (one for one in stored if one.key == KEY)
    assert found.point == found.tried == point
    assert found.percents == {}


def test_every_component_at_twice_gives_twice_u(bench, record):
    with bench.as_(bench.technician) as ctx:
        names = [line.component for line in what_if.points_of(ctx, record)[0].budget]
        found = what_if.budget_of(ctx, record, KEY, dict.fromkeys(names, "200"))
    assert found.tried.u == pytest.approx(2 * found.point.u, rel=1e-9)
    for before, now in zip(found.point.budget, found.tried.budget, strict=True):
        assert now.u == pytest.approx(2 * before.u, rel=1e-9)
        assert now.percent == pytest.approx(before.percent, abs=1e-6)


def test_one_component_scaled_adds_its_square(bench, record):
    with bench.as_(bench.technician) as ctx:
        whole = what_if.budget_of(ctx, record, KEY, {})
        assert whole.dominant is not None
        name = whole.dominant.component
        found = what_if.budget_of(ctx, record, KEY, {name: "300", "d_res": "100"})
    line = next(one for one in whole.point.budget if one.component == name)
    expected = math.sqrt(whole.point.u**2 + 8 * line.contribution**2)
    assert found.tried.u == pytest.approx(expected, rel=1e-9)
    assert found.percents == {name: 300}


def test_what_dominates_is_the_largest_share(bench, record):
    with bench.as_(bench.technician) as ctx:
        found = what_if.budget_of(ctx, record, KEY, {})
        assert found.dominant is not None
        halved = what_if.budget_of(ctx, record, KEY, {found.dominant.component: "50"})
    assert found.dominant.percent == max(line.percent for line in found.point.budget)
    assert found.dominant.dominates == (found.dominant.percent >= 50)
    assert found.dominant.halved == halved.tried.printed.U


@pytest.mark.parametrize(
    "tried",
    [
        {"nothing": "50"},
        {"d_res": "-1"},
        {"d_res": "1001"},
        {"d_res": "１０"},
        {"d_res": ""},
        {"d_res": "1.5"},
    ],
)
def test_what_cannot_be_tried_is_said(bench, record, tried):
    with bench.as_(bench.technician) as ctx, pytest.raises(Invalid) as refused:
        what_if.budget_of(ctx, record, KEY, tried)
    assert refused.value.code == "what-if-unusable"


def test_a_point_or_record_that_is_not_there_is_not_found(bench, record):
    with bench.as_(bench.technician) as ctx:
        for id_, key in ((record, "temperature/as_found/0/51"), (record + 99, KEY)):
            with pytest.raises(NotFound):
                what_if.budget_of(ctx, id_, key, {})


def test_a_draft_is_looked_into_as_it_stands(bench):
    draft = filled(bench)
    with bench.as_(everybody(bench), read_only=True) as ctx:
        found = what_if.budget_of(ctx, draft, KEY, {})
        now = evaluation.evaluate_draft(ctx, draft)
    assert now.result is not None
    assert found.point in now.result.points


def test_the_law_stands_beside_the_trials(bench, record):
    with bench.as_(bench.technician) as ctx:
        point = what_if.budget_of(ctx, record, KEY, {}).point
        found = what_if.compared(ctx, record, KEY, {})
    assert found.gum.value == point.error
    assert found.gum.u == pytest.approx(point.u, rel=1e-9)
    assert found.trials.value == pytest.approx(point.error, abs=point.u / 100)
    assert found.gum.low < point.error < found.gum.high
    assert found.delta == numerical_tolerance(found.trials.u, found.digits)
    assert found.d_low == pytest.approx(abs(found.gum.low - found.trials.low))
    assert found.d_high == pytest.approx(abs(found.gum.high - found.trials.high))
    assert found.is_validated == (max(found.d_low, found.d_high) <= found.delta)
    assert max(found.standard_errors) < point.u / 100


def test_a_rectangular_quantity_alone_is_drawn_as_one_and_the_law_is_not_validated(bench, record):
    with bench.as_(bench.technician) as ctx:
        point = what_if.budget_of(ctx, record, KEY, {}).point
        others = {line.component: "0" for line in point.budget if line.component != "d_res"}
        found = what_if.compared(ctx, record, KEY, others)
    half = 0.005  # of the last digit, 0.01
    assert found.trials.u == pytest.approx(half / math.sqrt(3), rel=1e-3)
    assert found.trials.high - found.trials.low == pytest.approx(2 * 0.95 * half, rel=1e-3)
    assert found.gum.high - found.gum.low == pytest.approx(2 * 1.96 * found.gum.u, rel=1e-3)
    assert not found.is_validated
