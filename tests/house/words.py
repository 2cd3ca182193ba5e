"""Every sentence and word a reader may meet, found in the syntax of Python and of the templates.

A word is what is handed to one of the functions that translate, straight, by a name, from a table,
or through a function that passes its own parameter on; and what an error, a finding or another
carrier of sentences is made with. What cannot be read from the source is reported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Environment, nodes

from tests.house.codes import collect
from tests.house.source import HOUSES, ROOT, Function, Source, sources

TEMPLATES = ROOT / "api" / "templates"
PLACE = re.compile(r"{(\w*)}")
_SPEAKERS = {"calib/i18n.py translate": 0, "calib/i18n.py both": 0, "t": 0, "say": 0}
"""What translates, with the place of the sentence among its arguments: functions with their file,
or a name that means the same everywhere."""
_IN_TEMPLATES = ("t", "zh", "en", "both")
_CARRIERS = {
    "Finding": 1, "Alarm": 1, "Problem": 2, "Judgement": 2, "rule": 2, "HistoryEntry": 3,
    "established": 1, "not_established": 1, "contradicted": 1,
}  # fmt: skip
"""Made with a sentence that is translated when it is shown, and where it stands."""
_TABLES = re.compile(r"(^|_)(WORDS|NOTICES|LABELS|LANDMARKS)$")
"""Names of tables that hold nothing but words to show."""
_SHOWN = re.compile(r"[A-Za-z]{2}")


@dataclass
class Words:
    """What was found."""

    places: dict[str, str] = field(default_factory=dict)
    """English sentence → where it was found first."""
    unreadable: list[str] = field(default_factory=list)


@cache
def shown() -> Words:
    """Return every sentence a reader may meet."""
    found = Words()
    files = sources(*HOUSES)
    for code, messages in collect(files).messages.items():
        for message in messages:
            found.places.setdefault(message, code)
    read_python(files, found)
    for path, tree in _trees():
        for text, line in said_in(tree):
            found.places.setdefault(text, f"{path}:{line}")
    return found


def read_python(files: tuple[Source, ...], found: Words) -> None:
    """Add what these files say."""
    for source in files:
        for text, place in _python(source, files, found):
            found.places.setdefault(text, place)


def _python(source: Source, files: tuple[Source, ...], found: Words) -> Iterator[tuple[str, str]]:
    speakers = _speakers(files)
    for inside, call in source.calls:
        place = f"{source.path}:{call.lineno}"
        name = _name(call.func)
        position = _CARRIERS.get(name, _position(source, name, speakers))
        said = [k.value for k in call.keywords if k.arg == "message"]
        if position is not None:
            said += call.args[position : position + 1]
        for node in said:
            texts = _resolve(node, inside, source, files)
            if texts is None:
                found.unreadable.append(f"{place} {ast.unparse(node)}")
            yield from ((text, place) for text in texts or [] if _SHOWN.search(text))
    for name, value in _constants(source).items():
        if _TABLES.search(name):
            yield from ((text, f"{source.path} {name}") for text in _leaves(value))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _position(source: Source, name: str, speakers: dict[str, int]) -> int | None:
    """Return where the sentence stands among the arguments of `name`, as this file means it."""
    path = _imported(source).get(name, source.path)
    return speakers.get(f"{path} {name}", speakers.get(name))


@cache
def _imported(source: Source) -> dict[str, str]:
    """Return the names this file takes from other files of the house, with the file."""
    return {
        alias.asname or alias.name: f"{node.module.replace('.', '/')}.py"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


@cache
def _speakers(files: tuple[Source, ...]) -> dict[str, int]:
    """Return what translates: the known ones, and functions that pass a parameter on to them."""
    known = dict(_SPEAKERS)
    size = 0
    while size != len(known):
        size = len(known)
        for source in files:
            for inside, call in source.calls:
                position = _position(source, _name(call.func), known)
                if position is None or inside is None or len(call.args) <= position:
                    continue
                given, parameters = call.args[position], _parameters(inside)
                if isinstance(given, ast.Name) and given.id in parameters:
                    known.setdefault(f"{source.path} {inside.name}", parameters.index(given.id))
    return known


def _parameters(function: Function) -> list[str]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _resolve(
    node: ast.expr, inside: Function | None, source: Source, files: tuple[Source, ...]
) -> list[str] | None:
    """Return what the expression may say; nothing when it is collected elsewhere, None: unknown."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return _joined(_resolve(part, inside, source, files) for part in (node.body, node.orelse))
    if isinstance(node, ast.Attribute):
        return []  # the sentence of a carrier, collected where it was made
    if isinstance(node, ast.Subscript):
        return _resolve(node.value, inside, source, files)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _resolve(node.func.value, inside, source, files) if node.func.attr == "get" else []
    if isinstance(node, ast.Name):
        return _named(node.id, inside, source, files)
    return None if isinstance(node, ast.JoinedStr | ast.BinOp) else []


def _named(
    name: str, inside: Function | None, source: Source, files: tuple[Source, ...]
) -> list[str] | None:
    if inside is not None:
        values = [
            node.value
            for node in ast.walk(inside)
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        ]
        if values:
            return _joined(_resolve(value, inside, source, files) for value in values)
        if not name.isupper():
            return []  # a parameter, or an item of a table that is looked at below
    for other in (source, *files):
        if name in _constants(other):
            return _leaves(_constants(other)[name])
    return []


def _joined(parts: Iterator[list[str] | None]) -> list[str] | None:
    texts = list(parts)
    return None if None in texts else [text for part in texts for text in part or []]


@cache
def _constants(source: Source) -> dict[str, ast.expr]:
    """Return the values of the module's own names."""
    found = {}
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found


def _leaves(node: ast.expr) -> list[str]:
    """Return the texts of a constant: of a table its values, not its keys."""
    if isinstance(node, ast.Dict):
        return [text for value in node.values for text in _leaves(value)]
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [text for item in node.elts for text in _leaves(item)]
    if isinstance(node, ast.IfExp):
        return _leaves(node.body) + _leaves(node.orelse)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return []


def said_in(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Yield what a template says, with the line."""
    for call in tree.find_all(nodes.Call):
        name = getattr(call.node, "attr", getattr(call.node, "name", ""))
        if name in _IN_TEMPLATES and call.args:
            yield from ((text, call.lineno) for text in _said(call.args[0]))


def _said(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _said(node.expr1)
        if node.expr2 is not None:
            yield from _said(node.expr2)
    elif isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Dict):
        for pair in node.node.items:
            yield from _said(pair.value)


@cache
def _trees() -> tuple[tuple[str, nodes.Template], ...]:
    reader = Environment(autoescape=True)
    return tuple(
        (str(path.relative_to(ROOT)), reader.parse(path.read_text("utf-8")))
        for path in sorted(TEMPLATES.rglob("*.html"))
    )


@cache
def texts_of_source() -> frozenset[str]:
    """Return every text in Python and templates; filled-in texts with bare ``{}``."""
    found: set[str] = set()
    for source in sources(*HOUSES):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add(filled(node))
    for _, tree in _trees():
        found |= {c.value for c in tree.find_all(nodes.Const) if isinstance(c.value, str)}
    return frozenset(found)


def filled(node: ast.JoinedStr) -> str:
    """Return an f-string with bare ``{}`` for what is filled in."""
    parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
    return "".join(str(part) for part in parts)


def bare(message: str) -> str:
    """Return a message with bare ``{}`` for its named places."""
    return PLACE.sub("{}", message)
