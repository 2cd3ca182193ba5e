"""Many records at once: to the byte what each of them is told alone, in whatever company."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.engine.propagation import combine
from calib.evaluation.checks import check_record
from calib.evaluation.decimals import exact_mean, exact_means
from calib.evaluation.evaluate import evaluate
from calib.evaluation.fleet import evaluate_many
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.order import in_order
from calib.evaluation.quiet import quiet_series
from calib.evaluation.result import CalibrationResult
from instruments.catalogue.loader import load_catalogue
from instruments.errors import Refused
from tests.support import inputs as a
from tests.support.fleets import damaged, one_by_one, simulated, some, told


def test_every_type_in_one_fleet_is_told_what_each_record_is_told_alone():
    records = list(simulated())

    answers = list(map(told, evaluate_many(records)))

    assert {r.definition.id for r in records} == {t.id for t in load_catalogue().list()}
    assert answers == list(one_by_one(records))
    assert sum(isinstance(answer, bytes) for answer in answers) > len(records) / 2


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_whole_and_damaged_records_in_any_company(seed, size):
    records = some(seed, size)

    assert list(map(told, evaluate_many(records))) == list(one_by_one(records))


def test_what_a_stored_record_gives_is_what_the_first_evaluation_gave():
    # the stored form sorts its keys: the order in which inputs stood in the file has no say
    for record in simulated():
        stored = CalibrationInput.from_dict(json.loads(record.canonical()))
        first, again = one_by_one([record, stored])
        assert first == again, record.definition.id


def test_the_readings_a_value_rests_on_are_those_the_type_takes_most_of():
    record = next(r for r in simulated() if r.definition.id == "pipette.piston")

    point = evaluate(record).points[0]

    assert point.readings == max(len(series) for series in record.points[0].readings.values())
    assert point.readings > 1


def test_a_broken_record_is_refused_in_its_place_and_the_others_go_on():
    good = a.digital()
    bad = a.with_series(good, 1, "t_ind", ["abc"] * 4)
    fine = told(evaluate(good))

    first, second, third = evaluate_many([good, bad, good])

    assert isinstance(second, Refused)
    assert [f.code for f in second.findings if f.severity == "error"] == ["decimal-malformed"] * 4
    assert told(first) == told(third) == fine


def _dividing_by_zero() -> CalibrationInput:
    pump = a.with_series(a.pump(), 1, "q_ref", ["0"] * 3)
    return replace(pump, standards=(replace(pump.standards[0], low="0"),))


def test_a_value_that_cannot_be_computed_is_told_with_its_point_and_stops_no_one():
    good = a.pump()
    bad = _dividing_by_zero()
    (alone,) = one_by_one([bad])

    answers = [told(one) for one in evaluate_many([good, bad, good, good])]

    assert answers[1] == alone
    assert alone[0] == "not-computable"
    assert answers[0] == answers[2] == answers[3] == told(evaluate(good))


def test_a_fault_of_the_program_stays_with_its_record():
    good = a.digital()
    broken = replace(good, points=None)

    first, second, third = evaluate_many([good, broken, good])

    assert isinstance(second, Refused)
    assert second.code == "evaluation-failed"
    assert told(first) == told(third) == told(evaluate(good))


def test_no_more_is_held_than_a_window(monkeypatch):
    monkeypatch.setattr("calib.evaluation.fleet.WINDOW", 8)
    drawn = count()
    record = a.digital()

    answers = evaluate_many(record for _ in drawn)

    assert isinstance(next(answers), CalibrationResult)
    assert next(drawn) == 8


def test_an_answer_holds_no_other_record():
    (refusal,) = evaluate_many([_dividing_by_zero()])

    assert isinstance(refusal, Refused)
    assert refusal.__traceback__ is None
    assert refusal.__cause__ is not None
    assert refusal.__cause__.__traceback__ is None


def test_a_quiet_series_is_one_of_which_the_exact_checks_say_nothing():
    chance = random.Random(11)  # noqa: S311 -- no secret
    quiet = loud = 0
    for whole in simulated():
        records = [in_order(one) for one in (whole, *(damaged(whole, chance) for _ in range(3)))]
        for record, known in zip(records, quiet_series(records), strict=True):
            assert check_record(record, known) == check_record(record)
            quiet += len(known or ())
            loud += sum(len(point.readings) for point in record.points)
    assert quiet > loud / 2


decimals = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6, places=3
)
odd = st.sampled_from(["1e3", "-2.50E-3", "0.1234567890123456789", "9" * 20, "-0", "000.10"])
series = st.lists(st.lists(decimals.map(str) | odd, min_size=1, max_size=6), min_size=1)


@settings(max_examples=50)
@given(series)
def test_means_of_many_series_are_the_exact_means_of_each(rows):
    texts = [text for row in rows for text in row]

    found = exact_means(texts, np.array([len(row) for row in rows]))

    assert found.tolist() == [exact_mean(row) for row in rows]


def test_means_in_whole_numbers_are_the_doubles_nearest_to_the_exact_ones():
    chance = random.Random(5)  # noqa: S311 -- no secret
    rows = [
        [f"{chance.randint(-(10**7), 10**7) / 10**3:.3f}" for _ in range(10)] for _ in range(99)
    ]

    found = exact_means([text for row in rows for text in row], np.array([10] * 99))

    assert found.tolist() == [float(sum(map(Decimal, row)) / 10) for row in rows]


@pytest.mark.parametrize("components", [3, 8, 13])
def test_an_item_beside_others_is_the_item_alone_to_the_last_bit(components):
    chance = np.random.default_rng(components)
    c, u = chance.normal(size=(2, components, 50))
    together = combine(c, abs(u), 5.0)

    for i in range(50):
        alone = combine(c[:, i : i + 1], abs(u[:, i : i + 1]), 5.0)
        assert alone.u[0] == together.u[i]
        assert alone.dof[0] == together.dof[i]


def test_a_definition_that_is_equal_but_another_object_is_evaluated_alike():
    record = a.digital()
    copy = replace(
        record, definition=type(record.definition).from_dict(record.definition.as_dict())
    )

    assert told(evaluate(copy)) == told(evaluate(record))
    assert copy.digest() == record.digest()
