"""Points, limits, ratings and standards of format 2: what holds for one item, and what is wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from instruments.choosing import attribute, limits_for, points_for, rated, readings_for
from tests.support.small_type import POINTS, measurand, small_type, told

INPUTS = """t_ref: source = "standard"; unit = "degC"
t_ind: source = "item"; unit = "degC" """
B = 'b: input = "t_ind"; evaluate = "B"; half_width = "0.1"'
TOP = """
[variants.class]
A = { en = "A", zh = "A" }
B = { en = "B", zh = "B" }

[ratings.low]
label = { en = "Low end", zh = "下限" }
unit = "degC"

[ratings.high]
label = { en = "High end", zh = "上限" }
unit = "degC"
default = "100"
"""
FRACTIONS = POINTS.replace('default = ["0", "50", "100"]', 'fractions = ["0", "0.5", "1"]')
OF_RANGE = FRACTIONS + 'range_low = "low"\nrange_high = "high"\n'
STEP = OF_RANGE.replace('fractions = ["0", "0.5", "1"]', 'step = "20"')
CHOICE = '[[measurands.points.alternatives]]\nwhen = { class = "A" }\n'


def made(**changes):
    return measurand("t_ind - t_ref", INPUTS, B, **{"output": "error", **changes})


def limit(*lines):
    head = '\n[[measurands.limits]]\ndocument = "TH-12"\nconfidence = "BG"\n'
    return head + "".join(f"{line}\n" for line in lines)


def planned(points, **item):
    type_ = small_type(made(points=points), top=TOP)
    return points_for(type_, type_.measurands[0], item)


# ---------------------------------------------------------------------------------------- points


@pytest.mark.parametrize(
    ("points", "item", "wanted"),
    [
        (POINTS, {}, ("0", "50", "100")),
        (OF_RANGE, {"low": "-40", "high": "60.0"}, ("-40", "10", "60")),
        (OF_RANGE, {"low": "-40"}, ("-40", "30", "100")),
        (OF_RANGE, {}, ()),
        (FRACTIONS + 'range_high = "high"\n', {}, ("0", "50", "100")),
        (STEP, {"low": "-35", "high": "30"}, ("-35", "-20", "0", "20", "30")),
        (STEP, {"low": "-40", "high": "-20"}, ("-40", "-20")),
        (STEP, {"low": "30", "high": "20"}, ()),
        (STEP, {"low": "0", "high": "1e9"}, ()),
        (POINTS + CHOICE + 'default = ["1", "2"]\n', {"class": "A"}, ("1", "2")),
        (POINTS + CHOICE + 'default = ["1", "2"]\n', {"class": "B"}, ("0", "50", "100")),
        (OF_RANGE + CHOICE + 'step = "50"\n', {"class": "A", "low": "0"}, ("0", "50", "100")),
    ],
)
def test_the_points_of_an_item(points, item, wanted):
    assert planned(points, **item) == wanted


def test_how_often_an_input_is_read():
    inputs = INPUTS.replace('"item"', '"item"; readings = 2')
    points = POINTS + CHOICE + 'default = ["1"]\nreadings = 9\n'
    type_ = small_type(measurand("t_ind - t_ref", inputs, B, points=points, output="error"),
                       top=TOP)  # fmt: skip
    one = type_.measurands[0]

    assert readings_for(one, "t_ind", {"class": "A"}) == 2
    assert readings_for(one, "t_ref", {"class": "A"}) == 9
    assert readings_for(one, "t_ref", {"class": "B"}) == 5


@pytest.mark.parametrize(
    ("points", "key", "words"),
    [
        (FRACTIONS, "range_high", "range_high is missing"),
        (OF_RANGE.replace('"low"', '"width"'), "range_low", "width is no rating"),
        (OF_RANGE + 'default = ["1"]\n', "", "give one of default, step, or fractions"),
        (OF_RANGE + "minimum = 4\n", "", "as many as minimum asks for"),
        (OF_RANGE.replace('"0.5"', '"half"'), "fractions[1]", "is no decimal"),
        (STEP.replace('"20"', '"0"'), "step", "above zero"),
        (POINTS.replace('default = ["0", "50", "100"]\n', ""), "default", "0 default points"),
        (POINTS + CHOICE, "alternatives[0]", "gives default or step"),
        (POINTS + CHOICE + 'default = ["1"]\nstep = "2"\n', "alternatives[0]", "default or step"),
        (POINTS + CHOICE + 'step = "2"\n', "range_high", "range_high is missing"),
        (
            POINTS + "minimum = 2\n" + CHOICE + 'default = ["1"]\n', "alternatives[0].default",
            "1 default points, but minimum asks for 2",
        ),
        (POINTS + CHOICE + 'default = ["1"]\nreadings = 0\n', "alternatives[0].readings", "more"),
        (POINTS + 'high = "100"\n' + CHOICE + 'default = ["101"]\n', "alternatives[0].default[0]",
         "lies outside"),
        (POINTS + 'low = "9"\nhigh = "1"\n', "low", "low 9 lies above high 1"),
        (POINTS + CHOICE.replace('"A"', '"D"') + 'default = ["1"]\n', "alternatives[0].when.class",
         "no class = D"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_followed(points, key, words):
    found = {k: sentence for _, k, sentence in told(made(points=points), top=TOP)}

    assert words in found["measurands[0].points" + (f".{key}" if key else "")]


# ---------------------------------------------------------------------------------------- limits


def limits_of(rows, point, **item):
    type_ = small_type(made(limits=rows), top=TOP)
    held = limits_for(type_, type_.measurands[0], item)
    return [row.at(Decimal(point)) for row in held if row.covers(Decimal(point))]


def test_limits_that_only_grow_start_from_nothing():
    rows = limit('lower = "0"', 'upper = "0"', 'plus_fraction = "0.02"')
    assert limits_of(rows, "50") == [(Decimal("-1.00"), Decimal("1.00"))]


@pytest.mark.parametrize(
    "more", [(), ('or_fraction = "0.1"', 'choose = "smaller"')], ids=["bare", "smaller"]
)
def test_limits_that_leave_no_room(more):
    rows = limit('lower = "0"', 'upper = "0"', *more)
    assert "is not below upper" in str(told(made(limits=rows), top=TOP))


def test_limits_of_the_rated_range():
    rows = limit('lower = "-0.1"', 'upper = "0.1"', 'plus_fraction = "0.005"', 'of_rating = "high"')
    assert limits_of(rows, "0") == [(Decimal("-0.6"), Decimal("0.6"))]
    assert limits_of(rows, "50", high="200") == [(Decimal("-1.1"), Decimal("1.1"))]


def test_limits_of_a_rating_that_is_not_known_are_left_out():
    rows = limit('upper = "0.1"', 'plus_fraction = "0.005"', 'of_rating = "low"')
    assert limits_of(rows, "0") == []
    assert limits_of(rows, "0", low="-20") == [(None, Decimal("0.2"))]


def test_a_limit_of_zero_has_no_sign():
    rows = limit('lower = "0"', 'upper = "1"', 'or_fraction = "0"', 'of_rating = "high"')
    assert "above zero" in str(told(made(limits=rows), top=TOP))
    one = limit('lower = "-0.0"', 'upper = "1"', 'plus_fraction = "0.1"', 'of_rating = "low"')
    type_ = small_type(made(limits=one), top=TOP)
    (row,) = limits_for(type_, type_.measurands[0], {"low": "0"})
    assert (row.lower, row.upper, row.of_rating) == ("0", "1", "")


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        (('of_rating = "width"', 'plus_fraction = "0.1"'), "of_rating", "width is no rating"),
        (('of_rating = "high"',), "of_rating", "needs plus_fraction or or_fraction"),
        (('plus_from = "10"',), "plus_from", "needs plus_fraction"),
    ],
)
def test_a_fraction_of_nothing(lines, key, words):
    rows = limit('lower = "-1"', 'upper = "1"', *lines)
    found = {k: sentence for _, k, sentence in told(made(limits=rows), top=TOP)}

    assert words in found[f"measurands[0].limits[0].{key}"]


ONE_CLASS = limit('when = { class = "A" }', 'lower = "-1"', 'upper = "1"')


def test_an_item_without_limits_must_be_named():
    found = told(made(limits=ONE_CLASS), top=TOP)
    assert {f[0] for f in found} == {"type-limits-gap"}
    assert "point 0 for class = B" in found[0][2]
    named = made(limits=ONE_CLASS, rest='without_limits = [{ class = "B" }]')
    assert told(named, top=TOP) == []


def test_an_item_without_limits_must_exist():
    rest = 'without_limits = [{ class = "B" }, { class = "D" }]'
    found = told(made(limits=ONE_CLASS, rest=rest), top=TOP)
    assert [f[:2] for f in found] == [
        ("type-variant-unknown", "measurands[0].without_limits[1].class")
    ]


def test_points_of_other_models_need_limits_too():
    rows = limit('lower = "-1"', 'upper = "1"', 'end = "100"')
    points = POINTS + CHOICE + 'default = ["200"]\n'
    found = told(made(limits=rows, points=points), top=TOP)
    assert [f[1] for f in found] == ["measurands[0].points.alternatives[0].default[0]"]
    assert "point 200 for class = A" in found[0][2]


# -------------------------------------------------------------------- ratings, standards, documents


def test_an_attribute_is_that_of_the_item_or_of_most_models():
    type_ = small_type(made(), top=TOP)

    assert attribute(type_, "high", {}) == "100"
    assert attribute(type_, "low", {}) is None
    assert rated(type_, "high", {"high": "80.0"}) == Decimal("80.0")
    assert rated(type_, "low", {}) is None


STANDARD = (
    '\n[[standards]]\nid = "prt"\nname = { en = "PRT", zh = "铂电阻" }\nquantity = "temperature"\n'
)


@pytest.mark.parametrize(
    ("top", "code", "key", "words"),
    [
        (TOP.replace('"100"', '"high"'), "decimal-malformed", "ratings.high.default", "no decimal"),
        (
            TOP.replace('unit = "degC"', 'unit = "°C"', 1), "unit-unknown", "ratings.low.unit",
            "°C is not known",
        ),
        (STANDARD * 2, "type-duplicate", "standards[1].id", "prt occurs twice"),
        (STANDARD.replace("temperature", "warmth"), "quantity-unknown", "standards[0].quantity",
         "warmth"),
        (
            STANDARD + 'inputs = ["temperature.t_ind"]\n', "type-standard", "standards[0].inputs",
            "is not read on a standard of temperature. Name one of: temperature.t_ref",
        ),
    ],
)  # fmt: skip
def test_what_a_type_declares_besides(top, code, key, words):
    found = {(c, k): sentence for c, k, sentence in told(made(), top=top)}

    assert words in found[code, key]


def test_a_standard_of_an_input_is_sound():
    assert told(made(), top=STANDARD + 'inputs = ["temperature.t_ref"]\n') == []


@pytest.mark.parametrize("given", ["2019", "20190927", "2019-9-27", "2019-02-30"])
def test_a_date_of_a_document(given):
    document = (
        '\n[[documents]]\nid = "X"\ntitle = { en = "X", zh = "X" }\nrole = "method"\n'
        f'confidence = "BG"\nissued_on = "{given}"\n'
    )
    assert [f[:2] for f in told(made(), top=document)] == [("type-date", "documents[0].issued_on")]
    assert told(made(), top=document.replace(given, "2019-09-27")) == []


# --------------------------------------------------------------------------------- the older format


def test_a_file_of_the_older_format_is_read_as_it_was():
    assert told(made(), schema=1) == []


@pytest.mark.parametrize(
    ("changes", "top", "key"),
    [
        ({}, TOP[TOP.index("[ratings.low]") :], "ratings"),
        ({}, STANDARD, "standards"),
        ({"rest": 'indication = "t_ind"'}, "", "measurands[0].indication"),
        ({"points": POINTS + 'sequence = "standard_item_item_standard"\n'}, "",
         "measurands[0].points.sequence"),
        ({"limits": limit('upper = "1"', 'plus_fraction = "0.1"', 'plus_from = "9"')}, "",
         "measurands[0].limits[0].plus_from"),
    ],
)  # fmt: skip
def test_a_key_of_the_newer_format_is_refused_in_the_older(changes, top, key):
    found = {k: sentence for _, k, sentence in told(made(**changes), top=top, schema=1)}

    assert "came with format 2. Write schema = 2." in found[key]
