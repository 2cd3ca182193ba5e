"""The chain of a certificate or standard as a drawing: the SI above, what rests on it below.

Each certificate is drawn once, however many ways lead to it. Knows the chain, computes places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from calib.services.traceability import Branch, Chain

WIDE, HIGH, GAP, RISE, MARGIN = 148, 50, 14, 38, 6
LETTERS, SMALL = 19, 23
"""Letters that fit into a box, on its first line and on the small one."""


@dataclass(slots=True)
class _Box:
    """One thing that is drawn: its kind, two lines of words, its level above the root."""

    kind: str
    words: str
    small: str
    level: int
    leads_to: list[str] = field(default_factory=list)


Say = Callable[[str], str]


def traceability(chain: Chain, root: str, words: str, say: Say, language: str) -> Markup:
    """Return the drawing of a chain named by `words`; `say` puts a sentence into the language."""
    boxes = _boxes(chain, root, say, language)
    levels: dict[int, list[str]] = {}
    for key, box in boxes.items():
        levels.setdefault(box.level, []).append(key)
    rows = [levels[level] for level in sorted(levels, reverse=True)]
    widest = max(len(row) for row in rows)
    width = widest * (WIDE + GAP) - GAP + 2 * MARGIN
    height = len(rows) * (HIGH + RISE) - RISE + 2 * MARGIN
    places = {
        key: (
            (width - len(row) * (WIDE + GAP) + GAP) / 2 + i * (WIDE + GAP),
            MARGIN + n * (HIGH + RISE) + 0.0,
        )
        for n, row in enumerate(rows)
        for i, key in enumerate(row)
    }
    head = Markup('<svg class="chain" role="img" aria-label="{}" viewBox="0 0 {} {}"').format(
        words, width, height
    ) + Markup(' width="{}" height="{}">').format(width, height)
    lines = Markup("").join(_lines(boxes, places))
    drawn = Markup("").join(_drawn(box, *places[key]) for key, box in boxes.items())
    return head + lines + drawn + Markup("</svg>")


def _boxes(chain: Chain, root: str, say: Say, language: str) -> dict[str, _Box]:
    boxes: dict[str, _Box] = {}
    if chain.used:
        count = say("{count} certificates").replace("{count}", str(chain.used))
        boxes["below"] = _Box("below", count, say("rest on it"), -1, ["root"])
    boxes["root"] = _Box("root", root, "", 0)
    if not chain.rests_on:
        boxes["root"].leads_to.append(_ended(boxes, "nothing", say, 1))
    for branch in chain.rests_on:
        _add(boxes, "root", branch, say, language)
    for _ in boxes:  # what is met again on a longer way stands above all that rests on it
        for box in boxes.values():
            for above in box.leads_to:
                boxes[above].level = max(boxes[above].level, box.level + 1)
    top = max(box.level for box in boxes.values())
    for box in boxes.values():
        if box.kind == "si":
            box.level = top
    return boxes


def _add(boxes: dict[str, _Box], below: str, branch: Branch, say: Say, language: str) -> None:
    node = branch.node
    if node.end == "circle":
        boxes[below].leads_to.append(_ended(boxes, "circle", say, boxes[below].level + 1))
        return
    key = f"{node.number} {node.issuer}"
    box = boxes.get(key)
    if box is None:
        name = f"{node.code} {node.name.text(language)}".strip()
        box = boxes[key] = _Box("node", name, node.number, 0)
    if key not in boxes[below].leads_to:
        boxes[below].leads_to.append(key)
    box.level = max(box.level, boxes[below].level + 1)
    if branch.problem:
        box.kind = "node doubtful"
        box.small = say("had run out") if branch.problem == "ran_out" else say("came too late")
    if node.end and not branch.is_again:
        ended = _ended(boxes, node.end, say, box.level + 1)
        box.leads_to.append(ended)
    for above in branch.rests_on:
        _add(boxes, key, above, say, language)


def _ended(boxes: dict[str, _Box], end: str, say: Say, level: int) -> str:
    """Add what stands at the end of a way: the SI, by another's word, or the break."""
    if end == "outside":
        boxes.setdefault("SI", _Box("si", "SI", say("by the issuer's word"), level))
        boxes["SI"].level = max(boxes["SI"].level, level)
        return "SI"
    key = f"end {end} {level}"
    boxes.setdefault(key, _Box("broken", say("The chain ends"), say(BROKEN[end]), level))
    return key


BROKEN = {
    "unknown": "certificate not found",
    "withdrawn": "certificate withdrawn",
    "superseded": "certificate replaced",
    "nothing": "no standard is named",
    "circle": "it runs in a circle",
}
"""Why a chain ends, in the few letters a box holds."""


def _lines(boxes: dict[str, _Box], places: dict[str, tuple[float, float]]) -> Iterator[Markup]:
    for key, box in boxes.items():
        x, y = places[key]
        for other in box.leads_to:
            to_x, to_y = places[other]
            middle, end = (y + to_y + HIGH) / 2, to_y + HIGH
            kind = "lead away" if boxes[other].kind == "si" else "lead"
            a, b = x + WIDE / 2, to_x + WIDE / 2
            yield Markup('<path class="{}" d="M{} {}C{} {} {} {} {} {}"/>').format(
                kind, *(f"{n:.1f}" for n in (a, y, a, middle, b, middle, b, end))
            )


def _drawn(box: _Box, x: float, y: float) -> Markup:
    radius = HIGH / 2 if box.kind in ("si", "below") else 7
    shape = Markup('<rect class="box {}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>').format(
        box.kind, f"{x:.1f}", y, WIDE, HIGH, radius
    )
    middle = f"{x + WIDE / 2:.1f}"
    first = y + (22 if box.small else HIGH / 2 + 5)
    said = Markup('<text class="name" x="{}" y="{}">{}</text>').format(
        middle, first, _short(box.words, LETTERS)
    )
    if box.small:
        said += Markup('<text class="small" x="{}" y="{}">{}</text>').format(
            middle, y + 39, _short(box.small, SMALL)
        )
    if box.kind in ("broken", "node doubtful"):
        said += Markup('<path class="stop" d="M{} {}m-5 -5l10 10m0 -10l-10 10"/>').format(
            f"{x + WIDE - 2:.1f}", y + 2
        )
    return shape + said


def _short(words: str, room: int) -> str:
    """Return the words as far as the box is wide; Chinese takes twice the room."""
    kept = ""
    for letter in words:
        room -= 2 if ord(letter) > 0x2E80 else 1
        if room < 0:
            return f"{kept.rstrip()}…"
        kept += letter
    return kept
