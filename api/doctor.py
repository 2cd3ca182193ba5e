"""What ``calib doctor`` finds: settings, versions, database, fonts, disk, and what to do."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine, make_url

from api.bootstrap import schema_folder, system_clock
from api.settings import HERE, Settings, describe
from calib.certificates.dcc_schema import is_installed
from calib.certificates.fonts import fonts_digest
from calib.migrations.grants import not_kept_apart, standing
from calib.migrations.newest import is_up_to_date
from calib.migrations.tables import all_tables
from calib.services import recall, recovery
from instruments.catalogue.loader import load_catalogue
from instruments.db import journal_in_words, open_engine
from instruments.row_security import kept_apart
from instruments.tenancy import installation_session

LEAST_FREE = 200 * 1024 * 1024


def examine(settings: Settings, language: str = "en") -> dict[str, Any]:
    """Return the settings and one line per check; a failing check says what to do."""

    def work(settings: Settings) -> str:
        return _work(settings, language)

    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("versions", _versions),
        ("database", _database),
        ("catalogue", _catalogue),
        ("fonts", _fonts),
        ("schemas", _schemas),
        ("disk", _disk),
        ("mail", _mail),
        ("address", _address),
        ("clock", _clock),
        ("work", work),
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
    missing = _missing_file(settings)
    if missing is not None:
        return missing
    engine = open_engine(settings.url)
    try:
        state = "up to date" if is_up_to_date(engine) else "brought up to date at the next start"
        if engine.dialect.name == "sqlite":
            return f"{journal_in_words()}; {state}"
        return f"{engine.dialect.name}: answers; {state}; {_overheard(settings)}; {_apart(engine)}"
    finally:
        engine.dispose()


def _overheard(settings: Settings) -> str:
    """Say whether somebody on the way to the database could listen or answer in its place."""
    url = make_url(settings.url)
    said = url.query.get("sslmode", "prefer")
    if url.host is None or url.host in HERE or url.host.startswith("/"):
        return "on this machine"
    if said != "verify-full":
        raise Unwell(
            f"the way to {url.host} may be overheard (sslmode={said}): add ?sslmode=verify-full to "
            "CALIB_DATABASE_URL (docs/operate/postgresql.md)"
        )
    return "encrypted, and its certificate is looked at"


def _apart(engine: Engine) -> str:
    """Say whether PostgreSQL itself keeps labs apart from this program as it is connected."""
    with engine.connect() as connection:
        name, above, owner = standing(connection)
        bare = not_kept_apart(connection, kept_apart(all_tables().sorted_tables))
    if bare:
        raise Unwell(f"no row security on {', '.join(bare)}: run calib database upgrade")
    if above:
        return (
            f"connected as {name}, a superuser or BYPASSRLS: row security does not hold it; give "
            "the application a role of its own (docs/operate/postgresql.md)"
        )
    if owner:
        return (
            f"connected as {name}, the owner of the tables: row security holds, but it may be "
            "switched off; give the application a role of its own (docs/operate/postgresql.md)"
        )
    return f"connected as {name}: row security keeps laboratories apart"


def _work(settings: Settings, language: str) -> str:
    """Say what lies undone: certificates that stay reserved, notices not made, mails not sent."""
    if not _is_there(settings):
        return "nothing yet"
    engine = open_engine(settings.url)
    try:
        if not is_up_to_date(engine):
            return "told once the database is up to date"
        now = system_clock()
        with installation_session(engine, read_only=True) as session:
            alarms = [recall.schedule_alarm(session, now), recall.mail_alarm(session, now)]
            alarms += recovery.reserved_alarms(session, now)
    finally:
        engine.dispose()
    said = [alarm.words(language) for alarm in alarms if alarm is not None]
    if said:
        raise Unwell("\n".join(said))
    return "nothing lies undone"


def _missing_file(settings: Settings) -> str | None:
    """Say what becomes of an SQLite file that is not there; asking the database would make it."""
    if _is_there(settings):
        return None
    file = make_url(settings.url).database or ""
    folder = Path(file).parent
    if not (folder.is_dir() or folder == settings.folder.resolve()):
        raise Unwell(f"the folder {folder} of the database is missing: make it")
    return f"{file} is not there yet: the first start makes it"


def _is_there(settings: Settings) -> bool:
    url = make_url(settings.url)
    return url.get_backend_name() != "sqlite" or not url.database or Path(url.database).exists()


def _catalogue(_settings: Settings) -> str:
    types = load_catalogue().list()
    return f"{len(types)} instrument types"


def _fonts(_settings: Settings) -> str:
    return f"digest {fonts_digest()[:16]}"


def _schemas(settings: Settings) -> str:
    if is_installed(schema_folder(settings)):
        return "DCC 3.3.0 and D-SI 2.2.1: every certificate is validated"
    return "not installed: digital certificates are not validated (calib schemas install)"


def _disk(settings: Settings) -> str:
    folder = settings.folder if settings.folder.exists() else settings.folder.resolve().parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise Unwell(f"only {free // 2**20} MiB free in {folder}: free some space")
    return f"{free // 2**30} GiB free"


def _address(settings: Settings) -> str:
    address = urlsplit(settings.public_url)
    if address.scheme != "https" and address.hostname not in HERE:
        raise Unwell(
            f"{settings.public_url}: certificates are issued only for an https address. Put a web "
            "server with HTTPS in front and set CALIB_PUBLIC_URL"
        )
    return settings.public_url


def _clock(_settings: Settings) -> str:
    now = system_clock()
    released = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < released - timedelta(days=1):
        raise Unwell(
            f"{now:%Y-%m-%d %H:%M} UTC is before this program was installed: set the clock"
        )
    return f"{now:%Y-%m-%d %H:%M} UTC"


def _mail(settings: Settings) -> str:
    if not settings.smtp_host:
        return "no mail server: mails are written to the folder mail of the data folder"
    return f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security})"
