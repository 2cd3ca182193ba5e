"""Every sentence of certificates has its Chinese words, and translations do not contradict."""

import ast
from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest

from calib import i18n
from calib.certificates import wording
from calib.certificates.pdf import render
from calib.certificates.reread import read_file
from calib.certificates.wording import document_name
from instruments.errors import Finding
from instruments.text import LocalizedText
from tests.support.documents import forehead_certificate
from tests.support.spoken import untranslated

ROOT = Path(__file__).parents[2]
CERTIFICATES = sorted((ROOT / "calib" / "certificates").glob("*.py"))
_SAYERS = {"say", "translate", "both", "add"}
_RAISERS = {"Refused", "Unavailable", "Invalid", "Conflict", "NotFound"}


def _literals(node):
    """Return the texts an expression may give: a literal, or either arm of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body) + _literals(node.orelse)
    return []


def _spoken():
    found = set()
    for file in CERTIFICATES:
        if file.name.startswith("dcc"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in _SAYERS:
                found.update(_literals(node.args[0]))
            elif name in _RAISERS and len(node.args) > 1:
                found.update(_literals(node.args[1]))
            elif name == "rule" and len(node.args) > 2:
                found.update(_literals(node.args[2]))
    for table in (
        wording.TITLES, wording.VERDICTS, wording.STATEMENTS, wording.RULES, wording.ORIGINS,
        wording.PERFORMED, wording.PERFORMED_ON, wording.POINTS, wording.PLACES, wording.OUTPUTS,
        wording.STAGES, wording.CONDITIONS,
    ):  # fmt: skip
        found.update(table.values())
    from calib.certificates import layout, reread, sections

    found.update(message for _, message in reread.RULES.values())
    for module in (sections, layout, wording):
        found.update(
            value
            for name, value in vars(module).items()
            if name.isupper() and isinstance(value, str)
        )
    return {text for text in found if any(c.isalpha() for c in text)}


def test_every_sentence_of_certificates_has_chinese_words():
    spoken = _spoken()
    assert len(spoken) > 150
    assert untranslated(sorted(spoken)) == ()


def _fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_translations_keep_every_fact_of_their_sentence():
    for english, chinese in i18n.catalogue("zh").items():
        assert _fields(chinese) == _fields(english), english


def test_a_sentence_without_translation_falls_back_to_english_with_its_facts():
    assert i18n.translate("no such {thing}", "zh", thing="词") == "no such 词"
    assert untranslated(["no such {thing}"]) == ("no such {thing}",)


def test_facts_and_findings_are_told_in_both_languages():
    assert i18n.translate("Certificate no.", "zh") == "证书编号"
    assert i18n.both("Certificate no.") == LocalizedText("Certificate no.", "证书编号")
    finding = Finding(
        "x", "Page {page} does not say {expected}.", facts={"page": 2, "expected": "E"}
    )
    assert i18n.describe(finding, "zh") == "第 2 页未写明 E。"
    assert i18n.describe(finding, "en") == "Page 2 does not say E."


@pytest.mark.parametrize(("language", "text"), [("zh", "2026年3月2日"), ("en", "2 March 2026")])
def test_dates_are_written_as_a_sentence_holds_them(language, text):
    assert i18n.format_date("2026-03-02", language) == text


@pytest.mark.parametrize(
    ("id_", "zh"),
    [
        ("JJF 1107-2003", "JJF 1107-2003"),
        ("OIML R 76-1", "OIML R 76-1"),
        ("EURAMET cg-18", "EURAMET cg-18"),
        ("JJF(鲁)210-2025", "JJF(鲁)210-2025"),
        ("Laboratory procedure, pumps", "作业指导书"),
        ("JJG 646, trial edition", "JJG 646 作业指导书"),
    ],
)
def test_a_document_without_a_number_is_called_by_its_title(id_, zh):
    measured = forehead_certificate().measurement
    method = replace(measured.methods[0], id=id_, title=LocalizedText(en="Title", zh="作业指导书"))
    named = document_name(replace(measured, methods=(method,)), id_)

    assert (named.en, named.zh) == (id_, zh)


def test_a_chinese_certificate_names_no_document_in_english():
    document = forehead_certificate("zh")
    (first, *others) = document.measurement.methods
    name = "Laboratory procedure, forehead thermometers"
    measured = replace(
        document.measurement,
        methods=(replace(first, id=name, title=LocalizedText(en="P", zh="作业指导书")), *others),
        limits=tuple(replace(one, document=name) for one in document.measurement.limits),
    )
    document = replace(document, measurement=measured)
    pdf = render(document, {})
    text = read_file(pdf).text

    assert "Laboratory procedure" not in text
    assert text.count("作业指导书") >= 2
