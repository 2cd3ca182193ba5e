"""One word, one thing: words that the glossary gives to something else are not names here.

A line may be excused by ``# house: name -- <reason>``, for example where another library's word is
meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import HOUSES, ROOT, Source, report, sources

WORDS = {
    "verify": "verification is metrological (检定); a signature is authenticated",
    "verifies": "as verify",
    "verifier": "as verify",
    "device": "instrument in the registry, item on paper",
    "uut": "as device",
    "dut": "as device",
    "tenant": "lab",
}
"""Forbidden anywhere in a name: ``verify_signature``, ``DeviceRow``."""
WHOLE = {
    "asset": "instrument in the registry, item on paper",
    "accuracy": "no number (VIM 2.13): tolerance, mpe or U",
}
"""Forbidden as a whole name."""
MODULES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "common",
    "base",
    "misc",
    "data",
    "info",
}


def names(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Return every name that the file gives to something, never those it only uses."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node, node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield node, node.asname


def words(name: str) -> list[str]:
    """Split ``verify_it`` and ``VerifyIt`` into their words."""
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def objections(source: Source) -> list[str]:
    found = []
    for node, name in names(source):
        reasons = [WORDS[w] for w in words(name) if w in WORDS]
        if name.lower().strip("_") in WHOLE:
            reasons.append(WHOLE[name.lower().strip("_")])
        if reasons and not source.excused(node, "name"):
            line = getattr(node, "lineno", 1)
            found.append(f"{source.path}:{line} {name}: {'; '.join(reasons)}")
    return found


def wrong_tests(source: Source) -> list[str]:
    return [
        f"{source.path}:{f.lineno} {f.name}: test_ belongs to pytest, a test in the lab is a check"
        for f in source.functions
        if f.name.startswith("test_") and not source.excused(f, "name")
    ]


_ENDINGS = {"datetime": ("_at",), "date": ("_on", "_until")}


def wrong_times(source: Source) -> list[str]:
    """Find columns of instants that do not end _at, and of dates that do not end _on or _until."""
    found = []
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        column = re.fullmatch(r"Mapped\[(datetime|date)( \| None)?\]", ast.unparse(node.annotation))
        if column is None or source.excused(node, "name"):
            continue
        if not node.target.id.endswith(_ENDINGS[column[1]]):
            found.append(
                f"{source.path}:{node.lineno} {node.target.id}: "
                f"a {column[1]} ends {' or '.join(_ENDINGS[column[1]])}"
            )
    return found


def test_words_keep_their_meaning():
    found = [line for s in sources(*HOUSES) for line in objections(s)]
    assert not found, report(found)


def test_only_pytest_functions_are_called_test():
    found = [line for s in sources(*HOUSES) for line in wrong_tests(s)]
    assert not found, report(found)


def test_instants_end_at_and_dates_end_on():
    found = [line for s in sources(*HOUSES) for line in wrong_times(s)]
    assert not found, report(found)


def test_modules_are_named_for_what_they_hold():
    files = [p for house in (*HOUSES, "tests") for p in (ROOT / house).rglob("*")]
    found = [
        str(p.relative_to(ROOT)) for p in files if p.suffix in {"", ".py"} and p.stem in MODULES
    ]
    assert not found, report(found)


@pytest.mark.parametrize(
    "text",
    [
        "def verify_signature(): ...",
        "class DeviceRow: ...",
        "def f(uut): ...",
        "self.tenant_id = 1",
        "accuracy = 0.1",
        "from x import y as accuracy",
        "class SignatureVerifier: ...",
    ],
)
def test_the_word_list_bites(text: str):
    assert objections(Source("calib/x.py", text))


@pytest.mark.parametrize(
    "text",
    [
        "verification = hasher.verify(password, digest)",
        "accuracy_class = 1",
        "asset_number = 'A-1'",
        "def authenticate(): ...",
        "class MyDevice: ...  # house: name -- the word of the D-SI schema",
    ],
)
def test_the_word_list_lets_pass(text: str):
    assert not objections(Source("calib/x.py", text))


def test_the_time_rule_bites():
    assert wrong_times(Source("x.py", "class R:\n    due: Mapped[date | None] = mapped_column()"))
    assert wrong_times(Source("x.py", "class R:\n    issued_on: Mapped[datetime]"))
    assert not wrong_times(Source("x.py", "class R:\n    issued_at: Mapped[datetime]"))
    assert wrong_tests(Source("x.py", "def test_insulation(): ..."))
