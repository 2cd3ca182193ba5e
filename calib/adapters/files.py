"""A content-addressed file store on disk: written once, synced, checked at every reading.

A file is written beside its place, synced, renamed and its folder synced, so that after a power cut
it is either there whole or not there; writing it again is harmless. Knows nothing of certificates.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from instruments.errors import Unavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")


class DirectoryStore:
    """Files under `root`, named by their SHA-256, 256 folders wide."""

    def __init__(self, root: Path) -> None:
        """Create the folder where it is missing."""
        self._root = root
        make_folder(root)

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their SHA-256.

        Raises
        ------
        Unavailable
            The disk did not take them.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        place = self._place(sha256)
        try:
            make_folder(place.parent)
            if not self._holds(place, content):
                write_durably(place, content)
            # whoever wrote the file first may have been killed before syncing its folder
            sync_folder(place.parent)
        except OSError as problem:
            raise Unavailable(
                "store-unavailable",
                "The file store did not take a file of {size} bytes ({problem}). "
                "Free space or mend the disk, then try again; nothing was lost.",
                facts={"size": len(content), "problem": problem.strerror or str(problem)},
            ) from problem
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the bytes.

        Raises
        ------
        Unavailable
            They are missing or no longer what was stored.
        """
        try:
            content = self._place(sha256).read_bytes()
        except FileNotFoundError as problem:
            raise Unavailable(
                "file-missing",
                "The file {sha256} is missing from the store. Restore it from a backup.",
                facts={"sha256": sha256},
            ) from problem
        except OSError as problem:
            raise Unavailable(
                "store-unavailable",
                "The file store did not give the file {sha256} ({problem}). Try again.",
                facts={"sha256": sha256, "problem": problem.strerror or str(problem)},
            ) from problem
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Unavailable(
                "file-damaged",
                "The file {sha256} is no longer what was stored: its bytes changed. "
                "It is not shown; restore it from a backup.",
                facts={"sha256": sha256},
            )
        return content

    def has(self, sha256: str) -> bool:
        """Answer whether the bytes are stored."""
        return self._place(sha256).is_file()

    def _place(self, sha256: str) -> Path:
        if _SHA256.fullmatch(sha256) is None:
            raise ValueError(f"{sha256!r} is no SHA-256")
        return self._root / sha256[:2] / sha256[2:]

    @staticmethod
    def _holds(place: Path, content: bytes) -> bool:
        """Answer whether the file stands there undamaged; a damaged one is written anew."""
        try:
            return place.read_bytes() == content
        except FileNotFoundError:
            return False


def make_folder(folder: Path) -> None:
    """Create the folder; a folder made now is itself only safe once its parent is synced."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.parent)


def write_durably(place: Path, content: bytes) -> None:
    """Put the whole content there at once, synced; the folder's entry is still to be synced."""
    draft = place.with_name(f".{place.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in the folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
