"""The tasks that docs/methods shows: each computes to the answer shown beneath it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from calib.evaluation.tasks import KINDS, compute_many, load
from calib.evaluation.tasks.interval import KEYS as INTERVALS
from calib.evaluation.tasks.reader import _CODES as ENGINE_CODES
from instruments.canonical import canonical_json

ROOT = Path(__file__).parents[2]
METHODS = ROOT / "docs" / "methods"
README = METHODS / "README.md"
BLOCK = re.compile(r"^```json\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def shown() -> list[tuple[str, str, str]]:
    """Return page, task and answer of every pair of blocks."""
    found = []
    for page in sorted(METHODS.glob("*.md")):
        blocks = BLOCK.findall(page.read_text("utf-8"))
        assert len(blocks) % 2 == 0, f"{page.name}: a task or an answer stands alone"
        found += [(page.stem, *pair) for pair in zip(blocks[::2], blocks[1::2], strict=True)]
    return found


SHOWN = shown()


def compare(answer: Any, wanted: Any, at: str = "") -> None:
    """Require every key shown; numbers to the digits shown."""
    if isinstance(wanted, dict):
        assert isinstance(answer, dict), at
        for key, value in wanted.items():
            assert key in answer, f"{at}.{key} is not in the answer"
            compare(answer[key], value, f"{at}.{key}")
    elif isinstance(wanted, list):
        assert len(answer) == len(wanted), at
        for i, (one, value) in enumerate(zip(answer, wanted, strict=True)):
            compare(one, value, f"{at}.{i}")
    elif isinstance(wanted, Decimal):
        last = Decimal((0, (1,), int(wanted.as_tuple().exponent)))
        # half of the last digit, and what the processor may add to a figure that ends in 5
        assert abs(Decimal(repr(answer)) - wanted) <= last * Decimal("0.501"), (at, answer, wanted)
    else:
        assert answer == wanted, (at, answer, wanted)


@pytest.mark.parametrize(
    ("task", "answer"),
    [pair for _, *pair in SHOWN],
    ids=[f"{page}-{i}" for i, (page, *_) in enumerate(SHOWN)],
)
def test_a_task_of_the_pages_computes_to_the_answer_shown(task: str, answer: str):
    found, good = compute_many(load(task))
    assert good, found
    compare(json.loads(canonical_json(found)), json.loads(answer, parse_float=Decimal))


@pytest.mark.parametrize("wrong", ['{"u": 0.013}', '{"n": 4}', '{"v": [1]}', '{"w": 1}'])
def test_a_wrong_answer_is_seen(wrong: str):
    with pytest.raises(AssertionError):
        compare({"u": 0.0124, "n": 3, "v": [1, 2]}, json.loads(wrong, parse_float=Decimal))


def tasks() -> list[dict[str, Any]]:
    found = [json.loads(task) for _, task, _ in SHOWN]
    return [one for task in found for one in (task if isinstance(task, list) else [task])]


def test_every_kind_has_an_example_and_a_row():
    text = README.read_text("utf-8")
    frozen = re.search(r"\[an example\]\((.+?)\), \[its result\]\((.+?)\)", text)
    assert frozen is not None
    example, result = ((METHODS / path).read_bytes() for path in frozen.groups())
    computed, _ = compute_many(load(example.decode("utf-8")))
    assert canonical_json(computed) == result
    assert {task["kind"] for task in [*tasks(), json.loads(example)]} == set(KINDS)
    table = text.partition("| `kind` | answers | page |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(KINDS)


def test_every_page_begins_with_a_task():
    for page in sorted(METHODS.glob("*.md")):
        if page != README:
            first = re.search(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)
            assert first is not None, page.name
            assert first[1] in {"A task", "Tasks"}, page.name


def test_every_method_of_an_interval_has_an_example():
    assert {task["method"] for task in tasks() if task["kind"] == "interval"} == set(INTERVALS)


def test_every_code_of_a_task_is_told():
    source = "".join(
        path.read_text("utf-8")
        for path in [
            *sorted((ROOT / "calib" / "evaluation" / "tasks").glob("*.py")),
            ROOT / "api" / "commands" / "computing.py",
        ]
    )
    codes = {*re.findall(r'(?:TaskRefused|_error|_refused)\(\s*"([a-z-]+)"', source), "refused"}
    told = README.read_text("utf-8").partition("| `code` | means |")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", told, re.MULTILINE)) == (
        codes | set(ENGINE_CODES.values())
    )


def test_the_line_at_the_terminal_is_the_answer():
    text = README.read_text("utf-8")
    line = re.search(r"^\$ echo '(.+)' \| calib compute -\n(.+)$", text, re.MULTILINE)
    assert line is not None
    assert canonical_json(compute_many(load(line[1]))[0]).decode() == line[2]


def test_the_help_names_every_kind():
    from api.commands.computing import compute

    words = set(re.findall(r"\w+", compute.__doc__ or ""))
    assert set(KINDS) <= words
