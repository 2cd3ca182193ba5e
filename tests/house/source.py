"""The project's own source as syntax trees, read once; used by every test of the house."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSES = ("instruments", "calib", "api")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: where it stands and what it says."""

    path: str
    """Relative to the root, with forward slashes."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        """The lines, the first one at index 0."""
        return self.text.splitlines()

    @cached_property
    def calls(self) -> tuple[tuple[Function | None, ast.Call], ...]:
        """Every call with the innermost function it stands in."""
        return tuple(_calls(self.tree, None))

    @cached_property
    def own_names(self) -> frozenset[str]:
        """The names of its functions."""
        return frozenset(function.name for function in self.functions)

    def excused(self, node: ast.AST, lint: str) -> bool:
        """Answer whether the line says ``# house: <lint> -- reason``."""
        line = self.lines[getattr(node, "lineno", 1) - 1]
        return re.search(rf"# house: {lint} -- \S", line) is not None

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method."""
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, Function))


def _calls(node: ast.AST, inside: Function | None) -> Iterator[tuple[Function | None, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls(child, child if isinstance(child, Function) else inside)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the Python files below these folders, by name."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return tuple(
        Source(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in sorted(files)
    )


def report(lines: list[str]) -> str:
    """Return the lines as one message, each on its own."""
    return "\n" + "\n".join(lines)
