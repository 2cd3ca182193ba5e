"""A witness in one folder: its key, and the last head it cosigned of each log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from calib.adapters.files import make_folder, sync_folder, write_durably
from calib.adapters.log_files import FileAnchor
from calib.adapters.signing_files import FileVault
from calib.ledger.notes import COSIGNATURE, NoteKey, read_note_key
from calib.services.witnessing import Witness
from instruments.errors import Conflict

_KNOWN = "witness.json"


def open_witness(
    name: str,
    logs: Sequence[NoteKey],
    folder: Path,
    passphrase: Callable[[], bytes],
    clock: Callable[[], datetime],
) -> Witness:
    """Return the witness of a folder; its key is made when there is none.

    Raises
    ------
    Conflict
        The folder holds the key of a witness of another name.
    Unavailable
        The key cannot be opened or written.
    """
    vault = FileVault(folder / "keys", passphrase)
    reference, note_key = _key(name, folder, vault)
    trusted: dict[str, list[NoteKey]] = {}
    for log in logs:
        trusted.setdefault(log.name, []).append(log)

    def kept(origin: str) -> FileAnchor:
        # an origin may hold anything; its hash is a safe name of a file
        return FileAnchor(folder / "heads" / hashlib.sha256(origin.encode()).hexdigest()[:32])

    def sign(message: bytes) -> bytes:
        return vault.sign(reference, "ed25519", message)

    return Witness(note_key, sign, trusted, kept, clock)


def _key(name: str, folder: Path, vault: FileVault) -> tuple[str, NoteKey]:
    make_folder(folder)
    place = folder / _KNOWN
    if place.exists():
        known = json.loads(place.read_text(encoding="utf-8"))
        note_key = read_note_key(known["key"])
        if note_key.name != name:
            raise Conflict(
                "witness-other-name",
                "The folder holds the key of the witness {known}, not of {name}. Name another "
                "folder.",
                facts={"known": note_key.name, "name": name},
            )
        return known["reference"], note_key
    make_folder(folder / "keys")
    reference, public = vault.make("ed25519", "witness")
    key = serialization.load_der_public_key(public)
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    note_key = NoteKey(name, COSIGNATURE, raw)
    write_durably(place, json.dumps({"key": str(note_key), "reference": reference}).encode())
    sync_folder(folder)
    return reference, note_key
