"""Every route declares the act it is; an application with one that does not never starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import compile_path

from api.deps import SAFE, Allowed
from instruments.policy import ACTIONS


class Undeclared(RuntimeError):
    """A route does not say what it does, or says it of reading and writing alike."""


def declared(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Return method, path and act of every route, in the order they are matched.

    Raises Undeclared for a route without exactly one act, and for one that writes when it is read.
    """
    for path, route in _routes(app.routes, ""):
        made = (dependency.dependency for dependency in route.dependencies)
        acts = [one.action for one in made if isinstance(one, Allowed)]
        if len(acts) != 1:
            raise Undeclared(f"{path} declares {acts or 'nothing'}; it must declare one act")
        for method in sorted(route.methods or ()):
            if ACTIONS[acts[0]].writes == (method in SAFE):
                raise Undeclared(f"{method} {path} is declared as {acts[0]}: reading never writes")
            yield method, path, acts[0]


def methods_at(app: FastAPI, address: str) -> tuple[str, ...]:
    """Return what an address takes: of several routes with one path, each takes some methods."""
    found = [(method, path) for method, path, pattern in _patterns(app) if pattern.match(address)]
    return tuple(sorted(method for method, path in found if path == found[0][1]))


def _patterns(app: FastAPI) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Return method, path and pattern of every route, made once for an application."""
    if not hasattr(app.state, "patterns"):
        found = ((method, path, compile_path(path)[0]) for method, path, _ in declared(app))
        app.state.patterns = tuple(found)
    made: tuple[tuple[str, str, re.Pattern[str]], ...] = app.state.patterns
    return made


def _routes(routes: Any, prefix: str) -> Iterator[tuple[str, APIRoute]]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif hasattr(route, "original_router"):
            yield from _routes(route.original_router.routes, prefix + route.include_context.prefix)
