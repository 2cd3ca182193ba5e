"""The written side of the house: decisions, glossary, change log, and the notes of the engine."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache

import pytest

from api.settings import Settings
from tests.house.source import HOUSES, ROOT, Function, Source, report, sources

DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PARTS = ("Context", "Decision", "Alternatives", "Consequences", "How to undo")


def headings(text: str, level: int = 2) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def test_decisions_are_numbered_without_gaps():
    assert [int(d.name[:4]) for d in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: d.name[:4])
def test_a_decision_has_its_five_parts_on_one_page(decision):
    text = decision.read_text("utf-8")
    assert tuple(headings(text)) == PARTS
    assert len(text.splitlines()) <= 60
    assert re.fullmatch(rf"# {decision.name[:4]} \S.*", text.splitlines()[0])


def test_the_index_lists_every_decision_under_its_title():
    index = (DOCS / "decisions" / "README.md").read_text("utf-8")
    listed = re.findall(r"^\* \[(\d{4}) (.+)\]\((.+)\)$", index, re.MULTILINE)
    wanted = []
    for decision in DECISIONS:
        number, title = decision.read_text("utf-8").splitlines()[0][2:].split(" ", 1)
        wanted.append((number, title, decision.name))
    assert listed == wanted


def test_the_architecture_is_one_page_and_draws_every_package():
    text = (DOCS / "architecture.md").read_text("utf-8")
    assert len(text.splitlines()) <= 120
    packages = {
        f"{house}/{p.name}"
        for house in HOUSES
        for p in (ROOT / house).iterdir()
        if (p / "__init__.py").exists()
    }
    missing = sorted(p for p in packages if p.split("/")[1] not in text)
    assert not missing, report(missing)


def glossary() -> list[tuple[str, str, str]]:
    rows = []
    for line in (DOCS / "glossary.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] not in {"zh", "---"}:
            rows.append((cells[0], cells[1], cells[2]))
    return rows


def test_the_glossary_gives_each_term_once_in_both_languages():
    rows = glossary()
    assert len(rows) > 100
    assert all(
        re.search(r"[\u4e00-\u9fff]", zh) and re.search("[A-Za-z]", en) for zh, en, _ in rows
    )
    chinese = [zh for zh, _, _ in rows]
    twice = sorted({zh for zh in chinese if chinese.count(zh) > 1})
    assert not twice, report(twice)


@pytest.mark.parametrize(
    ("zh", "en"), [("检定", "verification"), ("校准", "calibration"), ("核查", "check")]
)
def test_the_three_kinds_of_record_are_never_mixed(zh: str, en: str):
    assert [e for z, e, _ in glossary() if z == zh] == [en]
    assert [z for z, e, _ in glossary() if e == en] == [zh]


def test_the_change_log_names_numbers_and_formats_in_each_release():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    releases = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert releases
    for release in releases:
        assert {"Numbers", "Formats"} <= set(headings(release, 3)), release.splitlines()[0]


def test_every_setting_is_told_with_its_default():
    text = (DOCS / "operate" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(CALIB_\w+)` \| (.+?) \|", text, re.MULTILINE))
    known = {f"CALIB_{field.name.upper()}": field.default for field in fields(Settings)}
    assert rows.keys() == known.keys()
    wrong = [n for n, default in known.items() if default and rows[n] != f"`{default}`"]
    assert not wrong, report(wrong)


def taken(source: Source) -> set[str]:
    """Return what the file takes from the engine: ``from … import combine`` or ``jets.add``."""
    names, modules = set(), set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("calib.engine"):
            bound = {alias.name for alias in node.names}
            (modules if node.module == "calib.engine" else names).update(bound)
    return names | {
        node.attr
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }


@cache
def public_functions() -> list[tuple[Source, Function]]:
    """Return the functions of the engine, without those that only its own modules share."""
    engine = {s.path for s in sources("calib/engine")}
    outside = set().union(*(taken(s) for s in sources(*HOUSES) if s.path not in engine))
    siblings = set().union(*(taken(s) for s in sources("calib/engine")))
    return [
        (source, node)
        for source in sources("calib/engine")
        for node in source.tree.body
        if isinstance(node, Function)
        and not node.name.startswith("_")
        and (node.name in outside or node.name not in siblings)
    ]


@pytest.mark.parametrize("line", ["Source", "Checked against", "Limits"])
def test_every_engine_function_says(line: str):
    found = [
        f"{s.path}:{f.lineno} {f.name}"
        for s, f in public_functions()
        if not re.search(rf"^{line}: \S", ast.get_docstring(f) or "", re.MULTILINE)
    ]
    assert not found, report(found)


def test_what_an_engine_function_was_checked_against_exists():
    found = []
    for source, function in public_functions():
        told = re.findall(r"(?:tests|docs)/[\w/.-]*\w", ast.get_docstring(function) or "")
        found += [
            f"{source.path}:{function.lineno} {function.name}: {path}"
            for path in told
            if not (ROOT / path).exists()
        ]
    assert not found, report(found)
