"""The lints of the house that no tool knows; each returns the lines it objects to.

A line may be excused by ``# house: <lint> -- <reason>`` where the reason is a fact, not a wish.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.house.source import Source

_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}


_THROWN_AWAY = {"Challenge", "ProviderFlow", "SignInFailure", "Letter"}
"""Rows that wait for something and are no work of anybody."""


@dataclass(frozen=True)
class Lint:
    """A lint, where it does not apply, and why it exists."""

    name: str
    why: str
    find: Callable[[Source], Iterator[ast.AST]]
    only: tuple[str, ...] = ("",)
    """Beginnings of the paths it applies to."""
    free: tuple[str, ...] = ()
    """Beginnings of the paths it does not apply to."""

    def objections(self, source: Source) -> list[str]:
        """Return ``path:line name`` for each objection."""
        if not source.path.startswith(self.only) or source.path.startswith(self.free):
            return []
        return [
            f"{source.path}:{getattr(node, 'lineno', 1)} {self.name}: {self.why}"
            for node in self.find(source)
            if not source.excused(node, self.name)
        ]


def _owner(node: ast.expr) -> str:
    """Return the last name of what an attribute is taken from: ``datetime.datetime`` → datetime."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _attributes(source: Source) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Attribute))


def _called_names(source: Source, *names: str) -> Iterator[ast.AST]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def _called_methods(source: Source, *names: str) -> Iterator[ast.AST]:
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in names
        ):
            yield node


def _imported(source: Source, package: str, name: str) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").split(".")[0] == package
            and any(alias.name == name for alias in node.names)
        ):
            yield node


def find_clock(source: Source) -> Iterator[ast.AST]:
    """Find reads of the wall clock."""
    return (n for n in _attributes(source) if (_owner(n.value), n.attr) in _CLOCKS)


def find_evaluation(source: Source) -> Iterator[ast.AST]:
    """Find text run as code."""
    yield from _called_names(source, *_RUNNERS)
    yield from (
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and _brings_runner(node)
    )
    yield from (
        n
        for n in _attributes(source)
        if (_owner(n.value), n.attr) in {("pandas", "eval"), ("yaml", "load"), ("pd", "eval")}
    )


_RUNNERS = ("eval", "exec", "compile", "__import__", "sympify", "parse_expr", "lambdify")
_RUNNING = {
    "asteval", "cloudpickle", "code", "dill", "joblib", "marshal", "numexpr", "pickle", "shelve",
    "simpleeval", "sympy", "yaml",
}  # fmt: skip
"""Packages that run what they read, or are meant to."""


def _brings_runner(node: ast.Import | ast.ImportFrom) -> bool:
    names = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    return any(name.split(".")[0] in _RUNNING for name in names)


def find_commit(source: Source) -> Iterator[ast.AST]:
    """Find transactions ended by hand."""
    return _called_methods(source, "commit")


def find_unscoped(source: Source) -> Iterator[ast.AST]:
    """Find statements that the filter of a lab does not see."""
    yield from (n for n in _attributes(source) if n.attr == "__table__")
    yield from _imported(source, "sqlalchemy", "insert")
    yield from _called_methods(
        source, "bulk_insert_mappings", "bulk_save_objects", "bulk_update_mappings"
    )


_PASSING_BY = ("connection", "get_bind", "raw_connection", "sessionmaker")
_SAYS_WHOSE = ("name_lab", "name_all_labs", "name_no_more", "see_all_labs", "set_config")


def find_bare_connection(source: Source) -> Iterator[ast.AST]:
    """Find ways to rows that pass by the session of a lab, and sessions made by hand."""
    yield from _called_methods(source, *_PASSING_BY)
    yield from (
        n
        for n in _attributes(source)
        if n.attr in {"connect", "begin"} and _owner(n.value).endswith("engine")
    )
    yield from _called_names(source, "Session", "LabSession", "InstallationSession", "sessionmaker")
    yield from _imported(source, "sqlalchemy", "create_engine")
    for name in _SAYS_WHOSE:
        yield from _imported(source, "instruments", name)
    yield from (n for n in _attributes(source) if n.attr in _SAYS_WHOSE)


def find_sql_text(source: Source) -> Iterator[ast.AST]:
    """Find SQL written by hand."""
    yield from _imported(source, "sqlalchemy", "text")
    yield from _called_methods(source, "exec_driver_sql")
    yield from (
        n for n in _attributes(source) if (_owner(n.value), n.attr) == ("sqlalchemy", "text")
    )


def find_float(source: Source) -> Iterator[ast.AST]:
    """Find decimals turned into doubles."""
    return _called_names(source, "float")


def find_environment(source: Source) -> Iterator[ast.AST]:
    """Find reads of the environment."""
    yield from (
        n
        for n in _attributes(source)
        if _owner(n.value) == "os" and n.attr in {"environ", "getenv", "environb"}
    )
    yield from _imported(source, "os", "environ")
    yield from _imported(source, "os", "getenv")


def find_bulk(source: Source) -> Iterator[ast.AST]:
    """Yield statements that change or delete rows past the session."""
    for node in _called_names(source, "update", "delete"):
        given = node.args[0] if isinstance(node, ast.Call) and node.args else None
        if not (isinstance(given, ast.Name) and given.id in _THROWN_AWAY):
            yield node


LINTS = {
    lint.name: lint
    for lint in (
        Lint(
            "clock",
            "take the instant from the context; only the edge reads the clock",
            find_clock,
            free=("api/bootstrap.py", "calib/jobs/", "calib/verifier/standalone.py"),
        ),
        Lint("evaluation", "text is never run as code", find_evaluation),
        Lint(
            "commit",
            "the session commits at the edge",
            find_commit,
            free=("api/deps.py", "api/bootstrap.py", "calib/jobs/", "calib/services/issue"),
        ),
        Lint(
            "unscoped",
            "a statement on a table or a bulk insert passes by the filter of the lab",
            find_unscoped,
            only=("instruments/services/", "calib/services/"),
        ),
        Lint(
            "bulk",
            "what a statement changes has no before and after in the trail: change rows",
            find_bulk,
            only=("instruments/services/", "calib/services/", "api/"),
        ),
        Lint(
            "bare-connection",
            "rows are reached through lab_session, installation_session or beyond_the_lab",
            find_bare_connection,
            free=(
                "instruments/db.py",
                "instruments/tenancy.py",
                "instruments/row_security.py",
                "api/doctor.py",  # it asks the server who is connected, and no table
                "instruments/services/factor_secrets.py",  # it asks the engine for its key alone
                "calib/migrations/",
                "calib/keeping/",
            ),
        ),
        Lint(
            "sql-text",
            "SQL by hand belongs to the engine and the migrations",
            find_sql_text,
            free=("instruments/db.py", "calib/migrations/", "calib/keeping/"),
        ),
        Lint(
            "float",
            "a decimal stays text until the evaluation",
            find_float,
            free=(
                "calib/simulation/",  # it invents readings and writes them as text
                "calib/engine/",
                "calib/evaluation/",
                "calib/certificates/figures.py",
                "calib/certificates/plots.py",
                "instruments/plain.py",
            ),
        ),
        Lint(
            "environment",
            "settings are read once, in api/settings.py, and handed inward",
            find_environment,
            free=("api/settings.py", "api/cli.py"),
        ),
    )
}
