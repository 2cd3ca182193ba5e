"""No text runs, reaches an attribute or takes long; what is not finite is refused."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pytest

from calib.engine.dimensions import unit_of
from calib.engine.errors import BadExpression, OutOfRange
from calib.engine.expression import parse
from calib.engine.program import compile_program
from calib.evaluation.tasks import compute
from tests.engine import hostile

NAMES = ["x", "y", "z"]
REFUSED = list(hostile.refused())
WATCHED = ("compile", "exec", "import", "open", "os.", "subprocess.", "ctypes.", "socket.",
           "object.__", "marshal.", "pickle.", "shutil.", "code.")  # fmt: skip

_seen: list[str] | None = None


def _listen(event: str, _args: Any) -> None:
    if _seen is not None and event.startswith(WATCHED):
        _seen.append(event)


sys.addaudithook(_listen)  # a hook stays for good, so it listens only when told to


class Canary(str):
    """A name that remembers which of its attributes were asked for."""

    __slots__ = ("asked",)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "asked":
            str.__getattribute__(self, "asked").append(name)
        return str.__getattribute__(self, name)


def canaries() -> list[Canary]:
    out = [Canary(name) for name in NAMES]
    for name in out:
        name.asked = []
    return out


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) >= 300
    assert len(set(REFUSED)) == len(REFUSED)


def test_nothing_runs_and_nothing_takes_long() -> None:
    global _seen  # noqa: PLW0603  (the hook cannot be taken away again)
    names = canaries()
    slow, let_through = [], []
    _seen = events = []
    try:
        for text in REFUSED:
            started = time.thread_time()
            try:
                parse(text, names)
                let_through.append(text)
            except BadExpression:
                pass
            if time.thread_time() - started > 0.1:
                slow.append(text)
    finally:
        _seen = None
    # a collection of garbage falls on anybody: what is slow is slow again
    slow = [text for text in slow if seconds(text, names) > 0.1]
    assert not events, events[:5]
    assert not let_through, let_through[:5]
    assert not slow, slow[:5]
    assert not [a for name in names for a in name.asked]


def seconds(text: str, names: Any) -> float:
    """Seconds of this thread's own work, the best of three."""
    taken = []
    for _ in range(3):
        started = time.thread_time()
        with pytest.raises(BadExpression):
            parse(text, names)
        taken.append(time.thread_time() - started)
    return min(taken)


def test_the_hook_would_have_heard() -> None:
    global _seen  # noqa: PLW0603
    _seen = events = []
    try:
        compile("1", "", "eval")
    finally:
        _seen = None
    assert events == ["compile"]


@pytest.mark.parametrize("text", list(hostile.costly()), ids=range(25))
def test_costly_texts_end_at_once(text: str) -> None:
    taken = []
    for _ in range(3):
        started = time.thread_time()
        f = parse(text, NAMES)
        program = compile_program(f, NAMES)
        try:
            value, slopes = program.gradient_of_item([1.5, 1.0, 1.0])
        except OutOfRange:
            slopes = None
        taken.append(time.thread_time() - started)
    assert min(taken) < 0.1
    x = np.full((3, 1000), 1.5)
    x[1:] = 1.0
    into = np.empty_like(x)
    if slopes is None:
        with pytest.raises(OutOfRange):
            program.gradients(x, into)
    else:
        assert np.isfinite([value, *slopes]).all()
        assert np.isfinite(program.gradients(x, into)).all()
        assert np.isfinite(into).all()
    try:
        unit_of(f, {})
    except BadExpression as refused:
        assert "too large" in refused.message  # noqa: PT017  (either way is right)


@pytest.mark.parametrize("kind", ["propagate", "fit"])
def test_every_door_refuses(kind: str) -> None:
    for text in REFUSED[:: max(1, len(REFUSED) // 60)]:
        if kind == "propagate":
            task = {"kind": kind, "function": text, "inputs": {"x": {"value": 1, "u": 0.1}}}
        else:
            task = {"kind": kind, "model": "expression", "function": text, "x": [0, 1, 2],
                    "y": [0, 1, 2], "parameters": {"b": 1}}  # fmt: skip
        error = compute(task)["error"]
        assert error["code"] in ("bad-expression", "not-offered", "bad-value"), (text, error)


def test_names_of_a_task_are_no_door() -> None:
    for name in ("__class__", "x.real", "os", "eval", "lambda", "x y", "", "sin", "1x"):
        task = {"kind": "propagate", "function": "1", "inputs": {name: {"value": 1}}}
        found = compute(task)
        if name in ("os", "eval", "lambda"):
            assert found["outputs"]["y"]["value"] == 1
        else:
            assert found["error"]["code"] == "bad-expression"
