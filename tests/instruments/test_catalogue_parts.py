"""Limits in steps and parts of rated values, and scatter that another measurand shows."""

from decimal import Decimal

import pytest

from api.type_words import limit_text
from instruments.catalogue.documents.wording import limit_text as signs_of
from instruments.choosing import limits_for
from tests.support.small_type import measurand, small_type, told

RATINGS = """
[ratings.full_scale]
label = { en = "Full scale", zh = "满量程" }
unit = "degC"
default = "40"
[ratings.interval]
label = { en = "Interval", zh = "分度值" }
unit = "degC"
"""
LIMIT = """
[[measurands.limits]]
document = "TH-12"
confidence = "BG"
"""
INFLUENCE = 'd: input = "d"; evaluate = "B"; half_width = "1"'
READ = 't: source = "item"; unit = "degC"'
POINT = """
[measurands.points]
default = ["50"]
readings = {readings}
confidence = "BG"
"""


def limited(*rows):
    limits = "".join(LIMIT + "\n".join(row.split("; ")) + "\n" for row in rows)
    return measurand("t + d", READ, INFLUENCE, limits=limits)


def limits_of(*rows, **attributes):
    definition = small_type(limited(*rows), top=RATINGS)
    return limits_for(definition, definition.measurands[0], attributes)


def test_a_part_of_a_rated_value_and_a_part_of_the_nominal_value_add_up():
    (row,) = limits_of(
        'lower = "-1"; upper = "0"; plus_fraction = "0.04"; plus_rating = "full_scale"; '
        'plus_rating_fraction = "0.02"',
        full_scale="100",
    )

    assert row.at(Decimal(50)) == (Decimal(-5), Decimal(4))
    assert (row.plus_rating, row.plus_rating_fraction) == ("", None)


def test_the_default_of_a_rated_value_holds_where_the_model_has_none():
    (row,) = limits_of('upper = "0"; plus_rating = "full_scale"; plus_rating_fraction = "0.025"')

    assert row.at(Decimal(7)) == (None, Decimal(1))


def test_steps_count_in_a_rated_value():
    rows = limits_of(
        'upper = "1"; end = "500"; steps_of = "interval"',
        'upper = "2"; start = "500"; start_included = false; steps_of = "interval"',
        interval="0.2",
    )

    upper = {x: [r.upper for r in rows if r.covers(Decimal(x))] for x in ("0", "100", "100.1")}
    assert upper == {"0": ["1"], "100": ["1"], "100.1": ["2"]}


def test_without_the_rated_value_nothing_is_stated():
    assert limits_of('upper = "1"; end = "500"; steps_of = "interval"') == ()


@pytest.mark.parametrize(
    ("row", "key", "sentence"),
    [
        ('upper = "1"; plus_rating = "full_scale"', "measurands[0].limits[0]", "belong together"),
        ('upper = "1"; plus_rating_fraction = "1"', "measurands[0].limits[0]", "belong together"),
        ('upper = "1"; steps_of = "range"', "measurands[0].limits[0].steps_of", "no rating"),
        (
            'upper = "1"; plus_rating = "range"; plus_rating_fraction = "1"',
            "measurands[0].limits[0].plus_rating",
            "no rating",
        ),
    ],
)
def test_what_is_wrong_with_such_a_limit_is_told(row, key, sentence):
    ((code, where, text),) = told(limited(row), top=RATINGS)

    assert (code, where) == ("type-limit", key)
    assert sentence in text


def test_steps_that_are_counted_differently_overlap():
    rows = ('upper = "1"; end = "1"; steps_of = "interval"', 'upper = "2"; start = "2"')

    assert [code for code, _, _ in told(limited(*rows), top=RATINGS)] == ["type-limits-overlap"]


def scattered(of, more="", readings=5, unit="degC"):
    one = measurand(
        "t + d", READ,
        f'r: input = "t"; evaluate = "A"; distribution = "normal"; scatter_of = "{of}"{more}\n'
        + INFLUENCE,
        points=POINT.format(readings=1),
    )  # fmt: skip
    other = measurand(
        "x + d", f'x: source = "item"; unit = "{unit}"', INFLUENCE,
        id="repeatability", points=POINT.format(readings=readings),
    )  # fmt: skip
    return one, other


def test_one_reading_may_take_the_scatter_of_another_measurand():
    assert told(*scattered("repeatability.x")) == []


