"""Hostile expressions: ways out of a language, combined with places where they may stand."""

from __future__ import annotations

from collections.abc import Iterator

PAYLOADS = [
    "__import__('os').system('id')", "().__class__.__bases__[0].__subclasses__()",
    "x.__class__.__mro__", "x.real", "x.tofile('/tmp/x')", "x.dtype.type", "x.T.data",
    "getattr(x,'real')", "setattr(x,'a',1)", "eval('1')", "exec('1')", "compile('1','','eval')",
    "open('/etc/passwd')", "globals()", "locals()", "vars(x)", "dir()", "type(x)", "object()",
    "input()", "print(1)", "breakpoint()", "help()", "exit()", "quit()", "license()", "id(x)",
    "lambda: 0", "(lambda f: f(f))(lambda f: f(f))", "[x for x in y]", "{x: y}", "{x}",
    "(x for x in y)", "[1]*10", "x[0]", "x[...]", "x[::-1]", "x if y else z", "x := 5", "x = 5",
    "x == y", "x != y", "x < y", "x >= y", "x and y", "not x", "x or y", "x in y", "x is y",
    "x & y", "x | y", "x // y", "x % y", "x @ y", "~x", "x << 9", "x >> 1", "f'{x}'", "'a'*9",
    '"x"', "b'x'", "r'x'", "...", "Ellipsis", "None", "True", "NotImplemented", "await x",
    "yield x", "yield", "*x", "**x", "x,", "x, y", "(x, y)", "x;y", "x:y", "x->y", "import os",
    "from os import system", "del x", "pass", "return x", "raise x", "assert x", "global x",
    "async x", "with x", "for x in y", "while x", "try", "class A", "def f", "@x", "#", "\\", "$x",
    "`id`", "$(id)", "|id", "&&id", "; id", "%s", "{0}", "{{7*7}}", "${7*7}", "<%= 7 %>", "!x",
    "x!", "?x", "1j", "1e", "0x1f", "0b1", "0o7", "1_000", "1e400", "1e99999", "9" * 400 + "e400",
    "nan", "inf", "NaN", "Infinity", "-inf", "float('nan')", "1..real", "1.0.real", "1 .real",
    "\u03c0", "\u221e", "\uff11", "\u0661", "x\u2212y", "x\u00d7y", "\u202ex", "x\u200b", "\ufeffx",
    "x\x00y", "x\ry", "x\ny", "x\ty", "x\x0by", "\x1b[2J", "\U0001d431", "x\u0301", "\ud800",
]  # fmt: skip
FRAMES = ["{}", "({})", "1 + ({})", "sin({})", "x^({})", "atan2(1, {})", "-{}", "{}*x"]
BOMBS = [
    "-" * 100_000, "(" * 100_000, "(" * 1999, "(" * 1000 + ")" * 1000, "x+" * 100_000, "-" * 1999,
    "+" * 1999, "x" * 2000, "sin(" * 499, "2^" * 999 + "2", "x**" * 600 + "x", "((((" * 500,
    "x+" * 999 + "x", "x*" * 999 + "x", "x" + "/x" * 999, "1" * 2001, " " * 2001,
    "(" * 41 + "x" + ")" * 41, "-" * 41 + "x", "2^" * 41 + "2", "x" + "+(x" * 60 + ")" * 60,
    "atan2(" * 300, "x " * 999, "1." * 999, "." * 1999, "e" * 1999, "1e" * 999, "," * 1999,
]  # fmt: skip


def refused() -> Iterator[str]:
    """Give texts that are not in the language, each once."""
    yield from dict.fromkeys(
        frame.format(payload) if "{" not in payload else frame.replace("{}", payload)
        for frame in FRAMES
        for payload in PAYLOADS
        if (frame, payload) != ("atan2(1, {})", "x,")
    )
    yield from BOMBS


def costly() -> Iterator[str]:
    """Give texts of the language that would take long or blow up in a careless evaluator."""
    yield from (
        "9^9^9^9", "9**9**9**9", "(9^9)^9^9", "exp(exp(exp(exp(9))))", "10^308*10", "-10^308*10",
        "2^2^2^2^2^2^2", "x/(x - x)", "log(x - x)", "sqrt(-x)", "0^-1", "(-1)^0.5", "tan(pi/2)^99",
        "1e308 + 1e308", "sinh(1e4)", "cosh(-1e4)", "acos(2)", "asin(-2)", "log10(-1)",
    )  # fmt: skip
    yield "+".join(["x"] * 200)
    yield "*".join(["x"] * 200)
    yield "^".join(["1"] * 39)
    yield "sin(" * 19 + "x" + ")" * 19
    yield "(" * 38 + "x" + ")" * 38
    yield "+".join(f"exp(x^{n})/log(x + {n + 2})" for n in range(40))
