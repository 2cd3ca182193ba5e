"""The register of governing documents: read strictly, beside the types, without saying twice."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from instruments.catalogue.documents import shipped
from instruments.catalogue.documents.comparing import compared
from instruments.catalogue.documents.meaning import limits_of
from instruments.catalogue.documents.merging import (
    contradictions,
    known_documents,
    stated_in_types,
)
from instruments.catalogue.documents.reading import check, read_register
from instruments.catalogue.documents.values import Register, RegisteredDocument
from instruments.catalogue.documents.wording import limit_text, range_text
from instruments.procedure import Limit
from instruments.text import LocalizedText

TYPES = shipped.catalogue().list()
ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CALIB_SHARED", ROOT.parent / "shared"))
HEAD = 'schema = 1\n[[documents]]\nnumber = "X 1-2001"\norigin = "national"\n'
TITLE = 'title = { en = "One", zh = "一" }\n'
ROW = (
    'schema = 1\n[[comparisons]]\nid = "ear"\nmatter = { en = "Ear", zh = "耳" }\n'
    'quantity = "temperature"\nunit = "degC"\n[[comparisons.rows]]\n'
)
LONE = (
    'schema = 1\n[[differences]]\nbetween = ["JJF 1107-2003"]\n'
    'words = { en = "a", zh = "一" }\nconfidence = "BG"\n'
)


def found(text: str, name: str = "a.toml") -> dict[str, str]:
    """Return the sentence of each finding in one file by its code, missing documents left out."""
    findings = read_register({name: text}, TYPES)[1]
    return {f.code: f.text() for f in findings if f.code != "document-missing"}


def test_the_shipped_register_has_no_findings_beside_the_shipped_types():
    assert [f.text() for f in check(TYPES)] == []


def test_every_document_that_a_type_names_is_in_the_register():
    entries = {entry.number for entry in shipped.register().documents}
    assert set(stated_in_types(TYPES)) <= entries
    assert len(entries) > 100


@pytest.mark.parametrize("key", ["title", "confidence", "issued_on", "in_force_on", "replaced_by"])
def test_two_types_that_contradict_each_other_are_named(key):
    monitor = next(t for t in TYPES if t.id == "monitor.patient")
    other = {
        "title": LocalizedText(en="Another", zh="另一"),
        "confidence": "BG",
        "issued_on": "2019-12-30",
        "in_force_on": "2020-04-01",
        "replaced_by": "JJG 1163-2030",
    }
    document = replace(monitor.documents[0], **{key: other[key]})
    changed = replace(monitor, documents=(document,))
    plain = replace(monitor, id="monitor.other", documents=(monitor.documents[0],))
    said = [f.facts for f in contradictions([changed, plain])]
    if key == "replaced_by":  # one alone says it: no contradiction
        assert said == []
    else:
        expected = {
            "number": "JJG 1163-2019",
            "key": key,
            "types": "monitor.other, monitor.patient",
        }
        assert said == [expected]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("schema = 1\n[[documents", "type-syntax", "a.toml, line 2"),
        ("schema = 2", "document-schema-version", "a.toml, line 1, schema: got 2"),
        (HEAD + "title = 4\n", "document-structure", "documents[0].title"),
        (HEAD + TITLE + "issued_on = 2001\n", "document-number-not-text", "line 6"),
        (HEAD + TITLE + 'colour = "red"\n', "document-structure", "unknown"),
        (HEAD, "document-title-missing", "X 1-2001"),
        (HEAD + 'title = { en = "One", zh = "" }\n', "type-language", "zh"),
        (HEAD + TITLE + 'confidence = "V2"\nstatus = "in_force"\n', "document-source", "V2"),
        (HEAD + TITLE + 'issued_on = "2001-2-3"\n', "document-date", "2001-2-3"),
        (
            HEAD + TITLE + 'issued_on = "2001-03-02"\nin_force_on = "2001-03-01"\n',
            "document-date",
            "backwards",
        ),
        (HEAD + TITLE + 'replaced_by = "X 1-2009"\n', "document-unknown", "X 1-2009"),
        (HEAD + TITLE + 'counterparts = ["X 1-2001"]\n', "document-itself", "names itself"),
        (HEAD + TITLE + 'status = "superseded"\n', "document-status", "not by what"),
        (
            HEAD + TITLE + 'status = "in_force"\nreplaced_by = "JJF 1107-2003"\n',
            "document-status",
            "in_force",
        ),
        (HEAD + TITLE + HEAD.partition("\n")[2] + TITLE, "document-twice", "a.toml already"),
        (
            HEAD.replace("X 1-2001", "JJG 646-2006") + 'issued_on = "2006-12-08"\n',
            "document-stated-twice",
            "type pipette.piston says this",
        ),
        (
            HEAD.replace("X 1-2001", "JJF 1101-2003") + TITLE + 'replaced_by = "JJF 1101-2019"\n',
            "document-stated-twice",
            "JJF 1101-2019 and JJF 1101-2003",
        ),
        (ROW + 'document = "X 9"\nremark = { en = "a", zh = "一" }\n', "document-unknown", "X 9"),
        (ROW + 'document = "JJF 1107-2003"\nconfidence = "BG"\n', "document-row-empty", "nothing"),
        (ROW + 'document = "JJF 1107-2003"\nupper = "1"\n', "document-confidence", "no tag"),
        (
            ROW + 'document = "JJF 1107-2003"\nconfidence = "BG"\nupper = "1,0"\n',
            "document-number-malformed",
            "rows[0].upper",
        ),
        (
            ROW + 'document = "JJF 1107-2003"\nconfidence = "BG"\nlower = "2"\nupper = "1"\n',
            "document-range",
            "2 lies above 1",
        ),
        (
            ROW + 'document = "JJF 1107-2003"\ntype = "thermometer.infrared_ear"\nmeasurand = "x"',
            "document-type-unknown",
            "measurand x",
        ),
        (
            ROW
            + 'document = "JJF 1107-2003"\ntype = "thermometer.infrared_ear"\n'
            + 'measurand = "temperature"\n',
            "document-type-unknown",
            "no such limits from JJF 1107-2003",
        ),
        (
            ROW
            + 'document = "JJG 1164-2019"\ntype = "thermometer.infrared_ear"\n'
            + 'measurand = "temperature"\nupper = "0.2"\n',
            "document-stated-twice",
            "thermometer.infrared_ear",
        ),
        (ROW.replace('"degC"', '"degQ"') + 'document = "JJF 1107-2003"\n', "document-unit", "degQ"),
        (
            ROW.replace('"ear"', '"Ear!"') + 'document = "JJF 1107-2003"\n',
            "document-comparison-id",
            "Ear!",
        ),
        (
            LONE,
            "document-pair",
            "got 1",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_line_and_key(text, code, words):
    said = found(text)
    assert code in said, said
    assert words in said[code]
    assert said[code].startswith("a.toml, line ")


def test_a_file_that_cannot_be_read_hides_nothing_of_the_others():
    broken = {"a.toml": "schema = 1\n[[", "b.toml": HEAD + "title = 4\n"}
    codes = [f.code for f in read_register(broken, TYPES)[1]]
    assert codes == ["type-syntax", "document-structure"]


def test_who_took_whose_place_is_known_from_both_sides_with_its_last_day():
    known = shipped.documents()
    old, new = known["JJF 1101-2003"], known["JJF 1101-2019"]
    assert (old.status, old.replaced_by, new.replaces) == (
        "superseded", ("JJF 1101-2019",), ("JJF 1101-2003",)
    )  # fmt: skip
    assert (old.ends_on, old.tags["ends_on"].confidence) == ("2020-03-26", "CALC")
    assert [old.status_on(day) for day in ("2020-03-26", "2020-03-27")] == [
        "in_force", "superseded"
    ]  # fmt: skip
    assert known["JJG 646, trial edition"].ends_on == "2007-06-07"


def test_a_document_is_announced_until_its_day():
    document = shipped.documents()["JJF(鲁)210-2025"]
    assert document.status_on("2025-12-31") == "announced"
    assert document.status_on("2026-01-01") == "in_force"
    assert shipped.documents()["JJF 1107-2003"].status == ""


def test_a_counterpart_is_known_from_both_sides_with_its_own_tag():
    known = shipped.documents()
    assert "JJF 1107-2003" in known["ISO 80601-2-56"].counterparts
    assert "ISO 80601-2-56" in known["JJF 1107-2003"].counterparts
    assert known["YY 9706.256"].tags["counterparts/ISO 80601-2-56"].confidence == "V2"
    assert known["JJF 1107-2003"].tags["counterparts/ASTM E1965"].confidence == "BG"


def test_a_type_says_it_before_the_register():
    entry = RegisteredDocument("JJG 646-2006", "national", confidence="V2", source="list")
    document = known_documents(Register((entry,)), TYPES)["JJG 646-2006"]
    assert document.title.en.startswith("Verification regulation")
    assert document.tags["in_force_on"].by == "type"


def test_rows_of_types_show_the_limits_of_the_type_files():
    rows = [(c, row) for c in shipped.register().comparisons for row in c.rows if row.type]
    assert len(rows) > 25
    by_id = {t.id: t for t in TYPES}
    for comparison, row in rows:
        measurand = by_id[row.type].measurand(row.measurand)
        assert measurand.output_unit == comparison.unit
        shown = limits_of(row, TYPES)
        assert shown
        for limit in shown:
            assert limit in measurand.limits
            assert limit.document == row.document


def test_own_rows_of_a_document_agree_with_the_limits_of_types_on_the_same_matter():
    """Where a row of the register and a type give the same document, their figures are equal."""
    lines = compared(shipped.comparison("ear-thermometers"), TYPES)
    assert {line.limit for line in lines if line.document.startswith("JJ")} == {"±0.2"}
    assert {line.range for line in lines if line.document.startswith("JJ")} == {"35 ≤ x ≤ 42"}


@pytest.mark.parametrize(
    ("given", "text", "range_"),
    [
        ({"lower": "-0.2", "upper": "0.2", "start": "35", "end": "42"}, "±0.2", "35 ≤ x ≤ 42"),
        ({"lower": "-0.15", "upper": "0.10"}, "−0.15 … +0.10", ""),
        ({"lower": "-1", "upper": "1", "plus_fraction": "0.05"}, "±(1 + 5 %·|x|)", ""),
        ({"lower": "-4", "upper": "4", "or_fraction": "0.15"}, "±max(4; 15 %·|x|)", ""),
        (
            {"lower": "-4", "upper": "4", "or_fraction": "0.15", "choose": "smaller"},
            "±min(4; 15 %·|x|)",
            "",
        ),
        ({"upper": "2", "start": "85"}, "≤ 2", "85 ≤ x"),
        ({"lower": "89", "end": "0", "end_included": False}, "≥ 89", "x < 0"),
        ({"lower": "0", "upper": "0", "plus_fraction": "0.01", "start": "5", "end": "5"},
         "±(1 %·|x|)", "x = 5"),
        ({"lower": "-10", "upper": "10", "plus_inverse": "1"}, "±(10 + 1/|x|)", ""),
        ({"lower": "-30", "upper": "5", "plus_fraction": "0.1"},
         "−(30 + 10 %·|x|) … +(5 + 10 %·|x|)", ""),
    ],
)  # fmt: skip
def test_a_limit_is_written_in_signs(given, text, range_):
    limit = Limit(document="X", confidence="BG", **given)
    assert (limit_text(limit), range_text(limit)) == (text, range_)


DOMAIN = SHARED / "domain" / "domain.md"


@pytest.mark.skipif(not DOMAIN.is_file(), reason="the notes on the field are not beside this clone")
@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        ("JJG 1164-2019", "issued_on", "2019-12-31"),
        ("JJG 1164-2019", "in_force_on", "2020-03-31"),
        ("JJG 1162-2019", "in_force_on", "2020-03-31"),
        ("JJF 1094-2002", "in_force_on", "2003-02-04"),
        ("JJF 1149-2014", "in_force_on", "2015-02-01"),
        ("JJF 1101-2019", "in_force_on", "2020-03-27"),
    ],
)
def test_dates_are_those_of_the_notes_on_the_field(number, field, value):
    text = DOMAIN.read_text("utf-8")
    lines = [line for line in text.splitlines() if number in line and value in line]
    assert lines
    assert getattr(shipped.documents()[number], field) == value
