"""Limits that widen towards zero, inputs derived by an expression, points by verification."""

from decimal import Decimal
from pathlib import Path

import pytest

from calib.evaluation.evaluate import evaluate
from instruments.catalogue.schema import read_type
from instruments.choosing import points_for
from instruments.procedure import Limit
from tests.support import inputs as a

PAGE = Path(__file__).parents[2] / "docs/operate/types.md"
BARE = """
[measurands.inputs.t_true]
label = { en = "True", zh = "真值" }
source = "derived"
unit = "degC"
of = ["t_ref", "t_room"]
function = "1.01*t_ref - 0.01*t_room"

[measurands.inputs.t_room]
label = { en = "Room", zh = "室温" }
source = "condition"
unit = "degC"
of = ["temperature"]

[measurands.points]"""
DERIVED = (
    ("[measurands.points]", BARE),
    ('"t_ind - (t_ref + c_std + d_bath)"', '"t_ind - (t_true + c_std + d_bath)"'),
    ('output = "error"', 'output = "error"\nreference = "t_true"'),
)


def _read(*changes):
    text = PAGE.read_text("utf-8").split("```toml\n", 1)[1].split("```", 1)[0]
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return read_type(text, "mine.toml")


@pytest.mark.parametrize(
    ("nominal", "size"), [("1", "11"), ("0.5", "12"), ("-0.5", "12"), ("0.3", "13.33333")]
)
def test_a_limit_widens_towards_zero(nominal, size):
    """10 (1 + 0.1/U) %; a quotient without an end is cut, so the limit is never wider."""
    limit = Limit(document="d", confidence="BG", lower="-10", upper="10", plus_inverse="1")

    assert limit.at(Decimal(nominal)) == (-Decimal(size), Decimal(size))
    assert limit.covers(Decimal(nominal))


def test_there_is_no_such_limit_at_zero():
    limit = Limit(document="d", confidence="BG", upper="10", plus_inverse="1")
    assert not limit.covers(Decimal("0.0"))

    changes = ('upper = "0.5"', 'upper = "0.5"\nplus_inverse = "0.1"'), ('["2.0",', '["0",')
    assert {f.code for f in _read(*changes).findings} == {"type-limits-gap"}


def test_the_widening_is_a_number_above_zero():
    found = _read(('upper = "0.5"', 'upper = "0.5"\nplus_inverse = "0"')).findings
    assert [(f.code, f.facts["key"]) for f in found] == [
        ("type-not-positive", "measurands[0].limits[0].plus_inverse")
    ]


def test_an_expression_carries_value_and_slopes_through():
    read = _read(*DERIVED)
    assert read.findings == ()
    record = a.an_input(
        a.DIGITAL,
        [a.a_point(t, {"t_ref": [t] * 4, "t_ind": [t] * 4}) for t in ("2.0", "5.0", "8.0")],
        definition=read.type, limits={}, examinations=(),
    )  # fmt: skip

    points = evaluate(record).points

    # the room has 23.1 degC
    assert points[1].reference == pytest.approx(1.01 * 5 - 0.01 * 23.1)
    assert points[1].error == pytest.approx(5 - 1.01 * 5 + 0.01 * 23.1)
    assert points[1].printed.indication == "5.000"


def test_the_scatter_behind_an_expression_counts_by_its_slope():
    text = 'input = "t_ind"\nname = { en = "Repeatability of the mean", zh = "平均值的重复性" }'
    read = _read(*DERIVED, (text, text.replace("t_ind", "t_ref")))
    assert read.findings == ()
    series = ["5.00", "5.02", "5.01", "4.99"]
    record = a.an_input(
        a.DIGITAL,
        [a.a_point(t, {"t_ref": series, "t_ind": ["5.0"] * 4}, visit=t) for t in ("5", "6", "4")],
        definition=read.type, limits={}, examinations=(),
    )  # fmt: skip

    line = next(b for b in evaluate(record).points[0].budget if b.component == "t_rep")

    assert line.c == pytest.approx(-1.01)
    assert line.u == pytest.approx(0.0129099 / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (('"1.01*t_ref - 0.01*t_room"', '"1.01*t_ref - (0.01*t_room"'), "type-function"),
        (('"1.01*t_ref - 0.01*t_room"', '"1.01*t_ref"'), "type-function"),
        (('function = "1.01*t_ref - 0.01*t_room"', ""), "type-input"),
        (('"1.01*t_ref - 0.01*t_room"', '"t_ref + t_room"\nstatistic = "mean"'), "type-input"),
        (('"1.01*t_ref - 0.01*t_room"', '"t_ref + t_room"\nparameters = { a = "1" }'),
         "type-input"),
        (('of = ["t_ref", "t_room"]', 'of = ["t_ref", "t_none"]'), "type-input"),
    ],
)  # fmt: skip
def test_an_expression_that_says_nothing_clear_is_found(change, code):
    (_, bare), *rest = DERIVED
    assert bare.count(change[0]) == 1
    read = _read(("[measurands.points]", bare.replace(*change)), *rest)
    assert code in {f.code for f in read.findings}


def test_points_may_be_those_of_an_initial_verification():
    alternative = """
[[measurands.points.alternatives]]
when = { verification = "initial" }
default = ["2.0", "4.0", "6.0", "8.0"]

[[measurands.limits]]"""
    kinds = (
        'kinds = ["calibration", "check"]',
        'kinds = ["verification"]\nverification_kinds = ["initial", "in_service"]',
    )
    read = _read(kinds, ("\n[[measurands.limits]]", alternative))
    assert read.findings == ()

    def points(kind):
        return points_for(read.type, read.type.measurands[0], {"verification": kind})

    assert points("initial") == ("2.0", "4.0", "6.0", "8.0")
    assert points("in_service") == ("2.0", "5.0", "8.0")
    assert {f.code for f in _read(("\n[[measurands.limits]]", alternative)).findings} == {
        "type-variant-unknown"
    }


def test_a_component_holds_from_its_start_and_below_its_end():
    half = 'half_width = "0.02"'
    assert _read((half, f'{half}\nstart = "2.0"\nend = "5.0"')).findings == ()
    found = _read((half, f'{half}\nstart = "5.0"\nend = "5.0"')).findings
    assert [(f.code, f.facts["key"]) for f in found] == [
        ("type-range", "measurands[0].components[3].start")
    ]

    read = _read((half, f'{half}\nstart = "4.9"\nend = "8.0"'))
    points = [a.a_point(t, {"t_ref": [t] * 4, "t_ind": [t] * 4}) for t in ("2.0", "5.0", "8.0")]
    record = a.an_input(a.DIGITAL, points, definition=read.type, limits={}, examinations=())
    lines = [p.budget[3] for p in evaluate(record).points]

    assert [line.counted for line in lines] == [False, True, False]
    assert [line.u for line in lines] == [0, pytest.approx(0.02 / 3**0.5), 0]
