"""Back an installation up, and bring it back: copies that count only once they were proven.

A backup is always an SQLite file with the rows of either database, the files of certificates, the
log as it is served, and the keys, which stay encrypted. The anchor of the log is never in it: it is
what tells that a backup is old.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Engine, func, select

from calib.keeping.restored import MARKER
from calib.keeping.transfer import Told, copy_database, digest_of
from calib.migrations.run import newest
from calib.records.certificates import Certificate, CertificateFile
from calib.services import ledger
from calib.services.fsck import fsck
from calib.services.log import CHECKPOINT
from calib.services.ports import FileStore
from instruments.db import damage_in_file, open_engine
from instruments.errors import Conflict, Finding, Invalid, Refused
from instruments.tenancy import installation_session

DATABASE, MANIFEST = "calib.db", "manifest.json"
TREES = ("log", "status", "keys")
"""Folders of the data folder that are copied as they are."""
OpenStore = Callable[[Path], FileStore]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a proven backup holds."""

    made_at: str
    digest: str
    """Over every row of every table."""
    lines: int
    """Of the ledger."""
    certificates: int
    files: int
    revision: str
    software: str


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made, and what was wrong already."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    left_out: str = ""
    """Name in the data folder of the file with the passphrase, which no backup holds."""


def back_up(
    engine: Engine,
    data: Path,
    to: Path,
    open_store: OpenStore,
    now: datetime,
    told: Told,
    passphrase: Path | None = None,
) -> Backup:
    """Copy the installation into a folder, open the copy, and let it count once it is whole.

    May run while people work. What is in the folder already is kept until the new copy is proven.
    The file with the passphrase is left out: keys and what opens them do not lie together.

    Raises
    ------
    Conflict
        The copy does not hold what was read: the backup before it still counts.
    Unavailable
        A file is missing or damaged, or a disk failed.
    """
    to.mkdir(parents=True, exist_ok=True)
    draft = to / f"{DATABASE}.new"
    draft.unlink(missing_ok=True)
    secret = passphrase.resolve() if passphrase else None
    copy = open_engine(f"sqlite:///{draft}", synced=False)
    try:
        digest = copy_database(engine, copy, told)
        digests = _files_of(copy)
        source, target = open_store(data / "files"), open_store(to / "files")
        for number, sha256 in enumerate(digests):
            told("files", number / max(1, len(digests)))
            if not target.has(sha256):
                target.put(source.get(sha256))
        for tree in TREES:
            _copy_tree(data / tree, to / tree, secret)
        findings = _proven(copy, target, digest, told, now)
        manifest = _manifest(copy, digest, len(digests), now)
    finally:
        copy.dispose()
    _put(draft, to / DATABASE)
    _write(to / MANIFEST, json.dumps(asdict(manifest), indent=2).encode())
    return Backup(manifest, findings, _withheld(data, to, secret))


def restore(
    engine: Engine, data: Path, source: Path, open_store: OpenStore, now: datetime, told: Told
) -> Manifest:
    """Bring a backup into an empty installation, which is read-only until somebody acknowledges.

    Raises
    ------
    Conflict
        The database holds rows already, or the backup is not what its manifest says.
    Invalid
        The folder holds no backup.
    """
    manifest = read_manifest(source)
    copy = open_engine(f"sqlite:///{source / DATABASE}")
    try:
        if digest_of(copy) != manifest.digest:
            raise _unproven(source)
        digest = copy_database(copy, engine, told)
        if digest != manifest.digest or digest_of(engine) != manifest.digest:
            raise _unproven(source)
        kept, target = open_store(source / "files"), open_store(data / "files")
        for sha256 in _files_of(copy):
            if not target.has(sha256):
                target.put(kept.get(sha256))
    finally:
        copy.dispose()
    for tree in TREES:
        if (source / tree).is_dir() and not (data / tree).is_dir():
            shutil.copytree(source / tree, data / tree)
    marked = {"restored_at": now.isoformat(), **asdict(manifest)}
    _write(data / MARKER, json.dumps(marked, indent=2).encode())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises Invalid when it is none.
    """
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError) as problem:
        raise Invalid(
            "backup-unreadable",
            "{folder} holds no proven backup ({problem}). Name the folder that calib backup wrote.",
            facts={"folder": str(folder), "problem": str(problem)},
        ) from problem


def _files_of(engine: Engine) -> tuple[str, ...]:
    with installation_session(engine, read_only=True) as session:
        return tuple(session.scalars(select(CertificateFile.sha256).distinct()))


def _proven(
    copy: Engine, store: FileStore, digest: str, told: Told, now: datetime
) -> tuple[Finding, ...]:
    """Open the copy as a restore would; what is wrong with its content is told, not hidden."""
    with installation_session(copy, read_only=True) as session:
        damaged = damage_in_file(session)
    if damaged or digest_of(copy) != digest:
        raise Conflict(
            "backup-not-whole",
            "The copy does not hold what was read. It does not count; the backup before it still "
            "does. Look at the disk it was written to, then try again.",
        )
    return tuple(fsck(copy, store, lambda: None, told, now))


def _copy_tree(tree: Path, to: Path, secret: Path | None) -> None:
    """Copy files that others write meanwhile: each is replaced whole, drafts begin with a dot.

    The head of the log goes first: every tile it needs is there by then and stays.
    """
    if not tree.is_dir():
        return
    if (tree / CHECKPOINT).is_file():
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / CHECKPOINT, to / CHECKPOINT)

    def passed_over(folder: str, names: list[str]) -> set[str]:
        return {
            name
            for name in names
            if name.startswith(".")
            or name == CHECKPOINT
            or (secret is not None and (Path(folder) / name).resolve() == secret)
        }

    shutil.copytree(tree, to, ignore=passed_over, dirs_exist_ok=True)


def _withheld(data: Path, to: Path, secret: Path | None) -> str:
    """Return the name of the passphrase if it lies among what is copied; no old copy is left."""
    for tree in TREES:
        folder = (data / tree).resolve()
        if secret is not None and secret.is_relative_to(folder):
            name = Path(tree) / secret.relative_to(folder)
            (to / name).unlink(missing_ok=True)
            return str(name)
    return ""


def _manifest(copy: Engine, digest: str, files: int, now: datetime) -> Manifest:
    with installation_session(copy, read_only=True) as session:
        lines = ledger.head(session).size
        certificates = session.scalar(select(func.count(Certificate.id))) or 0
    return Manifest(
        now.isoformat(), digest, lines, certificates, files, newest(), f"calib {version('calib')}"
    )


def _unproven(source: Path) -> Refused:
    return Refused(
        "backup-changed",
        "The backup in {folder} is not what its manifest says: it was changed, or the disk failed. "
        "Take another backup.",
        facts={"folder": str(source)},
    )


def _write(place: Path, content: bytes) -> None:
    draft = place.with_name(f".{place.name}.new")
    draft.write_bytes(content)
    _put(draft, place)


def _put(draft: Path, place: Path) -> None:
    """Sync a file and put it in its place at once."""
    for step in (draft, place.parent):
        if step == place.parent:
            draft.replace(place)
        handle = os.open(step, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
