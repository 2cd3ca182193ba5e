"""Plots show every mark within their axes, at round numbers, and add no text to the page."""

import re
from decimal import Decimal

import pytest
from lxml import etree

from calib.certificates.fonts import latin_outline
from calib.certificates.plots import BLUE, HEIGHT, INK, WIDTH, Area, Dot, Line, plot, ticks
from instruments.errors import Refused

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("low", "high", "most", "shown"),
    [
        (-0.031, 0.071, 5, ["-0.02", "0.00", "0.02", "0.04", "0.06"]),
        (36.7, 41.3, 9, ["37.0", "37.5", "38.0", "38.5", "39.0", "39.5", "40.0", "40.5", "41.0"]),
        (-8.0, 108.0, 9, ["0", "20", "40", "60", "80", "100"]),
        (0.0, 1e-7, 5, ["0.000000000", "0.000000025", "0.000000050", "0.000000075", "0.000000100"]),
        (990.0, 1010.0, 3, ["990", "1000", "1010"]),
        (-1.0, 1.0, 2, ["0"]),
    ],
)
def test_ticks_are_round_and_as_many_as_there_is_room_for(low, high, most, shown):
    found = [f"{tick + 0:f}" for tick in ticks(low, high, most)]
    assert len(found) <= most
    assert found == shown


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 37.0, 1e6, 1e12])
@pytest.mark.parametrize("offset", [0.0, -5.5, 1e4])
def test_every_mark_stands_within_its_axes(scale, offset):
    marks = [Dot(scale * x + offset, scale * y, scale * 0.2, BLUE) for x, y in ((0, 1), (3, -2))]
    root = etree.fromstring(plot(marks, "x / °C", "E / °C"))
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle")]
    assert len(circles) == 2
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in circles)
    assert circles[0][0] < circles[1][0]
    assert circles[0][1] < circles[1][1]  # the greater value stands higher


def test_values_are_where_the_axis_says():
    dots = [Dot(float(x), float(y), 0.0, INK) for x, y in ((0, 0), (50, 0.5), (100, 1))]
    root = etree.fromstring(plot(dots, "x", "y", (-10.0, 110.0)))
    (x0, y0), (x1, y1), (x2, y2) = [
        (float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle")
    ]
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.011)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.011)


def test_a_bar_is_as_long_as_twice_U_and_an_open_point_is_left_open():
    closed = Dot(1.0, 0.0, 0.5, BLUE).svg(lambda x: 100 * x, lambda y: -100 * y)
    assert "M100.00 50.00V0.00M100.00 -0.00V-50.00" in closed
    open_ = Dot(1.0, 0.0, 0.5, INK, is_open=True).svg(lambda x: 100 * x, lambda y: -100 * y)
    assert "M100.00 50.00V2.25M100.00 -2.25V-50.00" in open_
    assert 'fill="none"' in open_


def test_a_plot_is_the_same_text_each_time_and_holds_no_letters():
    marks = [
        Area(((0.0, -1.0, 1.0), (2.0, -1.0, 2.0)), BLUE, 0.1),
        Line(((0.0, -1.0), (2.0, 1.0)), INK, 1.0, is_dashed=True),
    ]
    drawn = plot(marks, "x / °C", "C / °C")
    assert drawn == plot(marks, "x / °C", "C / °C")
    assert "<text" not in drawn
    assert not re.search(r"nan|inf", drawn)


def test_one_point_at_zero_is_drawn():
    root = etree.fromstring(plot([Dot(0.0, 0.0, 0.0, BLUE)], "x", "y"))
    (circle,) = root.iter(f"{SVG}circle")
    assert 0 < float(circle.get("cy")) < HEIGHT


def test_a_letter_the_font_lacks_is_refused_and_not_left_out():
    with pytest.raises(Refused, match="cannot draw") as stop:
        plot([Dot(0.0, 0.0, 0.0, BLUE)], "x / K⁻¹", "y")
    assert stop.value.code == "text-unprintable"


def test_figures_are_as_wide_as_each_other():
    assert {latin_outline(digit)[1] for digit in "0123456789"} == {latin_outline("0")[1]}
    assert Decimal(repr(latin_outline("0")[1])) == Decimal("0.497")
