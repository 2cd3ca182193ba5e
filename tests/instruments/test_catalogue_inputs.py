"""Format 2 of type files: what may stand behind an input, and what is found wrong with it."""

from __future__ import annotations

import pytest

from tests.support.small_type import HEAD, measurand, small_type, told

T = 't_ref: source = "standard"; unit = "degC"\nt_ind: source = "item"; unit = "degC"\n'
B = 'b: input = "t_ind"; evaluate = "B"; half_width = "0.1"'
TOP = """
[variants.letter]
K = { en = "K", zh = "K" }
Z = { en = "Z", zh = "Z" }

[variants.division]
"0.1" = { en = "0.1", zh = "0.1" }

[ratings.full]
label = { en = "Full scale", zh = "满量程" }
unit = "degC"
"""
X = 'x: source = "derived"; of = ["t_ind"]; unit = "degC"; '


def findings(function="t_ind - t_ref", inputs=T, components=B, **changes):
    top = changes.pop("top", TOP)
    return told(measurand(function, inputs, components, **{"output": "error", **changes}), top=top)


def test_a_sound_type_has_no_findings():
    assert findings() == []


INPUTS = {
    "a rating that is not there": (
        "t_ind - t_ref + r - r", T + 'r: source = "rating"; of = ["width"]; unit = "degC"',
        "inputs.r.of", "names no rating. Name one of: full",
    ),
    "a rating in another unit": (
        "t_ind - t_ref + r", T + 'r: source = "rating"; of = ["full"]; unit = "kPa"',
        "inputs.r.unit", "kPa is no unit of full. Use degC",
    ),
    "a condition that nobody observes": (
        "t_ind - t_ref + r", T + 'r: source = "condition"; of = ["wind"]; unit = "m/s"',
        "inputs.r.of", "names no condition",
    ),
    "a condition in another unit": (
        "t_ind - t_ref + r", T + 'r: source = "condition"; of = ["pressure"]; unit = "degC"',
        "inputs.r.unit", "degC is no unit of pressure",
    ),
    "a reading made of something": (
        "t_ind - t_ref", T + 'r: source = "nominal"; of = ["t_ind"]; unit = "degC"',
        "inputs.r.of", "is of nothing",
    ),
    "a statistic of what is read": (
        "t_ind - t_ref", T.replace('"item"', '"item"; statistic = "mean"'),
        "inputs.t_ind", "only a derived input",
    ),
    "no way to derive": ("x - t_ref", T + X, "inputs.x", "give one way to derive it"),
    "two ways to derive": (
        "x - t_ref", T + X + 'statistic = "mean"; reference = "saturation_pressure"',
        "inputs.x", "give one way to derive it",
    ),
    "derived of nothing known": (
        "x - t_ref", T + X.replace("t_ind", "t") + 'statistic = "mean"',
        "inputs.x.of", "expected different inputs among t_ref, t_ind",
    ),
    "derived twice of one": (
        "x - t_ref", T + X.replace('"t_ind"', '"t_ind", "t_ind"') + 'statistic = "mean"',
        "inputs.x.of", "expected different inputs",
    ),
    "readings of two inputs": (
        "x", T + X.replace('"t_ind"', '"t_ind", "t_ref"') + 'statistic = "mean"',
        "inputs.x.over", "is of one input",
    ),
    "one position": (
        "x - t_ref", T + X + 'statistic = "mean"; over = "means"',
        "inputs.x.over", "two positions or more",
    ),
    "a change over positions": (
        "x", T + X.replace('"t_ind"', '"t_ind", "t_ref"') + 'statistic = "change"; over = "means"',
        "inputs.x.over", "no first and no last",
    ),
    "parameters of a statistic": (
        "x - t_ref", T + X + 'statistic = "mean"; parameters = { R0 = "100" }',
        "inputs.x.parameters", "a statistic has no parameters",
    ),
    "a statistic of one reading": (
        "x - t_ref", T.replace('"item"', '"item"; readings = 1') + X + 'statistic = "range"',
        "inputs.x", "a statistic of one reading says nothing",
    ),
    "a statistic in another unit": (
        "x - t_ref", T + X.replace("degC", "mV") + 'statistic = "range"',
        "inputs.x.unit", "not that of what it is derived of",
    ),
    "a mean of degC in K": (
        "x - t_ref", T + X.replace("degC", "K") + 'statistic = "mean"',
        "inputs.x.unit", "not that of what it is derived of",
    ),
    "an unknown function": (
        "x - t_ref", T + X + 'reference = "magnus"',
        "inputs.x.reference", "magnus is not known",
    ),
    "units a function does not take": (
        "x - t_ref", T + X + 'reference = "iec60751_temperature"',
        "inputs.x.reference", "takes ohm and gives degC",
    ),
    "a parameter a function does not have": (
        "x - t_ref", T + X.replace("degC", "Pa") +
        'reference = "saturation_pressure"; parameters = { R0 = "100" }',
        "inputs.x.parameters", "has the parameters none, got R0",
    ),
    "a thermocouple of no type": (
        "x - t_ref", T + X.replace("degC", "mV") + 'reference = "thermocouple_emf"',
        "inputs.x.parameters", "has the parameters type, got none",
    ),
    "a thermocouple of no known type": (
        "x - t_ref", T + X.replace("degC", "mV") +
        'reference = "thermocouple_emf"; parameters = { type = "@letter" }',
        "inputs.x.parameters.type", "@letter gives no type. Name A, B, C",
    ),
    "an attribute nobody has": (
        "x - t_ref", T + X.replace("degC", "ohm") +
        'reference = "iec60751_resistance"; parameters = { R0 = "@R" }',
        "inputs.x.parameters.R0", "@R gives no R0. Name a number of ohm",
    ),
    "a resistance that is no number": (
        "x - t_ref", T + X.replace("degC", "ohm") +
        'reference = "iec60751_resistance"; parameters = { R0 = "-100" }',
        "inputs.x.parameters.R0", "-100 gives no R0",
    ),
    "readings of what is not read": (
        "t_ind - t_ref", T + 'p: source = "nominal"; readings = 2; unit = "degC"',
        "inputs.p.readings", "of an input that is read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", INPUTS)
def test_an_input_that_stands_on_nothing(case):
    function, inputs, key, words = INPUTS[case]

    found = {k: sentence for _, k, sentence in findings(function, inputs)}

    assert words in found[f"measurands[0].{key}"]


@pytest.mark.parametrize(
    ("inputs", "changes", "key", "words"),
    [
        (T, {"rest": 'reference = "t_std"'}, "reference", "t_std is no declared input"),
        (T, {"rest": 'indication = "t_x"'}, "indication", "t_x is no declared input"),
        (T, {"rest": 'reference = "t_ind"'}, "", "do not tell one reference and one indication"),
        (
            T + 't_2: source = "standard"; unit = "degC"', {"function": "t_ind - t_ref - t_2"},
            "", "do not tell one reference",
        ),
        (
            ('t_ref: source = "nominal"; unit = "degC"\n'
            't_ind: source = "condition"; of = ["temperature"]; unit = "degC"'),
            {}, "inputs", "nothing is read",
        ),
    ],
)  # fmt: skip
def test_sides_that_are_not_told(inputs, changes, key, words):
    found = {k: sentence for _, k, sentence in findings(inputs=inputs, **changes)}

    assert words in found["measurands[0]" + (f".{key}" if key else "")]


def test_a_value_needs_no_sides():
    inputs = 't: source = "standard"; positions = 2; unit = "degC"'
    components = 'b: input = "t_1"; evaluate = "B"; half_width = "1"'
    assert findings("t_1 - t_2", inputs, components, output="value") == []


def test_a_difference_of_degC_may_be_in_K():
    x = X.replace("degC", "K") + 'statistic = "range"'
    assert findings("x - t_ref + 0*t_ind", T + x) == []


def test_a_standard_is_read_in_a_unit_of_its_quantity():
    found = findings(inputs=T.replace('"degC"', '"ohm"', 1))
    assert ("unit-unknown", "measurands[0].inputs.t_ref.unit") in [f[:2] for f in found]


# ---------------------------------------------------------------------------------- the components


COMPONENTS = {
    "felt through a statistic": (
        "x - t_ref", T + X + 'statistic = "mean"', B,
        "components[0].input", "the component would have no effect",
    ),
    "scatter of a published function": (
        "x - t_ref", T.replace('"item"; unit = "degC"', '"item"; unit = "ohm"') + X +
        'reference = "iec60751_temperature"',
        'a: input = "x"; evaluate = "A"; distribution = "normal"',
        "components[0].input", "x is no reading. Name the reading behind it",
    ),
    "recorded scatter of a statistic": (
        "x - t_ref", T + X + 'statistic = "mean"',
        ('a: input = "x"; evaluate = "A"; distribution = "normal"; '
        'pooled = { s = "0.1", dof = "9" }'),
        "components[0].pooled", "Take pooled out",
    ),
    "scatter of single readings": (
        "x - t_ref + 0*t_ind",
        T.replace('"item"', '"item"; readings = 1')
        + X.replace('"t_ind"', '"t_ind", "t_ref"')
        + 'statistic = "mean"; over = "means"',
        'a: input = "x"; evaluate = "A"; distribution = "normal"',
        "components[0]", "one reading has no scatter",
    ),
    "resolution in another unit": (
        "x - t_ref", T.replace('"item"; unit = "degC"', '"item"; unit = "ohm"') + X +
        'reference = "iec60751_temperature"', 'r: input = "t_ind"; evaluate = "resolution"',
        "components[0].input", "known in degC; t_ind is read in ohm",
    ),
    "a certificate of several": (
        "t_ind - t_ref - t_2 + c", T + 't_2: source = "standard"; unit = "degC"',
        'c: input = "c"; evaluate = "certificate"; distribution = "normal"',
        "components[0].input", "could be that of several standards. Name one of: t_ref, t_2",
    ),
    "a certificate of none": (
        "t_ind - t_set + c", T.replace('t_ref: source = "standard"', 't_set: source = "nominal"'),
        'c: input = "c"; evaluate = "certificate"; distribution = "normal"',
        "components[0].input", "Name one of: none is read",
    ),
    "a certificate of an item's readings": (
        "x - t_ref + c", T + X + 'statistic = "mean"',
        'c: input = "c"; evaluate = "certificate"; of = "x"; distribution = "normal"',
        "components[0].of", "x is no statistic of readings of a standard",
    ),
    "a certificate on two things": (
        "x - t_ind", T + X.replace("t_ind", "t_ref") + 'statistic = "mean"',
        'c: input = "x"; evaluate = "certificate"; of = "x"; distribution = "normal"',
        "components[0].input", "is a name of the function that is no input",
    ),
    "a fraction of an unknown attribute": (
        "t_ind - t_ref", T, ('b: input = "t_ind"; evaluate = "B"; '
        'relative_half_width = "0.1"; of = "@letter"'),
        "components[0].of", "@letter is no rated value of the type and no variant of numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPONENTS)
def test_a_component_on_the_wrong_thing(case):
    function, inputs, components, key, words = COMPONENTS[case]

    found = {k: sentence for _, k, sentence in findings(function, inputs, components)}

    assert words in found[f"measurands[0].{key}"]


@pytest.mark.parametrize("of", ["@division", "@full", "t_ref"])
def test_a_fraction_of_an_attribute_or_an_input(of):
    component = f'b: input = "t_ind"; evaluate = "B"; relative_half_width = "0.1"; of = "{of}"'
    assert findings(components=component) == []


# ------------------------------------------------------------------------------------- positions


FIELD = 't: source = "standard"; unit = "degC"; positions = {}\n'
RANGE = 'x: source = "derived"; of = ["t"]; statistic = "range"; over = "all"; unit = "K"\n'


SCATTER = 'a: input = "x"; evaluate = "A"; distribution = "normal"'


def field(positions, more="", **changes):
    return measurand("x", FIELD.format(positions) + RANGE + more, SCATTER, **changes)


def test_positions_become_inputs_of_their_own():
    type_ = small_type(
        field('["A", "O"]'),
        top='[[standards]]\nid = "prt"\nname = { en = "PRT", zh = "铂电阻" }\n'
        'quantity = "temperature"\ninputs = ["temperature.t"]\n',
    )

    inputs = type_.measurands[0].inputs
    assert list(inputs) == ["t_A", "t_O", "x"]
    assert inputs["x"].of == ("t_A", "t_O")
    assert (inputs["t_O"].label.en, inputs["t_O"].label.zh) == ("t, position O", "t（位置 O）")
    assert type_.standards[0].inputs == ("temperature.t_A", "temperature.t_O")
    assert small_type(field("3")).measurands[0].inputs["x"].of == ("t_1", "t_2", "t_3")


@pytest.mark.parametrize(
    "positions", ["1", "65", '["A"]', '["A", "A"]', '["A", "B C"]', '["A", 2]', '"AB"', "true"]
)
def test_positions_that_are_no_names(positions):
    (found,) = told(field(positions))
    assert found[:2] == ("type-positions", "measurands[0].inputs.t.positions")


def test_a_position_may_not_hide_another_input():
    (found,) = told(field('["A", "B"]', 't_A: source = "item"; unit = "degC"\n'))
    assert found[0] == "type-positions"
    assert "becomes the input t_A" in found[2]


def test_a_fault_of_an_input_is_told_once_for_all_its_positions():
    text = field("9").replace(
        'source = "standard"\nunit = "degC"', 'source = "standard"\nunit = "m"'
    )
    found = [f for f in told(text) if f[0] == "unit-unknown"]
    assert [f[1] for f in found] == ["measurands[0].inputs.t.unit"]
    rows = HEAD.format(schema=2, top="") + text
    line = rows.splitlines().index('unit = "m"') + 1
    assert f"line {line}," in found[0][2]


def test_positions_need_the_newer_format():
    found = told(field("9"), schema=1)
    assert found[0][:2] == ("type-schema-version", "measurands[0].inputs.t.positions")


def test_words_that_are_none_are_told_for_every_position():
    (found,) = told(field("2").replace('label = { en = "t", zh = "t" }', "label = 3", 1))
    assert found[:2] == ("type-structure", "measurands[0].inputs.t.label")


@pytest.mark.parametrize(
    ("inputs", "code", "key"),
    [
        (
            T + 'r: source = "condition"; of = ["temperature"]; unit = "mile"', "unit-unknown",
            "inputs.r.unit",
        ),
        (T.replace("unit", 'quantity = "warmth"; unit', 1), "quantity-unknown",
         "inputs.t_ref.quantity"),
    ],
)  # fmt: skip
def test_a_unit_or_quantity_of_an_input_that_is_not_known(inputs, code, key):
    found = findings("t_ind - t_ref", inputs)
    assert (code, f"measurands[0].{key}") in [f[:2] for f in found]


def test_raw_tables_that_are_none_are_told_as_such():
    for wrong in ("measurands = 3", "[[measurands]]\ninputs = 3", 'standards = "x"'):
        assert [f[0] for f in told(wrong)] == ["type-structure"]
