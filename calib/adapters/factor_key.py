"""The key that closes secrets of authenticators in the database: a file that no backup holds."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from calib.adapters.passphrase import read_private
from instruments.errors import Refused

NAME = "factor.key"
SIZE = 32


class FactorKey:
    """The key in a data folder, made when it is first needed to close something."""

    def __init__(self, folder: Path) -> None:
        """Name the data folder; nothing is read yet."""
        self._path = folder / NAME

    def __call__(self, *, make: bool) -> bytes | None:
        """Return the key, a new one where there is none and `make` says so.

        Raises
        ------
        Refused
            The file is open to others, or holds no key.
        """
        if not self._path.exists():
            if not make:
                return None
            self._make()
        key = read_private(self._path)
        if len(key) != SIZE:
            raise Refused(
                "factor-key-unfit",
                "The file {path} holds {got} bytes, expected {size}. Bring back the one that was "
                "kept; without it everybody sets up their authenticator anew.",
                facts={"path": str(self._path), "got": len(key), "size": SIZE},
            )
        return key

    def _make(self) -> None:
        """Write a new key whole and synced; of two at once the first one stays."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{NAME}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:  # noqa: PTH123 -- the handle that bears the mode
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, self._path)
        draft.unlink()
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
