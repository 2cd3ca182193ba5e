"""Our works beside the same works of other programs, timed in turns in one run.

Run ``python tests/bench/compare.py [W1 ...]``: it makes an environment of its own under
``.bench/`` with the other programs, then prints a table of ratios with the targets. It is no part
of the tests; the other programs are used for their time alone, never as a reference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".bench"
PEERS = [
    "GTC", "uncertainties", "metrolopy", "suncal", "scipy", "lmfit", "odrpack", "weasyprint",
    "--editable", str(ROOT),
]  # fmt: skip
INSIDE = "CALIB_BENCH_INSIDE"


@dataclass(frozen=True, slots=True)
class Race:
    """One of our works against one peer; the peer does `share` of it."""

    work: str
    peer: str
    prepare: Callable[[], Callable[[], Any]]
    share: float
    must: float
    target: float


def races() -> list[Race]:
    """Give all comparisons with their targets."""
    from calib.bench import budgets
    from tests.bench import peers

    def of(model: budgets.Model) -> tuple[Any, Any, Any]:
        return model.inputs, model.names, model.text

    a, b, fleet = of(budgets.A), of(budgets.B), 1 / budgets.FLEET
    items = 20 / 100_000
    return [
        Race("W1 model A, one", "GTC", partial(peers.gtc_budget, *a), 1, 4, 10),
        Race("W1 model B, one", "GTC", partial(peers.gtc_budget, *b), 1, 4, 10),
        Race("W1 model A, one", "uncertainties", partial(peers.uncertainties_budget, *a), 1, 4, 10),
        Race("W1 model A, one", "metrolopy", partial(peers.metrolopy_budget, *a), 1, 4, 10),
        Race("W1 model A, one", "suncal", partial(peers.suncal_budget, *a), 1, 4, 10),
        Race("W1 model A, fleet", "GTC", partial(peers.gtc_budget, *a), fleet, 300, 1500),
        Race("W1 model B, fleet", "GTC", partial(peers.gtc_budget, *b), fleet, 300, 1500),
        Race("W2 model A, 10^6 trials", "metrolopy",
             partial(peers.metrolopy_trials, *a, 1_000_000), 1, 1.3, 2),
        Race("W2 model A, 10^6 trials", "suncal",
             partial(peers.suncal_trials, *a, 1_000_000), 1, 15, 25),
        Race("W2 model B, 10^6 trials", "metrolopy",
             partial(peers.metrolopy_trials, *b, 1_000_000), 1, 1.3, 2),
        Race("W2 model A, fleet of 10^5 trials", "metrolopy",
             partial(peers.metrolopy_trials, *a, 100_000), 1 / 20, 1.5, 2),
        Race("W2 model A, fleet, exact linear", "metrolopy",
             partial(peers.metrolopy_trials, *a, 100_000), fleet, 200, 700),
        Race("W3 York line, n = 10", "suncal", partial(peers.suncal_york, 10), 1, 1, 1),
        Race("W3 York line, n = 10", "GTC", partial(peers.gtc_york, 10), 1, 10, 50),
        Race("W3 York line, n = 10", "odrpack", partial(peers.odrpack_line, 10), 1, 1, 2),
        Race("W3 York lines, n = 10", "suncal", partial(peers.suncal_york, 10), 1e-5, 50, 200),
        Race("W3 Sakuma-Hattori, fleet", "scipy", peers.scipy_sakuma_hattori, 1e-5, 15, 50),
        Race("W3 Sakuma-Hattori, fleet", "lmfit", peers.lmfit_sakuma_hattori, 1e-5, 150, 500),
        Race("W4 drift of a fleet", "numpy.polyfit",
             partial(peers.polyfit_drift, 20), items, 100, 400),
        Race("W4 drift of a fleet", "suncal", partial(peers.suncal_drift, 20), items, 2000, 8000),
        Race("W5 pages", "weasyprint", peers.weasyprint_pages, 1, 4, 8),
        Race("W6 both risks, batch", "suncal", peers.suncal_simpson, 1e-4, 200, 2000),
        Race("W6 both risks, batch", "scipy", peers.scipy_risk, 1e-4, 10, 100),
    ]  # fmt: skip


def table(groups: list[str]) -> None:
    """Time our works and the peers in turns and print the ratios."""
    from calib.bench.measure import interleave
    from calib.bench.works import WORKS

    ours = {work.title: work for work in WORKS}
    line = "{:36} {:14} {:>10} {:>10} {:>9} {:>7} {:>7}  {}"
    say(line.format("work", "peer", "ours s", "peer s", "ratio", "must", "target", ""))
    for race in races():
        if groups and race.work.split()[0] not in groups:
            continue
        mine, theirs = interleave([ours[race.work].prepare(), race.prepare()])
        ratio = theirs / race.share / mine
        word = (
            "target met" if ratio >= race.target else "must met" if ratio >= race.must else "below"
        )
        figures = (f"{mine:.3g}", f"{theirs / race.share:.3g}", f"{ratio:,.4g}")
        say(line.format(race.work, race.peer, *figures, race.must, race.target, word))


def say(line: str) -> None:
    sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()


def environment() -> Path:
    """Make the environment with the other programs, once."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


if __name__ == "__main__":
    if os.environ.get(INSIDE):
        table([name.upper() for name in sys.argv[1:]])
    else:
        found = {**os.environ, INSIDE: "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        found |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        command = [str(environment()), str(Path(__file__)), *sys.argv[1:]]
        sys.exit(subprocess.run(command, env=found, check=False).returncode)
