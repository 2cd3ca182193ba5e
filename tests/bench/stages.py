"""Where the time of one certificate goes: ``python -m tests.bench.stages [count]``.

Certificates of a real installation with keys, log and database, one after the other in one process;
processor milliseconds per certificate of each stage, warm, without the stages inside it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from calib.adapters import files, sealing
from calib.certificates import pdf, pdf_seal, signing, xml_seal
from calib.services import issue, publishing, signing_rule
from tests.support import issuing
from tests.support.sealed import Sealed, a_sealed_lab

STAGES: tuple[tuple[str, Any, str], ...] = (
    ("freeze and reserve", issue, "_reserve"),
    ("lint", signing, "lint"),
    ("DCC: write", signing, "write_dcc"),
    ("DCC: compare", signing, "compare"),
    ("XAdES", xml_seal, "seal_xml"),
    ("mark", sealing.KeySealer, "mark"),
    ("view of the pages", pdf, "view_of"),
    ("typst", pdf, "_compile"),
    ("reread", signing, "reread"),
    ("PAdES", pdf_seal, "seal_pdf"),
    ("rule of the signer", signing_rule.RuledSigner, "sign"),
    ("store", files.DirectoryStore, "put"),
    ("second transaction", issue, "_issue"),
    ("log, status list", publishing, "publish"),
)


class Stopwatch:
    """Counts the time of each stage without that of stages inside it."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self.spent: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def around(self, name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*args: Any, **more: Any) -> Any:
            self._inside.append(0.0)
            started = time.process_time()
            try:
                return inner(*args, **more)
            finally:
                taken = time.process_time() - started
                self.spent[name] += taken - self._inside.pop()
                if self._inside:
                    self._inside[-1] += taken

        return timed


def measure(lab: Sealed, count: int) -> list[dict[str, float]]:
    """Return milliseconds by stage of each certificate, after two that warm up."""
    ids = [issuing.authorised(lab.bench) for _ in range(count + 2)]
    watch = Stopwatch()
    for name, place, function in STAGES:
        setattr(place, function, watch.around(name, getattr(place, function)))
    found = []
    for id_ in ids:
        watch.spent.clear()
        started = time.process_time()
        lab.issue(id_)
        publishing.publish(lab.publisher, lab.clock)
        total = time.process_time() - started
        spent = {**watch.spent, "the rest": total - sum(watch.spent.values()), "whole": total}
        found.append({name: 1e3 * seconds for name, seconds in spent.items()})
    return found[2:]


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    with tempfile.TemporaryDirectory() as folder:
        lab = a_sealed_lab(Path(folder))
        seen = measure(lab, count)
        lab.bench.engine.dispose()
    for name in [*(name for name, *_ in STAGES), "the rest", "whole"]:
        middle = statistics.median(one.get(name, 0.0) for one in seen)
        sys.stdout.write(f"{name:22} {middle:8.1f} ms\n")


if __name__ == "__main__":
    main()
