"""Grammar of the measurement-function language: text in, flat list of steps out.

A recursive-descent reader of its own; no text ever reaches Python's parser. Limits: 2000
printable ASCII characters, 400 nodes, nesting 40. It must not know how steps are evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calib.engine import jets
from calib.engine.errors import BadExpression

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_LENGTH = 2000
MAX_NODES = 400
MAX_DEPTH = 40
MAX_NAME = 64
FUNCTIONS = (*sorted(jets.FUNCTIONS), "atan2")

_TOKEN = re.compile(
    r" *(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<op>\*\*|[-+*/^(),]))"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

Step = tuple[str, tuple[int, ...], str | float | None]


def check_name(name: str) -> None:
    """Refuse a name that the language cannot use for an input quantity.

    Raises
    ------
    BadExpression
        Not a letter followed by letters, digits and ``_``, too long, or reserved.

    Notes
    -----
    Source: contract of the expression language.
    Checked against: tests/reference/expressions.toml.
    Limits: ASCII letters only.
    """
    if not _NAME.match(name) or len(name) > MAX_NAME:
        msg = (
            f"{name[:MAX_NAME]!r} is not a name. Use a letter, then letters, digits or _"
            f" (at most {MAX_NAME})."
        )
        raise BadExpression(msg, {"name": name[:MAX_NAME]})
    if name == "pi" or name in FUNCTIONS:
        msg = f"{name!r} is a word of the language and cannot name a quantity. Choose another."
        raise BadExpression(msg, {"name": name})


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the tokens, adding steps as it goes."""

    text: str
    names: Collection[str]
    tokens: list[tuple[str, str, int]] = field(default_factory=list)
    at: int = 0
    depth: int = 0
    nodes: int = 0
    steps: list[Step] = field(default_factory=list)
    seen: dict[Step, int] = field(default_factory=dict)

    def fail(self, reason: str, position: int) -> BadExpression:
        msg = f"{reason} at character {position + 1} of the expression {self.text[:80]!r}."
        return BadExpression(msg, {"position": position + 1, "expression": self.text[:80]})

    def tokenise(self) -> None:
        place, end = 0, len(self.text.rstrip(" "))
        while place < end:
            found = _TOKEN.match(self.text, place)
            if found is None:
                start = place + len(self.text[place:]) - len(self.text[place:].lstrip(" "))
                raise self.fail(f"Unexpected {self.text[start]!r}", start)
            kind = str(found.lastgroup)
            self.tokens.append((kind, found.group(kind), found.start(kind)))
            place = found.end()
        self.tokens.append(("end", "end", end))

    def add(self, op: str, args: tuple[int, ...], leaf: str | float | None = None) -> int:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            msg = f"The expression has more than {MAX_NODES} parts. Split the model."
            raise BadExpression(msg, {"limit": MAX_NODES})
        step: Step = (op, args, leaf)
        if step not in self.seen:
            self.seen[step] = len(self.steps)
            self.steps.append(step)
        return self.seen[step]

    def take(self, *wanted: str) -> str | None:
        kind, token, _ = self.tokens[self.at]
        if kind == "op" and token in wanted:
            self.at += 1
            return token
        return None

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            _, token, place = self.tokens[self.at]
            raise self.fail(f"Expected {wanted!r}, got {token!r}", place)

    def deepen(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            msg = f"The expression is nested deeper than {MAX_DEPTH}. Split the model."
            raise BadExpression(msg, {"limit": MAX_DEPTH})

    def sum(self) -> int:
        self.deepen()
        left = self.product()
        while (op := self.take("+", "-")) is not None:
            left = self.add(op, (left, self.product()))
        self.depth -= 1
        return left

    def product(self) -> int:
        left = self.signed()
        while (op := self.take("*", "/")) is not None:
            left = self.add(op, (left, self.signed()))
        return left

    def signed(self) -> int:
        if self.take("-") is not None:
            return self.add("neg", (self.deeper(),))
        if self.take("+") is not None:
            return self.deeper()
        out = self.atom()
        if self.take("^", "**") is not None:
            out = self.add("^", (out, self.deeper()))
        return out

    def deeper(self) -> int:
        self.deepen()
        out = self.signed()
        self.depth -= 1
        return out

    def atom(self) -> int:
        kind, token, place = self.tokens[self.at]
        if self.take("(") is not None:
            inner = self.sum()
            self.need(")")
            return inner
        self.at += 1
        if kind == "number":
            number = float(token)
            if not math.isfinite(number):
                raise self.fail(f"The number {token[:40]!r} is too large", place)
            return self.add("number", (), number)
        if kind != "name":
            raise self.fail(f"Unexpected {token!r}", place)
        if self.take("(") is not None:
            return self.call(token, place)
        if token == "pi":  # noqa: S105  (a word of the language)
            return self.add("number", (), math.pi)
        if token not in self.names:
            known = ", ".join(sorted(self.names)[:20])
            raise self.fail(f"Unknown name {token[:MAX_NAME]!r} (known: {known})", place)
        return self.add("name", (), token)

    def call(self, name: str, place: int) -> int:
        if name not in FUNCTIONS:
            raise self.fail(f"Unknown function {name[:MAX_NAME]!r}", place)
        args = [self.sum()]
        if name == "atan2":
            self.need(",")
            args.append(self.sum())
        self.need(")")
        return self.add(name, tuple(args))


def read(text: str, names: Collection[str]) -> tuple[Step, ...]:
    """Read a text into steps in order of evaluation; equal parts occur once.

    Raises
    ------
    BadExpression
        Too long, too deep, or not in the language; the message says where.

    Notes
    -----
    Source: contract of the expression language; limits from the design of trust, 2.6.
    Checked against: tests/reference/expressions.toml.
    Limits: nesting counts parentheses, signs and powers, not the length of a sum.
    """
    if len(text) > MAX_LENGTH:
        msg = f"The expression has {len(text)} characters, at most {MAX_LENGTH} are read."
        raise BadExpression(msg, {"length": len(text), "limit": MAX_LENGTH})
    for name in names:
        check_name(name)
    parser = _Parser(text, names)
    parser.tokenise()
    parser.sum()
    kind, token, place = parser.tokens[parser.at]
    if kind != "end":
        raise parser.fail(f"Unexpected {token!r}", place)
    return tuple(parser.steps)
