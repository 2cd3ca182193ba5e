"""Work W8: a fleet of calibrations over all types, from stored inputs to stored results.

The records are simulated from a fixed seed, as many of each type, and kept packed. This module
must not know how time is measured.
"""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from functools import cache
from typing import Any, BinaryIO, NamedTuple, cast

FLEET = 10_000
SEED = 20200414
EVERY = 400
"""One record in so many is compared with what it gives alone."""


class Fleet(NamedTuple):
    """Frozen inputs, one per line and packed, and some of them by their line."""

    packed: bytes
    some: dict[int, bytes]


class Told(NamedTuple):
    """How many records ended how, and the answers to some of them by their line."""

    verdicts: Counter[str]
    some: dict[int, bytes]


@cache
def fleet(size: int = FLEET) -> Fleet:
    """Return a fleet, type after type."""
    from calib.simulation.model import Model, prepare
    from calib.simulation.simulate import simulate
    from instruments.catalogue.loader import load_catalogue

    types = load_catalogue().list()
    written, some, line = io.BytesIO(), {}, 0
    with gzip.GzipFile(fileobj=written, mode="wb", compresslevel=1, mtime=0) as file:
        for place, type_ in enumerate(types):
            numbers = range(len(range(place, size, len(types))))
            ready = prepare(Model(type_, type_.kinds[0], pieces=3))
            for one in simulate(ready, SEED, numbers) if numbers else ():
                content = one.record.canonical()
                file.write(content + b"\n")
                if line % EVERY == 0:
                    some[line] = content
                line += 1
    return Fleet(written.getvalue(), some)


def evaluate_fleet(size: int = FLEET) -> Told:
    """Evaluate all as `calib evaluate` does, in this process alone."""
    from calib.evaluation.lines import answer_lines, parts_of, read_lines

    verdicts: Counter[str] = Counter()
    some, line = {}, 0
    with gzip.GzipFile(fileobj=io.BytesIO(fleet(size).packed)) as file:
        for part in parts_of(read_lines("fleet", cast("BinaryIO", file))):
            answered = answer_lines(part)
            verdicts += answered.verdicts
            for content in answered.content.splitlines():
                if line % EVERY == 0:
                    some[line] = content
                line += 1
    return Told(verdicts, some)


def otherwise(told: Any, size: int = FLEET) -> float:
    """Return the share of the compared records that were told something else than alone."""
    alone = {line: _alone(content) for line, content in fleet(size).some.items()}
    if told.verdicts.total() != size or told.some.keys() != alone.keys():
        return 1.0
    return sum(not _same(told.some[line], one) for line, one in alone.items()) / len(alone)


def _alone(content: bytes) -> bytes:
    """Return the result of one record, or the code of its refusal."""
    from calib.evaluation.frozen import compute_frozen
    from instruments.canonical import canonical_json
    from instruments.errors import Refused

    try:
        return canonical_json(compute_frozen(json.loads(content)))
    except Refused as refusal:
        return refusal.code.encode()


def _same(told: bytes, alone: bytes) -> bool:
    answer: dict[str, Any] = json.loads(told)
    return told == alone or answer.get("error", {}).get("code") == alone.decode()
