"""Read the first sheet of a workbook in a process of its own, with little memory and time.

Run as a script by `instruments.services.tables`: the workbook comes in on standard input, rows of
text go out as JSON on standard output. A hostile file costs this process, not the server. Knows
nothing of the project.
"""

from __future__ import annotations

import codecs
import io
import json
import resource
import sys
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal

MEMORY = 200 * 1024**2
"""Of addresses, for the program itself and a small sheet."""
SECONDS = 10
"""Of the processor; a sheet of 200 000 rows takes a third."""
MAX_COLUMNS = 200
MAX_STRINGS = 1_000_000
"""Different texts of a workbook."""
MAX_PART = 48 * 1024**2
"""Of a part without rows: what holds the texts grows fourfold when it is read."""
_PIECE = 1024**2


def main() -> int:
    """Print ``{"rows": [[text, ...], ...]}`` or ``{"problem": code}``."""
    max_rows, memory = int(sys.argv[1]), int(sys.argv[2])
    be_small(memory)
    answer: dict[str, object]
    try:
        be_shut()
        answer = read(sys.stdin.buffer.read(), max_rows)
    except MemoryError:
        answer = {"problem": "too-large"}
    json.dump(answer, sys.stdout)
    return 0


def be_small(memory: int = MEMORY) -> None:
    """Take little memory and time, and open few files."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))


def be_shut() -> None:
    """Open no file, reach no network and start no program from here on."""
    import python_calamine  # noqa: F401 -- before the door is shut: it is read from files

    codecs.lookup("cp437")  # names in an archive: read from a file as well

    sys.addaudithook(_refuse)


_FORBIDDEN = ("open", "socket.", "subprocess.", "os.exec", "os.fork", "os.system", "os.posix_spawn")


def _refuse(event: str, _of: object) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event}: a stranger's file reaches nothing from here")


def read(content: bytes, max_rows: int) -> dict[str, object]:
    """Return the rows of the first sheet as text, or the problem."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    problem = too_heavy(content, max_rows)
    if problem:
        return {"problem": problem}
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


def too_heavy(content: bytes, max_rows: int) -> str:
    """Return what stops a workbook before its cells are kept in memory; empty: nothing.

    Marks are counted as they unfold, piece by piece: a sheet of a hundred million rows costs the
    memory of one piece, and no more time than it takes to reach the limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            for entry in book.infolist():
                if _is_heavy(book, entry, max_rows):
                    return "too-large"
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return "unreadable"
    return ""


def _is_heavy(book: zipfile.ZipFile, entry: zipfile.ZipInfo, max_rows: int) -> bool:
    rows = strings = size = 0
    with book.open(entry) as part:
        while piece := part.read(_PIECE):
            size += len(piece)
            rows += piece.count(b"<row") + piece.count(b":row")
            strings += piece.count(b"<si>") + piece.count(b":si>")
            if rows > max_rows or strings > MAX_STRINGS or (size > MAX_PART and not rows):
                return True
    return False


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
