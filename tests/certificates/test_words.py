"""Every sentence of certificates has its Chinese words, and translations do not contradict."""

import ast
from pathlib import Path
from string import Formatter

import pytest

from calib import i18n
from calib.certificates import wording
from instruments.errors import Finding
from instruments.text import LocalizedText
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
