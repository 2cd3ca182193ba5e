"""Frozen inputs line by line: what is wrong with a line is said there, and the others go on."""

from __future__ import annotations

import gzip
import io
import json
import os
from dataclasses import replace

import pytest

from calib.evaluation import lines as lines_of
from calib.evaluation.evaluate import evaluate
from calib.evaluation.lines import Line, answer_lines, parts_of, read_lines
from calib.evaluation.spread import work_on_parts
from instruments.errors import Unavailable
from tests.support import inputs as a
from tests.support.fleets import simulated

GOOD = a.digital()
STORED = GOOD.canonical()
RESULT = evaluate(GOOD).canonical()


def _answers(*contents: bytes) -> list[bytes]:
    lines = [Line("fleet.jsonl", i, content) for i, content in enumerate(contents, 1)]
    return answer_lines(lines).content.splitlines()


def _changed(change) -> bytes:
    task = json.loads(STORED)
    change(task["input"])
    return json.dumps(task).encode()


def test_a_stored_line_gives_the_stored_result():
    for record in simulated(1):
        (answer,) = _answers(record.canonical())
        if b'"error"' not in answer:
            assert answer == evaluate(record).canonical()
    # again, now that its definition is known and not parsed
    assert _answers(STORED, STORED, b" " + STORED + b"\r\n") == [RESULT] * 3


def test_another_spelling_of_the_same_input_is_the_same_input():
    spaced = json.dumps(json.loads(STORED), indent=1, ensure_ascii=True).replace("\n", " ").encode()

    assert _answers(STORED, spaced) == [RESULT, RESULT]


def test_a_default_that_is_left_out_is_filled_in_before_the_digest():
    def leave_out(plain):
        del plain["cmc"]

    assert _answers(_changed(leave_out)) == [RESULT]


def _set(**changes):
    return lambda plain: plain.update(changes)


HOSTILE = {
    "no json": (b"{", "bad-json"),
    "no utf-8": (b"\xff\xfe{}", "bad-json"),
    "a number": (b"7", "line-no-input"),
    "a list": (b"[1, 2]", "line-no-input"),
    "null": (b"null", "line-no-input"),
    "another task": (b'{"kind": "type_a", "readings": [1, 2]}', "line-no-input"),
    "no input": (b'{"kind": "calibration"}', "task-malformed"),
    "one key more": (b'{"kind": "calibration", "input": {}, "x": 1}', "task-malformed"),
    "input is a list": (b'{"kind": "calibration", "input": []}', "input-malformed"),
    "key twice": (STORED[:-1] + b',"kind":"calibration"}', "bad-task"),
    "key twice inside": (STORED.replace(b'"cmc":[]', b'"cmc":[],"cmc":[]', 1), "bad-task"),
    "NaN": (STORED.replace(b'"format":1', b'"format":NaN', 1), "bad-number"),
    "deep": (b"[" * 100_000, "bad-json"),
    "many digits": (b'{"kind": "calibration", "input": ' + b"9" * 5000 + b"}", "bad-json"),
    "unknown field": (_changed(_set(colour="red")), "input-malformed"),
    "wrong type": (_changed(_set(performed_on=20260302)), "input-malformed"),
    "definition is text": (_changed(_set(definition="x")), "input-malformed"),
    "definition is null": (_changed(_set(definition=None)), "input-malformed"),
    "number too large": (_changed(_set(acclimatisation_minutes=2**60)), "input-malformed"),
    "lone surrogate": (_changed(_set(performed_on="\ud800")), "input-malformed"),
    "later format": (_changed(_set(format=99)), "input-format"),
    "checks": (_changed(_set(performed_on="yesterday")), "checks-failed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_is_answered_in_its_place(name):
    content, code = HOSTILE[name]

    first, second, third = _answers(STORED, content, STORED)

    assert first == third == RESULT
    error = json.loads(second)["error"]
    assert (error["code"], error["file"], error["line"]) == (code, "fleet.jsonl", 2)
    assert error["message"]
    assert (code == "checks-failed") == bool(error["findings"])


def test_a_definition_named_elsewhere_deceives_nobody():
    item = replace(GOOD.item, attributes={'x","definition":{': "y", "definition": "z"})
    named = replace(GOOD, item=item)

    assert _answers(STORED, named.canonical()) == [RESULT, evaluate(named).canonical()]


def test_lines_come_with_their_numbers_and_blank_ones_are_no_lines(monkeypatch):
    monkeypatch.setattr(lines_of, "LONGEST", 10)
    text = b"one\n\n  \r\n" + b"x" * 35 + b"\ntwo\n" + b"y" * 11

    found = list(read_lines("f", io.BytesIO(text)))

    said = [(line.number, line.content, line.refusal and line.refusal.code) for line in found]
    assert said == [
        (1, b"one\n", None),
        (4, b"", "line-too-long"),
        (5, b"two\n", None),
        (6, b"", "line-too-long"),
    ]


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-20], lambda b: b[:40] + b"\0" * 20 + b[60:]], ids=["cut", "spoilt"]
)
def test_a_packed_file_that_breaks_off_says_where(spoil):
    text = b"".join(b"%d %s\n" % (i, os.urandom(20).hex().encode()) for i in range(50))
    packed = gzip.GzipFile(fileobj=io.BytesIO(spoil(gzip.compress(text, mtime=0))))

    *_, last = read_lines("f.gz", packed)

    assert last.refusal is not None
    assert last.refusal.code == "file-broken"


def test_parts_are_bounded_in_lines_and_bytes(monkeypatch):
    monkeypatch.setattr(lines_of, "LINES", 3)
    monkeypatch.setattr(lines_of, "BYTES", 10)
    lines = [Line("f", i, b"x" * n) for i, n in enumerate([1, 1, 1, 1, 9, 1, 20])]

    assert [[len(x.content) for x in part] for part in parts_of(lines)] == [
        [1] * 3,
        [1, 9],
        [1, 20],
    ]


def test_several_processes_answer_in_the_order_of_the_parts():
    parts = [[Line("f", i, content)] for i, content in enumerate([STORED, b"{", STORED])]

    found = list(work_on_parts(answer_lines, iter(parts), 2))

    assert [part for part, _ in found] == parts
    assert [answer for _, answer in found] == [answer_lines(part) for part in parts]


def test_a_process_that_is_lost_is_told():
    with pytest.raises(Unavailable) as caught:
        list(work_on_parts(os._exit, [3, 3, 3], 2))

    assert caught.value.code == "process-lost"


def test_a_fault_of_the_work_itself_comes_through():
    with pytest.raises(ValueError, match="invalid literal"):
        list(work_on_parts(int, ["1", "x", "3"], 2))
