"""Bring to its end what a library wrote as a coroutine, whoever waits around it.

A loop that is running already (a browser's, an application's) takes no second one beside it: there
the work is done in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Done = TypeVar("Done")


def finished(work: Callable[[], Coroutine[Any, Any, Done]], *, asks: bool) -> Done:
    """Return what the work gives; `asks`: it asks others over the network, and may be interrupted.

    Raises whatever the work raises.
    """
    run = _interruptible if asks else _at_once
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run(work)
    with ThreadPoolExecutor(max_workers=1) as aside:
        return aside.submit(run, work).result()


def _interruptible(work: Callable[[], Coroutine[Any, Any, Done]]) -> Done:
    return asyncio.run(work())


def _at_once(work: Callable[[], Coroutine[Any, Any, Done]]) -> Done:
    # what asks nobody cannot be interrupted either: asyncio.run() would prepare for that first
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(work())
