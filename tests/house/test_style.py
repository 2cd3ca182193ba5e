"""The style: tokens exist, pairs of colours can be read, rules are used and legible."""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path

import pytest

from api.styling import SHEETS, STATIC
from tests.house.source import ROOT, report

LONGEST = 160
"""Characters of a line; a drawing inside the style is one word."""
PUT_TOGETHER = ("sure-", "size-", "space-")
"""Beginnings of classes that a template completes."""
TEXT, SHAPE = 4.5, 3.0
"""Least contrast of WCAG 2.2 AA: of text, and of what tells something without text."""
GROUNDS = ("ground", "paper", "sunk")
WORDS = ("ink", "soft", "accent", "accent-strong", "bad")
"""Read on every ground."""
MARKS = ("line-strong", "good", "warn", "bad", "focus", "accent")
"""Edges of fields, signs and the ring of the keyboard."""
OVER = (
    ("ink", "accent-soft"), ("ink", "good-soft"), ("ink", "warn-soft"), ("ink", "bad-soft"),
    ("good", "paper"), ("good", "ground"), ("warn", "paper"), ("warn", "ground"),
    ("soft", "accent-soft"),
)  # fmt: skip
"""Put over each other by two rules."""
_BLOCK = re.compile(r"([^{}]+)\{([^{}]*)\}")
_TOKEN = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")


def sheets() -> list[Path]:
    assert {f"{name}.css" for name in SHEETS} < {one.name for one in STATIC.glob("style/*.css")}
    return [*sorted(STATIC.glob("style/*.css")), *sorted(STATIC.glob("*.css"))]


def text_of(sheet: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)


@cache
def themes() -> dict[str, dict[str, str]]:
    """Return the tokens of the light, the dark of the system and the dark that was chosen."""
    blocks = {
        " ".join(head.split()): dict(_TOKEN.findall(body))
        for head, body in _BLOCK.findall(text_of(STATIC / "style" / "tokens.css"))
    }
    light = blocks[":root"]
    return {
        "light": light,
        "dark": light | blocks[':root[data-theme="dark"]'],
        "system": light | blocks[':root:not([data-theme="light"])'],
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def pairs_of_rules() -> set[tuple[str, str]]:
    """Return the tokens of letters and ground that one rule sets together."""
    found = set()
    for sheet in sheets():
        for _, body in _BLOCK.findall(text_of(sheet)):
            ink = re.search(r"(?<![-\w])color:\s*var\(--([a-z-]+)\)", body)
            ground = re.search(r"background(?:-color)?:\s*var\(--([a-z-]+)\)", body)
            if ink and ground:
                found.add((ink[1], ground[1]))
    return found


def test_the_contrast_of_black_and_white_is_21():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


def test_pairs_that_rules_put_together_are_found():
    assert {("accent-ink", "accent"), ("good", "good-soft"), ("ink", "paper")} <= pairs_of_rules()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_colours_can_be_read(theme: str) -> None:
    tokens = themes()[theme]
    wanted = dict.fromkeys((*pairs_of_rules(), *OVER, *itertools.product(WORDS, GROUNDS)), TEXT)
    for pair in itertools.product(MARKS, GROUNDS):
        wanted.setdefault(pair, SHAPE)
    wanted[("accent-ink", "accent-strong")] = TEXT
    weak = [
        f"{ink} on {ground}: {contrast(tokens[ink], tokens[ground]):.2f}, at least {least}"
        for (ink, ground), least in sorted(wanted.items())
        if contrast(tokens[ink], tokens[ground]) < least
    ]
    assert not weak, report(weak)


def test_who_chose_the_dark_sees_what_the_system_shows():
    assert themes()["dark"] == themes()["system"]
    assert themes()["dark"] != themes()["light"]


def test_every_token_that_is_used_exists():
    known = set(themes()["light"])
    unknown = []
    for sheet in sheets():
        text = text_of(sheet)
        own = {name for name, _ in _TOKEN.findall(text)}
        used = set(re.findall(r"var\(--([a-z0-9-]+)", text))
        unknown += [f"{sheet.name}: --{name}" for name in sorted(used - known - own)]
    assert not unknown, report(unknown)


def test_every_token_is_used():
    text = "".join(text_of(sheet) for sheet in sheets())
    used = set(re.findall(r"var\(--([a-z0-9-]+)", text))
    assert not set(themes()["light"]) - used


def test_lines_of_the_style_can_be_read():
    long = [
        f"{sheet.name}:{number} {len(line)}"
        for sheet in sheets()
        if sheet.name != "bench.css"  # the sheet of the entry grid
        for number, line in enumerate(sheet.read_text("utf-8").splitlines(), 1)
        if len(line) > LONGEST and "url(" not in line
    ]
    assert not long, report(long)


def test_no_rule_is_for_a_class_that_nothing_has():
    places = [*(ROOT / "api" / "templates").rglob("*.html"), *STATIC.rglob("*.js")]
    places += (ROOT / "api" / "pages").glob("*.py")
    spoken = " ".join(place.read_text("utf-8") for place in places)
    words = set(re.findall(r"[a-zA-Z][\w-]*", spoken))
    dead = [
        f"{sheet.name}: .{name}"
        for sheet in sheets()
        for head, _ in _BLOCK.findall(text_of(sheet))
        for name in sorted(set(re.findall(r"\.([a-zA-Z][\w-]*)", head)))
        if name not in words and not name.startswith(PUT_TOGETHER)
    ]
    assert not dead, report(sorted(set(dead)))
