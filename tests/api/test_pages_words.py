"""Every word of the pages stands in both languages, and every code has its words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from api.pages.rendering import TEMPLATES
from api.pages.words import COLOURS, NOTICES, WORDS
from calib.evaluation.inputs import RuleId
from calib.evaluation.result import Verdict
from calib.i18n import catalogue
from calib.records.calibrations import TRANSITIONS as RECORD_STATES
from instruments.errors import Severity
from instruments.policy import ROLES
from instruments.records.instruments import STATUSES
from instruments.records.orders import KINDS
from instruments.records.sites import VENUE_TYPES
from instruments.services import customers, labs, models, numbers, order_request, orders, standards
from instruments.services.certificate_entry import ORIGINS
from tests.support.spoken import untranslated

SENTENCE = re.compile(r"\bt\((?:\"([^\"]*)\"|'([^']*)')")
TEMPLATE_FILES = sorted(TEMPLATES.rglob("*.html"))


def sentences(file: Path) -> list[str]:
    return [first or second for first, second in SENTENCE.findall(file.read_text("utf-8"))]


@pytest.mark.parametrize("file", TEMPLATE_FILES, ids=lambda f: str(f.relative_to(TEMPLATES)))
def test_every_sentence_of_a_template_stands_in_chinese(file):
    assert not untranslated(sentences(file))


@pytest.mark.parametrize("group", sorted(WORDS))
def test_every_word_of_a_code_stands_in_chinese(group):
    assert not untranslated(WORDS[group].values())


def test_every_notice_stands_in_chinese():
    assert not untranslated(NOTICES.values())


def test_translations_keep_the_placeholders():
    place = re.compile(r"\{[^}]*\}")
    for file in TEMPLATE_FILES:
        for sentence in sentences(file):
            found = catalogue("zh").get(sentence, sentence)
            assert sorted(place.findall(sentence)) == sorted(place.findall(found)), sentence


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("role", ROLES),
        ("role_means", ROLES),
        ("customer_kind", customers.KINDS),
        ("venue_type", VENUE_TYPES),
        ("language", order_request.LANGUAGES),
        ("language", labs.LANGUAGES),
        ("use", models.USES),
        ("use_short", models.USES),
        ("status", STATUSES),
        ("kind", KINDS),
        ("kind_means", KINDS),
        ("verification", ("initial", "subsequent", "in_service")),
        ("order_state", orders.TRANSITIONS),
        ("record_state", RECORD_STATES),
        ("rule", get_args(RuleId)),
        ("rule_means", get_args(RuleId)),
        ("series", numbers.DEFAULT_TEMPLATES),
        ("rounding", labs.ROUNDING_MODES),
        ("standard_status", standards.STATUSES),
        ("origin", ORIGINS),
        ("verdict", get_args(Verdict)),
        ("severity", get_args(Severity)),
    ],
)
def test_every_code_has_words(group, codes):
    assert set(codes) <= WORDS[group].keys()


@pytest.mark.parametrize("group", sorted(COLOURS))
def test_colours_are_of_known_codes(group):
    assert COLOURS[group].keys() <= WORDS[group].keys()
    assert set(COLOURS[group].values()) <= {"green", "yellow", "red"}
