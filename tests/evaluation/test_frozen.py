"""A frozen input as a task: identical bytes, and clear refusals of what is no such input."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.frozen import compute_frozen
from calib.evaluation.tasks.dispatch import compute, load
from instruments.canonical import canonical_json
from instruments.errors import Invalid
from tests.support import inputs as a


def _task(record) -> dict:
    return json.loads(record.canonical())


def test_a_frozen_input_gives_the_bytes_of_the_stored_result():
    record = a.electronic()

    assert canonical_json(compute_frozen(_task(record))) == evaluate(record).canonical()


def test_the_task_is_offered_under_its_kind():
    record = a.glass()
    done = compute(load(record.canonical().decode()))

    assert canonical_json(done) == evaluate(record).canonical()


@pytest.mark.parametrize(
    ("change", "code", "at"),
    [
        (lambda t: t.pop("input"), "task-malformed", ""),
        (lambda t: t.update(colour="red"), "task-malformed", ""),
        (lambda t: t["input"].update(colour="red"), "input-malformed", "/input/colour"),
        (lambda t: t["input"].pop("item"), "input-malformed", "/input/item"),
        (lambda t: t["input"].update(format=99), "input-format", "/input/format"),
    ],
    ids=["no-input", "unknown-key", "unknown-field", "missing-field", "format"],
)
def test_what_is_no_frozen_input_is_refused_by_place(change, code, at):
    task = _task(a.electronic())
    change(task)

    with pytest.raises(Invalid) as caught:
        compute_frozen(task)

    assert (caught.value.code, caught.value.at) == (code, at)
    assert compute(task)["error"]["code"] == code


def test_failed_checks_are_told_one_by_one():
    record = replace(a.electronic(), standards=(a.a_standard(valid_until="2026-01-01"),))

    error = compute(_task(record))["error"]

    assert error["code"] == "checks-failed"
    assert "/standards/S-1: Reference standard S-1 was out of date" in error["message"]
