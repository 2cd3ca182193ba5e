"""Ratings, conditions and the resolution in a result: their units, and what is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from calib.evaluation.budget import make_budgets
from calib.evaluation.evaluate import evaluate, evaluate_points
from calib.evaluation.inputs import ConditionInput
from calib.evaluation.series import arrange
from instruments.errors import Invalid, Refused
from tests.support import inputs as a
from tests.support.small_type import measurand, record_of, small_type

BESIDES = measurand(
    "t_ind - t_ref + a*(t_amb - 20) + d",
    """t_ref: source = "standard"; unit = "degC"
    t_ind: source = "item"; unit = "degC"
    a: source = "rating"; of = ["slope"]; unit = "1"
    t_amb: source = "condition"; of = ["temperature"]; unit = "degF" """,
    """amb: input = "t_amb"; evaluate = "B"; half_width = "1"
    read: input = "d"; evaluate = "B"; relative_half_width = "0.1"; of = "@division"
    u: input = "d"; evaluate = "B"; relative_U = "0.2"; k = "2"; distribution = "normal"; """
    'of = "@slope"',
    output="error",
).replace("t_amb - 20", "(t_amb - 32)/1.8 - 20")
WITH_RATING = """
[variants.division]
"0.5" = { en = "0.5", zh = "0.5" }

[ratings.slope]
label = { en = "Slope", zh = "斜率" }
unit = "%"
"""


def besides(attributes, conditions=a.CONDITIONS):
    definition = small_type(BESIDES, top=WITH_RATING)
    rows = [(n, {"t_ref": [n] * 5, "t_ind": [n] * 5}) for n in ("0", "50", "100")]
    record = record_of(definition, rows, conditions=conditions)
    return replace(record, item=replace(record.item, attributes=attributes))


def test_conditions_and_ratings_come_in_the_unit_of_the_input():
    record = besides(
        {"slope": "25", "division": "0.5"},
        (ConditionInput("temperature", "degC", "22"), ConditionInput("temperature", "degC", "26")),
    )

    budgets = make_budgets(arrange([record], record.definition.measurands[0]))

    assert budgets.error.tolist() == [1.0] * 3  # 25 % of the 4 K above 20 degC
    assert budgets.c[0].tolist() == pytest.approx([0.25 / 1.8] * 3)
    assert budgets.u_input[1].tolist() == pytest.approx([0.05 / math.sqrt(3)] * 3)
    assert budgets.u_input[2].tolist() == pytest.approx([2.5] * 3)


@pytest.mark.parametrize(
    ("attributes", "conditions", "code", "at"),
    [
        ({"division": "0.5"}, a.CONDITIONS, "rating-missing", "/item/attributes/slope"),
        ({"slope": "25"}, a.CONDITIONS, "variant-missing", "/item/attributes/division"),
        ({"slope": "25", "division": "0.5"}, (), "condition-missing", "/conditions/temperature"),
        (
            {"slope": "25", "division": "0.5"}, (ConditionInput("temperature", "%RH", "40"),),
            "condition-unit", "/conditions/temperature",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_and_nothing_is_computed(attributes, conditions, code, at):
    record = besides(attributes, conditions)

    with pytest.raises(Refused) as refused:
        evaluate(record)

    assert (code, at) in {(f.code, f.at) for f in refused.value.findings}
    with pytest.raises((Refused, Invalid)):
        make_budgets(arrange([record], record.definition.measurands[0]))


@pytest.mark.parametrize("attributes", [{"division": "0.5"}, {"slope": "25"}])
def test_the_page_beside_the_entry_waits_for_what_is_missing(attributes):
    assert evaluate_points(besides(attributes)) == ()


def test_the_page_beside_the_entry_waits_for_the_resolution():
    definition = small_type(
        measurand(
            "t_ind - t_ref",
            """t_ref: source = "standard"; unit = "degC"
            t_ind: source = "item"; unit = "degC" """,
            'res: input = "t_ind"; evaluate = "resolution"',
            output="error",
        )
    )
    record = record_of(definition, [("0", {"t_ref": ["0.0"] * 5, "t_ind": ["0.1"] * 5})])

    assert evaluate_points(record) == ()
    known = replace(record, item=replace(record.item, resolution={"temperature": "0.1"}))
    assert [point.error for point in evaluate_points(known)] == [0.1]
