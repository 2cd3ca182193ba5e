"""Every error and finding code of the source, found in the syntax; `make docs` lists the untold.

A code is the first argument of a `DomainError`, a `Finding` or a `Problem`, or is handed to a
function that passes its own parameter on as one. Where a code is looked up elsewhere, the line
names what it may be: ``# house: code -- one-code, another-code``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from tests.house.source import HOUSES, ROOT, Function, Source, sources

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KINDS = ("DomainError", "NotFound", "NotAllowed", "Conflict", "Invalid", "Refused", "Unavailable")
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
    takers = {("", name): 0 for name in (*_KINDS, *_subclasses(files), "Finding", "Problem")}
    while grown := _passed_on(files, takers):
        takers |= grown
    found = Codes()
    for call in _calls(files, takers):
        place = f"{call.source.path}:{call.node.lineno}"
        codes = _read(call)
        for code in codes or ():
            found.places[code].append(place)
            found.messages[code].update(_sentences(call))
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


def told() -> set[str]:
    """Return the codes that have a heading in docs/errors.md."""
    page = ROOT / "docs" / "errors.md"
    if not page.exists():
        return set()
    return set(re.findall(r"^## `?([a-z0-9-]+)`?$", page.read_text("utf-8"), re.MULTILINE))


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


def _calls(files: tuple[Source, ...], takers: _Takers) -> Iterator[_Call]:
    for source in files:
        for inside, node in source.calls:
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if isinstance(node.func, ast.Attribute):
                name = node.func.attr
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
        _literals(node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    ]
    if not values or None in values:
        return None
    return [code for value in values if value for code in value]


def main() -> int:
    """List the codes without a paragraph, with the sentences they come with."""
    found = collect(sources(*HOUSES))
    missing = sorted(found.places.keys() - told())
    for code in missing:
        lines = [f"## {code}", "", *sorted(found.messages[code]), ""]
        sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
