"""Slips that many make in a type file are answered with what to write instead."""

from __future__ import annotations

import pytest

from instruments.catalogue.loader import load_catalogue, read_file
from instruments.catalogue.schema import read_type
from tests.support.small_type import HEAD, measurand, told

PROBE = load_catalogue().text_of("thermometer.digital_probe")
GAUGE = load_catalogue().text_of("standard.pressure_gauge")
READ = """t_ref: source = "standard"; unit = "degC"
t_ind: source = "item"; unit = "degC"
t_set: source = "nominal"; unit = "degC" """
C = 'b: input = "d"; evaluate = "B"; half_width = "0.1"'


def first(text: str) -> str:
    return read_type(text, "mine.toml").findings[0].text()


@pytest.mark.parametrize(
    ("text", "slip", "words"),
    [
        (PROBE, ("\nversion = ", "\nversion ＝ "), "The line holds the sign ＝: write =."),
        (PROBE, ('id = "thermometer', "id = “thermometer"), "The line holds the sign “"),
        (PROBE, ("\nkinds = [", '\nbatch = "yes"\nkinds = ['),
         'batch: got "yes". Write true or false, without quotes.'),
        (PROBE, ("[[environment]]", "[environment]"), "two brackets"),
        (GAUGE, ("range_high = ", "# range_high = "), "range_high is missing"),
        (GAUGE, ('fractions = ["0', 'fractions = ["-1", "0'), "got -1: 0 is the low end"),
    ],
)  # fmt: skip
def test_a_slip_is_answered_with_what_to_write(text, slip, words):
    assert slip[0] in text

    assert words in first(text.replace(*slip, 1))


def test_one_table_where_there_are_several():
    only = HEAD.format(schema=2, top="").replace("[[documents]]", "[documents]")

    assert "write [[documents]] with two brackets for each" in " ".join(
        f.text() for f in read_type(only + measurand("t_ind + d", READ, C), "m").findings
    )


def test_a_variant_with_a_point_needs_quotes():
    top = '[variants.class]\n0.25 = { en = "Class 0.25", zh = "0.25 级" }\n'

    ((_, _, sentence),) = told(measurand("t_ind + d", READ, C), top=top)

    assert 'write "0.25" = …' in sentence


def test_a_byte_order_mark_is_no_fault(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf" + PROBE.encode())

    assert read_file(file).findings == ()
    assert read_file(file).type == load_catalogue().get("thermometer.digital_probe")


def test_a_missing_file_is_not_told_to_be_saved(tmp_path):
    (finding,) = read_file(tmp_path / "none.toml").findings

    assert finding.text().endswith("No such file or directory. Check the name.")


def test_a_verified_interval_needs_a_source():
    top = 'interval_months = 12\ninterval_confidence = "V"\n'
    fault = [f for f in told(measurand("t_ind + d", READ, C), top=top) if f[0] == "type-source"]

    assert [key for _, key, _ in fault] == ["interval_confidence"]


def test_what_like_took_over_is_shown_where_it_stands():
    one = measurand("t_ref - t_ind + d", READ.replace('\nt_set: source = "nominal"; unit = "degC"',
                    ""), C, id="first")  # fmt: skip
    other = '\n[[measurands]]\nid = "second"\nlike = "first"\nfunction = "t_ref + d"\n'
    text = HEAD.format(schema=2, top="") + one + other
    line = text[: text.index("[measurands.inputs.t_ind]")].count("\n") + 1

    (finding,) = read_type(text, "m.toml").findings

    assert finding.text().startswith(
        f"m.toml, line {line}, measurands[1].inputs.t_ind (taken over from first by like): "
    )


def test_points_of_shared_readings_are_shown_where_they_stand():
    bad = GAUGE.replace('fractions = ["0', 'fractions = ["7", "0', 1)
    line = bad[: bad.index('fractions = ["7"')].count("\n") + 1

    for finding in read_type(bad, "m.toml").findings:
        assert finding.facts["line"] == line
    assert "by same_readings_as" in read_type(bad, "m.toml").findings[1].text()


def test_an_input_that_only_a_size_uses_is_no_fault():
    spread = 't_range: source = "derived"; of = ["t_ref"]; statistic = "range"; unit = "K"'
    size = 'b: input = "d"; evaluate = "B"; relative_half_width = "0.29"; of = "t_range"'

    assert told(measurand("t_ref - t_ind + d", f"{READ}\n{spread}", size)) != []
    without_set = READ.replace('\nt_set: source = "nominal"; unit = "degC"', "")
    assert told(measurand("t_ref - t_ind + d", f"{without_set}\n{spread}", size)) == []


def test_a_component_on_what_only_a_size_uses_has_no_effect():
    spread = 't_x: source = "derived"; of = ["t_ref"]; function = "2*t_ref"; unit = "degC"'
    on_it = f"""{C}
r: input = "t_ref"; evaluate = "B"; half_width = "1"
s: input = "d"; evaluate = "B"; relative_half_width = "0.1"; of = "t_x" """
    inputs = f"{READ}\n{spread}".replace('\nt_set: source = "nominal"; unit = "degC"', "")

    found = told(measurand("t_ind + d", inputs, on_it))

    assert [key for _, key, _ in found] == ["measurands[0].components[1].input"]
