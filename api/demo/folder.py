"""The folder a demo world lives in: built once, whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.bootstrap import Clock, system_clock, wire
from api.demo.world import MANIFEST
from api.settings import Settings
from instruments.errors import Refused


def settings_of(folder: Path, port: int, host: str = "127.0.0.1") -> Settings:
    """Return the settings of a demo world: everything in one folder, mails as files."""
    return Settings(
        data=str(folder),
        public_url=f"http://{host}:{port}",
        passphrase_file=str(folder / "keys" / "passphrase"),
    )


def prepare(
    folder: Path,
    port: int,
    *,
    fresh: bool = False,
    dcc_example: Path | None = None,
    clock: Clock = system_clock,
    told: Callable[[str, float], None] = lambda _what, _part: None,
) -> dict[str, Any]:
    """Return the manifest of the world in `folder`, building it first where there is none.

    Raises Refused when the folder holds something else.
    """
    if folder.exists() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
        raise Refused(
            "demo-folder-taken",
            "The folder {folder} holds something that is no demo world. Name an empty or a new "
            "folder with --folder.",
            facts={"folder": str(folder)},
        )
    if folder.exists() and not fresh:
        found = _manifest(folder)
        if found is not None:
            return found
    from api.demo.build import build  # heavy, and not needed to serve a world that stands

    # built beside and moved in one step: a build that is stopped leaves no half of a world
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    _draw_passphrase(building / "keys")
    wired = wire(settings_of(building, port), clock=clock, synced=False)
    try:
        build(wired, dcc_example, told)
    finally:
        wired.engine.dispose()
    for made in (building / "calib.db", building):
        _sync(made)
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    _sync(folder.parent)
    manifest = _manifest(folder)
    assert manifest is not None  # noqa: S101 -- just built
    return manifest


def _draw_passphrase(folder: Path) -> None:
    """Write a passphrase for the keys of the world; it lies beside them, as only a demo may."""
    folder.mkdir(mode=0o700, parents=True)
    handle = os.open(folder / "passphrase", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w") as file:  # noqa: PTH123 -- made with its mode, not changed to it
        file.write(f"{secrets.token_urlsafe(24)}\n")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return None
    folder = folder.resolve()
    return manifest | {
        "folder": str(folder),
        "database": settings_of(folder, 0).url,
        "certificates": [
            {
                "number": c["number"],
                "token": c["token"],
                "pdf": str(folder / "certificates" / c["pdf"]),
                "xml": str(folder / "certificates" / c["xml"]),
            }
            for c in manifest["certificates"]
        ],
    }
