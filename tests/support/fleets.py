"""Records of every type for tests of fleets: simulated, some of them broken on purpose."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from dataclasses import replace

from calib.evaluation.inputs import CalibrationInput
from calib.simulation.model import Model, prepare
from calib.simulation.simulate import Wanted, simulate
from instruments.catalogue.loader import load_catalogue
from instruments.errors import Refused


@functools.cache
def simulated(each: int = 2) -> tuple[CalibrationInput, ...]:
    """Return some records of every type of the catalogue, a few readings written wrongly."""
    found: list[CalibrationInput] = []
    for definition in load_catalogue().list():
        ready = prepare(Model(definition, definition.kinds[0], pieces=3))
        wanted = Wanted(blunders=0.01)
        found += [one.record for one in simulate(ready, 7, range(each), wanted)]
    return tuple(found)


def damaged(record: CalibrationInput, chance: random.Random) -> CalibrationInput:
    """Return the record with some readings that a person or an attacker might have entered."""
    points = list(record.points)
    for _ in range(chance.randint(0, 3)):
        i = chance.randrange(len(points))
        name = chance.choice(sorted(points[i].readings))
        series = list(points[i].readings[name])
        if not series:
            continue
        at = chance.randrange(len(series))
        old = series[at].value
        value = chance.choice(
            ["", "abc", "1\n2", "1e2", f"-{old}", f"{old}5", f"{old}00", "0", "99999", "9" * 25]
        )
        series[at] = replace(series[at], value=value)
        if chance.random() < 0.2:
            series[at] = replace(series[at], standard="nobody")
        if chance.random() < 0.2:
            series = series[:at]
        readings = {**points[i].readings, name: tuple(series)}
        points[i] = replace(points[i], readings=readings)
    if chance.random() < 0.2:
        del points[chance.randrange(len(points))]
    return replace(record, points=tuple(points))


def some(seed: int, count: int) -> list[CalibrationInput]:
    """Return records of any types in any order, whole and damaged."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    return [
        damaged(record, chance) if chance.random() < 0.5 else record
        for record in chance.choices(simulated(), k=count)
    ]


def told(answer: object) -> object:
    """Return all that an answer says."""
    if isinstance(answer, Refused):
        return answer.code, str(answer), answer.at, answer.clause, answer.findings
    return answer.canonical()


def one_by_one(records: list[CalibrationInput]) -> Iterator[object]:
    """Yield what each record alone is told."""
    from calib.evaluation.evaluate import evaluate

    for record in records:
        try:
            yield told(evaluate(record))
        except Refused as refusal:
            yield told(refusal)
