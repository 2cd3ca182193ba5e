"""Which addresses a test posts to, read from its source and from what it calls in its own file."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import ROOT

POSTING = {"post", "send", "submit", "click", "request"}
"""Calls that send something: of a client, of a form, of a button in a browser."""


def posts_to(test: str, route: str) -> bool:
    """Answer whether ``folder/test_file.py::test_name`` exists and posts to a route.

    The address has to stand in the test, in a function or fixture of the same file that it names,
    or in a constant of that file.
    """
    file, _, name = test.partition("::")
    return bool(name) and any(
        re.fullmatch(pattern_of(route), address) for address in posted(file, name)
    )


def pattern_of(route: str) -> str:
    """Return what addresses of a route look like."""
    return re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(route))


@functools.cache
def posted(file: str, name: str) -> frozenset[str]:
    """Return the addresses that a test names where something is posted; none: no such test."""
    path = ROOT / "tests" / file
    found = _known(path).get(name) if path.is_file() else None
    if not isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
        return frozenset()
    reached = list(_reached(path, name))
    if not any(_posts(node) for node in reached):
        return frozenset()
    held = _constants(reached)
    return frozenset(text for node in reached for text in _addresses(node, held))


@functools.cache
def _known(path: Path) -> dict[str, ast.AST]:
    """Return functions and constants of a file by name."""
    known: dict[str, ast.AST] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            known[node.name] = node
        elif isinstance(node, ast.Assign):
            known |= {one.id: node for one in node.targets if isinstance(one, ast.Name)}
    return known


def _reached(path: Path, name: str) -> Iterator[ast.AST]:
    known, waiting, met = _known(path), [name], {name}
    while waiting:
        node = known[waiting.pop()]
        yield node
        names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        names |= {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
        waiting += sorted((names & set(known)) - met)
        met |= names


def _posts(node: ast.AST) -> bool:
    return any(
        isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and one.func.attr in POSTING
        for one in ast.walk(node)
    )


def _constants(nodes: list[ast.AST]) -> dict[str, str]:
    """Return the texts that names are given."""
    held: dict[str, str] = {}
    for one in (one for node in nodes for one in ast.walk(node)):
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            text = _text(one.value, held)
            if text is not None:
                held[one.targets[0].id] = text
    return held


def _text(node: ast.AST, held: dict[str, str]) -> str | None:
    """Return what a text or a pieced text says, whatever cannot be told as a number."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = []
    for part in node.values:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        named = held.get(inner.id) if isinstance(inner, ast.Name) else None
        said = str(inner.value) if isinstance(inner, ast.Constant) else "0"
        parts.append(named or said)
    return "".join(parts)


def _addresses(node: ast.AST, held: dict[str, str]) -> Iterator[str]:
    for one in ast.walk(node):
        text = _text(one, held)
        if text is not None:
            form = re.search(r"form\[action\$?='([^']*)'\]", text)
            yield (form[1] if form else text).partition("?")[0]
