"""A type file as a whole: syntax, format version, encoding, several problems at once."""

from importlib.resources import files
from pathlib import Path

import pytest

from instruments.catalogue.loader import load_catalogue, read_file
from instruments.errors import Invalid
from instruments.quantities import UNITS

SHIPPED = sorted(
    file.name for file in files("instruments.catalogue.types").iterdir() if ".toml" in file.name
)
GLASS = "thermometer.glass_clinical"


def shipped(name):
    return (files("instruments.catalogue.types") / name).read_text("utf-8")


def check(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path, read_file(path).findings


@pytest.mark.parametrize(
    ("row", "line", "column"),
    [
        ("low = = 1", 3, 7),
        ("low = 01", 3, 8),
        ('low = "open', 3, 12),
        ("schema = 2", 3, 11),
        ("[[", 3, 3),
    ],
)
def test_syntax_error_has_line_and_column(tmp_path, row, line, column):
    path, findings = check(tmp_path, f"# a comment\nschema = 1\n{row}\n")
    (finding,) = findings
    assert finding.code == "type-syntax"
    assert (finding.facts["line"], finding.facts["column"]) == (line, column)
    assert finding.text().startswith(f"{path}, line {line}, column {column}: this is no TOML: ")


def test_syntax_error_at_the_end_has_the_last_line(tmp_path):
    _, findings = check(tmp_path, 'schema = 1\nname = """open\nstill open')
    assert findings[0].code == "type-syntax"
    assert (findings[0].facts["line"], findings[0].facts["column"]) == (3, 11)


@pytest.mark.parametrize("text", ["", "schema = true", "schema = 1.0", 'schema = "1"'])
def test_file_without_the_format_is_refused(tmp_path, text):
    _, findings = check(tmp_path, text)
    assert [(f.code, f.facts["key"]) for f in findings] == [("type-schema-version", "schema")]


def test_missing_key_is_named_on_the_line_of_its_table(tmp_path):
    text = shipped(f"{GLASS}.toml").replace('evaluate = "A"\n', "")
    _, findings = check(tmp_path, text)
    rows = text.splitlines()
    (finding,) = findings
    assert finding.facts["key"] == "measurands[0].components[0].evaluate"
    assert finding.facts["line"] == rows.index("[[measurands.components]]") + 1
    assert "missing" in finding.text()


@pytest.mark.parametrize("key", ["a/b", "kinds/9", "kinds/x", "name/en"])
def test_key_with_a_slash_is_still_only_unknown(tmp_path, key):
    _, findings = check(tmp_path, f'"{key}" = 1\n' + shipped(f"{GLASS}.toml"))
    assert [f.code for f in findings] == ["type-structure"]
    assert "unknown key" in findings[0].text()


def test_all_problems_are_shown_at_once(tmp_path):
    text = shipped(f"{GLASS}.toml")
    for right, wrong in [
        ('version = "1.1.0"', 'version = "one"'),
        (', zh = "外观"', ""),
        ('default = ["37", "41"]', 'default = ["37", "44"]'),
    ]:
        text = text.replace(right, wrong)
    _, findings = check(tmp_path, text)
    assert {f.code for f in findings} == {"type-version", "type-language", "type-points"}


def test_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"schema = 1\nname = '\xff'")
    (finding,) = read_file(path).findings
    assert finding.code == "type-unreadable"
    assert str(path) in finding.text()


def test_missing_file_is_refused(tmp_path):
    (finding,) = read_file(tmp_path / "nowhere.toml").findings
    assert finding.code == "type-unreadable"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_file_has_no_findings(tmp_path, name):
    assert check(tmp_path, shipped(name))[1] == ()


def test_folder_with_broken_files_stops_with_every_finding(tmp_path):
    (tmp_path / "a.toml").write_text("schema = 9", encoding="utf-8")
    (tmp_path / "b.toml").write_text("schema =", encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        load_catalogue([tmp_path])
    assert refused.value.code == "type-files-broken"
    assert [f.code for f in refused.value.findings] == ["type-schema-version", "type-syntax"]
    assert str(tmp_path / "a.toml") in str(refused.value)


def test_example_of_the_documentation_is_a_valid_file(tmp_path):
    page = (Path(__file__).parents[2] / "docs/operate/types.md").read_text("utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    assert check(tmp_path, example)[1] == ()
    assert "`" + " ".join(u for u in UNITS if not u.startswith("1/")) + "`" in page


def test_finding_shown_in_the_documentation_is_the_real_one(tmp_path):
    page = (Path(__file__).parents[2] / "docs/operate/types.md").read_text("utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    path, (finding,) = check(tmp_path, example.replace('half_width = "0.02"', "half_width = 0.02"))
    assert finding.text().replace(str(path), "mine.toml") in page


def test_every_type_says_what_kinds_of_standard_it_asks_for():
    kinds = {type_.id: {one.id for one in type_.standards} for type_ in load_catalogue().list()}
    assert [id_ for id_, named in kinds.items() if not named] == []
    assert kinds["thermometer.infrared_forehead"] == {"blackbody"}
    assert "blackbody" not in kinds["thermometer.medical_electronic"]
