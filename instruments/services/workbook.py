"""Read the first sheet of a workbook in a process of its own, with little memory and time.

Run as a script by `instruments.services.tables`: the workbook comes in on standard input, rows of
text go out as JSON on standard output. A hostile file costs this process, not the server. Knows
nothing of the project.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal

MEMORY = 2 * 1024**3
SECONDS = 30
MAX_COLUMNS = 200


def main() -> int:
    """Print ``{"rows": [[text, ...], ...]}`` or ``{"problem": code}``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    max_rows = int(sys.argv[1])
    answer: dict[str, object]
    try:
        answer = read(sys.stdin.buffer.read(), max_rows)
    except MemoryError:
        answer = {"problem": "too-large"}
    json.dump(answer, sys.stdout)
    return 0


def read(content: bytes, max_rows: int) -> dict[str, object]:
    """Return the rows of the first sheet as text, or the problem."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if not book.sheet_names:
            return {"problem": "unreadable"}
        sheet = book.get_sheet_by_index(0)
        if sheet.height > max_rows or sheet.width > MAX_COLUMNS:
            return {"problem": "too-large"}
        return {"rows": [[cell_text(cell) for cell in row] for row in sheet.to_python()]}
    except PasswordError:
        return {"problem": "locked"}
    except CalamineError:
        return {"problem": "unreadable"}


def cell_text(cell: object) -> str:
    """Return a cell as a person would type it; a number as its shortest decimal."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        # repr is the shortest text that gives the same number; no exponent for plain sizes
        shortest = Decimal(repr(cell))
        whole = cell.is_integer() and abs(cell) < 1e15
        return f"{int(cell)}" if whole else f"{shortest:f}"
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


if __name__ == "__main__":
    sys.exit(main())
