"""A measurand written as another one with changes."""

from importlib.resources import files

from instruments.catalogue.loader import load_catalogue
from instruments.catalogue.schema import read_type

BATH = "bath.thermostatic"


def _read(*changes):
    text = (files("instruments.catalogue.types") / f"{BATH}.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text, read_type(text, "mine.toml")


def test_it_has_everything_of_the_other_but_what_it_says_itself():
    type_ = load_catalogue().get(BATH)
    horizontal, vertical = type_.measurand("horizontal"), type_.measurand("vertical")

    assert vertical.components == horizontal.components
    assert vertical.function == horizontal.function
    assert vertical.name.zh.startswith("垂直温差")
    assert "like" not in str(vertical)


def test_an_input_takes_the_place_of_its_own_alone():
    label = '\n[measurands.inputs.a_1]\nlabel = { en = "Above", zh = "上" }\nsource = "standard"'
    _, read = _read(('位置 2 在下）" }\n', f'位置 2 在下）" }}\n{label}\nunit = "degC"\n'))

    assert read.findings == ()
    inputs = read.type.measurand("vertical").inputs
    assert inputs["a_1"].label.en == "Above"
    assert inputs["b_2"] == read.type.measurand("horizontal").inputs["b_2"]


def test_what_it_is_like_must_be_written_out():
    text, read = _read(('like = "horizontal"', 'like = "sideways"'))

    (finding, *_) = read.findings
    assert finding.code == "type-like"
    assert finding.facts["line"] == text.splitlines().index('like = "sideways"') + 1
    assert "temperature, stability, horizontal" in finding.text()


def test_the_first_format_does_not_know_it():
    _, read = _read(("schema = 2", "schema = 1"))

    found = {(f.code, f.facts["key"]) for f in read.findings}
    assert ("type-schema-version", "measurands[3].like") in found
