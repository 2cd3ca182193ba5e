"""Every error and finding code of the source, found in the syntax; `make docs` writes their page.

A code is the first argument of a `DomainError`, a `Finding` or a `Problem`, or is handed to a
function that passes its own parameter on as one. Where a code is looked up elsewhere, the line
names what it may be: ``# house: code -- one-code, another-code``.
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from calib.i18n import catalogue
from tests.house.source import HOUSES, ROOT, Function, Source, sources

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KINDS = ("DomainError", "NotFound", "NotAllowed", "Conflict", "Invalid", "Refused", "Unavailable")
PAGE = ROOT / "docs" / "errors.md"
TOLD = ROOT / "api" / "errors.json"
_HEAD = """# Errors and findings

Every code that the program can answer with, and the sentence that comes with it: what is wrong,
where, what was got and expected, what to do. Words in braces are filled in. Codes are stable:
programs may rely on them. What stands against a certificate that is about to be issued is told in
[lints.md](lints.md), what `calib compute` answers to a task it cannot compute in
[methods](methods/README.md#giving-a-task). This page is written by `make docs` from the source.
"""
_EXCUSE = re.compile(r"# house: code -- (?P<codes>[a-z0-9, -]+)")


@dataclass
class Codes:
    """What was found."""

    places: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Code → ``path:line`` of each use."""
    unreadable: list[str] = field(default_factory=list)
    """Places whose code cannot be read from the source."""
    messages: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Code → the English sentences it comes with, as far as they stand beside it."""


_Takers = dict[tuple[str, str], int]
"""Which argument is a code, by file and name; classes of the error tree stand under no file."""


@dataclass(frozen=True)
class _Call:
    """A call that takes a code."""

    source: Source
    node: ast.Call
    inside: Function | None
    code: ast.expr


@cache
def collect(files: tuple[Source, ...]) -> Codes:
    """Return every code of these files."""
    kinds = (*_KINDS, *_subclasses(files), "Finding", "Problem", "super().__init__")
    takers = {("", name): 0 for name in kinds}
    while grown := _passed_on(files, takers):
        takers |= grown
    found = Codes()
    for call in _calls(files, takers):
        place = f"{call.source.path}:{call.node.lineno}"
        codes = _read(call)
        for code in codes or ():
            found.places[code].append(place)
            found.messages[code].update(_sentences(call) or _table(call.source).get(code, []))
        if codes is None:
            found.unreadable.append(f"{place} {ast.unparse(call.code)}")
    return found


def _sentences(call: _Call) -> list[str]:
    """Return the English sentences that follow the code in this call."""
    after = [k.value for k in call.node.keywords if k.arg == "message"]
    if call.code in call.node.args:
        after += call.node.args[call.node.args.index(call.code) + 1 :]
    for node in after:
        value = _last_value(call, node.id) if isinstance(node, ast.Name) else node
        found = [s for s in _literals(value) or [] if " " in s] if value is not None else []
        if found:
            return found
    return []


@cache
def _table(source: Source) -> dict[str, list[str]]:
    """Return the sentences that this file keeps in tables by code: the longest text of each row."""
    rows = {}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            texts = [
                part.value
                for part in ast.walk(value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            if isinstance(key, ast.Constant) and any(" " in text for text in texts):
                rows[key.value] = [max(texts, key=len)]
    return rows


def _last_value(call: _Call, name: str) -> ast.expr | None:
    """Return what the name was set to last above the call."""
    if call.inside is None:
        return None
    values = [
        found.value
        for found in ast.walk(call.inside)
        if isinstance(found, ast.Assign)
        and found.lineno <= call.node.lineno
        and any(isinstance(t, ast.Name) and t.id == name for t in found.targets)
    ]
    return max(values, key=lambda value: value.lineno, default=None)


@cache
def _subclasses(files: tuple[Source, ...]) -> set[str]:
    known = set(_KINDS)
    classes = [n for s in files for n in ast.walk(s.tree) if isinstance(n, ast.ClassDef)]
    size = 0
    while size != len(known):
        size = len(known)
        known |= {
            c.name
            for c in classes
            if any(isinstance(b, ast.Name) and b.id in known for b in c.bases)
        }
    return known


@cache
def _inits(files: tuple[Source, ...]) -> set[Function]:
    """Return the ``__init__`` of every class of the error tree."""
    kinds = _subclasses(files) - {"DomainError"}
    return {
        function
        for source in files
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name in kinds
        for function in node.body
        if isinstance(function, Function) and function.name == "__init__"
    }


def _calls(files: tuple[Source, ...], takers: _Takers) -> Iterator[_Call]:
    inits = _inits(files)
    for source in files:
        for inside, node in source.calls:
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if isinstance(node.func, ast.Attribute):
                name = node.func.attr
            if name == "__init__" and inside in inits:
                name = "super().__init__"
            position = _position(source, name, takers)
            if position is None:
                continue
            named = [k.value for k in node.keywords if k.arg == "code"]
            if named or len(node.args) > position:
                yield _Call(source, node, inside, named[0] if named else node.args[position])


def _position(source: Source, name: str, takers: _Takers) -> int | None:
    """Return which argument of `name`, as this file understands it, is a code."""
    if name in source.own_names:
        return takers.get((source.path, name))
    if ("", name) in takers:
        return takers["", name]
    elsewhere = [position for (_, known), position in takers.items() if known == name]
    return elsewhere[0] if elsewhere and not name.startswith("_") else None


def _parameters(function: Function) -> list[str]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _passed_on(files: tuple[Source, ...], takers: _Takers) -> _Takers:
    """Return the functions whose own parameter ends as a code and that are not known yet."""
    grown = {}
    for call in _calls(files, takers):
        if call.inside is None or not isinstance(call.code, ast.Name):
            continue
        parameters = _parameters(call.inside)
        key = (call.source.path, call.inside.name)
        if call.code.id in parameters and key not in takers:
            grown[key] = parameters.index(call.code.id)
    return grown


def _read(call: _Call) -> list[str] | None:
    """Return the codes this call may carry; None when they cannot be read."""
    excuse = _EXCUSE.search(call.source.lines[call.code.lineno - 1])
    if excuse:
        return [code.strip() for code in excuse["codes"].split(",")]
    if _is_part(call.code, "code"):
        return []  # handed on from a finding or an error that was collected where it was made
    if isinstance(call.code, ast.Name) and call.inside is not None:
        if call.code.id in _parameters(call.inside):
            return []
        return _assigned(call.inside, call.code.id)
    return _literals(call.code)


def _is_part(node: ast.expr, name: str) -> bool:
    """Answer whether the node reads ``problem.code`` or ``kept["code"]``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == name
    return isinstance(node, ast.Attribute) and node.attr == name


def _literals(node: ast.expr) -> list[str] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        branches = [_literals(node.body), _literals(node.orelse)]
        return None if None in branches else [c for b in branches if b for c in b]
    return None


def _assigned(function: Function, name: str) -> list[str] | None:
    values = [
        _literals(value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target, value in _pairs(node)
        if isinstance(target, ast.Name) and target.id == name
    ]
    if not values or None in values:
        return None
    return [code for value in values if value for code in value]


def _pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """Return what is set to what; ``a, b = 1, 2`` sets two."""
    pairs = []
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs += list(zip(target.elts, node.value.elts, strict=False))
        else:
            pairs.append((target, node.value))
    return pairs


def page(found: Codes) -> str:
    """Return docs/errors.md: every code with its sentences in both languages and its place."""
    words = catalogue("zh")
    parts = [_HEAD]
    for code in sorted(found.places):
        parts.append(f"## {code}\n")
        for sentence in sorted(found.messages[code]):
            parts.append(f"{sentence}\n")
            if sentence in words:
                parts.append(f"{words[sentence]}\n")
        modules = sorted({place.rpartition(":")[0] for place in found.places[code]})
        parts.append(f"*{', '.join(modules)}*\n")
    return "\n".join(parts)


def told(found: Codes) -> str:
    """Return api/errors.json, which the page of the application shows."""
    sentences = {code: sorted(found.messages[code]) for code in sorted(found.places)}
    return json.dumps(sentences, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(collect(sources(*HOUSES))), "utf-8")
    TOLD.write_text(told(collect(sources(*HOUSES))), "utf-8")
