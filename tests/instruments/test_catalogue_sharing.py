"""Readings entered once for several results."""

from __future__ import annotations

import pytest

from tests.support.small_type import measurand, small_type, told

READ = """t_set: source = "nominal"; unit = "degC"
t: source = "standard"; unit = "degC"; positions = ["A", "B"]
t_ind: source = "item"; unit = "degC" """
C = 'b: input = "d"; evaluate = "B"; half_width = "0.1"'
SOURCE = measurand(
    "t_ind - t_A + d", READ.replace('t_set: source = "nominal"; unit = "degC"', ""), C,
    id="indication", output="error", rest='reference = "t_A"',
)  # fmt: skip


def sharer(function="x + d", inputs=None, **changes):
    given = 'x: source = "derived"; of = ["t"]; statistic = "range"; over = "all"; unit = "K"'
    made = {"id": "uniformity", "points": "", "rest": 'same_readings_as = "indication"', **changes}
    return measurand(function, given if inputs is None else inputs, C, **made)


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_used_is_taken_over_with_the_points(order):
    type_ = small_type(*[SOURCE, sharer()][::order])

    shared = type_.measurand("uniformity")
    assert list(shared.inputs) == ["t_A", "t_B", "x"]
    assert shared.points == type_.measurand("indication").points


def test_only_what_is_used_is_taken_over():
    type_ = small_type(SOURCE, sharer(), sharer("t_B + d", "", id="corner"))

    assert list(type_.measurand("corner").inputs) == ["t_B"]


def test_an_input_that_only_others_use_is_no_fault():
    assert "does not use this input" in str(told(SOURCE))
    assert told(SOURCE, sharer()) == []


@pytest.mark.parametrize(
    ("shared", "key", "words"),
    [
        (sharer(rest='same_readings_as = "display"', points="\n[measurands.points]\n"
                'default = ["5"]\nreadings = 5\nconfidence = "BG"\n',
                inputs='t_ind: source = "item"; unit = "degC"', function="t_ind + d"),
         "measurands[1].same_readings_as", "Use one of: indication"),
        (sharer(unit="K"), "measurands[1].same_readings_as", "points of indication are in degC"),
        (sharer(inputs='t_z: source = "item"; unit = "degC"', function="t_z + d"),
         "measurands[1].inputs.t_z", "indication has no such input"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared(shared, key, words):
    found = {k: sentence for _, k, sentence in told(SOURCE, shared)}

    assert words in found[key]


def test_a_sharing_of_the_wrong_kind_is_told():
    no_table = '[[measurands]]\nsame_readings_as = "x"\ninputs = 3'
    for wrong in (sharer(rest="same_readings_as = 3"), no_table):
        assert told(SOURCE, wrong)[0][0] == "type-structure"
