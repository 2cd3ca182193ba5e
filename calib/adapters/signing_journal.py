"""The journal of a signer: one line for each use, chained by digests, appended and synced.

Several processes may sign for one installation; they take turns at the file. A line that was cut
short by a crash was never answered and is taken away; any other change of an earlier line, and any
line that is gone from the middle, is found before the next signature.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from calib.adapters.files import sync_folder
from instruments.canonical import canonical_json
from instruments.errors import Refused, Unavailable

BEGINNING = "0" * 64


class FileJournal:
    """A journal in one file; what was read before is not read again unless the file shrank."""

    def __init__(self, path: Path) -> None:
        """Keep where the journal is; the file is made with the first line."""
        self._path = path
        self._lines: list[Mapping[str, Any]] = []
        self._head = BEGINNING
        self._size = 0
        self._handle: int | None = None
        self._turn = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Let users take turns; give every line so far.

        Raises
        ------
        Refused
            A line was changed or removed.
        Unavailable
            The disk failed.
        """
        with self._turn:
            self._open()
            try:
                self._catch_up()
                yield self._lines
            finally:
                os.close(self._handle or 0)
                self._handle = None

    def append(self, line: Mapping[str, Any]) -> None:
        """Put a line at the end, synced; only while the journal is held.

        Raises
        ------
        Unavailable
            The disk did not take it.
        """
        if self._handle is None:
            raise RuntimeError("a journal is written while it is held")
        whole = {**line, "place": len(self._lines), "previous": self._head}
        written = canonical_json(whole) + b"\n"
        try:
            os.pwrite(self._handle, written, self._size)
            os.fsync(self._handle)
        except OSError as problem:
            raise _failed(self._path, problem) from problem
        self._take(written)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            is_new = not self._path.exists()
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self._path, flags, 0o600)
            if is_new:
                sync_folder(self._path.parent)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
        except OSError as problem:
            raise _failed(self._path, problem) from problem

    def _catch_up(self) -> None:
        """Read what others appended; a file that is shorter than before is read anew and told."""
        handle = self._handle or 0
        size = os.fstat(handle).st_size
        if size < self._size:
            raise _changed(self._path, len(self._lines))
        content = os.pread(handle, size - self._size, self._size)
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(handle, self._size + len(whole))
        for written in whole.splitlines(keepends=True):
            self._take(written)

    def _take(self, written: bytes) -> None:
        """Take a line in when it follows from the one before."""
        try:
            line = json.loads(written)
            is_next = (line["place"], line["previous"]) == (len(self._lines), self._head)
        except (ValueError, KeyError, TypeError):
            is_next = False
        if not is_next:
            raise _changed(self._path, len(self._lines))
        self._lines.append(line)
        self._head = hashlib.sha256(written).hexdigest()
        self._size += len(written)


def _changed(path: Path, place: int) -> Refused:
    return Refused(
        "journal-changed",
        "Line {place} of the signer's journal {path} is not what was written. Nothing is signed "
        "until two persons have compared it with a backup.",
        facts={"path": str(path), "place": place},
    )


def _failed(path: Path, problem: OSError) -> Unavailable:
    return Unavailable(
        "journal-unavailable",
        "The signer's journal {path} could not be written ({problem}). Nothing is signed; free "
        "space or mend the disk.",
        facts={"path": str(path), "problem": problem.strerror or str(problem)},
    )
