"""How long a work takes: processor seconds of this process, median of several rounds.

A figure is only worth something beside another measured in the same run; `tests/bench` does
that with other programs. This module must not know which works there are.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

ROUNDS = 3
LEAST_SECONDS = 0.05
"""A round repeats a short work until it has taken this long."""

LONG_SECONDS = 5.0
"""A work that takes longer is timed once: so long a time is steady by itself."""

Run: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work with a size and a known answer.

    Attributes
    ----------
    group, name : str
        As in ``W1`` and ``model A, one item``.
    size : int
        Items done by one run.
    prepare : callable
        Builds what is not part of the work and gives the function to be timed.
    deviation : callable
        From the result of a run: its deviation from the known answer, relative to it.
    part : callable, optional
        Gives a shorter run that takes as much memory, where the work is long and streams.
    """

    group: str
    name: str
    size: int
    prepare: Callable[[], Run]
    deviation: Callable[[object], float]
    part: Callable[[], Run] | None = None

    @property
    def title(self) -> str:
        """Group and name."""
        return f"{self.group} {self.name}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen of one work.

    Attributes
    ----------
    work, name : str
        Group and name of the work.
    size : int
        Items done by one run.
    seconds : float
        Processor seconds of one run, median of the rounds.
    rounds : int
        How many rounds.
    per_second : float
        Items per processor second.
    peak_bytes : int
        Most memory taken at one time by one run, in Python and NumPy.
    deviation : float
        From the known answer, relative.
    """

    work: str
    name: str
    size: int
    seconds: float
    rounds: int
    per_second: float
    peak_bytes: int
    deviation: float


def repeats(run: Run) -> int:
    """How many runs one round needs so that the clock can tell."""
    count = 1
    while True:
        taken = clock(run, count)
        if taken >= LEAST_SECONDS:
            return count
        count = max(2 * count, min(100 * count, int(count * LEAST_SECONDS / max(taken, 1e-9))))


def clock(run: Run, count: int) -> float:
    """Processor seconds of `count` runs."""
    started = time.process_time()
    for _ in range(count):
        run()
    return time.process_time() - started


def interleave(runs: Sequence[Run], rounds: int = ROUNDS) -> list[float]:
    """Time several runs in turns, so that a disturbance meets all; median seconds of each."""
    counts = [repeats(run) for run in runs]
    seen: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for times, run, count in zip(seen, runs, counts, strict=True):
            times.append(clock(run, count) / count)
    return [statistics.median(times) for times in seen]


def measure(work: Work, rounds: int = ROUNDS) -> Measured:
    """Do one work: its answer, its memory, then its time."""
    run = work.prepare()
    started = time.process_time()
    found = run()
    seconds = time.process_time() - started
    held = run if work.part is None else work.part()
    tracemalloc.start()
    try:
        held()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if seconds > LONG_SECONDS:
        rounds = 1
    else:
        seconds = interleave([run], rounds)[0]
    return Measured(
        work.group, work.name, work.size, seconds, rounds, work.size / seconds, peak,
        work.deviation(found),
    )  # fmt: skip
