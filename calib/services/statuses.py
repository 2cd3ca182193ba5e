"""The signed list of certificates that no longer stand: made from the events, renewed in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Engine, select

from calib.ledger.notes import Note, Signature, read_note
from calib.ledger.statuses import Ended, Entry, StatusList, entry_of, read_status
from calib.records.certificates import Certificate, CertificateEvent
from calib.services import ledger
from calib.services.ports import LogStore
from instruments.errors import DomainError
from instruments.tenancy import installation_session

LIST = "list"
LIFETIME = timedelta(hours=24)
"""How long a list may be believed; whoever is offline longer no longer knows."""
_ENDED: tuple[Ended, ...] = ("superseded", "withdrawn", "void")
"""From the weakest to the strongest word."""


def renew_status(
    engine: Engine,
    files: LogStore,
    origin: str,
    sign: Callable[[str], Signature],
    clock: Callable[[], datetime],
) -> StatusList:
    """Publish a new list when something ended since the last, or half of its time has passed."""
    with files.held():
        now = clock().replace(microsecond=0)
        with installation_session(engine, read_only=True) as session:
            size = ledger.head(session).size
            rows = session.execute(
                select(Certificate.token, CertificateEvent.event, CertificateEvent.happened_at)
                .join(CertificateEvent, CertificateEvent.certificate_id == Certificate.id)
                .where(CertificateEvent.event.in_(_ENDED))
            ).all()
        entries: dict[str, Entry] = {}
        for token, event, at in sorted(rows, key=lambda row: _ENDED.index(row.event)):
            entries[entry_of(token)] = Entry(cast("Ended", event), at.date())
        last = published_status(files)
        if last is not None and last.entries == entries and now < last.issued_at + LIFETIME / 2:
            return last
        listed = StatusList(origin, now, now + LIFETIME, size, entries)
        text = listed.text()
        files.write(LIST, str(Note(text, (sign(text),))).encode())
        return listed


def published_status(files: LogStore) -> StatusList | None:
    """Return the list as it is served; None: there is none, or it cannot be read."""
    content = files.read(LIST)
    try:
        return read_status(read_note(content)) if content is not None else None
    except DomainError:
        return None
