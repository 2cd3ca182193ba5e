"""Run the issuing program beside the tests, and let it be killed or starved there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.sealed import Sealed

ROOT = Path(__file__).parents[2]
PATIENCE = 3000


def run_issuer(lab: Sealed, url: str, records: Sequence[Any], **task: Any) -> Any:
    """Run the issuing program over the records and return what it said."""
    given = {
        "url": url,
        "folder": str(lab.folder),
        "acks": str(lab.folder / "acks"),
        "lab_id": lab.bench.lab_id,
        "person_id": lab.bench.signatory.id,
        "records": list(records[:-1]),
        "spare": records[-1],  # for the rehearsal, which is never committed
        **task,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.issuer"],
        cwd=ROOT,
        input=json.dumps(given),
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    if "strace may not trace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout or "0")


def need_strace() -> None:
    """Skip where there is no strace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
