"""Points, order, inputs and ranges of a type, in the words of a reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.commands.type_sheet import sheet
from api.type_plan import between, input_text, plan_lines, points_text, variant_lines
from instruments.catalogue.loader import load_catalogue
from instruments.procedure import PointChoice
from tests.support.up_and_down import up_and_down

KNOWN = load_catalogue()


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [("18", "25", "18 … 25 °C"), (None, "80", "at most 80 °C"), ("7", None, "at least 7 °C")],
)
def test_a_range_with_one_end_says_so(low, high, said):
    assert between(low, high, "°C", "en") == said


def test_fractions_are_not_shown_as_values():
    type_ = KNOWN.get("standard.pressure_gauge")
    measurand = type_.measurands[0]

    said = points_text(type_, measurand, "en")

    assert measurand.points.fractions
    assert said.startswith(", ".join(measurand.points.fractions) + " of the range from ")
    assert type_.ratings[measurand.points.range_high].label.en in said


def test_order_range_and_points_of_other_models_are_told():
    type_ = up_and_down()
    choice = PointChoice({"class": "0.1"}, ("0", "5"), 3)
    points = replace(type_.measurands[0].points, low="0", alternatives=(choice,))
    measurand = replace(type_.measurands[0], points=points)

    assert list(plan_lines(type_, measurand, "en")) == [
        "order of the points: rising, then the same falling",
        "fewest points: 1",
        "range of the method: at least 0 kPa",
        "class = 0.1: 0, 5 kPa; × 3",
    ]


def test_an_input_says_where_it_is_from_and_how_often_it_is_read():
    quantity = replace(up_and_down().measurands[0].inputs["p_ind_up"], readings=3)

    assert input_text("p", quantity, "en") == "p  p_ind_up, kPa, read on the item; × 3"


def test_variants_stages_and_batches_are_told():
    lines = "\n".join(variant_lines(KNOWN.get("pump.infusion_syringe"), "zh"))

    assert "注射泵" in lines
    assert "syringe" in lines
    assert "batches" in "\n".join(variant_lines(KNOWN.get("thermometer.glass_clinical"), "en"))


def test_no_key_of_the_format_stands_in_chinese_text():
    for type_ in KNOWN.list():
        text = "\n".join(sheet(type_, "zh"))
        for key in ("half_width", "pooled", " of @", "dof "):
            assert key not in text, (type_.id, key)
