"""What may not be parted in a line, and what a column of numbers needs, found before the pages."""

import pytest

from calib.certificates.blocks import column, facts, paragraph, row, section, table
from calib.certificates.setting import rules_needed, set_sections, set_text
from calib.certificates.wording import RANGE


def put(block):
    (part,) = set_sections([section(("Results",), [block])])["sections"]
    return part["blocks"][0]


@pytest.mark.parametrize("text", ["0.25", "100", "Room 204", "SN-1", "2026-03-02", "5mm", "", "—"])
def test_words_dates_and_plain_digits_stand_as_they_are(text):
    assert set_text(text) == text


@pytest.mark.parametrize(
    ("text", "digits", "power"),
    [
        ("-0.25", "-0.25", ""),
        ("≤0.3", "≤0.3", ""),
        ("0.3†", "0.3†", ""),
        ("1.2e-5^-3", "1.2e-5", "-3"),
    ],
)
def test_a_number_that_could_be_parted_is_kept_together(text, digits, power):
    assert set_text(text) == {"digits": digits, "power": power}


def test_a_value_never_leaves_its_unit_and_a_range_is_parted_only_at_its_dots():
    assert set_text("-20 … 50 °C") == {"sides": [[{"digits": "-20", "power": ""}], ["50", "°C"]]}
    (words,) = set_text("U = 0.05 °C (k = 2)")["sides"]
    assert words == ["U", "=", "0.05", "°C", "(k", "=", {"digits": "2)", "power": ""}]


def test_each_text_comes_back_whole_when_its_parts_are_joined():
    for text in ("-20 … 50 °C", "≤ 0.3 K", "36.8 °C", "-0.25", "10^-3", "words only", "≥ -5 … 7 %"):
        assert "".join(_letters(set_text(text))) == text.replace("^", "")


def _letters(found):
    if isinstance(found, str):
        return [found]
    if "sides" in found:
        return [RANGE.join(" ".join("".join(_letters(w)) for w in side) for side in found["sides"])]
    return [found["digits"], found["power"]]


def test_numbers_of_a_column_stand_with_their_points_above_each_other():
    block = put(
        table([column(("Error",), "°C")], [row(["-0.25"]), row(["1.5†"]), row(["12"]), row(["—"])])
    )
    (head,) = block["columns"]
    needs = {key: head[key] for key in ("before", "after", "mark", "sign")}
    assert needs == {"before": 2, "after": 2, "mark": 1, "sign": True}
    cells = [row["cells"][0] for row in block["rows"]]
    assert [(cell["lacks"], cell["point"]) for cell in cells[:3]] == [
        (1, False),
        (1, False),
        (3, True),
    ]
    assert cells[3] == "—", "what is no number is not aligned"


def test_equal_heads_are_measured_once_and_named_by_their_place():
    one = table([column(("Error", "示值误差"), "°C"), column(("Error",), "K")], [row(["1", "2"])])
    view = set_sections([section(("Results",), [one, one])])
    kinds = [(m["kind"], m["body"]) for m in view["measured"]]
    assert len(kinds) == len(set(kinds))
    for block in view["sections"][0]["blocks"]:
        first, second = block["columns"]
        assert {kinds[i] for i in first["words"]} == {("word", "示值误差"), ("word", "Error")}
        assert [kinds[i] for i in (*first["units"], *second["units"])] == [
            ("unit", "°C"),
            ("unit", "K"),
        ]


def test_a_narrow_word_of_a_head_is_not_measured_where_a_wide_one_stands():
    block = put(table([column(("Expanded uncertainty of it",))], [row(["1"])]))
    view = set_sections([section(("R",), [table([column(("Expanded uncertainty of it",))], [])])])
    assert [m["body"] for m in view["measured"]] == ["Expanded", "uncertainty"]
    assert block["columns"][0]["words"] == [0, 1]


def test_a_range_among_numbers_may_be_parted_at_its_dots_alone():
    block = put(table([column(("Limits",))], [row(["-20 … 50 °C"]), row(["1"])]))
    assert block["columns"][0]["parted"] == [
        {"digits": "-20", "power": ""},
        {"sides": [["50", "°C"]]},
    ]


def test_facts_are_set_and_paragraphs_are_left_alone():
    block = put(facts([(("Range",), [("-20 … 50 °C",)])]))
    assert block["rows"][0]["lines"] == [[set_text("-20 … 50 °C")]]
    assert put(paragraph(("-0.25",)))["words"] == ("-0.25",)


def test_rules_about_letters_stand_where_they_have_something_to_do():
    assert rules_needed("a b") == {"long": False, "symbols": False}
    assert rules_needed("SN" + "0" * 20) == {"long": True, "symbols": False}
    assert rules_needed("words of the ν_eff of a budget") == {"long": False, "symbols": True}
