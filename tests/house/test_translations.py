"""Every sentence and word a reader may meet has Chinese words that say the same.

Missing words, words of sentences that are gone, lost or made-up placeholders, and two files that
contradict each other are refused. Facts that are the program's own words stand in ``facts.po``
under the name of the fact.
"""

from __future__ import annotations

import ast
import inspect
import json.decoder
import re
import typing
from functools import cache

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from pydantic_core import _pydantic_core

from calib.certificates.document import DocumentKind, PersonRole
from calib.evaluation.result import Verdict
from calib.i18n import catalogue, describe, phrases, translate
from calib.records.calibrations import TRANSITIONS
from instruments.errors import Finding
from instruments.policy import Role
from instruments.procedure import InputSource, RecordKind, Stage
from instruments.quantities import QUANTITIES
from instruments.records.instruments import STATUSES
from instruments.records.methods import METHOD_STATES
from instruments.text import LocalizedText
from tests.house import labels
from tests.house.source import HOUSES, ROOT, Source, report, sources
from tests.house.words import (
    PLACE,
    Words,
    bare,
    filled,
    read_python,
    said_in,
    shown,
    texts_of_source,
)

FOLDER = ROOT / "calib" / "locale" / "zh" / "LC_MESSAGES"
LABELLED = set(labels.LABELLED)
"""Facts whose words are the labels of the type files."""
MADE_BY_JOINING = {"{} or {}", "Input should be {} or {}"}
"""Sentences whose middle is put together while the program runs."""
FULL_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(\s|$)")

CLOSED = {
    "kind": (*typing.get_args(RecordKind), *typing.get_args(DocumentKind)),
    "stage": typing.get_args(Stage),
    "verdict": typing.get_args(Verdict),
    "state": (*TRANSITIONS, "requested", "accepted", "done", "returned", "cancelled"),
    "method_state": METHOD_STATES,
    "status": STATUSES,
    "role": (*typing.get_args(Role), *typing.get_args(PersonRole)),
    "wanted": tuple(role.replace("_", " ") for role in typing.get_args(Role)),
    "held": tuple(role.replace("_", " ") for role in typing.get_args(Role)),
    "quantity": tuple(QUANTITIES),
    "expected": tuple(QUANTITIES),
    "got": tuple(QUANTITIES),
    "source": typing.get_args(InputSource),
    "origin": ("type", "maker", "customer"),
    "act": ("submitted", "reviewed", "authorised"),
    "meaning": typing.get_args(PersonRole),
    "when": ("start", "end"),
    "passed": ("True", "False"),
}
"""Facts that hold one word of a closed list."""


@cache
def entries() -> tuple[tuple[str, str, str, str], ...]:
    """Return file, context, English and Chinese of every entry of every file."""
    found = []
    for path in sorted(FOLDER.glob("*.po")):
        messages = read_po(path.read_text("utf-8").splitlines(keepends=True))
        found += [(path.name, m.context or "", m.id, m.string) for m in messages if m.id]
    return tuple(found)


def test_every_sentence_can_be_read_from_the_source():
    assert not (found := shown().unreadable), report(found)


def test_every_sentence_has_chinese_words():
    words = catalogue("zh")
    missing = [f"{place} {text}" for text, place in shown().places.items() if text not in words]
    assert not missing, report(sorted(missing))


def test_no_words_are_kept_of_sentences_that_are_gone():
    known = texts_of_source()
    gone = [
        f"{file}: {text}"
        for file, context, text, _ in entries()
        if not context and text not in known
    ]
    assert not gone, report(gone)


def test_words_name_the_same_facts_in_both_languages():
    other = []
    for file, context, text, words in entries():
        there, here = set(PLACE.findall(text)), set(PLACE.findall(words))
        # a phrase is matched, not filled in: what it names need not be said again
        if not (here <= there if context else here == there):
            other.append(f"{file}: {text}")
    assert not other, report(other)


def test_no_entry_is_empty_or_marked_as_a_guess():
    empty = [f"{file}: {text}" for file, _, text, words in entries() if not words]
    assert not empty, report(empty)
    fuzzy = [p.name for p in FOLDER.glob("*.po") if "#, fuzzy" in p.read_text("utf-8")]
    assert not fuzzy, report(fuzzy)


def test_one_sentence_is_translated_in_one_way():
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    twice = []
    for file, context, text, words in entries():
        first_file, first_words = seen.setdefault((context, text), (file, words))
        if first_words != words:
            twice.append(f"{text}: {first_words} ({first_file}), {words} ({file})")
    assert not twice, report(twice)


def test_chinese_sentences_have_chinese_punctuation():
    half = [f"{file}: {words}" for file, _, _, words in entries() if FULL_WIDTH.search(words)]
    assert not half, report(half)


