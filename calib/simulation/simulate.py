"""Raw readings as an instrument of a type would give them, from a seed: frozen inputs.

The same seed gives the same readings on every platform, in whatever number they are made. Every
record says that it is simulated. Knows no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calib.evaluation.inputs import (
    CalibrationInput,
    ConditionInput,
    DecisionRule,
    ExaminationInput,
    PointInput,
    ReadingInput,
)
from calib.simulation.blunders import Blunder, with_blunders
from calib.simulation.chance import Chance
from calib.simulation.character import Character, Grade, draw_character, draw_wishes
from calib.simulation.design import Design
from calib.simulation.model import CONDITION_STEPS, Ready, given_others
from calib.simulation.series import Rows, draw_readings, on_display
from calib.simulation.usual import surroundings
from instruments.procedure import Stage

FloatArray = NDArray[np.float64]
_PASSED = 0.97
"""Share of examinations that are passed."""
_FAULT = 30
"""How much more a fault counts than what else is wished."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of chance is not left to chance."""

    grade: Grade | None = None
    blunders: float = 0.0
    """Share of readings written wrongly."""
    adjusted: bool = False
    """The item is adjusted and measured again, where its type can be."""
    all_passed: bool = False
    """Every examination is passed."""
    serial: str = ""
    rule: DecisionRule | None = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated record, and what only the simulator knows of it."""

    record: CalibrationInput
    character: tuple[Character, ...]
    """Of each piece."""
    blunders: tuple[Blunder, ...] = ()


def simulate(
    ready: Ready, seed: int, numbers: Sequence[int], wanted: Wanted | None = None
) -> Iterator[Simulated]:
    """Yield the record of each number of a seed."""
    lots = [_Lot(ready, seed, number, wanted or Wanted()) for number in numbers]
    drawn = [_points(design, lots) for design in ready.designs]
    for i, lot in enumerate(lots):
        yield lot.record([point for of_design in drawn for point in of_design[i]])


class _Lot:
    """One record while it is drawn."""

    def __init__(self, ready: Ready, seed: int, number: int, wanted: Wanted) -> None:
        definition = ready.model.definition
        self.ready, self.wanted = ready, wanted
        self.words = (seed, number, definition.id)
        self.serial = wanted.serial or f"SIM-{seed}-{number:05d}"
        self.pieces = tuple(range(1, ready.model.pieces + 1)) if definition.batch else (0,)
        limited = [w.measurand for d in ready.designs for w in d.wishes if w.is_limited]
        self.characters = {
            piece: draw_character(self.chance("character", piece), limited, wanted.grade)
            for piece in self.pieces
        }
        self.stages: tuple[Stage, ...] = ("as_found",)
        if wanted.adjusted and "as_left" in definition.stages:
            self.stages = ("as_found", "as_left")
        self.frame = replace(ready.frame, conditions=self._conditions())

    def chance(self, *words: object) -> Chance:
        """Open the stream of this record for one purpose."""
        return Chance(*self.words, *words)

    def wishes(self, design: Design, stage: Stage, piece: int) -> FloatArray:
        """Return what is wished of the points of a design at one visit."""
        chance = self.chance(design.group.root.id, "wishes", stage, piece)
        adjusted = stage == "as_left"
        character = Character("good", "") if adjusted else self.characters[piece]
        return draw_wishes(chance, character, design.wishes, adjusted=adjusted)

    def sizes(self, design: Design, piece: int) -> FloatArray:
        """Return what counts as a large difference in each wish; little where a fault is due."""
        faulty = self.characters[piece].faulty
        columns = [w.width / (_FAULT if w.measurand == faulty else 1) for w in design.wishes]
        return np.stack(columns, axis=1)

    def _conditions(self) -> tuple[ConditionInput, ...]:
        found: list[ConditionInput] = []
        for one in self.ready.frame.conditions:
            chance = self.chance("conditions", one.quantity)
            _, low, high = surroundings(self.ready.model.definition, one.quantity)
            start = chance.between(low + 0.2 * (high - low), high - 0.2 * (high - low))
            end = start + chance.between(-0.15, 0.15) * (high - low)
            first, last = on_display([[start, end]], CONDITION_STEPS[one.quantity])[0]
            found += [
                replace(one, value=first, when="start"), replace(one, value=last, when="end")
            ]  # fmt: skip
        return tuple(found)

    def record(self, points: Sequence[PointInput]) -> Simulated:
        """Return the whole record with its points."""
        definition, frame = self.ready.model.definition, self.frame
        pieces = tuple(map(str, self.pieces)) if definition.batch else ()
        minutes = definition.acclimatisation_minutes
        record = replace(
            frame,
            item=replace(frame.item, serial=self.serial, pieces=pieces),
            points=tuple(points),
            examinations=tuple(self._examinations()),
            decision_rule=self.wanted.rule or frame.decision_rule,
            acclimatisation_minutes=minutes + 5 * self.chance("rest").below(6) if minutes else None,
        )
        blunders: tuple[Blunder, ...] = ()
        if self.wanted.blunders:
            record, blunders = with_blunders(record, self.wanted.blunders, self.chance("blunders"))
        return Simulated(record, tuple(self.characters.values()), blunders)

    def _examinations(self) -> Iterator[ExaminationInput]:
        definition = self.ready.model.definition
        chance = self.chance("examinations")
        for one in definition.examinations:
            if chance.between(0, 1) < _PASSED or self.wanted.all_passed:
                yield ExaminationInput(one.id, passed=True)
            else:
                rejected = (1 + chance.below(len(self.pieces)),) if definition.batch else ()
                yield ExaminationInput(
                    one.id, passed=False, remark="模拟 simulated", rejected_pieces=rejected
                )


def _points(design: Design, lots: Sequence[_Lot]) -> list[list[PointInput]]:
    """Return the points of one design in every lot, drawn all at once."""
    visits = [(lot, stage, piece) for lot in lots for stage in lot.stages for piece in lot.pieces]
    root, count = design.group.root.id, len(design.points)
    given = [given_others(lot.frame, design.group) for lot, _, _ in visits]
    rows = Rows(
        np.tile(np.arange(count), len(visits)),
        np.concatenate([lot.wishes(design, stage, piece) for lot, stage, piece in visits]),
        np.concatenate([lot.sizes(design, piece) for lot, _, piece in visits]),
        [
            lot.chance(root, point, stage, piece)
            for lot, stage, piece in visits
            for point in design.points
        ],
        {name: np.repeat([one[name] for one in given], count) for name in given[0]},
    )
    texts = draw_readings(design, rows)
    found: dict[int, list[PointInput]] = {id(lot): [] for lot in lots}
    for v, (lot, stage, piece) in enumerate(visits):
        for i, point in enumerate(design.points):
            series = {name: rows_[v * count + i] for name, rows_ in texts.items()}
            found[id(lot)].append(_point(design, point, stage, piece, series))
    return [found[id(lot)] for lot in lots]


def _point(
    design: Design, point: str, stage: Stage, piece: int, texts: dict[str, list[str]]
) -> PointInput:
    root, standards = design.group.root.id, design.group.standards
    return PointInput(
        key=f"{root}/{stage}/{piece}/{point}",
        measurand=root,
        stage=stage,
        piece=piece,
        nominal=point.partition("#")[0],
        readings={
            name: tuple(
                ReadingInput(
                    f"{name}-{i}", text, standards[name].key if name in standards else None
                )
                for i, text in enumerate(series, start=1)
            )
            for name, series in texts.items()
        },
    )
