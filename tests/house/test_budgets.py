"""Files, functions and packages stay small enough to read."""

from __future__ import annotations

import ast

from tests.house.source import HOUSES, Function, Source, report, sources

FILE_LINES = 400
FUNCTION_LINES = 60
INIT_LINES = 60


def long_files(source: Source) -> list[str]:
    limit = INIT_LINES if source.path.endswith("__init__.py") else FILE_LINES
    found = len(source.lines)
    return [f"{source.path}: {found} lines, at most {limit}"] if found > limit else []


def length(function: Function) -> int:
    """Count the lines below the docstring: the NumPy convention alone takes thirty."""
    first = function.body[0]
    start = function.lineno
    if ast.get_docstring(function, clean=False) is not None:
        start += (first.end_lineno or 0) - first.lineno + 1
    return (function.end_lineno or start) - start + 1


def long_functions(source: Source) -> list[str]:
    return [
        f"{source.path}:{f.lineno} {f.name}: {length(f)} lines, at most {FUNCTION_LINES}"
        for f in source.functions
        if length(f) > FUNCTION_LINES
    ]


def undocumented(source: Source) -> list[str]:
    found = []
    public = [source.tree]
    while public:
        for node in public.pop().body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None and not has_overload(node):
                found.append(f"{source.path}:{node.lineno} {node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                public.append(node)
    return found


def has_overload(node: Function | ast.ClassDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)


def silent_modules(source: Source) -> list[str]:
    if source.path.endswith("__init__.py") and not source.tree.body:
        return []
    return [] if ast.get_docstring(source.tree) else [f"{source.path} does not say what it is for"]


def test_files_are_short():
    found = [line for s in sources(*HOUSES, "tests") for line in long_files(s)]
    assert not found, report(found)


def test_functions_are_short():
    found = [line for s in sources(*HOUSES, "tests") for line in long_functions(s)]
    assert not found, report(found)


def test_public_things_say_what_they_do():
    found = [line for s in sources(*HOUSES) for line in undocumented(s)]
    assert not found, report(found)


def test_modules_say_what_they_are_for():
    found = [line for s in sources(*HOUSES) for line in silent_modules(s)]
    assert not found, report(found)


def test_the_budgets_bite():
    long = Source("calib/x.py", "def f():\n" + "    x = 1\n" * 400)
    assert long_files(long) == ["calib/x.py: 401 lines, at most 400"]
    assert long_functions(long) == ["calib/x.py:1 f: 401 lines, at most 60"]
    assert long_files(Source("calib/__init__.py", "x = 1\n" * 61))
    bare = Source("calib/x.py", "class C:\n    def method(self): ...\n    def _own(self): ...\n")
    assert undocumented(bare) == [
        "calib/x.py:1 C has no docstring",
        "calib/x.py:2 method has no docstring",
    ]
    assert silent_modules(bare)
