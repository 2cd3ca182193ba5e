"""``calib bench``: how long the works take on this machine, one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from api.commands.terminal import AsJSON, tell
from api.usage import WrongUsage

Names = Annotated[
    list[str] | None, typer.Argument(help="Works to do, such as W1 W3; all by default.")
]
Rounds = Annotated[int, typer.Option(min=1, max=99, help="Rounds; the median counts.")]


def bench(works: Names = None, rounds: Rounds = 3, as_json: AsJSON = False) -> None:
    """Measure the engine: processor seconds (median of rounds), memory, items per second.

    A time is worth something only beside another one measured on the same machine.
    """
    from calib.bench.measure import measure
    from calib.bench.works import GROUPS, works_of

    wanted = [name.upper() for name in works or GROUPS]
    if unknown := [name for name in wanted if name not in GROUPS]:
        raise WrongUsage(
            "unknown-work",
            "There is no work {work}. Known are {known}.",
            facts={"work": unknown[0], "known": ", ".join(GROUPS)},
        )
    if not as_json:
        typer.echo(_HEAD)
    for work in works_of(wanted):
        tell("Measuring {work} ...", work=work.title)
        seen = measure(work, rounds)
        if as_json:
            typer.echo(json.dumps(asdict(seen)))
        else:
            typer.echo(
                _LINE.format(
                    work.title, seen.size, _time(seen.seconds), f"{seen.per_second:,.0f}",
                    f"{seen.peak_bytes / 1e6:.1f}", f"{seen.deviation:.0e}",
                )
            )  # fmt: skip


_LINE = "{:44} {:>8} {:>10} {:>14} {:>8} {:>8}"
_HEAD = _LINE.format("work", "size", "time", "per second", "MB", "off by")


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