@pytest.mark.parametrize("name", CLOSED)
def test_a_word_of_a_closed_list_is_told_in_chinese(name):
    words = phrases("zh")[name].words
    missing = [word for word in CLOSED[name] if word not in words]
    assert not missing, report(missing)


def test_what_a_fact_says_in_words_is_told_in_chinese():
    missing = [
        f"{place} {name}: {word}"
        for name, word, place in _worded_facts()
        if name not in phrases("zh") or phrases("zh")[name].say(word) == word != "r"
    ]
    assert not missing, report(missing)


def test_every_refusal_of_the_engine_is_told_in_chinese():
    known = {bare(text) for _, context, text, _ in entries() if context == "reason"}
    missing = [f"{place} {text}" for text, place in _refusals() if text not in known]
    assert not missing, report(missing)


def test_every_kind_of_thing_is_told_in_chinese():
    words = phrases("zh")["noun"].words
    missing = [f"{place} {noun}" for noun, place in _nouns() if noun not in words]
    assert not missing, report(missing)


def test_every_field_is_told_in_chinese():
    words = phrases("zh")["field"].words
    missing = [f"{place} {name}" for name, place in _fields() if name not in words]
    assert not missing, report(missing)


def test_labels_of_the_type_files_are_told_as_they_are_there():
    assert labels.PAGE.read_text(encoding="utf-8") == labels.page(), "run make docs"
    for context, ids in labels.labels().items():
        assert phrases("zh")[context].words == ids


@pytest.mark.parametrize(
    ("said", "common"),
    [({"示值"}, "示值"), ({"被检示值", "标准器示值（kPa）"}, "示值"), ({"报警", "压力"}, ""),
     ({"t（位置 A）"}, "t（位置 A）"), ({"位置 A", "位置 B"}, "位置")],
)  # fmt: skip
def test_words_in_common(said, common):
    assert labels.in_common(said) == common


def test_no_phrase_is_kept_that_nobody_says():
    known = texts_of_source() | _foreign() | MADE_BY_JOINING
    known |= {word for words in CLOSED.values() for word in words}
    known |= {name for name, _ in _fields()}
    gone = [
        f"{context}: {text}"
        for _, context, text, _ in entries()
        if context and context not in LABELLED and bare(text) not in known
    ]
    assert not gone, report(gone)


def test_a_fact_of_the_program_is_translated_and_a_fact_of_people_is_not():
    message = "{noun} {state} {name} {reason}"
    facts = {"noun": "order", "state": "draft", "name": "draft", "reason": "as found"}
    assert translate(message, "zh", **facts) == "委托单 检测中 draft as found"
    assert translate(message, "en", **facts) == "order draft draft as found"


def test_a_filled_in_sentence_is_translated_with_its_facts():
    said = "4 points cannot determine 5 parameters. Measure more points."
    assert translate("{reason}", "zh", reason=said) == "4 个点不能确定 5 个参数。请增加测量点。"
    nested = "Unexpected ')' at character 7 of the expression 'a + b)'."
    assert translate("{reason}", "zh", reason=nested).endswith("意外的 ')'。")


def test_a_list_of_words_is_translated_word_by_word():
    assert translate("{held}", "zh", held="reviewer, venue operator") == "核验员、场所操作员"
    assert translate("{known}", "zh", known="JJF 1, JJF 2") == "JJF 1, JJF 2"


def test_a_finding_and_a_label_may_be_facts():
    inner = Finding("x", "{count} lines", facts={"count": 3})
    outer = Finding("y", "{name}: {problem}", facts={"name": "a", "problem": inner})
    assert outer.text() == "a: 3 lines"
    assert describe(outer, "zh") == "a: 共 3 行"
    assert translate("{name}", "zh", name=LocalizedText(en="bath", zh="恒温槽")) == "恒温槽"


def test_the_collector_finds_what_python_says():
    shared = Source(
        "calib/tell.py",
        "from calib.i18n import translate\n"
        "def tell(at, message):\n    return translate(message, 'zh')\n",
    )
    text = """
from calib.i18n import both
from calib.tell import tell
KINDS = {"code": "A kind"}
STATE_WORDS = {"code": ("One", "Two")}
ALONE = "By its name"

def f(x):
    tell("/at", "Passed on")
    when = "Early" if x else "Late"
    both(when)
    both(KINDS[x])
    both(ALONE)
    speaker.say(f"Filled {x}")
    append("Not said", x)
    return Finding(x, "Carried"), Judgement("red", "code", message="Named")
"""  # fmt: skip
    found = Words()
    read_python((shared, Source("calib/x.py", text)), found)
    assert set(found.places) == {
        "A kind", "One", "Two", "By its name", "Passed on", "Early", "Late", "Carried", "Named",
    }  # fmt: skip
    assert found.unreadable == ["calib/x.py:14 f'Filled {x}'"]


