"""The composition root: settings in, one wired application out; the only importer of adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from sqlalchemy import Engine

from api.settings import Settings
from calib.adapters.files import DirectoryStore
from calib.adapters.mail import FolderMailer, Security, SMTPMailer
from calib.adapters.sealing import CheckedSealer, UnsealedSealer
from calib.migrations.newest import is_up_to_date
from calib.services.ports import FileStore, Mailer, Sealer
from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.db import open_engine

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything a door needs, made once per process."""

    settings: Settings
    engine: Engine
    catalogue: Catalogue
    store: FileStore
    sealer: Sealer
    mailer: Mailer
    clock: Clock


def system_clock() -> datetime:
    """Return the instant now; the only place of the application that asks the system."""
    return datetime.now(UTC)


def wire(settings: Settings, *, clock: Clock = system_clock, synced: bool = True) -> Wiring:
    """Open the database (bringing it up to date), the file store and the mailer.

    `synced` is false only while a demo world is built, see `open_engine`.
    """
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.url, synced=synced)
    if not is_up_to_date(engine):
        from calib.migrations.run import upgrade  # half a second that only a new database costs

        upgrade(engine)
    return Wiring(
        settings=settings,
        engine=engine,
        catalogue=load_catalogue(),
        store=DirectoryStore(folder / "files"),
        sealer=CheckedSealer(UnsealedSealer(), schema_folder(settings)),
        mailer=_mailer(settings, folder),
        clock=clock,
    )


def schema_folder(settings: Settings) -> Path:
    """Return where the schemas of digital certificates are kept."""
    return settings.folder / "schemas"


def fetched_schemas(address: str) -> Iterator[bytes]:
    """Yield the schema at an address and everything it imports."""
    from calib.adapters.schemas import fetch_schemas  # one command alone reaches out

    return fetch_schemas(address)


def _mailer(settings: Settings, folder: Path) -> Mailer:
    if not settings.smtp_host:
        return FolderMailer(folder / "mail", sender=settings.mail_from)
    return SMTPMailer(
        host=settings.smtp_host,
        port=int(settings.smtp_port),
        user=settings.smtp_user,
        password=settings.smtp_password,
        security=cast("Security", settings.smtp_security),
        sender=settings.mail_from,
    )