@pytest.mark.parametrize(
    "case",
    [
        scattered("repeatability.y"),
        scattered("temperature.t"),
        scattered("repeatability"),
        scattered("repeatability.x", readings=1),
        scattered("repeatability.x", unit="K"),
    ],
)
def test_a_scatter_that_nothing_shows_is_told(case):
    found = told(*case)

    assert ("type-component", "measurands[0].components[0].scatter_of") in {f[:2] for f in found}


def test_a_scatter_is_given_once():
    pooled = '; pooled = { s = "0.1", dof = "9" }'

    ((code, where, text),) = told(*scattered("repeatability.x", pooled))

    assert (code, where) == ("type-component", "measurands[0].components[0]")
    assert "pooled or scatter_of" in text


def test_a_component_of_stated_size_has_no_scatter():
    one, other = scattered("repeatability.x")

    found = told(one.replace('evaluate = "A"', 'evaluate = "B"\nu = "1"'), other)

    assert [(code, where.rsplit(".", 1)[-1]) for code, where, _ in found] == [
        ("type-component", "scatter_of")
    ]


CLASSES = """
[variants.class]
"0.05" = { en = "Class 0.05", zh = "0.05 级" }
"0.1" = { en = "Class 0.1", zh = "0.1 级" }
[variants.kind]
"1" = { en = "First", zh = "一等" }
none = { en = "No class", zh = "未标等级" }
"""


def limits_by_class(*rows, **attributes):
    definition = small_type(limited(*rows), top=RATINGS + CLASSES)
    return limits_for(definition, definition.measurands[0], attributes)


@pytest.mark.parametrize(("class_", "width"), [("0.05", "0.02"), ("0.1", "0.04")])
def test_the_accuracy_class_says_which_part_of_the_full_scale_is_allowed(class_, width):
    row = 'lower = "0"; upper = "0"; plus_fraction = "@class %"; of_rating = "full_scale"'
    (found,) = limits_by_class(row, **{"class": class_})

    assert found.at(Decimal(7)) == (-Decimal(width), Decimal(width))
    assert (found.lower, found.upper, found.plus_fraction) == (f"-{width}", width, None)


def test_a_limit_may_be_what_the_item_states_itself():
    (found,) = limits_of('lower = "-@interval"; upper = "@interval"', interval="0.20")

    assert (found.lower, found.upper) == ("-0.2", "0.2")


def test_an_item_that_does_not_say_its_class_has_no_such_limit():
    row = 'lower = "0"; upper = "0"; plus_fraction = "@class %"'

    assert limits_by_class(row) == ()
    assert limits_of('upper = "@interval"') == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('upper = "@colour"', "colour is no variant and no rating"),
        ('upper = "@kind"', "kind may be none, which is no number"),
        ('upper = "-@interval"', "only lower may be the negative of interval"),
        ('upper = "@interval%%"', "is no decimal"),
        ('lower = "@interval"; upper = "@interval"', "is not below upper"),
        ('upper = "1"; start = "@interval"', "is no decimal"),
    ],
)
def test_a_number_that_no_attribute_gives_is_refused(row, said):
    ((_, _, text),) = told(limited(row), top=RATINGS + CLASSES)
    assert said in text


def test_a_value_that_is_no_number_may_be_excluded():
    row = 'lower = "-1"; upper = "1"; plus_fraction = "@kind %"; when = { kind = "1" }'
    other = 'lower = "-1"; upper = "1"; when = { kind = "none" }'
    (found,) = limits_by_class(row, other, kind="1")

    assert found.plus_fraction == "0.01"


@pytest.mark.parametrize(
    ("row", "said", "signs"),
    [
        ('lower = "0"; upper = "0"; plus_fraction = "@class %"; of_rating = "full_scale"',
         "± Accuracy class %·Full scale °C", "±(class %·full_scale)"),
        ('lower = "-@interval"; upper = "@interval"', "-Interval … Interval °C", "±interval"),
        ('upper = "@interval"; plus_fraction = "0.1"', "≤ Interval + 0.1·|x| °C",
         "≤ interval + 10 %·|x|"),
    ],
)  # fmt: skip
def test_the_attribute_is_named_to_readers(row, said, signs):
    definition = small_type(limited(row), top=RATINGS + CLASSES)
    (measurand,) = definition.measurands

    assert limit_text(definition, measurand, measurand.limits[0], "en") == said
    assert signs_of(measurand.limits[0]) == signs