def test_the_collector_finds_what_templates_say():
    text = """{{ t("Said") }} {{ words.both("Twice") }} {{ t("If" if x else "Else") }}
    {{ zh({"code": "Of a table"}[x]) }} {{ other("Not said") }} {{ t(x.message) }}"""
    found = [text for text, _ in said_in(Environment(autoescape=True).parse(text))]
    assert sorted(found) == ["Else", "If", "Of a table", "Said", "Twice"]


def _worded_facts() -> list[tuple[str, str, str]]:
    """Return name, word and place of the facts that are written out in the source."""
    found = []
    for source in sources(*HOUSES):
        tables = [k.value for _, call in source.calls for k in call.keywords if k.arg == "facts"]
        tables += [a for _, call in source.calls if _is_carrier(call) for a in call.args]
        tables += [
            node.value
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == "facts" for t in node.targets)
        ]
        for table in tables:
            if not isinstance(table, ast.Dict):
                continue
            for key, value in zip(table.keys, table.values, strict=True):
                if isinstance(key, ast.Constant):
                    place = f"{source.path}:{key.lineno}"
                    found += [(key.value, word, place) for word in _words_of(value)]
    return found


def _is_carrier(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("Finding", "Problem", "Judgement")


def _words_of(node: ast.expr) -> list[str]:
    """Return the words an expression may come to, leaving out codes of options."""
    if isinstance(node, ast.Constant):
        text = node.value
        is_word = isinstance(text, str) and re.search("[a-z]{2}", text) and text[:1] not in "-{"
        return [text] if is_word else []
    if isinstance(node, ast.IfExp):
        return _words_of(node.body) + _words_of(node.orelse)
    if isinstance(node, ast.BoolOp):
        return [word for value in node.values for word in _words_of(value)]
    return []


def _refusals() -> list[tuple[str, str]]:
    """Return the sentences of the engine's errors with bare places."""
    found = []
    for source in sources("calib/engine"):
        for inside, call in source.calls:
            name = getattr(call.func, "id", "")
            if name not in _ENGINE_ERRORS or not call.args:
                continue
            texts = [call.args[0]]
            if isinstance(call.args[0], ast.Name) and inside is not None:
                texts = [
                    node.value
                    for node in ast.walk(inside)
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "msg"
                ]
            place = f"{source.path}:{call.lineno}"
            found += [
                (filled(t) if isinstance(t, ast.JoinedStr) else ast.literal_eval(t), place)
                for t in texts
            ]
    return found


_ENGINE_ERRORS = ("DegenerateData", "SingularFit", "NotConverged", "OutOfRange", "BadExpression")


def _nouns() -> list[tuple[str, str]]:
    """Return what the functions that take a `noun` are given."""
    takers = {
        function.name: [a.arg for a in function.args.args].index("noun")
        for source in sources(*HOUSES)
        for function in source.functions
        if "noun" in [a.arg for a in function.args.args]
    }
    found = []
    for source in sources(*HOUSES):
        for _, call in source.calls:
            position = takers.get(getattr(call.func, "id", ""))
            if position is not None and len(call.args) > position:
                noun = call.args[position]
                if isinstance(noun, ast.Constant) and isinstance(noun.value, str):
                    found.append((noun.value, f"{source.path}:{call.lineno}"))
    return found


def _fields() -> list[tuple[str, str]]:
    """Return the last part of every JSON pointer that a check of a field is given."""
    found = []
    for source in sources("instruments/services", "calib/services"):
        for _, call in source.calls:
            for node in (*call.args, *(k.value for k in call.keywords if k.arg == "at")):
                text = filled(node) if isinstance(node, ast.JoinedStr) else None
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    text = node.value
                if text and (match := re.fullmatch(r"(?:\{\})?(?:/[\w{}]+)*/([A-Za-z_]\w*)", text)):
                    found.append((match[1], f"{source.path}:{call.lineno}"))
    return found


def _foreign() -> set[str]:
    """Return the sentences of the readers of requests and of JSON, with bare places."""
    decoder = ast.parse(inspect.getsource(json.decoder))
    texts = (node.value for node in ast.walk(decoder) if isinstance(node, ast.Constant))
    found = {text.replace("{0!r}", "{}") for text in texts if isinstance(text, str)}
    for error in _pydantic_core.list_all_errors():
        for plural in ("", "s"):
            found.add(bare(error["message_template_python"].replace("{expected_plural}", plural)))
    return found
