"""The passphrase of the keys: from a file or a systemd credential, never from a value.

It is never an argument and never an environment variable, where other programs could read it; a
file that others may read is refused.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from instruments.errors import Refused, Unavailable

CREDENTIAL = "calib-passphrase"
"""Name of the systemd credential."""
SHORTEST = 12


def read_passphrase(path: str, credentials: str) -> bytes:
    """Return the passphrase from the named file, or from the folder of credentials.

    Raises
    ------
    Unavailable
        Neither is named.
    Refused
        The file is missing, empty, or open to others.
    """
    if not path and not credentials:
        raise Unavailable(
            "keys-locked",
            "The keys are locked: nothing says where their passphrase is. Name a file that only "
            "this user may read in CALIB_PASSPHRASE_FILE, or start calib signer and type it.",
        )
    content = read_private(Path(path) if path else Path(credentials) / CREDENTIAL)
    return need_long(content.rstrip(b"\r\n"))


def need_long(passphrase: bytes) -> bytes:
    """Return the passphrase.

    Raises
    ------
    Refused
        It is too short to keep anything.
    """
    if len(passphrase) < SHORTEST:
        raise Refused(
            "passphrase-short",
            "The passphrase has {got} bytes, at least {least} are needed. Choose five words or "
            "more.",
            facts={"got": len(passphrase), "least": SHORTEST},
        )
    return passphrase


def read_private(path: Path) -> bytes:
    """Return the content of a file that only this user may read.

    Raises
    ------
    Refused
        It is missing, no plain file, or open to others.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as problem:
        raise _unfit(path, problem.strerror or str(problem)) from problem
    with open(handle, "rb") as file:  # noqa: PTH123 -- the handle that was looked at
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise _unfit(path, "it is no plain file")
        if stat.S_IMODE(about.st_mode) & 0o077:
            raise _unfit(path, f"its mode is {stat.S_IMODE(about.st_mode):o}: others may read it")
        if about.st_uid != os.geteuid():
            raise _unfit(path, "it belongs to another user")
        return file.read()


def _unfit(path: Path, reason: str) -> Refused:
    return Refused(
        "secret-file-unfit",
        "The file {path} is not used: {reason}. It must be a plain file of this user with mode "
        "600.",
        facts={"path": str(path), "reason": reason},
    )
