"""What the complete points give while a record is still being measured."""

from __future__ import annotations

from dataclasses import replace

from calib.evaluation.evaluate import evaluate, evaluate_points
from tests.support import inputs


def test_complete_points_give_what_the_whole_record_will_give() -> None:
    record = inputs.forehead()
    assert evaluate_points(record) == evaluate(record).points


def test_a_point_without_all_its_inputs_is_left_out() -> None:
    record = inputs.forehead()
    first, *others = record.points
    half = replace(first, readings={"t_ref": first.readings["t_ref"]})
    found = evaluate_points(replace(record, points=(half, *others)))
    assert [point.key for point in found] == [point.key for point in others]


def test_a_record_without_readings_gives_nothing() -> None:
    record = inputs.forehead()
    empty = tuple(replace(point, readings={}) for point in record.points)
    assert evaluate_points(replace(record, points=empty)) == ()


def test_a_measurand_that_cannot_be_computed_yet_is_left_out() -> None:
    assert evaluate_points(replace(inputs.forehead(), standards=())) == ()
