"""Make the directories of vectors anew: ``python -m tests.vectors.make`` from the root.

Everything is made from fixed seeds, so that the same files come out every time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.vectors.alone import alone
from tests.vectors.failing import failing_files
from tests.vectors.failing_codes import failing_codes
from tests.vectors.parts import Vector
from tests.vectors.passing import passing

FOLDER = Path(__file__).parent


def every() -> Iterator[tuple[str, Vector]]:
    """Yield every vector with the folder it belongs to."""
    for vector in (*passing(), *failing_files(), *failing_codes(), *alone()):
        yield ("pass" if vector.verdict == "valid" else "fail"), vector


def contents() -> dict[str, bytes]:
    """Return every file of every vector by its path."""
    found: dict[str, bytes] = {}
    for folder, vector in every():
        files = vector.files()
        files["expected.json"] = json.dumps(vector.expected(), indent=2).encode() + b"\n"
        for name, content in files.items():
            path = f"{folder}/{vector.name}/{name}"
            if path in found:
                raise ValueError(f"two vectors are called {vector.name}")
            found[path] = content
    return found


def main() -> None:
    """Write the directories."""
    for folder in ("pass", "fail"):
        shutil.rmtree(FOLDER / folder, ignore_errors=True)
    for path, content in contents().items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_bytes(content)


if __name__ == "__main__":
    main()
