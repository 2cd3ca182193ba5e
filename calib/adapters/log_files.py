"""The log as files on a disk, and the anchor that no restored database can turn back.

Knows nothing of trees and signatures.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calib.adapters.files import make_folder, sync_folder, write_durably
from instruments.errors import Conflict, Unavailable

CHECKPOINT = "checkpoint"


class LogFolder:
    """Files under `root` as they are served: ``checkpoint`` and ``tile/...``."""

    def __init__(self, root: Path) -> None:
        """Create the folder where it is missing."""
        self.root = root
        make_folder(root)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, None when there is none."""
        place = self._place(path)
        try:
            return place.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as problem:
            raise _unavailable(problem) from problem

    def write(self, path: str, content: bytes) -> None:
        """Put a file there, synced. Whoever calls knows that no signed head covers another content.

        Raises
        ------
        Unavailable
            The disk did not take it.
        """
        place = self._place(path)
        try:
            if self.read(path) != content:
                make_folder(place.parent)
                write_durably(place, content)
            sync_folder(place.parent)
        except OSError as problem:
            raise _unavailable(problem) from problem

    def publish(self, checkpoint: bytes) -> None:
        """Put the newest head of the log in the place of the one before."""
        try:
            write_durably(self.root / CHECKPOINT, checkpoint)
            sync_folder(self.root)
        except OSError as problem:
            raise _unavailable(problem) from problem

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let whoever publishes take turns, over processes."""
        with (self.root / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _place(self, path: str) -> Path:
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise ValueError(f"{path!r} is no file of the log")
        return place


class FileAnchor:
    """One file, best on another disk or machine: the last head that was signed."""

    def __init__(self, path: Path) -> None:
        """Create the folder of the file where it is missing."""
        self._path = path
        make_folder(path.parent)

    def load(self) -> bytes | None:
        """Return what is anchored, None when nothing ever was."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise _unavailable(problem) from problem

    def replace(self, old: bytes | None, new: bytes) -> None:
        """Anchor `new` when `old` is still what is anchored; synced before it returns.

        Raises
        ------
        Conflict
            Somebody else anchored another head meanwhile.
        """
        try:
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self.load() != old:
                    raise Conflict(
                        "log-anchor-moved",
                        "Another head of the log was anchored meanwhile. Two programs publish the "
                        "same log: stop one of them.",
                    )
                write_durably(self._path, new)
                sync_folder(self._path.parent)
        except OSError as problem:
            raise _unavailable(problem) from problem


def _unavailable(problem: OSError) -> Unavailable:
    return Unavailable(
        "log-unavailable",
        "The files of the log cannot be read or written ({problem}). Mend the disk, then try "
        "again; nothing was lost.",
        facts={"problem": problem.strerror or os.strerror(problem.errno or 0)},
    )
