"""What ``calib doctor`` finds: settings, versions, database, fonts, disk, and what to do."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from sqlalchemy import select

from api.settings import Settings, describe
from calib.certificates.fonts import fonts_digest
from instruments.catalogue.loader import load_catalogue
from instruments.db import journal_in_words, open_engine

LEAST_FREE = 200 * 1024 * 1024


def examine(settings: Settings) -> dict[str, Any]:
    """Return the settings and one line per check; a failing check says what to do."""
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("versions", _versions),
        ("database", _database),
        ("catalogue", _catalogue),
        ("fonts", _fonts),
        ("disk", _disk),
        ("mail", _mail),
    ]
    return {
        "settings": describe(settings),
        "checks": [_run(name, check, settings) for name, check in checks],
    }


class Unwell(Exception):
    """A check found something wrong; the words say what to do."""


def _run(name: str, check: Callable[[Settings], str], settings: Settings) -> dict[str, Any]:
    try:
        return {"name": name, "good": True, "words": check(settings)}
    except Exception as problem:  # noqa: BLE001 -- the doctor reports whatever it is
        return {"name": name, "good": False, "words": str(problem) or type(problem).__name__}


def _versions(_settings: Settings) -> str:
    parts = [
        f"{name} {version(name)}" for name in ("calib", "numpy", "scipy", "sqlalchemy", "typst")
    ]
    return ", ".join([f"Python {platform.python_version()}", *parts])


def _database(settings: Settings) -> str:
    engine = open_engine(settings.url)
    try:
        with engine.connect() as connection:
            connection.execute(select(1))
        if engine.dialect.name == "sqlite":
            return journal_in_words()
        return f"{engine.dialect.name}: answers"
    finally:
        engine.dispose()


def _catalogue(_settings: Settings) -> str:
    types = load_catalogue().list()
    return f"{len(types)} instrument types"


def _fonts(_settings: Settings) -> str:
    return f"digest {fonts_digest()[:16]}"


def _disk(settings: Settings) -> str:
    folder = settings.folder if settings.folder.exists() else settings.folder.resolve().parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise Unwell(f"only {free // 2**20} MiB free in {folder}: free some space")
    return f"{free // 2**30} GiB free"


def _mail(settings: Settings) -> str:
    if not settings.smtp_host:
        return "no mail server: mails are written to the folder mail of the data folder"
    return f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
