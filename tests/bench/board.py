"""How long the board of a thousand instruments takes: ``python -m tests.bench.board [count]``.

A real application over SQLite answers somebody signed in; milliseconds of the clock and of the
processor for one page, the median of all, after a few that warm it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.big_board import a_big_board
from tests.support.web import Browser, a_sign_in, an_application

PATHS = ("/board", "/board?sort=due&page=3", "/board/wall", "/instruments")
WARM = 3


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(count: int) -> None:
    """Print the milliseconds of every page."""
    with tempfile.TemporaryDirectory() as folder:
        made = a_big_board(Path(folder))
        app = an_application(made, Path(folder) / "data")
        operator = Browser(app, a_sign_in(made, "venue_operator", customer_id=2))
        _say(f"{'page':26} {'clock':>8} {'processor':>10}  ms, median of {count}")
        for path in PATHS:
            clock, processor = [], []
            for _ in range(WARM + count):
                began, worked = time.perf_counter(), time.process_time()
                assert operator.client.get(path).status_code == 200
                clock.append(time.perf_counter() - began)
                processor.append(time.process_time() - worked)
            median = [1000 * statistics.median(times[WARM:]) for times in (clock, processor)]
            _say(f"{path:26} {median[0]:8.1f} {median[1]:10.1f}")
        made.engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
