"""Random expressions against 50-digit arithmetic on a tree of their own.

The text is printed from a tree, and the tree is evaluated here, so precedence, values and
derivatives are all checked without the engine's reader. Where the same tree evaluated with a few
digits more than a double loses the figures too, the expression itself is to blame, not us.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from calib.engine.errors import OutOfRange
from calib.engine.expression import parse
from calib.engine.program import compile_program

mp = pytest.importorskip("mpmath")

NAMES = ["x", "y", "z"]
ONE = ["sqrt", "exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
       "tanh", "abs"]  # fmt: skip
NUMBERS = ["2", "0.5", "3", "1.5", "10", "0.1", "1e-3", "7.25", "pi", "4"]
LARGEST, SMALLEST = mp.mpf(2) ** 1023, mp.mpf(2) ** -1000
AGREES = 1e-12
Tree = tuple[Any, ...]
Dual = tuple[Any, dict[str, Any]]


class Undefined(Exception):
    """No finite real value or derivative."""


class Doubtful(Exception):
    """No derivative at a point that varies in writing only, such as sqrt(x - x) or acos(z/z)."""


def grow(r: random.Random, depth: int) -> Tree:
    if depth == 0 or r.random() < 0.12:
        return ("name", r.choice(NAMES)) if r.random() < 0.7 else ("number", r.choice(NUMBERS))
    kind = r.random()
    if kind < 0.55:
        return (r.choice("++--**//"), grow(r, depth - 1), grow(r, depth - 1))
    if kind < 0.68:
        exponent = ("number", r.choice(["2", "3", "0.5", "1.5"]))
        if r.random() < 0.3:
            exponent = grow(r, min(depth - 1, 1))
        return ("^", grow(r, depth - 1), ("neg", exponent) if r.random() < 0.2 else exponent)
    if kind < 0.75:
        return ("neg", grow(r, depth - 1))
    if kind < 0.80:
        return ("atan2", grow(r, depth - 1), grow(r, depth - 1))
    return (r.choice(ONE), grow(r, depth - 1))


def written(tree: Tree, r: random.Random) -> tuple[str, int]:
    """Print a tree with no more parentheses than precedence asks for; its strength."""
    op = tree[0]
    if op in ("name", "number"):
        return tree[1], 5
    texts = [written(t, r) for t in tree[1:]]

    def within(i: int, least: int) -> str:
        text, strength = texts[i]
        return text if strength >= least and r.random() < 0.9 else f"({text})"

    gap = r.choice(["", " "])
    if op in ("+", "-"):
        return f"{within(0, 1)}{gap}{op}{gap}{within(1, 2)}", 1
    if op in ("*", "/"):
        return f"{within(0, 2)}{gap}{op}{gap}{within(1, 3)}", 2
    if op == "neg":
        return f"-{within(0, 3)}", 3
    if op == "^":
        return f"{within(0, 5)}{r.choice(['^', '**'])}{within(1, 3)}", 4
    return f"{op}({', '.join(text for text, _ in texts)})", 5


def real(value: Any) -> Any:
    if isinstance(value, mp.mpc) or not mp.isfinite(value) or abs(value) > LARGEST:
        raise Undefined
    return value


def chain(value: Any, *slopes: tuple[Any, dict[str, Any]]) -> Dual:
    """Value, and by name the derivative with the size of the terms it is the sum of."""
    out: dict[str, Any] = {}
    for slope, inner in slopes:
        if not inner:
            continue
        try:
            c = real(slope())
        except (Undefined, ArithmeticError, ValueError) as none:
            raise (Undefined if any(d for d, _ in inner.values()) else Doubtful) from none
        for name, (d, size) in inner.items():
            before = out.get(name, (0, 0))
            out[name] = real(before[0] + c * d), before[1] + abs(c) * size
    return real(value), out


def power(a: Any, da: dict[str, Any], b: Any, db: dict[str, Any]) -> Dual:
    if db and a <= 0:
        raise Undefined if any(d for d, _ in db.values()) else Doubtful
    y = real(mp.power(a, b))
    return chain(
        y, (lambda: b * mp.power(a, b - 1) if b else mp.mpf(0), da), (lambda: y * mp.log(a), db)
    )


def dual(tree: Tree, at: dict[str, float]) -> Dual:
    """Value and derivatives at the working precision."""
    op = tree[0]
    if op == "name":
        return mp.mpf(at[tree[1]]), {tree[1]: (mp.mpf(1), mp.mpf(1))}
    if op == "number":
        return mp.pi if tree[1] == "pi" else mp.mpf(float(tree[1])), {}
    (a, da), (b, db) = dual(tree[1], at), dual(tree[-1], at)
    if op == "^":
        return power(a, da, b, db)
    if op == "atan2":
        r2 = a * a + b * b
        return chain(mp.atan2(a, b), (lambda: b / r2, da), (lambda: -a / r2, db))
    two = {
        "+": lambda: chain(a + b, (lambda: mp.mpf(1), da), (lambda: mp.mpf(1), db)),
        "-": lambda: chain(a - b, (lambda: mp.mpf(1), da), (lambda: mp.mpf(-1), db)),
        "*": lambda: chain(a * b, (lambda: b, da), (lambda: a, db)),
        "/": lambda: chain(a / b, (lambda: 1 / b, da), (lambda: -a / b / b, db)),
        "neg": lambda: chain(-a, (lambda: mp.mpf(-1), da)),
    }
    if op in two:
        return two[op]()
    if op in ("log", "log10") and a <= 0:
        raise Undefined
    f = abs if op == "abs" else getattr(mp, op)
    slopes = {
        "sqrt": lambda: 1 / (2 * mp.sqrt(a)), "exp": lambda: mp.exp(a), "log": lambda: 1 / a,
        "log10": lambda: 1 / (a * mp.log(10)), "sin": lambda: mp.cos(a),
        "cos": lambda: -mp.sin(a), "tan": lambda: 1 + mp.tan(a) ** 2,
        "asin": lambda: 1 / mp.sqrt(1 - a * a), "acos": lambda: -1 / mp.sqrt(1 - a * a),
        "atan": lambda: 1 / (1 + a * a), "sinh": lambda: mp.cosh(a), "cosh": lambda: mp.sinh(a),
        "tanh": lambda: 1 / mp.cosh(a) ** 2, "abs": lambda: a / abs(a),
    }  # fmt: skip
    return chain(f(a), (slopes[op], da))


def exact(tree: Tree, at: dict[str, float], bits: int) -> list[Any] | None:
    """Value and derivatives, each with the size of its terms; None where there are none."""
    with mp.workprec(bits):
        try:
            value, slopes = dual(tree, at)
        except (Undefined, ZeroDivisionError, ValueError, OverflowError):
            return None
        zero = mp.mpf(0), mp.mpf(0)
        return [(value, abs(value)), *(slopes.get(name, zero) for name in NAMES)]


def apart(a: Any, b: Any) -> float:
    return float(abs(a - b) / abs(b)) if b else (0.0 if not a else 1.0)


def on_the_edge(tree: Tree, at: dict[str, float]) -> bool:
    """Whether some last bits of an input decide if there is a value."""
    steps = [(name, factor) for name in NAMES for factor in (1 - 1e-13, 1 + 1e-13)]
    seen = [exact(tree, at | {name: at[name] * factor}, 180) for name, factor in steps]
    return {near is None for near in seen} == {True, False}


def one_expression(seed: int) -> str:
    """Compare one random expression: "same", "refused" or "hopeless"."""
    r = random.Random(seed)  # noqa: S311  (a test that repeats)
    tree = grow(r, r.randint(1, 5))
    text = written(tree, r)[0]
    at = {name: r.choice([r.uniform(0.1, 3), r.uniform(-3, 3), 1.0, 0.5]) for name in NAMES}
    try:
        f = parse(text, NAMES)
        program = compile_program(f, NAMES)
        value, slopes = program.gradient_of_item([at[n] for n in NAMES])
        found = [value, *slopes]
    except OutOfRange:
        found = None
    try:
        true = exact(tree, at, 180)
        rough = {bits: exact(tree, at, bits) for bits in (53, 61, 66)}
    except Doubtful:
        return "hopeless"
    if true is None or found is None or None in rough.values():
        if (true is None) == (found is None):
            return "refused"
        lost = any((true is None) != (near is None) for near in rough.values())
        assert lost or on_the_edge(tree, at), (text, at, found, true)
        return "hopeless"
    for i, (ours, (wanted, size)) in enumerate(zip(found, true, strict=True)):
        # what is wrong with some more bits than 53 is more wrong in a double
        losses = [apart(n[i][0], wanted) * 2.0 ** (bits - 53) for bits, n in rough.items() if n]
        if max(losses) > AGREES / 10 or abs(wanted) < size / 2**13 or 0 < abs(wanted) < SMALLEST:
            return "hopeless"
        assert apart(mp.mpf(ours), wanted) <= AGREES, (text, at, i, ours, wanted)
    everywhere = np.full((3, 3), [[at[n]] for n in NAMES])
    into = np.empty((3, 3))
    values = np.broadcast_to(program.gradients(everywhere, into), 3)
    assert apart(mp.mpf(float(values[1])), true[0][0]) <= AGREES, (text, at)
    for ours, (wanted, _) in zip(into[:, 1], true[1:], strict=True):
        assert apart(mp.mpf(float(ours)), wanted) <= AGREES, (text, at)
    return "same"


def many(seeds: range) -> None:
    seen = [one_expression(seed) for seed in seeds]
    assert seen.count("same") > 0.45 * len(seen), seen.count("same")
    assert seen.count("refused") > 0.05 * len(seen)
    assert seen.count("hopeless") < 0.2 * len(seen), seen.count("hopeless")


def test_a_sample_means_what_it_says() -> None:
    many(range(200))


@pytest.mark.slow
def test_two_thousand_mean_what_they_say() -> None:
    many(range(1000, 3000))


@pytest.mark.nightly
def test_ten_thousand_mean_what_they_say() -> None:
    many(range(1000, 11_000))
