"""Work on the parts of a long row in several processes: answers in order, bounded memory.

Processes are started afresh, so a program that holds threads or connections may use this. Knows
nothing of what the parts are.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TypeVar

from instruments.errors import Unavailable

AHEAD = 2
"""Parts per process that wait or are answered already while an earlier one is still worked on."""

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def work_on_parts(
    work: Callable[[Part], Answer], parts: Iterable[Part], jobs: int
) -> Iterator[tuple[Part, Answer]]:
    """Yield every part with its answer, in order; a single part needs no further process.

    Raises
    ------
    Unavailable
        A process was ended from outside.
    """
    waiting = iter(parts)
    first = list(islice(waiting, 2))
    if jobs == 1 or len(first) < 2:
        for part in chain(first, waiting):
            yield part, work(part)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_collect_seldom) as pool:
        under_way: deque[tuple[Part, Future[Answer]]] = deque()
        try:
            for part in chain(first, waiting):
                under_way.append((part, pool.submit(work, part)))
                if len(under_way) > AHEAD * jobs:
                    yield _done(under_way)
            while under_way:
                yield _done(under_way)
        except BrokenProcessPool as fault:
            raise Unavailable(
                "process-lost",
                "A process of the evaluation was ended from outside, perhaps for want of memory."
                " Try again with fewer --jobs.",
            ) from fault
        finally:
            pool.shutdown(cancel_futures=True)


def _collect_seldom() -> None:
    """Look less often for garbage in cycles: values that are only written leave none."""
    gc.set_threshold(100_000, 50, 50)


def _done(under_way: deque[tuple[Part, Future[Answer]]]) -> tuple[Part, Answer]:
    part, future = under_way.popleft()
    return part, future.result()
